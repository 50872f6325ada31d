"""A decoder whose weights were unpacked from 4 bits once, for very many products."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

from train.decoder.anatomy import Decoder, Group, Linear


def unpacked(decoder: Decoder, memory: float) -> Decoder:
    """The decoder with the same weights in its own precision, if these take no more than so many bytes.

    If they take more, or nothing is held in 4 bits, it is returned as it is, and each product unpacks what it needs.
    """
    packed = [linear for block in decoder.blocks for group in block.groups for linear in group if in_four_bits(linear)]
    if not packed or sum(each.inputs * each.outputs for each in packed) * decoder.dtype.itemsize > memory:
        return decoder
    blocks = tuple(
        replace(block, qkv=unpack(block.qkv), o=unpack(block.o), gate_up=unpack(block.gate_up), down=unpack(block.down))
        for block in decoder.blocks
    )
    return replace(decoder, blocks=blocks)


def unpack(group: Group) -> Group:
    """The group's layers in full precision."""
    return tuple(
        replace(
            linear,
            module=SimpleNamespace(
                weight=linear.weight.detach(),
                bias=linear.bias,
                in_features=linear.inputs,
                out_features=linear.outputs,
            ),
        )
        for linear in group
    )


def in_four_bits(linear: Linear) -> bool:
    """Whether the layer's weights are held in 4 bits."""
    return getattr(linear.module.weight, "quant_state", None) is not None
