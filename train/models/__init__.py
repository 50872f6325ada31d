"""Load a base and know what it is.

`resolve` finds it (hub, directory, GGUF) and fingerprints it; `load_model` and `load_tokenizer` load it.
"""

from train.models.load import (
    linear_layers,
    load_config,
    load_model,
    load_tokenizer,
    pick_device,
    pick_dtype,
    stop_tokens,
    window,
)
from train.models.machine import forget_peak, memory_of, out_of_memory, peak_bytes, peak_since
from train.models.origin import ORIGIN, Origin, origin_of, write_origin
from train.models.source import Say, Source, resolve, silent

__all__ = [
    "ORIGIN",
    "Origin",
    "Say",
    "Source",
    "forget_peak",
    "linear_layers",
    "load_config",
    "load_model",
    "load_tokenizer",
    "memory_of",
    "origin_of",
    "out_of_memory",
    "peak_bytes",
    "peak_since",
    "pick_device",
    "pick_dtype",
    "resolve",
    "silent",
    "stop_tokens",
    "window",
    "write_origin",
]
