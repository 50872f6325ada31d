"""The figures of a report: which there are, and the three that stand on cells (accuracies, contrasts, causes).

Figures show what the tables say and nothing more. No meaning rests on colour alone: marks have shapes, parts have
letters, and numbers stand beside what they measure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from train.records import Findings
from train.report import drawing, figures, plots, view, wording
from train.report.drawing import Figure, Shape
from train.report.remarks import in_order

WIDTH = 760.0
LEFT, RIGHT = 312.0, 590.0
"""Where the plot of a figure with rows begins and ends; names stand before it, numbers behind."""
NEAR = 520.0
"""Where the plot of causes ends: their counts need more room."""
ROW, TALL_ROW, GAP = 26.0, 42.0, 10.0

FIGURE_FILES = tuple(f"figures/{name}.svg" for name in ("forest", "contrasts", "causes", "loss", "costs"))
"""All that there can be; a run may have fewer."""


CAUSE_MEANING: Mapping[str, str] = {
    "retrieval missed": "the search did not bring the passage",
    "gold unused": "the passage was there and not used",
    "memory": "the model's own memory overrode the passage",
    "not known": "nothing was shown, and the model did not know",
    "refused": "refused though the answer was due",
    "unsupported": "answered though nothing shown supports it",
    "cut off": "stopped at the token limit",
    "ungraded": "no grader could say",
    "unexplained": "what was shown is not known here",
}

LIGHT = {
    "paper": "#ffffff",
    "panel": "#f0f0ea",
    "ink": "#1c1d21",
    "faint": "#5d6069",
    "line": "#d9d9d2",
    "accent": "#1f5fa8",
    "caution": "#8a5a00",
    "sans": "system-ui, sans-serif",
}
"""The page's colours in its light theme, for files that stand alone: not every program that shows SVG knows `var()`."""


def drawn(findings: Findings) -> dict[str, Figure]:
    """The figures that the findings allow, by name, in the order of the report."""
    every = (
        forest(findings),
        contrasts(findings),
        causes(findings),
        plots.losses(findings),
        plots.costs_of_cells(findings),
    )
    return {figure.name: figure for figure in every if figure is not None}


def figure_files(findings: Findings) -> dict[str, str]:
    """The figures as files that stand alone: name -> SVG."""
    return {f"figures/{name}.svg": drawing.svg(figure, standing()) for name, figure in drawn(findings).items()}


@cache
def standing() -> str:
    """The figures' style with the light theme's colours written out."""
    style = files("train.report").joinpath("charts.css").read_text(encoding="utf-8")
    return re.sub(r"var\(--([\w-]+)\)", lambda match: LIGHT[match[1]], style)


def forest(findings: Findings) -> Figure | None:
    """Every cell's accuracy with its interval, on the decision's split."""
    split, cells = view.shown_cells(findings)
    if not cells:
        return None
    top, shapes = 34.0, [drawing.text(0, 12, f"right answers, {split or 'all'} questions", "faint small")]
    rows, bottom = placed(cells, top, ROW)
    shapes += axis([0, 25, 50, 75, 100], top, bottom, 0, 100, " %")
    for y, cell, first in rows:
        shapes += names(y, cell, first)
        shapes += _reach(cell, y, view.expects(findings, cell) == "abstain")
    abstaining = any(view.expects(findings, cell) == "abstain" for cell in cells)
    untouched = any(cell.get("kind") == "untouched" for cell in cells)
    notes = [
        f"Accuracy on {split or 'all'} questions; the line is the {view.level(findings)} interval.",
        "Hollow marks: the untouched base." if untouched else "",
        "Diamonds: there, abstaining is right." if abstaining else "",
    ]
    return Figure(
        name="forest",
        title="How often each arm is right",
        description=_extremes(cells),
        caption=" ".join(filter(None, notes)),
        width=WIDTH,
        height=bottom + 6,
        shapes=tuple(shapes),
    )


