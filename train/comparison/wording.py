"""The decision in words, for a reader who never sees the code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from train.comparison.contrasts import Row, name
from train.comparison.needs import Bar, Finding, upper_bound
from train.comparison.statistics import FEWEST_QUESTIONS
from train.records import Cell, is_person

CellRow = Mapping[str, Any]

Claim = Literal["better", "little"]


class Told(NamedTuple):
    """What a sentence says of a contrast a − b, `row`: that a is better (or worse, where the difference is below 0), or
    that it adds little; and whether that is settled.

    A difference that chance could explain may be settled all the same: where it is shown to be small.
    """

    row: Row
    claim: Claim
    settled: bool


def points(share: float) -> str:
    """A share in [−1, 1] as points with one decimal and a real minus."""
    return f"{100 * share:.1f}".replace("-0.0", "0.0").replace("-", "−")


def bracket(interval: Sequence[float] | None) -> str:
    """` [5.4, 34.6]` in points, with a space before it; empty where there is no interval."""
    return f" [{points(interval[0])}, {points(interval[1])}]" if interval else ""


def p_text(p_value: float) -> str:
    """`p = .0156`, `p < .0001` or `p = 1`."""
    if p_value < 0.0001:
        return "p < .0001"
    return "p = 1" if p_value >= 0.99995 else "p = " + f"{p_value:.4f}".strip("0")


def chance(row: Row, alpha: float) -> str:
    """The p-value that counts: Holm's where the contrast was planned, and whether it is significant."""
    if row["p_holm"] is None:
        return f"unplanned, {p_text(row['p_value'])}"
    adjusted = "Holm-adjusted " if row["p_holm"] != row["p_value"] else ""
    return adjusted + p_text(row["p_holm"]) + ("" if row["p_holm"] <= alpha else ", not significant")


def statement(row: Row, alpha: float) -> str:
    """`open-book with gold is 20.0 points better than closed-book with none [5.4, 34.6], p = .0156`."""
    a, b = name(Cell(**row["a"])), name(Cell(**row["b"]))
    difference = row["difference"]
    how = (
        "as often right as"
        if difference == 0
        else f"{points(abs(difference))} points {'better' if difference > 0 else 'worse'} than"
    )
    # The interval is that of a − b; where a is worse, it is turned with the words.
    interval = row["interval"]
    if interval and difference < 0:
        interval = [-interval[1], -interval[0]]
    return f"{a} is {how} {b}{bracket(interval)}, {chance(row, alpha)}"


def _nearest(findings: Sequence[Finding], alpha: float) -> Row:
    """Of the contrasts that add little, the one nearest to adding something."""
    rows = [finding.row for finding in findings if finding.row and not finding.need.beats]
    return max(rows, key=lambda row: upper_bound(row, alpha) or 0.0)


def _little(row: Row) -> str:
    """`tuned with gold against base with gold: 1.0 points [−2.0, 4.0]`."""
    a, b = name(Cell(**row["a"])), name(Cell(**row["b"]))
    shown = bracket(row["interval"]) or f", all {row['questions']} questions alike"
    return f"{a} against {b}: {points(row['difference'])} points{shown}"


def verdict(word: str, findings: Sequence[Finding], bar: Bar) -> tuple[str, list[Told]]:
    """The sentence of a verdict whose needs are all met, and what it says of which contrasts."""
    worth = f"{100 * bar.worthwhile:g}"
    first = findings[0].row or {}
    better = Told(first, "better", True)
    if word == "both":
        second = findings[1].row or {}
        sentence = f"Both: {statement(first, bar.alpha)}, and {statement(second, bar.alpha)}."
        return sentence, [better, Told(second, "better", True)]
    little = _nearest(findings, bar.alpha)
    if word == "neither":
        sentence = (
            f"Neither: neither context nor tuning adds {worth} points to the base; "
            f"the most that was seen is {_little(little)}."
        )
        return sentence, [Told(little, "little", True)]
    enough, other = ("Context", "tuning") if word == "context" else ("Tuning", "context")
    sentence = (
        f"{enough} is enough: {statement(first, bar.alpha)}, and {other} adds less than {worth} points to it "
        f"({_little(little)})."
    )
    return sentence, [better, Told(little, "little", True)]


