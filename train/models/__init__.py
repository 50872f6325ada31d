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
from train.models.source import Source, resolve

__all__ = [
    "Source",
    "linear_layers",
    "load_config",
    "load_model",
    "load_tokenizer",
    "pick_device",
    "pick_dtype",
    "resolve",
    "stop_tokens",
    "window",
]
