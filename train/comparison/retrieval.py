"""How well a search did, beside what was made of what it found: the conditions `retrieved@N`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

from train.comparison import statistics
from train.comparison.cells import SPLIT_ORDER, Table, in_split
from train.records import Context, Question


def retrieval_rows(
    table: Table, contexts: Iterable[Context], questions: Mapping[str, Question], alpha: float
) -> list[dict[str, Any]]:
    """The `retrieval` of comparison.json: an entry for each condition of a search and each split.

    Over the questions that name their evidence: `found` is the share of which a passage was found (hit@N), `recall` the
    mean share of the evidence that was, `reciprocal_rank` the mean of 1/place of the first (0 where there is none), all
    in [0, 1]. `arms` have their accuracy where it was found and where it was missed, as means over questions (None
    where there are none). Conditions whose passages are not known, of answers made elsewhere, are left out.
    """
    shown = {(each.question, each.condition): each for each in contexts if each.condition.startswith("retrieved")}
    known = {condition for (_, condition), context in shown.items() if context.passages}
    rows = []
    for condition in dict.fromkeys(cell.condition for cell in table if cell.condition in known):
        cells = [cell for cell in table if cell.condition == condition]
        for split in SPLIT_ORDER:
            sides = {cell.arm: in_split(table, cell, split, questions) for cell in cells}
            asked = dict.fromkeys(name for side in sides.values() for name in side if questions[name].evidence)
            if not asked:
                continue
            ranks = {name: _rank(shown[name, condition]) for name in asked}
            found = sum(rank > 0 for rank in ranks.values())
            recalls = [_recall(shown[name, condition], questions[name]) for name in asked]
            arms = []
            for arm, side in sides.items():
                shares: dict[bool, list[Fraction]] = {True: [], False: []}
                for name, tally in side.items():
                    if name in ranks and tally.pooled.share is not None:
                        shares[ranks[name] > 0].append(tally.pooled.share)
                arms.append(
                    {"arm": arm, "found": statistics.mean(shares[True]), "missed": statistics.mean(shares[False])}
                )
            rows.append(
                {
                    "condition": condition,
                    "split": split,
                    "questions": len(asked),
                    "found": found / len(asked),
                    "interval": list(statistics.wilson(found / len(asked), len(asked), alpha)),
                    "recall": sum(recalls) / len(asked),
                    "reciprocal_rank": sum(1 / rank for rank in ranks.values() if rank) / len(asked),
                    "arms": arms,
                }
            )
    return rows


def _rank(context: Context) -> int:
    """The place, from 1, of the first passage that is evidence; 0 where there is none."""
    return next((place for place, passage in enumerate(context.passages, 1) if passage.id in context.gold), 0)


def _recall(context: Context, question: Question) -> float:
    evidence = set(question.evidence)
    return len(evidence.intersection(passage.id for passage in context.passages)) / len(evidence)
