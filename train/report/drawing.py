"""Drawings as SVG: shapes with class names in, text out.

No library draws and no font is measured, so that the same findings give the same bytes on every machine: `openbook
verify` compares them. Colours are the style sheet's business (`charts.css`): inside the page they follow its theme.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from markupsafe import escape

from train.report.texts import one_line

TEXT, SMALL = 13.0, 12.0
"""Sizes of letters, in SVG units; `charts.css` has the same."""

MARGIN = 20.0
"""Around a drawing that stands alone."""

SHAPES = ("circle", "square", "triangle", "diamond", "cross", "wedge")
"""Marks that can be told apart without colour."""

_STEPS = [float(f"{digit}e{exponent}") for exponent in range(-9, 10) for digit in (1, 2, 5)]
_NOT_XML = re.compile("[\ufffe\uffff]")
_WIDE = re.compile("[\u1100-\u11ff\u2e80-\ud7ff\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Shape:
    """One element: its attributes, its text, and what it says when it is pointed at."""

    tag: str
    attributes: tuple[tuple[str, str], ...]
    words: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing with its words: `description` is for who cannot see it, `caption` says how to read it."""

    name: str
    title: str
    description: str
    caption: str
    width: float
    height: float
    shapes: tuple[Shape, ...]


def svg(figure: Figure, style: str = "") -> str:
    """The figure as one `<svg>` element; with a style it stands alone, on a background of its own.

    Whatever the shapes say is escaped. There are no style attributes: the page's policy would ignore them.
    """
    name, margin = f"figure-{escape(figure.name)}", MARGIN if style else 0.0
    frame = [number(each) for each in (-margin, -margin, figure.width + 2 * margin, figure.height + 2 * margin)]
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" width="{frame[2]}" height="{frame[3]}" '
        f'viewBox="{" ".join(frame)}" role="img" aria-labelledby="{name}-title {name}-description">',
        f'<title id="{name}-title">{literal(figure.title)}</title>',
        f'<desc id="{name}-description">{literal(figure.description)}</desc>',
    ]
    if style:
        paper = Shape("rect", (*zip(("x", "y", "width", "height"), frame, strict=True), ("class", "paper")))
        lines += [f"<style>{style}</style>", _element(paper)]
    return "\n".join([*lines, *map(_element, figure.shapes), "</svg>"]) + "\n"


def _element(shape: Shape) -> str:
    attributes = "".join(f' {name}="{escape(value)}"' for name, value in shape.attributes if value)
    hint = f"<title>{literal(shape.hint)}</title>" if shape.hint else ""
    inside = hint + (literal(shape.words) if shape.words else "")
    return f"<{shape.tag}{attributes}>{inside}</{shape.tag}>" if inside else f"<{shape.tag}{attributes}/>"


def literal(text: str) -> str:
    """The text on one line, with nothing in it that XML would read or refuse."""
    return str(escape(_NOT_XML.sub("\ufffd", one_line(text))))


def number(value: float) -> str:
    """A coordinate with at most one decimal."""
    written = f"{value:.1f}".removesuffix(".0")
    return "0" if written == "-0" else written


def text(
    x: float, y: float, words: str, kind: str = "", *, anchor: str = "", room: float = 0.0, hint: str = ""
) -> Shape:
    """Words at a point; cut to the room they have, and then in full when pointed at."""
    shown = fitted(words, room, kind) if room else words
    place = (("x", number(x)), ("y", number(y)), ("class", kind), ("text-anchor", anchor))
    return Shape("text", place, shown, hint or (words if shown != words else ""))


def path(steps: str, kind: str, hint: str = "") -> Shape:
    """A path of SVG's own commands."""
    return Shape("path", (("class", kind), ("d", steps)), hint=hint)


def across(x: float, to: float, y: float, kind: str) -> Shape:
    """A horizontal line."""
    return path(f"M{number(x)} {number(y)}H{number(to)}", kind)


def down(x: float, y: float, to: float, kind: str) -> Shape:
    """A vertical line."""
    return path(f"M{number(x)} {number(y)}V{number(to)}", kind)


def box(x: float, y: float, width: float, height: float, kind: str, hint: str = "") -> Shape:
    """A rectangle."""
    sides = (("x", number(x)), ("y", number(y)), ("width", number(width)), ("height", number(height)))
    return Shape("rect", (*sides, ("class", kind)), hint=hint)


def line(points: Sequence[tuple[float, float]], kind: str, hint: str = "") -> Shape:
    """A line through points."""
    return path("M" + "L".join(f"{number(x)} {number(y)}" for x, y in points), kind, hint)


def mark(shape: str, x: float, y: float, kind: str, hint: str = "", size: float = 5.0) -> Shape:
    """A mark around a point."""
    at, r, d, n = f"M{number(x)} {number(y)}", size, 1.3 * size, number
    steps = {
        "circle": f"{at}m{n(-r)} 0a{n(r)} {n(r)} 0 1 0 {n(2 * r)} 0a{n(r)} {n(r)} 0 1 0 {n(-2 * r)} 0Z",
        "square": f"{at}m{n(-0.9 * r)} {n(-0.9 * r)}h{n(1.8 * r)}v{n(1.8 * r)}h{n(-1.8 * r)}Z",
        "triangle": f"{at}m0 {n(-1.2 * r)}l{n(1.2 * r)} {n(2.2 * r)}h{n(-2.4 * r)}Z",
        "diamond": f"{at}m0 {n(-d)}l{n(d)} {n(d)}l{n(-d)} {n(d)}l{n(-d)} {n(-d)}Z",
        "cross": f"{at}m{n(-r)} {n(-r)}l{n(2 * r)} {n(2 * r)}m0 {n(-2 * r)}l{n(-2 * r)} {n(2 * r)}",
        "wedge": f"{at}m0 {n(1.2 * r)}l{n(1.2 * r)} {n(-2.2 * r)}h{n(-2.4 * r)}Z",
    }[shape]  # fmt: skip
    return path(steps, kind, hint)


def width_of(words: str, kind: str = "") -> float:
    """About how wide words of that class are, rather too much. No font is asked: it is another one elsewhere."""
    return sum(_widths(words, kind)) * _size(kind)


def _size(kind: str) -> float:
    return SMALL if "small" in kind else TEXT


def _widths(words: str, kind: str) -> list[float]:
    return [1.0 if _WIDE.match(character) else 0.64 if kind == "name" else 0.58 for character in words]


def fitted(words: str, room: float, kind: str = "") -> str:
    """The words, cut where they would need more than the room."""
    words = one_line(words)
    if width_of(words, kind) <= room:
        return words
    (end,) = _widths("…", kind)
    kept = sum((width + end) * _size(kind) <= room for width in accumulate(_widths(words, kind)))
    return words[:kept].rstrip() + "…"


def ticks(low: float, high: float, most: int) -> list[float]:
    """Round numbers from below `low` to above `high`, `most` steps at the utmost."""
    step = next((step for step in _STEPS if (high - low) / step <= most), _STEPS[-1])
    # A sum of floats may miss a whole number by its last digit: that is no reason for one step more.
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [place * step for place in range(first, max(last, first + 1) + 1)]


def labels(values: Iterable[float]) -> list[str]:
    """The numbers of an axis with the decimals that they need, all with as many."""
    written = [f"{value:.6f}".rstrip("0").rstrip(".") for value in values]
    decimals = max(len(each.partition(".")[2]) for each in written)
    return [f"{float(each):.{decimals}f}".replace("-", "−") for each in written]