def _reach(cell: Mapping[str, Any], y: float, abstain: bool) -> Iterator[Shape]:
    accuracy, interval = cell["accuracy"], cell["interval"]
    if accuracy is None:
        yield drawing.text(RIGHT + 18, y + 4, "no answer graded", "faint small")
        return
    if interval is not None:
        yield drawing.across(scaled(100 * interval[0], 0, 100), scaled(100 * interval[1], 0, 100), y, "reach")
    shape = "diamond" if abstain else "circle"
    kind = "mark hollow" if cell.get("kind") == "untouched" else "mark"
    yield drawing.mark(shape, scaled(100 * accuracy, 0, 100), y, kind)
    yield drawing.text(RIGHT + 74, y + 4, figures.percent(accuracy), "name number", anchor="end")
    yield drawing.text(WIDTH, y + 4, figures.percent_interval(interval), "faint small number", anchor="end")


def _extremes(cells: Sequence[Mapping[str, Any]]) -> str:
    known = [cell for cell in cells if cell["accuracy"] is not None]
    said = f"A row for each of {figures.plural(len(cells), 'cell')}; the table of cells has the same figures."
    if not known:
        return f"{said} No answer was graded."
    best, worst = (choose(known, key=lambda cell: cell["accuracy"]) for choose in (max, min))
    parts = [
        f"{word}: {cell['arm']} {wording.condition_words(cell['condition'])}, {figures.percent(cell['accuracy'])}"
        for word, cell in (("Highest", best), ("lowest", worst))
    ]
    return f"{said} {'; '.join(parts)}."


def contrasts(findings: Findings) -> Figure | None:
    """The planned contrasts: difference and interval, the zero line, and what is not worth having."""
    planned = [row for row in findings.comparison["contrasts"] if view.is_planned(row)]
    if all(row["difference"] is None for row in planned):
        return None
    alpha, worthwhile = view.alpha_of(findings), 100 * (findings.comparison.get("worthwhile") or 0.0)
    reach = [abs(100 * value) for row in planned for value in (row["difference"], *(row["interval"] or ())) if value]
    scale = drawing.ticks(-max([*reach, 2 * worthwhile, 5.0]), max([*reach, 2 * worthwhile, 5.0]), 8)
    low, high = scale[0], scale[-1]
    top = 50.0
    bottom = top + TALL_ROW * len(planned)
    middle = scaled(0, low, high)
    band = scaled(worthwhile, low, high) - scaled(-worthwhile, low, high)
    shapes = [
        *([drawing.box(middle - band / 2, top, band, bottom - top, "band")] if worthwhile else []),
        drawing.text(0, 12, "difference in points", "faint small"),
        drawing.text(middle - 10, 12, "← second is better", "faint small", anchor="end"),
        drawing.text(middle + 10, 12, "first is better →", "faint small"),
        *axis(scale, top, bottom, low, high, ""),
        drawing.down(middle, top, bottom, "zero"),
    ]
    for place, row in enumerate(planned):
        shapes += _contrast(row, top + TALL_ROW * (place + 0.5), low, high, alpha)
    shown = [row for row in planned if _is_shown(row, alpha)]
    return Figure(
        name="contrasts",
        title="What was planned to be compared",
        description=f"A row for each of {figures.plural(len(planned), 'planned contrast')}, of which "
        f"{figures.count(len(shown))} more than chance explains. "
        + " ".join(wording.contrast_sentence(row, alpha) for row in shown),
        caption=f"The line is the {view.level(findings)} interval. Filled marks: more than chance explains."
        + (f" Grey band: less than {worthwhile:g} points, by the plan not worth having." if worthwhile else ""),
        width=WIDTH,
        height=bottom + 6,
        shapes=tuple(shapes),
    )


def _is_shown(row: Mapping[str, Any], alpha: float) -> bool:
    return row["p_holm"] is not None and row["p_holm"] <= alpha


