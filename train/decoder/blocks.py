"""A decoder's blocks on a flat stream of tokens: forward for answering, forward and backward for training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from train.decoder.adapters import Route, Routes
from train.decoder.anatomy import Block, Decoder, Group
from train.decoder.arithmetic import (
    Inner,
    Masks,
    gated,
    gated_backward,
    normalise,
    normalise_backward,
    pick,
    project,
    project_backward,
    rotate,
)
from train.decoder.products import linear

Rotary = tuple[torch.Tensor, torch.Tensor]
"""Cosines and sines of the tokens' positions, tokens × 1 × half the rotated dimensions each."""

Attend = Callable[[int, torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]
"""Attention of a block: from its number, queries (tokens × heads × size), keys and values (tokens × key heads × size)
to tokens × heads · size."""

Drop = Callable[[int, int, Route], torch.Tensor | None]
"""Which inputs a route keeps in training: from block, group in the block and route to tokens × inputs, True where kept;
None keeps all."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The tokens of a stream that go on after the last attention: all that is ever read of the last block.

    `places` are theirs in the stream, each once and in order; `routes` are those of the chosen tokens among themselves.
    """

    places: torch.Tensor
    routes: Routes

    @classmethod
    def of(cls, places: torch.Tensor, routes: Routes) -> Chosen:
        """Those places, of a stream with these routes."""
        places = torch.unique(places)
        edges = torch.tensor([[route.start, route.end] for route in routes], device=places.device).view(-1, 2)
        found = torch.searchsorted(places, edges).tolist()
        among = [Route(start, end, route.adapter) for (start, end), route in zip(found, routes, strict=True)]
        return cls(places, among)


@dataclass(slots=True)
class Kept:
    """What the backward pass needs of one block's forward pass, and cannot make again cheaply."""

    x: torch.Tensor
    factor: torch.Tensor
    attended: torch.Tensor
    middle: torch.Tensor
    middle_factor: torch.Tensor
    gate_up: list[torch.Tensor]
    inner: list[Inner] = field(default_factory=list)
    masks: list[Masks] = field(default_factory=list)


def embed(decoder: Decoder, tokens: torch.Tensor, positions: torch.Tensor) -> tuple[torch.Tensor, Rotary]:
    """The hidden states of a flat stream of tokens before the first block, and their rotary positions."""
    x = decoder.embedding[tokens]
    cosine, sine = decoder.rotary(x[None], positions[None])
    half = cosine.shape[-1] // 2  # the second half repeats the first
    return x, (cosine[0, :, None, :half], sine[0, :, None, :half])


def split_heads(decoder: Decoder, outputs: Sequence[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Queries, keys and values, tokens × heads × size, from a layer each or side by side from one."""
    heads = [each.view(len(each), -1, decoder.head_size) for each in outputs]
    if len(heads) == 1:
        heads = list(torch.split(heads[0], [decoder.heads, decoder.kv_heads, decoder.kv_heads], dim=1))
    return heads[0], heads[1], heads[2]


def by_layer(group: Group, side_by_side: torch.Tensor) -> Sequence[torch.Tensor]:
    """The parts of a tensor that belong to each of a group's layers, as views."""
    return torch.split(side_by_side, [layer.outputs for layer in group], dim=1)


def forward(
    decoder: Decoder,
    number: int,
    x: torch.Tensor,
    rotary: Rotary,
    attend: Attend,
    routes: Routes,
    chosen: Chosen | None = None,
) -> torch.Tensor:
    """The hidden states after block `number`, of the chosen tokens where some are; `x` is overwritten."""
    block: Block = decoder.blocks[number]
    none: Masks = [None] * len(routes)
    y, _ = normalise(x, block.before_attention)
    queries, keys, values = split_heads(decoder, project(block.qkv, y, pick(routes, 4 * number), none))
    rotate(queries, *rotary)
    rotate(keys, *rotary)
    attended = attend(number, queries, keys, values)
    if chosen is not None:
        attended, x, routes = attended[chosen.places], x[chosen.places], chosen.routes
    x += project(block.o, attended, pick(routes, 4 * number + 1), none)[0]
    y, _ = normalise(x, block.before_feed_forward)
    activated = gated(project(block.gate_up, y, pick(routes, 4 * number + 2), none))
    x += project(block.down, activated, pick(routes, 4 * number + 3), none)[0]
    return x


def forward_kept(
    decoder: Decoder,
    number: int,
    x: torch.Tensor,
    rotary: Rotary,
    attend: Attend,
    routes: Routes,
    drop: Drop,
    chosen: Chosen | None = None,
) -> tuple[torch.Tensor, Kept]:
    """As `forward`, with what the backward pass needs; `x` stays as it is, and is part of what is kept."""
    block: Block = decoder.blocks[number]
    masks = [[drop(number, group, route) for route in routes] for group in range(4)]
    if chosen is not None:
        masks[1:] = [[among(chosen, *pair) for pair in zip(routes, group, strict=True)] for group in masks[1:]]
    inner: list[Inner] = [[], [], [], []]

    def through(group: int, y: torch.Tensor) -> list[torch.Tensor]:
        going = chosen.routes if chosen is not None and group else routes
        return project(block.groups[group], y, pick(going, 4 * number + group), masks[group], inner[group])

    y, factor = normalise(x, block.before_attention)
    queries, keys, values = split_heads(decoder, through(0, y))
    rotate(queries, *rotary)
    rotate(keys, *rotary)
    attended = attend(number, queries, keys, values)
    if chosen is not None:
        attended = attended[chosen.places]
    middle = through(1, attended)[0].add_(x if chosen is None else x[chosen.places])
    y, middle_factor = normalise(middle, block.before_feed_forward)
    gate_up = through(2, y)
    after = through(3, gated(gate_up))[0].add_(middle)
    return after, Kept(x, factor, attended, middle, middle_factor, gate_up, inner, masks)


def backward(
    decoder: Decoder,
    number: int,
    gradient: torch.Tensor,
    kept: Kept,
    rotary: Rotary,
    attend_backward: Callable[[int, torch.Tensor], torch.Tensor],
    routes: Routes,
    chosen: Chosen | None = None,
) -> torch.Tensor | None:
    """The gradient of the block's input from that of its output, which is overwritten, as is what was kept.

    Adds to the adapters' gradients. `attend_backward` gives the gradients of queries, keys and values side by side,
    tokens × (heads + 2 · key heads) × size. Before the first block there is nothing to be learnt: None.
    """
    block: Block = decoder.blocks[number]

    def through(group: int, back: Sequence[torch.Tensor], x: torch.Tensor, *, wanted: bool = True) -> Any:
        place = 4 * number + group
        going = chosen.routes if chosen is not None and group else routes
        lows = [(route, route.adapter.lows[place], route.adapter.gradients[place]) for route in going]
        layers = block.groups[group]
        return project_backward(layers, back, x, lows, kept.masks[group], kept.inner[group], wanted=wanted)

    back = through(3, [gradient], gated(kept.gate_up))
    gated_backward(kept.gate_up, back)
    y, _ = normalise(kept.middle, block.before_feed_forward)
    back = through(2, kept.gate_up, y)
    normalise_backward(gradient, back, kept.middle, kept.middle_factor, block.before_feed_forward)

    back = through(1, [gradient], kept.attended)
    if chosen is not None:
        back, gradient = (
            each.new_zeros(len(kept.x), each.shape[1]).index_copy_(0, chosen.places, each) for each in (back, gradient)
        )
    qkv = attend_backward(number, back)
    rotate(qkv[:, : decoder.heads + decoder.kv_heads], *rotary, back=True)
    y, _ = normalise(kept.x, block.before_attention)
    back = through(0, by_layer(block.qkv, qkv.flatten(1)), y, wanted=number > 0)
    if back is None:
        return None
    normalise_backward(gradient, back, kept.x, kept.factor, block.before_attention)
    return gradient


def among(chosen: Chosen, route: Route, mask: torch.Tensor | None) -> torch.Tensor | None:
    """Of a route's mask, the rows of the chosen tokens."""
    if mask is None:
        return None
    inside = (chosen.places >= route.start) & (chosen.places < route.end)
    return mask[chosen.places[inside] - route.start]


def run(
    decoder: Decoder,
    tokens: torch.Tensor,
    positions: torch.Tensor,
    attend: Attend,
    routes: Routes,
    chosen: Chosen | None = None,
) -> torch.Tensor:
    """The hidden states of a flat stream of tokens after the last block, before the norm and the head.

    Where only some tokens' are wanted, `chosen` says which.
    """
    x, rotary = embed(decoder, tokens, positions)
    last = len(decoder.blocks) - 1
    for number in range(last + 1):
        x = forward(decoder, number, x, rotary, attend, routes, chosen if number == last else None)
    return x


def logits(decoder: Decoder, x: torch.Tensor) -> torch.Tensor:
    """The scores of the next token of each row, rows × vocabulary."""
    y, _ = normalise(x, decoder.norm)
    return linear(y, decoder.head.weight, decoder.head.bias)
