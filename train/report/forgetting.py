"""What tuning forgot, for the page and the Markdown: a sentence and a line of a table for each tuned arm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from train.records import Findings
from train.report import figures, view, wording
from train.report.tables import Table

HEADER = (
    "arm", "right", "untouched", "difference (points)", "interval", "p", "p (Holm)", "questions", "of which differ",
    "untouched right at least once", "samples", "training seeds",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Forgetting:
    """What the section says: a sentence for each tuned arm, and the figures with how they were found."""

    sentences: tuple[str, ...]
    table: Table


def forgetting(findings: Findings) -> Forgetting | None:
    """The section; None where no general questions were asked of both a tuned arm and the untouched base."""
    rows: Sequence[Mapping[str, Any]] = findings.comparison.get("forgetting") or ()
    if not rows:
        return None
    note = (
        "General questions, asked of every arm without context, by the prompt that the recipe has for that. No arm was "
        "trained on them, and the decision does not rest on them. Only what the untouched model answers right at least "
        f"once can be forgotten. Intervals are at {view.level(findings)} and unadjusted; p is corrected (Holm) for the "
        "number of tuned arms."
    )
    table = Table("What tuning forgot", note, HEADER, tuple(map(_line, rows)), names=1)
    return Forgetting(tuple(map(sentence, rows)), table)


def sentence(row: Mapping[str, Any]) -> str:
    """`closed-book answers 62.5 % of 40 general questions right, base 70.0 %: −7.5 points [−14.0, −1.0]; …`."""
    if row["difference"] is None:
        return f"{row['arm']} against {row['against']}: not comparable; no general question was scored in both."
    asked = figures.plural(row["questions"], "general question")
    right = f"{row['arm']} answers {figures.percent(row['tuned'])} of {asked} right"
    said = f"{right}, {row['against']} {figures.percent(row['base'])}: {figures.points(row['difference'])} points"
    interval = f" [{', '.join(map(figures.points, row['interval']))}]" if row["interval"] else ""
    notes = "".join(f" {note[0].upper()}{note[1:]}." for note in view.contrast_notes(row))
    return f"{said}{interval}; {_chance(row)}.{notes}"


def _chance(row: Mapping[str, Any]) -> str:
    """What may be said of the difference: no more than the p-value and the interval both bear out."""
    if row["shown"] is not None:
        return f"this {row['shown']} is more than chance explains"
    if not row["differing"]:
        return "no question came out differently"
    seen = "chance could explain it" if row["difference"] else "no difference is seen"
    if not row["interval"]:
        return f"{seen}; {wording.no_interval(row)}"
    low = row["interval"][0]
    return (
        f"{seen}, and a loss of up to {figures.points(-low, signed=False)} points is not ruled out" if low < 0 else seen
    )


def _line(row: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        str(row["arm"]),
        figures.percent(row["tuned"]),
        f"{figures.percent(row['base'])} ({row['against']})",
        figures.points(row["difference"]),
        figures.points_interval(row["interval"]),
        figures.p_value(row["p"]),
        figures.p_value(row["p_holm"]),
        figures.count(row["questions"]),
        figures.count(row["differing"]),
        figures.count(row["base_right"]),
        figures.count(row["samples"]),
        ", ".join(map(str, row["seeds"])),
    )