def _contrast(row: Mapping[str, Any], y: float, low: float, high: float, alpha: float) -> Iterator[Shape]:
    for place, side, kind, sign in ((y - 3, row["a"], "name", ""), (y + 13, row["b"], "faint", "− ")):
        whole = f"{sign}{side['arm']} / {side['condition']}"
        # The end is cut last: it tells apart what begins alike.
        end = " " + drawing.fitted(f"/ {side['condition']}", (LEFT - 20) / 2, kind)
        start = drawing.fitted(sign + side["arm"], LEFT - 20 - drawing.width_of(end, kind), kind)
        yield drawing.text(0, place, start + end, kind, hint="" if start + end == whole else whole)
    if row["difference"] is None:
        yield drawing.text(RIGHT + 18, y + 4, "not comparable", "faint small")
        return
    shown = _is_shown(row, alpha)
    if row["interval"] is not None:
        left, right = (scaled(100 * bound, low, high) for bound in row["interval"])
        yield drawing.across(left, right, y, "reach")
    yield drawing.mark("circle", scaled(100 * row["difference"], low, high), y, "mark" if shown else "mark hollow")
    yield drawing.text(RIGHT + 62, y - 3, figures.points(row["difference"]), "name number", anchor="end")
    if row["interval"] is not None:
        yield drawing.text(WIDTH, y - 3, figures.points_interval(row["interval"]), "faint small number", anchor="end")
    chance = f"p {figures.p_value(row['p_holm'])}, {'shown' if shown else 'not shown'}"
    yield drawing.text(WIDTH, y + 13, chance, "faint small number", anchor="end")


def causes(findings: Findings) -> Figure | None:
    """Why answers were not right: the share of each cause in each cell's answers, side by side."""
    split, all_cells = view.shown_cells(findings)
    cells = [cell for cell in all_cells if cell.get("causes") is not None and cell["answers"]]
    named = {cause for cell in cells for cause, number in cell["causes"].items() if number}
    if not named:
        return None
    order = in_order(named)
    letters = {cause: chr(ord("A") + place) for place, cause in enumerate(order)}
    legend, after = _legend(letters)
    top = after + 48
    rows, bottom = placed(cells, top, ROW)
    most = max(100 * sum(cell["causes"].values()) / cell["answers"] for cell in cells)
    scale = drawing.ticks(0, most, 5)
    shapes = [*legend, drawing.text(0, top - 22, f"of all answers, {split or 'all'} questions", "faint small")]
    shapes += axis(scale, top, bottom, 0, scale[-1], " %", NEAR)
    for y, cell, first in rows:
        shapes += names(y, cell, first)
        shapes += _stack(cell, y, scale[-1], letters)
    totals = {cause: sum(cell["causes"].get(cause, 0) for cell in cells) for cause in order}
    return Figure(
        name="causes",
        title="Causes of answers that were not right",
        description="A bar for each cell, divided by cause. Over all cells: "
        + ", ".join(f"{cause} {figures.count(number)}" for cause, number in totals.items()) + ".",
        caption=". ".join(f"{letters[cause]}, {cause}: {CAUSE_MEANING.get(cause, cause)}" for cause in order) + ".",
        width=WIDTH,
        height=bottom + 6,
        shapes=tuple(shapes),
    )  # fmt: skip


def _legend(letters: Mapping[str, str]) -> tuple[list[Shape], float]:
    """A swatch with letter and name for each cause, in as many lines as they need, and where the last one ends."""
    shapes, x, y = [], 0.0, 4.0
    for place, (cause, letter) in enumerate(letters.items()):
        width = 30 + drawing.width_of(cause, "small")
        if x and x + width > WIDTH:
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
    yield drawing.box(LEFT, y - 8, scaled(100 * whole, 0, high, NEAR) - LEFT, 16, "paper")
    for place, (cause, letter) in enumerate(letters.items()):
        if not (number := cell["causes"].get(cause, 0)):
            continue
        start, end = (scaled(100 * count / cell["answers"], 0, high, NEAR) for count in (done, done + number))
        yield drawing.box(start, y - 8, end - start, 16, _cause_class(place), f"{cause}: {number} of {cell['answers']}")
        if end - start >= 13:
            yield drawing.text((start + end) / 2, y + 4, letter, "small", anchor="middle")
        done += number
        said.append((letter, figures.count(number)))
    spaced, tight = " · ".join(map(" ".join, said)), " ".join(map("".join, said))
    room = WIDTH - NEAR - 18
    words = spaced if drawing.width_of(spaced, "small") <= room else tight
    yield drawing.text(NEAR + 18, y + 4, words or "none", "faint small number", room=room)


def _cause_class(place: int) -> str:
    return f"cause cause-{place % 9 + 1}"


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


def names(y: float, cell: Mapping[str, Any], first: bool) -> Iterator[Shape]:
    """The arm, where it begins, and the condition."""
    if first:
        yield drawing.text(0, y + 4, cell["arm"], "name", room=168)
    yield drawing.text(178, y + 4, cell["condition"], "", room=LEFT - 178 - 14)


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
