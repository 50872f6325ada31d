"""Puts the content of comparison.json together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from train.comparison.cells import SPLIT_ORDER, cell_row, fold, in_split, samples
from train.comparison.contrasts import NONE, contrast_rows, further_contrasts
from train.comparison.decision import decide, guard_contrasts
from train.records import Answer, AnswerId, Cell, Context, Contrast, Question, Verdict


def compare(
    *,
    recipe: str,
    questions: Sequence[Question],
    contexts: Sequence[Context],
    answers: Sequence[Answer],
    verdicts: Mapping[AnswerId, Verdict],
    kinds: Mapping[str, str],
    contrasts: Sequence[Contrast],
    split: str,
    context: str | None,
    alpha: float = 0.05,
    worthwhile: float = 0.05,
    changed: Sequence[str] = (),
    seed: int = 0,
) -> dict[str, Any]:
    """The content of comparison.json (`schema.json` describes it): JSON-ready, the same for any order of the records.

    `verdicts` holds one headline verdict per answer; an answer without one is unscored. `kinds` says of each arm
    whether it is `untouched`, `tuned` or `given`, in the order of the report. `contrasts` is the planned family: Holm
    runs over exactly these, so what `decision_contrasts` names belongs into it. `split` is where the decision is made
    and `context` the condition that stands for having context in it. `alpha` is the level of tests, intervals are at
    1 − alpha; `worthwhile` is the difference (a share) below which a gain is not worth having. `changed` names the
    parts of this plan that were changed when answers were there. `seed` is for permutations that cannot be counted.

    Raises UserError for an answer given twice, to an unknown question, or without a context.
    """
    by_id = {question.id: question for question in questions}
    topics = {question.id: question.topic for question in questions}
    table = fold(questions, contexts, answers, verdicts)
    # Arms in the recipe's order, those it does not name last; within an arm `none` first.
    kinds = {**kinds, **dict.fromkeys(sorted({cell.arm for cell in table} - kinds.keys()), "given")}
    rank = {arm: index for index, arm in enumerate(kinds)}
    table = {cell: table[cell] for cell in sorted(table, key=lambda cell: _place(cell, rank))}
    cells = [
        cell_row(cell, asked, kind=kinds[cell.arm], split=where, topics=topics, alpha=alpha)
        for cell in table
        for where in SPLIT_ORDER
        if (asked := in_split(table, cell, where, by_id))
    ]
    base = next((arm for arm, kind in kinds.items() if kind == "untouched"), None)
    guards = guard_contrasts(kinds, context, split)
    rows = contrast_rows(
        contrasts,
        further_contrasts(table, by_id, base, split, guards),
        table,
        by_id,
        kinds,
        alpha=alpha,
        worthwhile=worthwhile,
        seed=seed,
    )
    tallies = [tally for by_question in table.values() for tally in by_question.values()]
    return {
        "schema": 1,
        "recipe": recipe,
        "questions": len({name for by_question in table.values() for name in by_question}),
        "samples": max(map(samples, tallies), default=0),
        "seeds": sorted({training_seed for tally in tallies for training_seed in tally.seeds}),
        "alpha": alpha,
        "worthwhile": worthwhile,
        "plan_changed": list(changed),
        "cells": cells,
        "contrasts": rows,
        "decision": decide(cells, rows, kinds, split=split, context=context, alpha=alpha, worthwhile=worthwhile),
    }


def _place(cell: Cell, rank: Mapping[str, int]) -> tuple[int, bool, str]:
    return rank[cell.arm], cell.condition != NONE, cell.condition
