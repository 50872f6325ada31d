"""A model's sizes, and the bytes that follow from them alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from train.errors import UserError
from train.recipe import Base, LoRA, QLoRA


@dataclass(frozen=True, slots=True)
class Shape:
    """A model's sizes. `linear` has name, inputs and outputs of every linear layer but the head."""

    parameters: int
    linear: tuple[tuple[str, int, int], ...]
    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head_size: int
    vocabulary: int

    @property
    def decoder(self) -> int:
        """The weights of the linear layers without the head."""
        return sum(inputs * outputs for _, inputs, outputs in self.linear)

    @property
    def attended(self) -> int:
        """The width of all queries together."""
        return self.heads * self.head_size

    @property
    def intermediate(self) -> int:
        """The width inside the feed-forward part: what its last layer takes in."""
        return max(inputs for _, inputs, _ in self.linear)

    def adapted(self, adapter: LoRA) -> list[tuple[int, int]]:
        """Inputs and outputs of the layers that get the adapter."""
        return [
            (inputs, outputs)
            for name, inputs, outputs in self.linear
            if adapter.target_modules == ("all-linear",)
            or any(name == module or name.endswith(f".{module}") for module in adapter.target_modules)
        ]


def shape_of(config: Any, base: Base) -> Shape:
    """The sizes of the configuration's model, built without memory for its weights; tied weights count once.

    Raises:
        UserError: the model has no attention or no linear layers, so that nothing here holds for it.
    """
    import torch
    from transformers import AutoModelForCausalLM

    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config, trust_remote_code=base.trust_remote_code)
    text, head = config.get_text_config(), model.get_output_embeddings()
    linear = tuple(
        (name, module.in_features, module.out_features)
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear) and module is not head
    )
    heads = getattr(text, "num_attention_heads", None)
    if not linear or not heads:
        raise UserError(
            f"base.model = {base.model!r}: memory and time are estimated for transformers with attention only"
        )
    return Shape(
        parameters=sum(weight.numel() for weight in model.parameters()),
        linear=linear,
        layers=text.num_hidden_layers,
        hidden=text.hidden_size,
        heads=heads,
        kv_heads=getattr(text, "num_key_value_heads", None) or heads,
        head_size=getattr(text, "head_dim", None) or text.hidden_size // heads,
        vocabulary=text.vocab_size,
    )


def four_bits(adapter: LoRA | None) -> QLoRA | None:
    """How the adapter has its base held in 4 bits, as `Tuned.quantization` says of its arm; None in full precision."""
    return adapter if isinstance(adapter, QLoRA) else None


def weight_bytes(shape: Shape, width: int, four_bit: QLoRA | None = None) -> int:
    """Bytes of the base, `width` bytes a weight.

    In 4 bits, only embeddings, norms and head keep that width. Linear layers take 4 bits a weight and a constant for
    each block of 64: 32 bits, or with double quantisation 8 bits and 32 for each 256 blocks, which is 0.5 or 0.127 bits
    a weight (Dettmers et al. 2023, section 3).
    """
    if four_bit is None:
        return shape.parameters * width
    constants = 8 / 64 + 32 / (64 * 256) if four_bit.double_quantization else 32 / 64
    return (shape.parameters - shape.decoder) * width + math.ceil(shape.decoder * (4 + constants) / 8)


def adapter_parameters(shape: Shape, adapter: LoRA | None) -> int:
    """rank · (inputs + outputs) for each layer (Hu et al. 2021); DoRA adds a magnitude for each output."""
    if adapter is None:
        return 0
    magnitudes = sum(outputs for _, outputs in shape.adapted(adapter)) if adapter.dora else 0
    return sum(adapter.rank * (inputs + outputs) for inputs, outputs in shape.adapted(adapter)) + magnitudes


def cache_bytes(shape: Shape, width: int) -> int:
    """Keys and values of one token in all layers: 2 · layers · key heads · head size, `width` bytes each."""
    return 2 * shape.layers * shape.kv_heads * shape.head_size * width
