"""Rows of tokens as one flat stream in which a beginning that rows share stands once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

LEAST_FILLED = 0.85
"""Rows are laid side by side for attention as long as the shortest is at least this share of the longest."""


@dataclass(frozen=True, slots=True)
class Rectangle:
    """Rows of about one length, for attention: `index` (rows × length) holds each token's place in the stream, the last
    one repeated at the right. `plain` says that the places are simply one after the other from `start`."""

    index: torch.Tensor
    start: int
    plain: bool


@dataclass(frozen=True, slots=True)
class Flat:
    """A stream of tokens, each with its position in its rows.

    `paths` holds each row's places in the stream: first the `shared` ones of rows before it, then its own, which stand
    one after the other. `bounds` has where each group of rows starts and ends. `own` says where a token of the stream
    is found when the rectangles' tokens are put one after the other; where rows share it, in the first of them.
    """

    tokens: torch.Tensor
    positions: torch.Tensor
    paths: tuple[torch.Tensor, ...]
    shared: tuple[int, ...]
    bounds: tuple[tuple[int, int], ...]
    rectangles: tuple[Rectangle, ...]
    own: torch.Tensor

    def __len__(self) -> int:
        return len(self.tokens)

    def to(self, device: torch.device) -> Flat:
        """The same on a device."""
        if device.type == "cpu":
            return self
        return Flat(
            self.tokens.to(device),
            self.positions.to(device),
            self.paths,
            self.shared,
            self.bounds,
            tuple(Rectangle(each.index.to(device), each.start, each.plain) for each in self.rectangles),
            self.own.to(device),
        )


def flatten(groups: Sequence[Sequence[Sequence[int]]], share: Sequence[bool] | None = None) -> Flat:
    """The rows of all groups as one stream; rows of the same group share their common beginnings, where `share` says so
    (None: everywhere).

    What a token becomes depends on the tokens before it and on the weights only, so it is the same in all rows that
    begin alike and go through the same adapter. The groups stand one after the other, in their order.
    """
    tokens: list[int] = []
    positions: list[int] = []
    paths: list[list[int]] = []
    shares: list[int] = []
    bounds: list[tuple[int, int]] = []
    for rows, shared in zip(groups, share or [True] * len(groups), strict=True):
        start = len(tokens)
        found: list[list[int]] = [[] for _ in rows]
        alike = [0] * len(rows)
        before: Sequence[int] = ()
        path: list[int] = []
        for number in sorted(range(len(rows)), key=lambda each: tuple(rows[each])) if shared else range(len(rows)):
            row = rows[number]
            same = common(before, row) if shared else 0
            path = path[:same] + list(range(len(tokens), len(tokens) + len(row) - same))
            tokens += row[same:]
            positions += range(same, len(row))
            found[number], alike[number], before = path, same, row
        paths += found
        shares += alike
        bounds.append((start, len(tokens)))
    rectangles, places = [], []
    for members in side_by_side([len(path) for path in paths]):
        longest = max(len(paths[each]) for each in members)
        index = [paths[each] + [paths[each][-1]] * (longest - len(paths[each])) for each in members]
        inside = [place for row in index for place in row]
        plain = inside == list(range(inside[0], inside[0] + len(inside)))
        rectangles.append(Rectangle(torch.tensor(index), inside[0], plain))
        places += inside
    own = torch.from_numpy(np.unique(places, return_index=True)[1])
    return Flat(
        torch.tensor(tokens),
        torch.tensor(positions),
        tuple(torch.tensor(path) for path in paths),
        tuple(shares),
        tuple(bounds),
        tuple(rectangles),
        own,
    )


def common(left: Sequence[int], right: Sequence[int]) -> int:
    """How many tokens two rows begin with alike."""
    for at, (one, other) in enumerate(zip(left, right, strict=False)):
        if one != other:
            return at
    return min(len(left), len(right))


def side_by_side(lengths: Sequence[int]) -> Iterator[list[int]]:
    """The rows in sets of about one length."""
    together: list[int] = []
    for row in sorted(range(len(lengths)), key=lambda each: -lengths[each]):
        if together and lengths[row] < LEAST_FILLED * lengths[together[0]]:
            yield together
            together = []
        together.append(row)
    if together:
        yield together
