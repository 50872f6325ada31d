"""What figures with a row for each cell share: where rows stand, the names before them, the axis above."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from train.report import drawing
from train.report.drawing import Shape

WIDTH = 760.0
LEFT, RIGHT = 312.0, 590.0
"""Where the plot of a figure with rows begins and ends; names stand before it, numbers behind."""
CONDITIONS, AIR = 178.0, 14.0
"""Where the conditions begin at the latest, and the least room after a name."""
ROW, TALL_ROW, GAP = 26.0, 42.0, 10.0


def placed(
    cells: Iterable[Mapping[str, Any]], top: float, height: float
) -> tuple[list[tuple[float, Mapping[str, Any], bool]], float]:
    """The cells with the middle of their row and whether their arm begins there, and where the last row ends."""
    rows: list[tuple[float, Mapping[str, Any], bool]] = []
    y, arm = top, None
    for cell in cells:
        first = cell["arm"] != arm
        y += GAP if first and rows else 0
        rows.append((y + height / 2, cell, first))
        y, arm = y + height, cell["arm"]
    return rows, y


def column(cells: Iterable[Mapping[str, Any]]) -> float:
    """Where the conditions begin: short ones leave the arms more room."""
    widest = max((drawing.width_of(cell["condition"]) for cell in cells), default=0.0)
    return max(CONDITIONS, LEFT - AIR - widest - 1)


def names(y: float, cell: Mapping[str, Any], first: bool, column: float) -> Iterator[Shape]:
    """The arm, where it begins, and the condition, in its column."""
    if first:
        yield drawing.text(0, y + 4, cell["arm"], "name", room=column - AIR)
    yield drawing.text(column, y + 4, cell["condition"], "", room=LEFT - column - AIR)


def axis(
    scale: Sequence[float], top: float, bottom: float, low: float, high: float, unit: str, right: float = RIGHT
) -> Iterator[Shape]:
    """Light lines down from the numbers of an axis."""
    for value, label in zip(scale, drawing.labels(scale), strict=True):
        x = scaled(value, low, high, right)
        yield drawing.down(x, top, bottom, "grid")
        yield drawing.text(x, top - 8, label + (unit if value == scale[-1] else ""), "faint small", anchor="middle")


def scaled(value: float, low: float, high: float, right: float = RIGHT) -> float:
    """Where a value stands across the plot."""
    return LEFT + (right - LEFT) * (value - low) / (high - low)
