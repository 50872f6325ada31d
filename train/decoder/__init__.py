"""What small decoders compute, written out: for answering, and for training adapters on a frozen base.

`anatomy.take_apart` reads a transformers model; PEFT stays the owner of its adapters (`adapters`). Tokens come as one
flat stream (`flat`), through `blocks` and `attention` (on a CPU: `chunks`); `training` has the loss and the gradients.
Where an architecture is not known here, `kinds.unsupported` says why, and transformers' own code computes it.
"""
