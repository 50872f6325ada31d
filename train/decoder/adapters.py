"""LoRA adapters as the decoder applies them: each one flat tensor, and each row of tokens routed to its own.

PEFT stays their owner: its parameters become views of the flat tensor, so that it loads and saves them as ever.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from train.decoder.anatomy import Decoder, Group
from train.decoder.kinds import Unsupported


@dataclass(frozen=True, slots=True)
class Low:
    """An adapter's matrices at one group of linear layers.

    `inner` maps the group's input to the members' inner values side by side (members · rank × inputs); `outer` holds
    (place in the group, outputs × rank) of each member that is adapted.
    """

    inner: torch.Tensor
    outer: tuple[tuple[int, torch.Tensor], ...]


class Adapter:
    """One LoRA adapter: `flat` holds all its values, in float32, and `gradient` is added to by the backward pass.

    The update of a layer is scale · B·A·x (Hu et al. 2021). In training, inputs are dropped out with the chance
    `dropout` (in steps of 2⁻¹⁶), once for all layers that read them.
    """

    def __init__(self, model: Any, decoder: Decoder, name: str) -> None:
        """Takes the adapter of that name in a PEFT model over.

        Raises:
            Unsupported: it is no plain LoRA on the decoder's linear layers.
        """
        self.name = name
        inner = model.get_base_model()
        layers = {path: layer for path, layer in inner.named_modules() if name in getattr(layer, "lora_A", {})}
        known = {linear.name for block in decoder.blocks for group in block.groups for linear in group}
        if beyond := sorted(layers.keys() - known):
            raise Unsupported(f"the adapter is on {beyond[0]}, which is outside the decoder's blocks")
        if any(name in layer.lora_magnitude_vector for layer in layers.values()):
            raise Unsupported("DoRA scales by the norms of whole weights")
        if any(getattr(layer, "lora_bias", {}).get(name) for layer in layers.values()):
            raise Unsupported("the adapter has biases")
        scales = {float(layer.scaling[name]) for layer in layers.values()}
        noises = {float(getattr(layer.lora_dropout[name], "p", 0.0)) for layer in layers.values()}
        ranks = {int(layer.r[name]) for layer in layers.values()}
        if len(scales) > 1 or len(noises) > 1 or len(ranks) > 1:
            raise Unsupported("the adapter's layers differ in rank, scale or dropout")
        self.scale, self.rank = scales.pop(), ranks.pop()
        self.dropout = round(noises.pop() * 2**16) / 2**16
        self.places: list[list[tuple[Group, list[int]]]] = [
            [(group, [at for at, linear in enumerate(group) if linear.name in layers]) for group in block.groups]
            for block in decoder.blocks
        ]
        owned = [layers[linear.name] for linear in self.linears()]
        parts = [layer.lora_A[name].weight for layer in owned], [layer.lora_B[name].weight for layer in owned]
        self.flat = torch.empty(sum(part.numel() for part in (*parts[0], *parts[1])), device=decoder.device)
        self.dtype = decoder.dtype
        self.values = self.flat
        inners = (part for low in self.matrices(self.flat) if low.outer for part in torch.split(low.inner, self.rank))
        outers = (outer for low in self.matrices(self.flat) for _, outer in low.outer)
        self.tied = [*zip(parts[0], inners, strict=True), *zip(parts[1], outers, strict=True)]
        for source, view in self.tied:
            view.copy_(source.detach())
            source.requires_grad_(False)
        self.tie()
        self.lows = self.matrices(self.values)
        self.gradient = torch.empty(0)
        self.gradients: list[Low] = []
        self.refresh()

    def tie(self) -> None:
        """Makes PEFT's parameters views of the flat tensor, again if the model was moved in the meantime."""
        for source, view in self.tied:
            source.data = view

    def linears(self) -> Iterator[Any]:
        """The adapted linear layers, in order."""
        for groups in self.places:
            for group, members in groups:
                for member in members:
                    yield group[member]

    def matrices(self, flat: torch.Tensor) -> list[Low]:
        """The views of a flat tensor, group after group and block after block; a group that is left out is empty."""
        found, start = [], 0

        def take(rows: int, columns: int) -> torch.Tensor:
            nonlocal start
            start += rows * columns
            return flat[start - rows * columns : start].view(rows, columns)

        for groups in self.places:
            for group, members in groups:
                inner = take(self.rank * len(members), group[0].inputs)
                found.append(Low(inner, tuple((at, take(group[at].outputs, self.rank)) for at in members)))
        return found

    def refresh(self) -> None:
        """Takes changed values of `flat` over into what is computed with, in the decoder's precision."""
        if self.dtype != torch.float32:
            self.values = self.flat.to(self.dtype)
            self.lows = self.matrices(self.values)

    def learn(self) -> None:
        """Makes room for gradients, all zero."""
        self.gradient = torch.zeros_like(self.flat)
        self.gradients = self.matrices(self.gradient)


@dataclass(frozen=True, slots=True)
class Route:
    """The tokens from `start` to `end` go through that adapter."""

    start: int
    end: int
    adapter: Adapter


Routes = Sequence[Route]
"""Tokens that no route names go through the frozen layers only."""
