"""The figures of a report: which there are, their files, and the two that stand on intervals (accuracies, contrasts).

Figures show what the tables say and nothing more. No meaning rests on colour alone: marks have shapes, parts have
letters, and numbers stand beside what they measure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from train.records import Findings
from train.report import causes, drawing, figures, plots, rows, view, wording
from train.report.drawing import Figure, Shape

FIGURE_FILES = tuple(f"figures/{name}.svg" for name in ("forest", "contrasts", "causes", "loss", "costs"))
"""All that there can be; a run may have fewer."""

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


@view.once
def drawn(findings: Findings) -> dict[str, Figure]:
    """The figures that the findings allow, by name, in the order of the report."""
    every = (
        forest(findings),
        contrasts(findings),
        causes.causes(findings),
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
    places, bottom = rows.placed(cells, top, rows.ROW)
    column = rows.column(cells)
    shapes += rows.axis([0, 25, 50, 75, 100], top, bottom, 0, 100, " %")
    for y, cell, first in places:
        shapes += rows.names(y, cell, first, column)
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
        width=rows.WIDTH,
        height=bottom + 6,
        shapes=tuple(shapes),
    )


def _reach(cell: Mapping[str, Any], y: float, abstain: bool) -> Iterator[Shape]:
    accuracy, interval = cell["accuracy"], cell["interval"]
    if accuracy is None:
        yield drawing.text(rows.RIGHT + 18, y + 4, "no answer graded", "faint small")
        return
    if interval is not None:
        yield drawing.across(rows.scaled(100 * interval[0], 0, 100), rows.scaled(100 * interval[1], 0, 100), y, "reach")
    shape = "diamond" if abstain else "circle"
    kind = "mark hollow" if cell.get("kind") == "untouched" else "mark"
    yield drawing.mark(shape, rows.scaled(100 * accuracy, 0, 100), y, kind)
    yield drawing.text(rows.RIGHT + 74, y + 4, figures.percent(accuracy), "name number", anchor="end")
    yield drawing.text(rows.WIDTH, y + 4, figures.percent_interval(interval), "faint small number", anchor="end")


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
    bottom = top + rows.TALL_ROW * len(planned)
    middle = rows.scaled(0, low, high)
    band = rows.scaled(worthwhile, low, high) - rows.scaled(-worthwhile, low, high)
    shapes = [
        *([drawing.box(middle - band / 2, top, band, bottom - top, "band")] if worthwhile else []),
        drawing.text(0, 12, "difference in points", "faint small"),
        drawing.text(middle - 10, 12, "← second is better", "faint small", anchor="end"),
        drawing.text(middle + 10, 12, "first is better →", "faint small"),
        *rows.axis(scale, top, bottom, low, high, ""),
        drawing.down(middle, top, bottom, "zero"),
    ]
    for place, row in enumerate(planned):
        shapes += _contrast(row, top + rows.TALL_ROW * (place + 0.5), low, high, alpha)
    shown = [row for row in planned if _is_shown(row, alpha)]
    return Figure(
        name="contrasts",
        title="What was planned to be compared",
        description=f"A row for each of {figures.plural(len(planned), 'planned contrast')}, of which "
        f"{figures.count(len(shown))} more than chance explains. "
        + " ".join(wording.contrast_sentence(row, alpha) for row in shown),
        caption=f"The line is the {view.level(findings)} interval. Filled marks: more than chance explains."
        + (f" Grey band: less than {worthwhile:g} points, by the plan not worth having." if worthwhile else ""),
        width=rows.WIDTH,
        height=bottom + 6,
        shapes=tuple(shapes),
    )


def _is_shown(row: Mapping[str, Any], alpha: float) -> bool:
    return row["p_holm"] is not None and row["p_holm"] <= alpha


def _contrast(row: Mapping[str, Any], y: float, low: float, high: float, alpha: float) -> Iterator[Shape]:
    for place, side, kind, sign in ((y - 3, row["a"], "name", ""), (y + 13, row["b"], "faint", "− ")):
        whole = f"{sign}{side['arm']} / {side['condition']}"
        # The end is cut last: it tells apart what begins alike.
        end = " " + drawing.fitted(f"/ {side['condition']}", (rows.LEFT - 20) / 2, kind)
        start = drawing.fitted(sign + side["arm"], rows.LEFT - 20 - drawing.width_of(end, kind), kind)
        yield drawing.text(0, place, start + end, kind, hint="" if start + end == whole else whole)
    if row["difference"] is None:
        yield drawing.text(rows.RIGHT + 18, y + 4, "not comparable", "faint small")
        return
    shown = _is_shown(row, alpha)
    if row["interval"] is not None:
        left, right = (rows.scaled(100 * bound, low, high) for bound in row["interval"])
        yield drawing.across(left, right, y, "reach")
    yield drawing.mark("circle", rows.scaled(100 * row["difference"], low, high), y, "mark" if shown else "mark hollow")
    yield drawing.text(rows.RIGHT + 62, y - 3, figures.points(row["difference"]), "name number", anchor="end")
    if row["interval"] is not None:
        yield drawing.text(
            rows.WIDTH, y - 3, figures.points_interval(row["interval"]), "faint small number", anchor="end"
        )
    chance = f"p {figures.p_value(row['p_holm'])}, {'shown' if shown else 'not shown'}"
    yield drawing.text(rows.WIDTH, y + 13, chance, "faint small number", anchor="end")
