"""The decision: should the base answer from context, be tuned, both, or neither?

Four options compete on one split, under the condition C that stands for having context: the base without context
(`neither`), the base with C (`context`), a tuned arm without context (`tuning`) and a tuned arm with C (`both`).

    both      tuned with C beats base with C *and* itself without context (planned contrasts); also the base
              without context and every other tuned arm without context (guards)
    context   base with C beats base without context (planned); every tuned arm adds little to base with C, both
              with C (planned) and without context (guard)
    tuning    tuned without context beats base without context (planned); C adds little to it (planned), and neither
              the base with C nor another tuned arm with C adds more than a little (guards)
    neither   base with C, tuned without context (planned) and tuned with C (guard) add little to base without

are tried in this order (context needs no training and stays fresh); else the verdict is `undetermined`. *Beats* is a
positive difference with a Holm-adjusted p ≤ alpha over the planned family. *Adds little* is shown, not assumed: the
interval's upper end lies below `worthwhile`, for an insignificant difference may just be an unseen one. Guards are
unplanned and unadjusted: all needs of a verdict must hold at once (an intersection-union test), so that they can only
withhold it. With questions enough, the best option meets its needs and no other does but by less than `worthwhile`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from train.comparison import wording
from train.comparison.contrasts import NONE, Row, name
from train.comparison.needs import Bar, Finding, Need, find
from train.comparison.wording import Told
from train.records import Cell, Contrast

Judgement = Literal["context", "tuning", "both", "neither", "undetermined"]


@dataclass(frozen=True, slots=True)
class Option:
    """A verdict, the cell it recommends and what it needs; the first needs carry the sentence."""

    verdict: Judgement
    cell: Cell
    needs: tuple[Need, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The verdict in words (`close` comes last), the contrasts it rests on, how many more questions it would take.

    `told` is what the sentence says of which contrasts, in its order; the verdict hangs on `crux`.
    """

    verdict: Judgement
    cell: Cell | None
    sentence: str
    rows: list[Row]
    told: list[Told]
    crux: Row | None
    reasons: list[str]
    more: int | None = None
    close: str = ""


def decision_contrasts(kinds: Mapping[str, str], context: str | None, split: str) -> tuple[Contrast, ...]:
    """The planned contrasts that the decision rests on, to be in the family before the first answer is sampled.

    The base is the first untouched arm. Without a tuned arm, or a condition that stands for context, only the
    contrasts that remain are named, and the decision will be `undetermined`.
    """
    base, tuned = _base(kinds), _tuned(kinds)
    if base is None:
        return ()
    if context is None or context == NONE:
        return tuple(Contrast(Cell(arm, NONE), Cell(base, NONE), split) for arm in tuned)
    result = [Contrast(Cell(base, context), Cell(base, NONE), split)]
    for arm in tuned:
        result.append(Contrast(Cell(arm, context), Cell(base, context), split))
        result.append(Contrast(Cell(arm, NONE), Cell(base, NONE), split))
        result.append(Contrast(Cell(arm, context), Cell(arm, NONE), split))
    return tuple(result)


def guard_contrasts(kinds: Mapping[str, str], context: str | None, split: str) -> tuple[Contrast, ...]:
    """The unplanned contrasts that can withhold a verdict, each in one direction."""
    base = _base(kinds)
    if base is None or context is None or context == NONE:
        return ()
    known = set(decision_contrasts(kinds, context, split))
    result: dict[Contrast, None] = {}
    for need in (need for option in _options(base, _tuned(kinds), context) for need in option.needs):
        contrast, turned = Contrast(need.a, need.b, split), Contrast(need.b, need.a, split)
        if not {contrast, turned} & (known | result.keys()):
            result[contrast] = None
    return tuple(result)