def undetermined(block: Finding, more: int | None, settled: Finding | None, bar: Bar) -> str:
    """The sentence where a need is not met yet: what is open, and how many more questions it would take.

    `settled` is what stands whatever comes of that: that context helps the base.
    """
    row = block.row or {}
    lead = f"Context helps: {statement(settled.row, bar.alpha)}. " if settled and settled.row else ""
    a, b = name(block.need.a), name(block.need.b)
    open_point = f"{a} is better than {b}" if block.need.beats else f"{a} adds {100 * bar.worthwhile:g} points to {b}"
    seen = f"so far {statement(row, bar.alpha)}"
    if more is None:
        return (
            f"{lead}Undetermined: whether {open_point} lies too near the edge for a count of further questions; {seen}."
        )
    plural = "question is" if more == 1 else "questions are"
    return f"{lead}Undetermined: about {more} more {plural} needed to tell whether {open_point}; {seen}."


def shown(row: Row | None, cells: Sequence[CellRow], split: str, alpha: float) -> str:
    """What there is where the four options do not exist: the main contrast, or else one cell; empty without both."""
    if row is not None:
        where = "" if row["split"] == split else f" on {row['split']}"
        return f"{statement(row, alpha)}{where}."
    for cell in sorted(cells, key=lambda cell: cell["split"] != split):
        if cell["accuracy"] is not None:
            share = f"{points(cell['accuracy'])} % right{bracket(cell['interval'])} on {cell['split']}"
            return f"{cell['arm']} with {cell['condition']} is {share}, with nothing to compare it to."
    return ""


MOST_NAMED = 3
"""So many contrasts are said in full in one sentence; the report lists them all."""


def as_planned(planned: Sequence[Row], split: str, alpha: float) -> tuple[str, list[Told]]:
    """What the planned contrasts show, those first that are more than chance, and what it says of which of them.

    Both are empty where nothing was planned.
    """
    shown = [row for row in planned if row["p_holm"] <= alpha]
    open_rows = [row for row in planned if row["p_holm"] > alpha]
    parts = [f"{_ahead(row, alpha)}{_where(row, split)}." for row in shown[:MOST_NAMED]]
    if (more := len(shown) - MOST_NAMED) > 0:
        parts.append(f"{more} more planned difference{' is' if more == 1 else 's are'} more than chance explains.")
    if len(open_rows) == 1:
        a, b = name(Cell(**open_rows[0]["a"])), name(Cell(**open_rows[0]["b"]))
        seen = f"{points(open_rows[0]['difference'])} points{bracket(open_rows[0]['interval'])}"
        where = _where(open_rows[0], split)
        parts.append(f"No difference is shown between {a} and {b}{where} ({seen}, {chance(open_rows[0], alpha)}).")
    elif open_rows:
        other = "other " if shown else ""
        parts.append(f"No difference is shown in the {other}{len(open_rows)} planned contrasts.")
    named = shown[:MOST_NAMED] + (open_rows if len(open_rows) == 1 else [])
    return " ".join(parts), [Told(row, "better", row["p_holm"] <= alpha) for row in named]


def _ahead(row: Row, alpha: float) -> str:
    """`y with gold is better than x with none by 20.0 points [5.4, 34.6], p = .0156`."""
    a, b, interval = name(Cell(**row["a"])), name(Cell(**row["b"])), row["interval"]
    if row["difference"] < 0:
        a, b, interval = b, a, [-interval[1], -interval[0]] if interval else None
    return f"{a} is better than {b} by {points(abs(row['difference']))} points{bracket(interval)}, {chance(row, alpha)}"


def _where(row: Row, split: str) -> str:
    return "" if row["split"] == split else f" on {row['split']}"


