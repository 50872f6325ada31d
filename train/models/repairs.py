"""What has to be mended in transformers so that published models load."""

from __future__ import annotations

from typing import Any


def allow_explicit_head_sizes() -> None:
    """Lets a Llama configuration name a head size that does not divide the hidden size, as Kanana-1.5-2.1B's does.

    transformers 5.8 to 5.23 at least refuse 24 heads of 128 on a hidden size of 1792, although the attention is
    computed with the named size (github.com/huggingface/transformers/issues/46082). A configuration that names none,
    and whose hidden size cannot be divided, is refused as before.
    """
    from transformers import LlamaConfig

    original = getattr(LlamaConfig, "validate_architecture", None)
    validators: list[Any] = getattr(LlamaConfig, "__class_validators__", [])
    if original is None or original not in validators or hasattr(original, "openbook"):
        return

    def validate_architecture(self: Any) -> None:
        """As transformers' own, unless the head size is named."""
        # Where none was named, transformers has put in the whole part of the quotient by now.
        if self.head_dim == self.hidden_size // self.num_attention_heads:
            original(self)

    validate_architecture.openbook = True  # type: ignore[attr-defined]
    LlamaConfig.validate_architecture = validate_architecture
    validators[validators.index(original)] = validate_architecture
