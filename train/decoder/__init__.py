"""What small decoders compute, written out: for answering, and for training adapters on a frozen base.

`take_apart` reads a transformers model; PEFT stays the owner of its adapters. Where an architecture is not known here,
`Unsupported` says why, and transformers' own code computes it.
"""

from train.decoder.adapters import Adapter, Route, Routes
from train.decoder.anatomy import Decoder, Unsupported, take_apart, unsupported
from train.decoder.attention import RowAttention
from train.decoder.flat import Flat, flatten
from train.decoder.memory import Sizes, keep_freed_memory, token_bytes
from train.decoder.training import Targets, loss_and_gradients, loss_only

__all__ = [
    "Adapter",
    "Decoder",
    "Flat",
    "Route",
    "Routes",
    "RowAttention",
    "Sizes",
    "Targets",
    "Unsupported",
    "flatten",
    "keep_freed_memory",
    "loss_and_gradients",
    "loss_only",
    "take_apart",
    "token_bytes",
    "unsupported",
]
