"""What tuning forgot, for the page and the Markdown: a sentence and a line of a table for each tuned arm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from train.records import Findings
from train.report import figures, view, wording
from train.report.tables import Table

TITLE = "What tuning forgot"

HEADER = (
    "arm", "right", "untouched", "difference (points)", "interval", "p", "p (Holm)", "questions", "of which differ",
    "samples", "training seeds",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Forgetting:
    """What the section says: how it was found out, a sentence for each tuned arm, and the figures."""

    about: str
    sentences: tuple[str, ...]
    table: Table


def forgetting(findings: Findings) -> Forgetting | None:
    """The section; None where no general questions were asked of both a tuned arm and the untouched base."""
    rows = findings.comparison.get("forgetting")
    if not rows:
        return None
    about = (
        "General questions, asked of every arm without context, by the prompt that the recipe has for that. No arm was "
        f"trained on them, and the decision does not rest on them. Intervals are at {view.level(findings)} and "
        "unadjusted; p is corrected (Holm) for the number of tuned arms."
    )
    return Forgetting(about, tuple(sentence(row) for row in rows), _table(rows))


def sentence(row: Mapping[str, Any]) -> str:
    """`closed-book answers 62.5 % of 40 general questions right, base 70.0 %: −7.5 points [−14.0, −1.0], …`."""
    if row["difference"] is None:
        return f"{row['arm']} against {row['against']}: not comparable; no general question was scored in both."
    asked = figures.plural(row["questions"], "general question")
    right = f"{row['arm']} answers {figures.percent(row['tuned'])} of {asked} right"
    said = f"{right}, {row['against']} {figures.percent(row['base'])}: {figures.points(row['difference'])} points"
    notes = "".join(f" {note[0].upper()}{note[1:]}." for note in view.contrast_notes(row))
    return f"{said}{_bracket(row['interval'])}, {_chance(row)}.{notes}"


def _bracket(interval: Any) -> str:
    return f" [{', '.join(figures.points(bound) for bound in interval)}]" if interval else ""


def _chance(row: Mapping[str, Any]) -> str:
    """What may be said of the difference: no more than the p-value and the interval both bear out."""
    if row["shown"] is not None:
        return f"a {row['shown']} that chance does not explain"
    if not row["differing"]:
        return "no question came out differently"
    if not row["interval"]:
        return f"chance could explain it; {wording.no_interval(row)}"
    low = row["interval"][0]
    if low >= 0:
        return "chance could explain it"
    return f"chance could explain it, and a loss of {figures.points(-low, signed=False)} points is not ruled out either"


def _table(rows: Any) -> Table:
    lines = tuple(
        (
            str(row["arm"]),
            figures.percent(row["tuned"]),
            f"{figures.percent(row['base'])} ({row['against']})",
            figures.points(row["difference"]),
            figures.points_interval(row["interval"]),
            figures.p_value(row["p"]),
            figures.p_value(row["p_holm"]),
            figures.count(row["questions"]),
            figures.count(row["differing"]),
            figures.count(row["samples"]),
            ", ".join(map(str, row["seeds"])),
        )
        for row in rows
    )
    return Table(TITLE, "", HEADER, lines, names=1)
