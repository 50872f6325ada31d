"""The figure of causes: why answers were not right, a bar for each cell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from train.records import Findings
from train.report import drawing, figures, rows, view, wording
from train.report.drawing import Figure, Shape

NEAR = 520.0
"""Where the plot of causes ends: their counts need more room."""


def causes(findings: Findings) -> Figure | None:
    """Why answers were not right: the share of each cause in each cell's answers, side by side."""
    split, all_cells = view.shown_cells(findings)
    cells = [cell for cell in all_cells if cell.get("causes") is not None and cell["answers"]]
    named = {cause for cell in cells for cause, number in cell["causes"].items() if number}
    if not named:
        return None
    order = wording.causes_in_order(named)
    letters = {cause: chr(ord("A") + place) for place, cause in enumerate(order)}
    legend, after = _legend(letters)
    top = after + 48
    places, bottom = rows.placed(cells, top, rows.ROW)
    column = rows.column(cells)
    most = max(100 * sum(cell["causes"].values()) / cell["answers"] for cell in cells)
    scale = drawing.ticks(0, most, 5)
    shapes = [*legend, drawing.text(0, top - 22, f"of all answers, {split or 'all'} questions", "faint small")]
    shapes += rows.axis(scale, top, bottom, 0, scale[-1], " %", NEAR)
    for y, cell, first in places:
        shapes += rows.names(y, cell, first, column)
        shapes += _stack(cell, y, scale[-1], letters)
    totals = {cause: sum(cell["causes"].get(cause, 0) for cell in cells) for cause in order}
    return Figure(
        name="causes",
        title="Causes of answers that were not right",
        description="A bar for each cell, divided by cause. Over all cells: "
        + ", ".join(f"{cause} {figures.count(number)}" for cause, number in totals.items()) + ".",
        caption=" ".join(
            f"{letters[cause]}, {cause}: {wording.CAUSE_MEANING.get(cause, cause)}." for cause in order
        ),
        width=rows.WIDTH,
        height=bottom + 6,
        shapes=tuple(shapes),
    )  # fmt: skip


def _legend(letters: Mapping[str, str]) -> tuple[list[Shape], float]:
    """A swatch with letter and name for each cause, in as many lines as they need, and where the last one ends."""
    shapes, x, y = [], 0.0, 4.0
    for place, (cause, letter) in enumerate(letters.items()):
        width = 30 + drawing.width_of(cause, "small")
        if x and x + width > rows.WIDTH:
            x, y = 0.0, y + 24
        shapes += [
            drawing.box(x, y, 18, 16, _cause_class(place)),
            drawing.text(x + 9, y + 12, letter, "small", anchor="middle"),
            drawing.text(x + 24, y + 12, cause, "small"),
        ]
        x += width + 10
    return shapes, y + 16


def _stack(cell: Mapping[str, Any], y: float, high: float, letters: Mapping[str, str]) -> Iterator[Shape]:
    done = 0
    said: list[tuple[str, str]] = []
    whole = sum(cell["causes"].values()) / cell["answers"]
    yield drawing.box(rows.LEFT, y - 8, rows.scaled(100 * whole, 0, high, NEAR) - rows.LEFT, 16, "paper")
    for place, (cause, letter) in enumerate(letters.items()):
        if not (number := cell["causes"].get(cause, 0)):
            continue
        start, end = (rows.scaled(100 * count / cell["answers"], 0, high, NEAR) for count in (done, done + number))
        yield drawing.box(start, y - 8, end - start, 16, _cause_class(place), f"{cause}: {number} of {cell['answers']}")
        if end - start >= 13:
            yield drawing.text((start + end) / 2, y + 4, letter, "small", anchor="middle")
        done += number
        said.append((letter, figures.count(number)))
    spaced, tight = " · ".join(map(" ".join, said)), " ".join(map("".join, said))
    room = rows.WIDTH - NEAR - 18
    words = spaced if drawing.width_of(spaced, "small") <= room else tight
    yield drawing.text(NEAR + 18, y + 4, words or "none", "faint small number", room=room)


def _cause_class(place: int) -> str:
    return f"cause cause-{place % 9 + 1}"