def decide(
    cells: Sequence[Mapping[str, Any]],
    rows: Sequence[Row],
    kinds: Mapping[str, str],
    *,
    split: str,
    context: str | None,
    alpha: float,
    worthwhile: float,
) -> dict[str, Any]:
    """The `decision` of comparison.json from its `cells` and `contrasts`; what is missing is said, never an error."""
    there = {Cell(cell["arm"], cell["condition"]): cell for cell in cells if cell["split"] == split}
    bar = Bar(alpha, worthwhile, sum(row["p_holm"] is not None for row in rows))
    base = _base(kinds)
    arms = [arm for arm in _tuned(kinds) if context and {Cell(arm, context), Cell(arm, NONE)} <= there.keys()]
    obstacle = _obstacle(there, base, arms, context, split)
    if there and set(kinds.values()) == {"given"}:
        outcome = _as_planned(cells, rows, split=split, alpha=alpha)
    elif obstacle or base is None or context is None:
        outcome = _undecided(cells, rows, split=split, why=obstacle, reasons=[obstacle], alpha=alpha)
    else:
        reasons = [
            f"{arm} was not asked both with {context} and without context on {split}, so the decision leaves it out"
            for arm in _tuned(kinds)
            if arm not in arms
        ]
        outcome = _weigh(_options(base, arms, context), cells, rows, split=split, bar=bar, reasons=reasons)
    used = wording.cells_of(outcome.rows, cells, split)
    return {
        "verdict": outcome.verdict,
        "arm": outcome.cell.arm if outcome.cell else None,
        "condition": outcome.cell.condition if outcome.cell else None,
        "split": split,
        "sentence": outcome.sentence + wording.gold_clause(used, cells) + outcome.close,
        "told": [
            {**_key(row), "a": row["a"], "b": row["b"], "claim": claim, "settled": settled}
            for row, claim, settled in outcome.told
        ],
        "hangs_on": _key(outcome.crux) if outcome.crux else None,
        "more_questions": outcome.more,
        "reasons": outcome.reasons + wording.caveats(used, outcome.rows, alpha),
        "rests_on": wording.rests_on(used, outcome.rows, bar.family),
    }


def _base(kinds: Mapping[str, str]) -> str | None:
    return next((arm for arm, kind in kinds.items() if kind == "untouched"), None)


def _tuned(kinds: Mapping[str, str]) -> list[str]:
    return [arm for arm, kind in kinds.items() if kind == "tuned"]


def _obstacle(
    there: Mapping[Cell, Mapping[str, Any]], base: str | None, arms: Sequence[str], context: str | None, split: str
) -> str:
    """Why the four options cannot be weighed; empty where they can."""
    if not there:
        return f"no question of the split {split!r} was answered"
    if base is None:
        return "no untouched base was asked"
    if context is None or context == NONE:
        return "no condition stands for having context"
    if context.startswith("counterfactual"):
        return f"the condition {context!r} shows made-up facts, on which no decision can rest"
    for cell in (Cell(base, context), Cell(base, NONE)):
        if cell not in there:
            return f"{name(cell)} was not asked on {split}"
        if there[cell]["expects"] == "abstain":
            return f"{name(cell)} expects abstention on {split}"
    return "" if arms else f"no tuned arm was asked both with {context} and without context"


def _options(base: str, arms: Sequence[str], context: str) -> list[Option]:
    """The options in the order in which they win."""
    plain, fed = Cell(base, NONE), Cell(base, context)
    pairs = [(Cell(arm, NONE), Cell(arm, context)) for arm in arms]
    closed, opened = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    options = []
    for own, cell in pairs:
        needs = [Need(cell, fed, beats=True, planned=True), Need(cell, own, beats=True, planned=True)]
        needs += [Need(cell, rival, beats=True) for rival in (plain, *closed) if rival != own]
        options.append(Option("both", cell, tuple(needs)))
    needs = [Need(fed, plain, beats=True, planned=True), *(Need(cell, fed, planned=True) for cell in opened)]
    options.append(Option("context", fed, (*needs, *(Need(cell, fed) for cell in closed))))
    for cell, own in pairs:
        needs = [Need(cell, plain, beats=True, planned=True), Need(own, cell, planned=True)]
        needs += [Need(rival, cell) for rival in (fed, *opened) if rival != own]
        options.append(Option("tuning", cell, tuple(needs)))
    needs = [Need(fed, plain, planned=True), *(Need(cell, plain, planned=True) for cell in closed)]
    options.append(Option("neither", plain, (*needs, *(Need(cell, plain) for cell in opened))))
    return options


