"""Dropout whose random numbers belong to a row, not to a batch."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from train.decoder.adapters import Adapter, Route


@dataclass(frozen=True, slots=True)
class Rows:
    """An adapter's rows in a pass: its job's training seed, each row's number in the step, and its tokens."""

    seed: int
    rows: Sequence[tuple[int, int]]


class Dropout:
    """What is kept of an adapter's inputs in one pass of one step.

    A row's numbers depend on its job's training seed, the step and the row alone. So they are the same in every stack,
    in passes of any size, and after an interruption.
    """

    def __init__(self, step: int, rows: Mapping[Adapter, Rows]) -> None:
        self.step, self.rows = step, rows

    def __call__(self, block: int, group: int, route: Route) -> torch.Tensor | None:
        """tokens × inputs, True where kept; None where nothing is dropped."""
        adapter = route.adapter
        places, members = adapter.places[block][group]
        if not adapter.dropout or not members:
            return None
        mine = self.rows[adapter]
        device = adapter.flat.device
        generator = torch.Generator(device)
        inputs = places[0].inputs
        kept = torch.empty(route.end - route.start, inputs, dtype=torch.bool, device=device)
        start = 0
        for number, length in mine.rows:
            generator.manual_seed(stream(mine.seed, self.step, number, block, group))
            kept[start : start + length] = keep(length, inputs, adapter.dropout, generator)
            start += length
        return kept


def keep(rows: int, columns: int, chance: float, generator: torch.Generator) -> torch.Tensor:
    """rows × columns, False with that chance. Sixteen bits decide on one, so one drawn number decides on four."""
    drawn = torch.empty(-(-rows * columns // 4), dtype=torch.int64, device=generator.device)
    bits = drawn.random_(-(2**63), None, generator=generator).view(torch.int16)[: rows * columns]
    return (bits >= round(chance * 2**16) - 2**15).view(rows, columns)


def stream(*parts: int) -> int:
    """A seed of 63 bits from what the random numbers are for."""
    text = "\x1f".join(map(str, ("openbook dropout", *parts)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
