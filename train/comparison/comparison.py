"""Puts the content of comparison.json together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from train.comparison.agreement import grader_rows, people_row
from train.comparison.cells import SPLIT_ORDER, Table, cell_row, fold, in_split, question_rows, question_splits, samples
from train.comparison.contrasts import NONE, Tables, contrast_rows, further_contrasts
from train.comparison.corrections import Evidence, corrected, gather
from train.comparison.counting import Counting, count_verdicts
from train.comparison.decision import decide, guard_contrasts
from train.comparison.forgetting import forgetting_rows
from train.comparison.labels import Labels, by_grader, strata, weigh
from train.comparison.retrieval import retrieval_rows
from train.records import (
    GENERAL,
    Answer,
    AnswerId,
    Cell,
    Context,
    Contrast,
    Question,
    Verdict,
    general_ids,
    is_person,
)


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
    people: Mapping[AnswerId, Verdict] | None = None,
    side_by_side: Sequence[Verdict] = (),
    probabilities: Mapping[AnswerId, float] | None = None,
) -> dict[str, Any]:
    """The content of comparison.json (`schema.json` describes it): JSON-ready, the same for any order of the records.

    `verdicts` holds the one verdict of each answer that counts among the automatic graders', `people` that of people
    (`train.comparison.counting` says whose counts); an answer without either is unscored. `kinds` says of each arm
    whether it is `untouched`, `tuned` or `given`, in the order of the report. `contrasts` is the planned family: Holm
    runs over exactly these, so what `decision_contrasts` names belongs into it. `split` is where the decision is made
    and `context` the condition that stands for having context in it. `alpha` is the level of tests, intervals are at
    1 − alpha; `worthwhile` is the difference (a share) below which a gain is not worth having. `changed` names the
    parts of this plan that were changed when answers were there. `seed` is for permutations that cannot be counted.
    `side_by_side` has every grader's and every person's verdict, for how well they agree; `probabilities` those with
    which labelled answers were drawn, as far as they are known: such labels stand for others, too
    (`train.comparison.labels`).

    Answers to general questions are in cells and in `forgetting` of their own and in nothing else: without them all
    other figures are the same.

    Raises UserError for an answer given twice, to an unknown question, or without a context.
    """
    by_id = {question.id: question for question in questions}
    topics = {question.id: question.topic for question in questions}
    people = people or {}
    counting = count_verdicts(questions, answers, verdicts, people)
    general = general_ids(questions)
    tested, aside = (
        [answer for answer in answers if (answer.question in general) == is_aside] for is_aside in (False, True)
    )
    # Arms in the recipe's order, those it does not name last; within an arm `none` first.
    kinds = {**kinds, **dict.fromkeys(sorted({answer.arm for answer in answers} - kinds.keys()), "given")}
    expected = {(each.question, each.condition): each.expects for each in contexts}
    names = [answer.id for answer in tested]
    graders = by_grader(side_by_side if people else ())
    places = strata(names if people else (), verdicts, graders, expected)
    labels = weigh(people, probabilities or {}, places, counting, by_id)
    evidence = gather(counting.graders if people else {}, labels, expected)

    def fold_all(answers: Sequence[Answer]) -> Tables:
        table = fold(questions, contexts, answers, counting.headline)
        by_graders = fold(questions, contexts, answers, counting.graders) if counting.full else table
        rank = {arm: index for index, arm in enumerate(kinds)}
        ordered = {cell: table[cell] for cell in sorted(table, key=lambda cell: _place(cell, rank))}
        return Tables(ordered, by_graders, counting)

    def rows_of(table: Table, answers: Sequence[Answer], splits: Sequence[str]) -> list[dict[str, Any]]:
        cells = []
        for cell, tallies in table.items():
            rows = question_rows(tallies, alpha)
            cells += [
                cell_row(cell, asked, rows, kind=kinds[cell.arm], split=where, topics=topics, alpha=alpha)
                for where in splits
                if (asked := in_split(table, cell, where, by_id))
            ]
        _put_labels(cells, counting, labels, evidence, [answer.id for answer in answers], by_id, alpha)
        return cells

    tables, beside = fold_all(tested), fold_all(aside)
    table = tables.counted
    cells = rows_of(table, tested, SPLIT_ORDER)
    base = next((arm for arm, kind in kinds.items() if kind == "untouched"), None)
    guards = guard_contrasts(kinds, context, split)
    rows = contrast_rows(
        contrasts,
        further_contrasts(table, by_id, base, split, guards),
        tables,
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
        "cells": cells + rows_of(beside.counted, aside, (GENERAL,)),
        "contrasts": rows,
        "retrieval": retrieval_rows(table, contexts, by_id, alpha),
        "forgetting": forgetting_rows(beside, by_id, kinds, alpha=alpha, worthwhile=worthwhile, seed=seed),
        "graders": grader_rows(graders, labels, expected, list(kinds), alpha),
        "people": people_row((verdict for verdict in side_by_side if is_person(verdict.grader)), alpha),
        "decision": decide(cells, rows, kinds, split=split, context=context, alpha=alpha, worthwhile=worthwhile),
    }


def _put_labels(
    rows: Sequence[dict[str, Any]],
    counting: Counting,
    labels: Labels,
    evidence: Evidence,
    answers: Sequence[AnswerId],
    questions: Mapping[str, Question],
    alpha: float,
) -> None:
    """Adds to each cell how many of its answers people judged, and its corrected accuracies where that is a part."""
    judged = Counter(
        (Cell(name.arm, name.condition), split)
        for name in answers
        if name in labels.people
        for split in question_splits(questions[name.question])
    )
    topics = {name: question.topic for name, question in questions.items()}
    for row in rows:
        cell, asked = Cell(row["arm"], row["condition"]), {entry["question"] for entry in row["per_question"]}
        in_part = labels.people and not all(counting.is_full(cell, questions[name].split) for name in asked)
        row["labelled"] = judged[cell, row["split"]]
        row["corrected"] = corrected(evidence, cell, asked, row["expects"], topics, alpha) if in_part else None


def _place(cell: Cell, rank: Mapping[str, int]) -> tuple[int, bool, str]:
    return rank[cell.arm], cell.condition != NONE, cell.condition