def _weigh(
    options: Sequence[Option],
    cells: Sequence[Mapping[str, Any]],
    rows: Sequence[Row],
    *,
    split: str,
    bar: Bar,
    reasons: list[str],
) -> Outcome:
    findings = {option: [find(need, rows, split, bar) for need in option.needs] for option in options}
    every = [finding for found in findings.values() for finding in found]
    reasons = list(dict.fromkeys([*reasons, *(finding.reason for finding in every if finding.reason)]))
    won = [option for option in options if all(finding.met for finding in findings[option])]
    if won:
        accuracy = {Cell(cell["arm"], cell["condition"]): cell["accuracy"] for cell in cells if cell["split"] == split}
        # Of several tuned arms that qualify, the most accurate; `max` keeps the first of equals.
        alike = [option for option in won if option.verdict == won[0].verdict]
        best = max(alike, key=lambda option: accuracy[option.cell])
        if best.verdict == "context" and any(option.verdict == "tuning" for option in won):
            reasons.append("tuning without context would do as well; context needs no training and stays fresh")
        sentence, told = wording.verdict(best.verdict, findings[best], bar)
        return Outcome(best.verdict, best.cell, sentence, _rows(findings[best]), told, told[0].row, reasons)
    # The nearest option: by point estimates its needs may yet be met, with the fewest questions. The need that asks
    # for most blocks it. Infinity: the formula asks for no more, so the difference lies at the edge of `worthwhile`.
    blocks: list[tuple[float, Finding]] = []
    for found in findings.values():
        unmet = [(float(finding.questions or math.inf), finding) for finding in found if not finding.met]
        if all(finding.reachable for _, finding in unmet):
            blocks.append(max(unmet, key=lambda pair: pair[0]))
    if not blocks:
        why = "the contrasts that the decision needs were not planned or could not be paired"
        return _undecided(cells, rows, split=split, why=why, reasons=reasons, alpha=bar.alpha)
    block = min(blocks, key=lambda pair: pair[0])[1]
    more = block.questions - block.row["questions"] if block.questions and block.row else None
    helps = [
        finding for finding in every if finding.met and finding.need.beats and _is_base_with_context(finding, options)
    ]
    settled = helps[0] if helps else None
    sentence = wording.undetermined(block, more, settled, bar)
    told = [
        Told(finding.row, "better" if finding.need.beats else "little", finding.met)
        for finding in (settled, block)
        if finding and finding.row
    ]
    return Outcome("undetermined", None, sentence, _rows(every), told, told[-1].row, reasons, more)


def _is_base_with_context(finding: Finding, options: Sequence[Option]) -> bool:
    """Whether the finding is that the base is better with context than without."""
    base = next(option.cell for option in options if option.verdict == "neither")
    return finding.need.b == base and finding.need.a.arm == base.arm


def _rows(findings: Sequence[Finding]) -> list[Row]:
    """The contrasts of the findings, each once."""
    return list({finding.row["name"]: finding.row for finding in findings if finding.row}.values())


def _key(row: Row) -> dict[str, str]:
    """What a contrast is found by in comparison.json, whichever way round it is read here."""
    return {"name": row["name"], "split": row["split"]}


def _as_planned(cells: Sequence[Mapping[str, Any]], rows: Sequence[Row], *, split: str, alpha: float) -> Outcome:
    """For arms made elsewhere: what the planned contrasts show. How the arms were made is not known here."""
    planned = [row for row in rows if row["p_holm"] is not None]
    sentence, told = wording.as_planned(planned, split, alpha)
    sentence = sentence or wording.shown(None, cells, split, alpha)
    reason = "the arms were made elsewhere: they are compared as planned, and context is not weighed against tuning"
    crux = told[0].row if told else next(iter(planned), None)
    return Outcome("undetermined", None, sentence, planned, told, crux, [reason])


def _undecided(
    cells: Sequence[Mapping[str, Any]], rows: Sequence[Row], *, split: str, why: str, reasons: list[str], alpha: float
) -> Outcome:
    """Where the four options do not exist: what the first planned contrast shows, and why that does not decide."""
    row = wording.first_shown(rows, split)
    shown = wording.shown(row, cells, split, alpha)
    close = f"{' ' if shown else ''}Undetermined: {why}, so context and tuning cannot be weighed against each other."
    told = [Told(row, "better", row["p_holm"] is not None and row["p_holm"] <= alpha)] if row else []
    return Outcome("undetermined", None, shown, [row] if row else [], told, row, reasons, close=close)
