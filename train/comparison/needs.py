"""What a verdict needs to be shown, held against the contrasts there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from train.comparison import power, statistics
from train.comparison.contrasts import Row, name
from train.records import Cell


@dataclass(frozen=True, slots=True)
class Need:
    """One thing a verdict needs: that `a` beats `b`, or (`beats` false) that `a` adds little to `b`.

    A planned need counts only from the planned family; the others are guards, which may be unplanned.
    """

    a: Cell
    b: Cell
    beats: bool = False
    planned: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """A need against its contrast `row` (as a − b; None where unusable, `reason` says why).

    `reachable`: by the point estimate more questions may meet it. `questions`: how many that would take in all; None
    where it is met or unreachable, or where the formula asks for no more than there are.
    """

    need: Need
    row: Row | None
    met: bool = False
    reachable: bool = False
    questions: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """How high the bar lies: the level, what is worth having (a share), and the size of the planned family."""

    alpha: float
    worthwhile: float
    family: int


def find(need: Need, rows: Sequence[Row], split: str, bar: Bar) -> Finding:
    """Whether the need is met by the contrasts on `split` and, if not, what it would take."""
    row = _row(need.a, need.b, rows, split)
    label = f"{name(need.a)} − {name(need.b)} on {split}"
    if row is None or (need.planned and not row["planned"]):
        lacking = "the planned family lacks" if need.planned else "there is no contrast"
        return Finding(need, None, reason=f"{lacking} {label}, so the decision may not use it")
    if row["difference"] is None:
        return Finding(need, None, reason=f"{label}: {row['reason']}")
    difference: float = row["difference"]
    if need.beats:
        p_value = row["p_holm"] if need.planned else row["p_value"]
        met, reachable = difference > 0 and p_value <= bar.alpha, difference > 0
    else:
        bound = upper_bound(row, bar.alpha)
        met, reachable = bound is not None and bound < bar.worthwhile, difference < bar.worthwhile
    questions = _questions(need, row, bar) if reachable and not met else None
    return Finding(need, row, met, reachable, questions)


def upper_bound(row: Row, alpha: float) -> float | None:
    """The upper end of a contrast's interval, or its stand-in where all questions differ alike."""
    if row["interval"]:
        return float(row["interval"][1])
    return power.uniform_upper_bound(row["difference"], row["questions"], alpha)


def _questions(need: Need, row: Row, bar: Bar) -> int | None:
    difference, deviation = row["difference"], row["standard_deviation"]
    # Holm adjusts the p-values of planned contrasts alone, and no interval.
    family = bar.family if need.beats and need.planned else 1
    if deviation:
        distance = difference if need.beats else bar.worthwhile - difference
        asked = power.questions_needed(deviation, distance, bar.alpha, family)
    else:
        asked = power.uniform_questions_needed(difference, bar.worthwhile, bar.alpha, family, need.beats)
    asked = max(asked, statistics.FEWEST_QUESTIONS) if asked else None
    return asked if asked and asked > row["questions"] else None


def _row(a: Cell, b: Cell, rows: Sequence[Row], split: str) -> Row | None:
    """The contrast a − b, turned round where it is listed as b − a; the planned one where there are two."""
    found: Row | None = None
    for row in rows:
        sides = (Cell(**row["a"]), Cell(**row["b"]))
        if row["split"] == split and sides in ((a, b), (b, a)) and (found is None or row["planned"]):
            found = row if sides == (a, b) else turned(row)
    return found


def turned(row: Mapping[str, Any]) -> Row:
    """The contrast a − b as b − a; without its interval or difference where it has none."""
    difference, interval = row["difference"], row["interval"]
    return {
        **row,
        "a": row["b"],
        "b": row["a"],
        "difference": None if difference is None else -difference,
        "interval": [-interval[1], -interval[0]] if interval else None,
    }
