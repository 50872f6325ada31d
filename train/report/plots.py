"""The figures with two axes: loss by step, and accuracy by what an answer costs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from train.records import Findings
from train.report import costs, drawing, figures, view
from train.report.drawing import Figure, Shape

WIDTH = 760.0
PANEL, GUTTER, PLOT = 370.0, 20.0, 130.0
"""A panel of the losses: its width, what lies between two, and the height of its plot."""
BEFORE, AFTER = 34.0, 128.0
"""In a panel, the room for the axis's numbers and for the names of the lines."""
MOST_SEEDS = 5
"""So many seeds of an arm are named beside its plot."""
TALL = 290.0
"""The height of the plot of costs."""

Point = tuple[float, float]
Box = tuple[float, float, float, float]
"""Left, top, right and bottom."""


def losses(findings: Findings) -> Figure | None:
    """A panel for each tuned arm: training and validation loss by step, a line for each seed, on common axes."""
    by_arm: dict[str, list[tuple[Mapping[str, Any], list[Point], list[Point]]]] = {}
    for entry in costs.trained(findings):
        training, validation = (costs.points(entry.get(name))[0] for name in ("loss", "validation_loss"))
        if len(training) + len(validation) > 1:
            by_arm.setdefault(str(entry["arm"]), []).append((entry, training, validation))
    every = [point for lines in by_arm.values() for _, *both in lines for points in both for point in points]
    if not every:
        return None
    steps, loss = max(step for step, _ in every), max(0.0, *(value for _, value in every))
    across, up = drawing.ticks(0, steps or 1, 4), drawing.ticks(0, loss or 1, 3)
    shapes: list[Shape] = []
    for place, (arm, lines) in enumerate(by_arm.items()):
        left = (place % 2) * (PANEL + GUTTER)
        top = (place // 2) * (PLOT + 76) + 42
        shapes += _panel(arm, lines, left, top, across, up)
    named = any(1 < len(lines) <= MOST_SEEDS for lines in by_arm.values())
    said = [
        f"{arm}, seed {entry.get('seed', figures.DASH)}: {', '.join(_lasts(training, validation))}"
        for arm, lines in by_arm.items()
        for entry, training, validation in lines
    ]
    return Figure(
        name="loss",
        title="Loss by step",
        description=f"A panel for each tuned arm, a line for each training seed. Last values: {'; '.join(said)}.",
        caption="Solid: training loss. Dashed, with marks: validation loss. All panels have the same axes."
        + (" Seeds are named in the order in which their training ended." if named else ""),
        width=WIDTH,
        height=((len(by_arm) + 1) // 2) * (PLOT + 76) - 6,
        shapes=tuple(shapes),
    )


def _lasts(training: Sequence[Point], validation: Sequence[Point]) -> list[str]:
    return [
        f"{name} {figures.loss(points[-1][1])}"
        for name, points in (("training", training), ("validation", validation))
        if points
    ]


def _panel(
    arm: str,
    lines: Sequence[tuple[Mapping[str, Any], list[Point], list[Point]]],
    left: float,
    top: float,
    across: Sequence[float],
    up: Sequence[float],
) -> Iterator[Shape]:
    start, end, bottom = left + BEFORE, left + PANEL - AFTER, top + PLOT

    def at(point: Point) -> Point:
        return start + (end - start) * point[0] / across[-1], bottom - PLOT * point[1] / up[-1]

    yield drawing.text(left, top - 28, arm, "name", room=PANEL - AFTER)
    seeds = f", {len(lines)} seeds" if len(lines) > 1 else ""
    condition = f"trained under {lines[0][0].get('condition', figures.DASH)}{seeds}"
    yield drawing.text(left, top - 12, condition, "faint small", room=PANEL - AFTER)
    for value, label in zip(up, drawing.labels(up), strict=True):
        yield drawing.across(start, end, at((0, value))[1], "grid")
        yield drawing.text(start - 6, at((0, value))[1] + 4, label, "faint small", anchor="end")
    for value, label in zip(across, drawing.labels(across), strict=True):
        unit = " steps" if value == across[-1] else ""
        yield drawing.text(at((value, 0))[0], bottom + 16, label + unit, "faint small", anchor="middle")
    for entry, training, validation in lines:
        who = f"{arm}, seed {entry.get('seed', figures.DASH)}"
        if training:
            yield drawing.line([at(point) for point in costs.thinned(training)], "curve-line", f"{who}: training loss")
        if validation:
            kept = [at(point) for point in costs.thinned(validation)]
            yield drawing.line(kept, "curve-line checked", f"{who}: validation loss")
            if len(kept) <= 30:
                yield from (drawing.mark("circle", x, y, "point", size=3) for x, y in kept)
    if 1 < len(lines) <= MOST_SEEDS:
        yield from _seed_names(lines, end, bottom + 4, at)
    else:
        yield from _line_names(lines[0][1], lines[0][2], end, at, bare=len(lines) > 1)


def _seed_names(
    lines: Sequence[tuple[Mapping[str, Any], list[Point], list[Point]]],
    end: float,
    lowest: float,
    at: Callable[[Point], Point],
) -> Iterator[Shape]:
    """Each seed behind the plot, at the height at which its line of training ends as far as there is room."""
    ends = [
        (at(points[-1])[1] + 4, f"seed {entry.get('seed', figures.DASH)}")
        for entry, training, validation in lines
        if (points := training or validation)
    ]
    for height, words in sorted(ends, reverse=True):
        lowest = min(height, lowest)
        yield drawing.text(end + 8, lowest, words, "small")
        lowest -= 14


def _line_names(
    training: Sequence[Point], validation: Sequence[Point], end: float, at: Callable[[Point], Point], *, bare: bool
) -> Iterator[Shape]:
    """What each line is, and where it ended if it is the only one of its kind, behind the plot; never over another."""
    heights = [at(points[-1])[1] + 4 for points in (training, validation) if points]
    if len(heights) == 2 and abs(heights[0] - heights[1]) < 14:
        middle, turn = sum(heights) / 2, 7 if heights[0] >= heights[1] else -7
        heights = [middle + turn, middle - turn]
    for words, height in zip(_lasts(training, validation), heights, strict=True):
        yield drawing.text(end + 8, height, words.split()[0] if bare else words, "small")


def costs_of_cells(findings: Findings) -> Figure | None:
    """Accuracy against what an answer costs, a mark for each cell; the line joins cells that nothing cheaper beats."""
    known = [each for each in costs.cell_costs(findings) if each.accuracy is not None]
    unit = "seconds" if any(each.seconds for each in known) else "tokens"
    known = [each for each in known if figures.finite(getattr(each, unit))]
    if not known:
        return None
    rate, split = costs.rate(findings), view.shown_cells(findings)[0]
    scale = drawing.ticks(0, max(getattr(each, unit) for each in known) or 1, 6)
    arms = list(dict.fromkeys(each.arm for each in known))
    legend, top = _arm_legend(arms, known)
    left, right, bottom = 52.0, WIDTH - 24, top + TALL

    def at(each: costs.CellCost) -> Point:
        x = left + (right - left) * getattr(each, unit) / scale[-1]
        return x, bottom - TALL * (each.accuracy or 0.0)

    shapes = [*legend]
    for share in (0, 25, 50, 75, 100):
        y = bottom - TALL * share / 100
        shapes.append(drawing.across(left, right, y, "grid"))
        shapes.append(drawing.text(left - 8, y + 4, f"{share} %", "faint small", anchor="end"))
    for value, label in zip(scale, drawing.labels(scale), strict=True):
        x = left + (right - left) * value / scale[-1]
        shapes.append(drawing.text(x, bottom + 18, label, "faint small", anchor="middle"))
        if rate and unit == "seconds":
            price = figures.price(1000 * value * rate.per_second, rate.currency)
            shapes.append(drawing.text(x, bottom + 34, price, "faint small", anchor="middle"))
    under = bottom + (54 if rate and unit == "seconds" else 38)
    price_too = "; below, the price of 1,000 answers" if rate and unit == "seconds" else ""
    shapes.append(drawing.text(right, under, f"{unit} for one answer{price_too}", "faint small", anchor="end"))
    best = _frontier(known, unit)
    if len(best) > 1:
        places = [at(each) for each in best]
        steps = f"M{drawing.number(places[0][0])} {drawing.number(places[0][1])}" + "".join(
            f"H{drawing.number(x)}V{drawing.number(y)}" for x, y in places[1:]
        )
        shapes.append(drawing.path(steps, "edge"))
    for each in known:
        cost = figures.duration(each.seconds) if unit == "seconds" else f"{figures.count(each.tokens)} tokens"
        hint = f"{each.arm} / {each.condition}: {figures.percent(each.accuracy)}, {cost}"
        kind = "mark hollow" if each.kind == "untouched" else "mark"
        shapes.append(drawing.mark(_shape(arms, each.arm), *at(each), kind, hint))
    ranked = sorted(known, key=lambda each: (each not in best, -(each.accuracy or 0.0), getattr(each, unit)))
    wanted = [(at(each), each.condition if len(arms) <= 6 else f"{each.arm} / {each.condition}") for each in ranked]
    named = list(_labels(wanted, [at(each) for each in known], (left, top - 8, WIDTH, bottom)))
    silent = len(known) - len(named)
    return Figure(
        name="costs",
        title="Accuracy and what an answer costs",
        description=f"A mark for each of {figures.plural(len(known), 'cell')}: further up is more often right, further "
        "to the left is cheaper. Not beaten by anything cheaper: "
        + "; ".join(f"{each.arm} / {each.condition}, {figures.percent(each.accuracy)}" for each in best)
        + ". The table of costs has the same figures.",
        caption=f"Accuracy on {split or 'all'} questions. The dotted line joins the cells that no cheaper one beats"
        + (f"; {figures.plural(silent, 'mark')} without a name, for lack of room." if silent else "."),
        width=WIDTH,
        height=under + 6,
        shapes=(*shapes, *named),
    )


def _shape(arms: Sequence[str], arm: str) -> str:
    return drawing.SHAPES[arms.index(arm) % len(drawing.SHAPES)]


def _arm_legend(arms: Sequence[str], known: Sequence[costs.CellCost]) -> tuple[list[Shape], float]:
    """Each arm's mark with its name, and where the plot may begin."""
    shapes: list[Shape] = []
    kinds = {each.arm: each.kind for each in known}
    x, y = 52.0, 12.0
    for arm in arms[: 0 if len(arms) > 6 else None]:
        shown = drawing.fitted(arm, 220, "name")
        width = 40 + drawing.width_of(shown, "name")
        if x > 52 and x + width > WIDTH:
            x, y = 52.0, y + 24
        kind = "mark hollow" if kinds[arm] == "untouched" else "mark"
        shapes += [
            drawing.mark(_shape(arms, arm), x + 6, y - 4, kind),
            drawing.text(x + 18, y, arm, "name", room=220),
        ]
        x += width
    return shapes, y + 24


def _frontier(known: Sequence[costs.CellCost], unit: str) -> list[costs.CellCost]:
    """The cells that are more often right than every cheaper one, cheapest first; only where an answer is due."""
    best: list[costs.CellCost] = []
    due = [each for each in known if each.expects != "abstain"]
    for each in sorted(due, key=lambda each: (getattr(each, unit), -(each.accuracy or 0.0))):
        if not best or (each.accuracy or 0.0) > (best[-1].accuracy or 0.0):
            best.append(each)
    return best


def _labels(wanted: Sequence[tuple[Point, str]], marks: Sequence[Point], room: Box) -> Iterator[Shape]:
    """Each name at the first place beside its mark where it covers nothing; a name without such a place is left out."""
    taken: list[Box] = [(x - 7, y - 7, x + 7, y + 7) for x, y in marks]
    for (x, y), words in wanted:
        shown = drawing.fitted(words, 200, "small")
        width = drawing.width_of(shown, "small")
        for start, base in (
            (x + 10, y + 4), (x - 10 - width, y + 4), (x - width / 2, y - 11), (x - width / 2, y + 19),
            (x + 8, y - 8), (x + 8, y + 16), (x - 8 - width, y - 8), (x - 8 - width, y + 16),
        ):  # fmt: skip
            area = (start, base - 10, start + width, base + 3)
            inside = area[0] >= room[0] and area[1] >= room[1] and area[2] <= room[2] and area[3] <= room[3]
            if inside and not any(_meet(area, other) for other in taken):
                taken.append(area)
                yield drawing.text(start, base, shown, "small")
                break


def _meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
