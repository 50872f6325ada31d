"""The kinds of models whose arithmetic is written here."""

from __future__ import annotations

from typing import Any

from train.errors import UserError

KINDS = ("llama", "mistral", "phi3", "qwen2")
"""The model types whose blocks are these."""


class Unsupported(UserError):
    """The model computes something that is not written here; the message says what."""


def unsupported(config: Any) -> str | None:
    """Why a model of that configuration is computed by transformers' own code; None where it is computed here."""
    if config.model_type not in KINDS:
        return f"the architecture {config.model_type} is not among {', '.join(KINDS)}"
    if config.hidden_act not in ("silu", "swish"):
        return f"its activation is {config.hidden_act}"
    for noise in ("attention_dropout", "resid_pdrop", "embd_pdrop"):
        if getattr(config, noise, 0.0):
            return f"its base has dropout of its own ({noise})"
    return None