def first_shown(rows: Sequence[Row], split: str) -> Row | None:
    """The contrast that stands for the experiment: the first with a difference, planned and on `split` if possible."""
    shown = [row for row in rows if row["difference"] is not None]
    return min(shown, key=lambda row: (not row["planned"], row["split"] != split), default=None)


def cells_of(rows: Sequence[Row], cells: Sequence[CellRow], split: str) -> list[CellRow]:
    """The cells that the contrasts compare; without contrasts, all of the split."""
    wanted = {(side["arm"], side["condition"], row["split"]) for row in rows for side in (row["a"], row["b"])}
    return [
        cell
        for cell in cells
        if ((cell["arm"], cell["condition"], cell["split"]) in wanted if rows else cell["split"] == split)
    ]


def gold_clause(used: Sequence[CellRow], cells: Sequence[CellRow]) -> str:
    """Gold-only evidence cannot recommend retrieval; empty where no gold context is involved."""
    if not any(cell["condition"] == "gold" or cell["condition"].startswith("gold+") for cell in used):
        return ""
    retrieved = sorted({cell["condition"] for cell in cells if cell["condition"].startswith("retrieved")})
    also = f" by this decision (see {', '.join(retrieved)})" if retrieved else ""
    return f" This holds when the right passage is found; retrieval was not tested{also}."


def caveats(used: Sequence[CellRow], rows: Sequence[Row], alpha: float) -> list[str]:
    """What a careful reader has to know besides the sentence."""
    result = []
    seeds = sorted({seed for cell in used if cell["kind"] == "tuned" for seed in cell["seeds"]})
    if len(seeds) == 1:
        result.append(f"one training seed ({seeds[0]}): this claims nothing beyond these checkpoints")
    elif seeds:
        result.append(f"averaged over {len(seeds)} training seeds; `between_seeds` says how far it holds for others")
    unscored, answers = sum(cell["unscored"] for cell in used), sum(cell["answers"] for cell in used)
    if unscored:
        result.append(f"{unscored} of {answers} answers are unscored and left out")
    for cell in used:
        # What the graders could not score counts by a person's verdict even where people judged a part.
        beside = cell["labelled"] - sum(count for grader, count in cell["graders"].items() if is_person(grader))
        if beside > 0:
            label = f"{cell['arm']} with {cell['condition']}"
            result.append(
                f"{label}: people judged {cell['labelled']} of {cell['answers']} answers; the graders' verdicts count, "
                "and the corrected accuracies stand beside"
            )
        if cell["expects"] == "mixed":
            missed = sum(entry["expects"] == "abstain" for entry in cell["per_question"])
            label = f"{cell['arm']} with {cell['condition']}"
            result.append(f"{label}: {missed} of {cell['questions']} questions expect abstention")
    for row in rows:
        if "note" in row:
            result.append(f"{row['name']}: {row['note']}")
        p_value = row["p_holm"] if row["p_holm"] is not None else row["p_value"]
        interval = row["interval"]
        if interval and (p_value <= alpha) != (interval[0] > 0 or interval[1] < 0):
            few = f", of which {row['differing']} differ" if row["differing"] < FEWEST_QUESTIONS else ""
            label = f"{name(Cell(**row['a']))} − {name(Cell(**row['b']))}"
            result.append(f"{label}: p and the unadjusted interval disagree on {row['questions']} questions{few}")
    return result


def rests_on(used: Sequence[CellRow], rows: Sequence[Row], family: int) -> dict[str, Any]:
    """The evidence behind the verdict, for the report."""
    graders: Counter[str] = Counter()
    for cell in used:
        graders.update(cell["graders"])
    return {
        "cells": [{key: cell[key] for key in ("arm", "condition", "split")} for cell in used],
        "contrasts": [f"{name(Cell(**row['a']))} − {name(Cell(**row['b']))}" for row in rows],
        "family": family,
        "questions": max((cell["questions"] for cell in used), default=0),
        "seeds": sorted({seed for cell in used for seed in cell["seeds"]}),
        "answers": sum(cell["answers"] for cell in used),
        "unscored": sum(cell["unscored"] for cell in used),
        "graders": dict(sorted(graders.items())),
    }
