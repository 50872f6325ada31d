from __future__ import annotations

import json
import math
import random

import pytest

from train.data import audit, audit_answers
from train.data.similarity import ngrams, similar_pairs
from train.records import Answer, Context, Passage, Question, TrainingRow

RETURNS = Passage("returns", "Returns are accepted within 30 days.")
SHIPPING = Passage("shipping", "Shipping takes three days.")
COPY = Passage("copy", "Shipping  takes three\ndays.")
OPENING = Passage("opening", "The shop opens at nine.")

QUESTIONS = [
    Question("t1", "How long may I return an order?", "Within 30 days.", evidence=("returns",), split="train"),
    Question("s1", "What is the return window in days?", "Within 30 days.", evidence=("returns",), split="seen"),
    Question("u1", "How many days does shipping take?", "Three days.", evidence=("shipping",), split="unseen"),
    Question("u2", "When does the shop open in the morning?", "At nine.", evidence=("opening",), split="unseen"),
    Question("x1", "Who founded the shop?", "I do not know.", split="unanswerable"),
]
CLEAN = [TrainingRow("t1", "How long may I return an order?", "Within 30 days.", (RETURNS,))]
CONTEXTS = [
    Context("s1", "gold", (RETURNS,), ("returns",), "answer"),
    Context("u1", "gold", (SHIPPING,), ("shipping",), "answer"),
    Context("u1", "gold+1", (RETURNS, SHIPPING), ("shipping",), "answer"),
    Context("u2", "gold", (OPENING,), ("opening",), "answer"),
    Context("u2", "none", (), (), "answer"),
]


def test_a_clean_division_has_no_leaks():
    found = audit(QUESTIONS, CLEAN, CONTEXTS)
    assert found["leaks"] == found["warnings"] == []
    assert found["gold"]["unseen"] == {"questions": 2, "found": 0, "examples": []}
    assert found["gold"]["seen"]["found"] == 1
    assert found["references"]["seen"]["found"] == 1
    assert found["contexts"] == [
        {"condition": "gold", "split": "seen", "contexts": 1, "found": 1},
        {"condition": "gold", "split": "unseen", "contexts": 2, "found": 0},
        {"condition": "gold+1", "split": "unseen", "contexts": 1, "found": 0},
    ]


@pytest.mark.parametrize(
    ("planted", "contexts"),
    [(SHIPPING, CONTEXTS), (SHIPPING, []), (COPY, CONTEXTS)],
    ids=["as a training passage", "known by evidence alone", "as a copy under another id"],
)
def test_an_unseen_gold_passage_in_training_is_a_leak(planted, contexts):
    rows = [*CLEAN, TrainingRow("t1", "Another wording altogether", "Yes.", (RETURNS, planted))]
    found = audit(QUESTIONS, rows, contexts)
    assert found["leaks"] == ["1 unseen question(s) have a gold passage that occurs in training"]
    assert found["gold"]["unseen"]["examples"] == [
        {"question": "u1", "passage": "shipping", "training_question": "t1", "trained_as": planted.id}
    ]
    if contexts:
        assert {c["condition"]: c["found"] for c in found["contexts"] if c["split"] == "unseen"} == {
            "gold": 1,
            "gold+1": 1,
        }


def test_a_test_question_in_nearly_the_trained_words_is_found():
    rows = [*CLEAN, TrainingRow("t1", "when does the shop open in the  mornings", "Nine.", ())]
    found = audit(QUESTIONS, rows)["wordings"]
    assert (found["found"], found["pairs"], found["by_split"]) == (1, 1, {"seen": 0, "unseen": 1, "unanswerable": 0})
    assert found["examples"][0]["question"] == "u2"
    assert 0.9 <= found["examples"][0]["similarity"] < 1


def test_an_unseen_reference_among_the_targets_is_found():
    found = audit(QUESTIONS, [*CLEAN, TrainingRow("t9", "?", "At\nnine.")])
    assert found["references"]["unseen"]["examples"] == [
        {"question": "u2", "training_question": "t9", "answer": "At nine."}
    ]
    assert found["warnings"] == ["1 unseen question(s) have a reference answer that is a training target"]


def test_examples_are_bounded_and_everything_is_json():
    questions = [Question(f"u{n}", f"Question number {n}?", "A", evidence=("p",), split="unseen") for n in range(50)]
    rows = [TrainingRow(f"t{n}", f"Question number {n}?", "A", (Passage("p", "x"),)) for n in range(50)]
    found = audit(questions, rows, [Context("u1", "gold", (Passage("p", "x"),), ("p",), "answer")], examples=3)
    assert (
        found["gold"]["unseen"]["found"] == found["wordings"]["found"] == found["references"]["unseen"]["found"] == 50
    )
    assert {len(found[key]["examples"]) for key in ("wordings",)} == {3}
    assert len(found["gold"]["unseen"]["examples"]) == 3
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_nothing_trained_and_nothing_asked():
    assert audit([], [])["leaks"] == []
    assert audit_answers([], []) == []


def test_answers_that_repeat_targets_and_one_another():
    def answers(arm, question, *texts):
        return [Answer(arm, 0, "none", question, n, text) for n, text in enumerate(texts)]

    given = [
        *answers("tuned", "q1", "Within 30 days.", "Within  30 days.\n"),
        *answers("tuned", "q2", "a", "b"),
        *answers("base", "q1", "no"),
    ]
    assert audit_answers(given, ["Within 30 days."]) == [
        {
            "arm": "base",
            "condition": "none",
            "answers": 1,
            "verbatim": 0,
            "verbatim_share": 0.0,
            "asked": 0,
            "alike": 0,
            "distinct": None,
        },
        {
            "arm": "tuned",
            "condition": "none",
            "answers": 4,
            "verbatim": 2,
            "verbatim_share": 0.5,
            "asked": 2,
            "alike": 1,
            "distinct": 1.5,
        },
    ]


@pytest.mark.parametrize("seed", range(60))
def test_the_index_finds_the_pairs_that_comparing_all_finds(seed):
    rng = random.Random(seed)
    threshold = rng.choice([0.5, 0.7, 0.8, 0.9, 1.0])
    stems = ["".join(rng.choices("abc", k=rng.randint(0, 30))) for _ in range(8)]

    def near(stem: str) -> str:
        at = rng.randint(0, len(stem))
        return stem[:at] + rng.choice("abc") * rng.randint(0, 2) + stem[at + rng.randint(0, 1) :]

    left, right = ([near(rng.choice(stems)) for _ in range(25)] for _ in range(2))
    expected = {}
    for one in left:
        for other in right:
            x, y = ngrams(one), ngrams(other)
            if x and y and (like := len(x & y) / math.sqrt(len(x) * len(y))) >= threshold - 1e-9:
                expected[one, other] = pytest.approx(like)
    assert {(one, other): like for one, other, like in similar_pairs(left, right, threshold, matches=10**6)} == expected


def test_repetition_is_not_identity():
    assert similar_pairs(["Question 10101?"], ["Question 1010?"], 1.0) == []
    assert [like for _, _, like in similar_pairs(["Question 10101?"], ["question  10101"], 1.0)] == [1.0]


def test_questions_from_a_template_do_not_make_millions_of_pairs():
    texts = [f"What is the return period of article number {n} in the catalogue of the shop?" for n in range(3000)]
    pairs = similar_pairs(texts, reversed(texts), 0.9, matches=2)
    assert len(pairs) == 6000
    assert {one for one, other, like in pairs if one == other and like == 1.0} == set(texts)
