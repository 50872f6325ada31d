"""What a search found, counted by hand, beside what the arms made of it."""

from __future__ import annotations

import dataclasses

import jsonschema
import pytest

from train.comparison import compare
from train.comparison.statistics import wilson
from train.records import Passage

from .builders import SCHEMA, records, words

PLACES = (1, 2, 0, 3)
"""For each question the place at which the search found its evidence; 0: not at all."""


def searched(**changed):
    """Four questions, of which the second needs two passages, under `retrieved@3` and without context."""
    given = records(
        {
            ("base", "none"): [words(0)] * 4,
            ("base", "retrieved@3"): [words(4), words(2), words(1), words(4)],
            ("tuned", "retrieved@3"): [words(4), words(4), words(0), words(4)],
        }
    )
    questions = [
        dataclasses.replace(question, evidence=("p0", "p0b") if place == 1 else (f"p{place}",))
        for place, question in enumerate(given["questions"])
    ]
    contexts = []
    for context in given["contexts"]:
        number = int(context.question[1:])
        gold = questions[number].evidence[0]
        found = [gold if place == PLACES[number] else f"other{place}" for place in (1, 2, 3)]
        shown = tuple(Passage(name, name) for name in found) if context.condition == "retrieved@3" else ()
        contexts.append(dataclasses.replace(context, passages=shown, gold=(gold,) if shown and PLACES[number] else ()))
    settings = {"recipe": "r", "kinds": {"base": "untouched", "tuned": "tuned"}, "contrasts": [], "split": "all"}
    result = compare(**{**given, "questions": questions, "contexts": contexts, **changed}, **settings, context=None)
    jsonschema.validate(result, SCHEMA)
    return result["retrieval"]


def test_hits_recall_ranks_and_accuracies_are_those_counted_by_hand():
    (row,) = searched()
    assert (row["condition"], row["split"], row["questions"]) == ("retrieved@3", "all", 4)
    assert row["found"] == 0.75
    assert row["interval"] == list(wilson(0.75, 4, 0.05))
    assert row["recall"] == (1 + 1 / 2 + 0 + 1) / 4
    assert row["reciprocal_rank"] == pytest.approx((1 + 1 / 2 + 0 + 1 / 3) / 4)
    assert row["arms"] == [
        {"arm": "base", "found": pytest.approx((1 + 1 / 2 + 1) / 3), "missed": 0.25},
        {"arm": "tuned", "found": 1.0, "missed": 0.0},
    ]


def test_nothing_is_said_where_no_evidence_is_named_or_the_passages_are_not_known():
    assert searched(questions=records({("base", "none"): [words(0)] * 4})["questions"]) == []
    unknown = records({("base", "none"): [words(0)] * 4, ("base", "retrieved@3"): [words(0)] * 4})["contexts"]
    assert searched(contexts=unknown) == []
