"""Take a transformers model apart into the matrices that its decoder blocks multiply by.

Llama, Mistral, Qwen2 and Phi-3 share one block: root mean square norms, rotary positions, grouped-query attention and a
gated feed-forward layer. What is computed from these parts is in `train.decoder.blocks`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from train.decoder.kinds import Unsupported, unsupported


@dataclass(frozen=True, slots=True)
class Linear:
    """A frozen linear layer, in full precision or in 4 bits."""

    name: str
    module: Any
    dtype: torch.dtype

    @property
    def weight(self) -> torch.Tensor:
        """outputs × inputs, unpacked anew at each call where it is held in 4 bits."""
        weight: torch.Tensor = self.module.weight
        state = getattr(weight, "quant_state", None)
        if state is None:
            return weight
        from bitsandbytes.functional import dequantize_4bit

        unpacked: torch.Tensor = dequantize_4bit(weight.data, state)
        return unpacked.to(self.dtype)

    @property
    def bias(self) -> torch.Tensor | None:
        bias: torch.Tensor | None = self.module.bias
        return bias

    @property
    def outputs(self) -> int:
        return int(self.module.out_features)

    @property
    def inputs(self) -> int:
        return int(self.module.in_features)


Group = tuple[Linear, ...]
"""Linear layers that read the same input; their outputs stand side by side."""


@dataclass(frozen=True, slots=True)
class Norm:
    """A root mean square norm (Zhang and Sennrich 2019)."""

    weight: torch.Tensor
    epsilon: float


@dataclass(frozen=True, slots=True)
class Block:
    """One decoder block. `window` is the number of positions that attention looks back over, None for all."""

    before_attention: Norm
    qkv: Group
    o: Group
    before_feed_forward: Norm
    gate_up: Group
    down: Group
    window: int | None

    @property
    def groups(self) -> tuple[Group, Group, Group, Group]:
        return self.qkv, self.o, self.gate_up, self.down


@dataclass(frozen=True, slots=True)
class Decoder:
    """The parts of a model. `rotary(x, positions)` gives cosines and sines, 1 × tokens × rotated dimensions each."""

    embedding: torch.Tensor
    blocks: tuple[Block, ...]
    norm: Norm
    head: Linear
    rotary: Any
    heads: int
    kv_heads: int
    head_size: int
    scaling: float
    hidden: int
    intermediate: int
    dtype: torch.dtype

    @property
    def device(self) -> torch.device:
        return self.embedding.device


def take_apart(model: Any) -> Decoder:
    """The parts of a causal language model, plain or with PEFT's adapters around its linear layers.

    Raises:
        Unsupported: the model is of another kind, or computes something besides.
    """
    inner = model.get_base_model() if hasattr(model, "get_base_model") else model
    config = inner.config
    if reason := unsupported(config):
        raise Unsupported(reason)
    body, dtype = inner.model, inner.dtype
    names = {module: name for name, module in inner.named_modules()}

    def linear(module: Any) -> Linear:
        base = module.base_layer if hasattr(module, "base_layer") else module
        if not isinstance(base, nn.Linear):  # bitsandbytes' is one, too
            raise Unsupported(f"{names[module]} is a {type(base).__name__}")
        return Linear(names[module], base, dtype)

    blocks = []
    for layer in body.layers:
        attention, feed_forward = layer.self_attn, layer.mlp
        together = hasattr(attention, "qkv_proj")
        queries = [attention.qkv_proj] if together else [attention.q_proj, attention.k_proj, attention.v_proj]
        gates = [feed_forward.gate_up_proj] if together else [feed_forward.gate_proj, feed_forward.up_proj]
        blocks.append(
            Block(
                before_attention=norm(layer.input_layernorm),
                qkv=tuple(map(linear, queries)),
                o=(linear(attention.o_proj),),
                before_feed_forward=norm(layer.post_attention_layernorm),
                gate_up=tuple(map(linear, gates)),
                down=(linear(feed_forward.down_proj),),
                window=sliding_window(attention, config),
            )
        )
    first = body.layers[0].self_attn
    return Decoder(
        embedding=body.embed_tokens.weight,
        blocks=tuple(blocks),
        norm=norm(body.norm),
        head=linear(inner.lm_head),
        rotary=body.rotary_emb,
        heads=config.num_attention_heads,
        kv_heads=config.num_key_value_heads,
        head_size=first.head_dim,
        scaling=first.scaling,
        hidden=config.hidden_size,
        intermediate=config.intermediate_size,
        dtype=dtype,
    )


def norm(module: Any) -> Norm:
    """A norm's weight and its epsilon."""
    return Norm(module.weight, module.variance_epsilon)


def sliding_window(attention: Any, config: Any) -> int | None:
    """How far back a block's attention looks; Qwen2 says it by layer, Mistral and Phi-3 for all of them."""
    if config.model_type == "llama":
        return None
    found: int | None = (
        attention.sliding_window if hasattr(attention, "sliding_window") else getattr(config, "sliding_window", None)
    )
    return found
