"""What holds for every comparison, whatever the answers were."""

from __future__ import annotations

import random
from dataclasses import replace

import jsonschema
import pytest

from train.comparison import compare
from train.errors import UserError

from .builders import SCHEMA, cell_of, check, contrast, records, row_of, run, words

KINDS = {"base": "untouched", "tuned": "tuned"}
UNSCORED = ["unscored"] * 4


def random_graded(generator, cells, questions, samples=4, unscored=0.1):
    weights = [0.5, 0.2, 0.3 - unscored, unscored]
    names = ["correct", "wrong", "abstained", "unscored"]
    return {cell: [generator.choices(names, weights, k=samples) for _ in range(questions)] for cell in cells}


FOUR = [(arm, condition) for arm in KINDS for condition in ("none", "gold")]


def test_the_order_of_records_does_not_matter():
    generator = random.Random(3)
    given = records(
        random_graded(generator, FOUR, 12),
        splits=["seen", "unseen", "unanswerable"] * 4,
        topics=["a", "b", "", "c"] * 3,
    )
    more = {"kinds": KINDS, "contrasts": [contrast("tuned/gold", "base/gold", "unseen")], "split": "unseen"}
    wanted = compare(recipe="r", **given, **more, context="gold")
    check(wanted)
    for _ in range(5):
        for key in ("questions", "contexts", "answers"):
            generator.shuffle(given[key])
        items = list(given["verdicts"].items())
        generator.shuffle(items)
        assert compare(recipe="r", **{**given, "verdicts": dict(items)}, **more, context="gold") == wanted


def test_an_arm_against_itself_differs_by_nothing():
    result = run(random_graded(random.Random(0), FOUR, 20), KINDS, [contrast("tuned/gold", "tuned/gold")])
    row = row_of(result, "tuned/gold", "tuned/gold")
    assert (row["difference"], row["differing"], row["p_value"], row["p_holm"]) == (0, 0, 1, 1)
    assert row["interval"] is row["detectable"] is None


def test_another_sampling_seed_of_the_same_arm_is_seldom_significant():
    generator = random.Random(5)
    rejected, rounds = 0, 300
    for _ in range(rounds):
        ease = [generator.betavariate(1.5, 1) for _ in range(30)]
        graded = {
            (arm, "none"): [words(sum(generator.random() < p for _ in range(4))) for p in ease] for arm in ("x", "y")
        }
        family = [contrast("x/none", "y/none")]
        result = compare(recipe="r", **records(graded), kinds={}, contrasts=family, split="all", context=None)
        rejected += result["contrasts"][0]["p_value"] <= 0.05
    # P(p ≤ .05) ≤ .05: of 300, more than 24 come up once in a hundred times at exactly .05.
    assert rejected <= 24


def test_unscored_is_never_wrong():
    scored = [words(3), words(0), words(4)]
    result = run(
        {
            ("base", "none"): [*scored, UNSCORED, [*words(1, 2), "unscored", "unscored"]],
            ("tuned", "none"): [words(4)] * 5,
        },
        KINDS,
        [contrast("tuned/none", "base/none")],
    )
    cell = cell_of(result, "base/none")
    assert (cell["answers"], cell["unscored"], cell["wrong"]) == (20, 6, 6)
    assert (cell["questions"], cell["unscored_questions"]) == (5, 1)
    assert cell["accuracy"] == (0.75 + 0 + 1 + 0.5) / 4
    assert cell["per_question"][3]["interval"] is None
    row = row_of(result, "tuned/none", "base/none")
    assert (row["questions"], row["left_out"]) == (4, 1)
    assert any("6 of 40 answers are unscored" in reason for reason in result["decision"]["reasons"])


def test_an_answer_without_a_verdict_is_unscored():
    given = records({("base", "none"): [words(4), words(4)]})
    dropped = {answer: verdict for answer, verdict in given["verdicts"].items() if answer.question == "q000"}
    result = compare(recipe="r", **{**given, "verdicts": dropped}, kinds=KINDS, contrasts=[], split="all", context=None)
    check(result)
    assert cell_of(result, "base/none")["unscored"] == 4
    assert cell_of(result, "base/none")["accuracy"] == 1.0


def test_a_cell_without_any_scored_answer_has_no_accuracy():
    result = run(
        {("base", "none"): [UNSCORED], ("base", "gold"): [words(4)]}, KINDS, [contrast("base/gold", "base/none")]
    )
    assert cell_of(result, "base/none")["accuracy"] is None
    assert "scored answers in both" in row_of(result, "base/gold", "base/none")["reason"]
    assert result["decision"]["verdict"] == "undetermined"


def test_splits_are_reported_apart_and_all_is_seen_and_unseen():
    splits = ["seen", "unseen", "unanswerable", "validation", "unseen"]
    result = run(
        {("base", "none"): [4, 2, 0, 4, 0]},
        KINDS,
        [],
        split="unseen",
        splits=splits,
        expects={("none", "q002"): "abstain"},
    )
    found = {cell["split"]: (cell["questions"], cell["accuracy"], cell["expects"]) for cell in result["cells"]}
    assert found == {
        "seen": (1, 1.0, "answer"),
        "unseen": (2, 0.25, "answer"),
        "all": (3, 0.5, "answer"),
        "unanswerable": (1, 0.0, "abstain"),
        "validation": (1, 1.0, "answer"),
    }
    assert list(found) == ["seen", "unseen", "all", "unanswerable", "validation"]
    assert result["questions"] == 5


def test_abstention_is_scored_both_ways():
    refused = ["abstained", "abstained", "correct", "wrong"]
    result = run({("base", "none"): [refused, refused]}, KINDS, [], expects={("none", "q001"): "abstain"})
    cell = cell_of(result, "base/none")
    assert [entry["right"] for entry in cell["per_question"]] == [1, 2]
    assert (cell["false_refusal"], cell["right_abstention"], cell["answered_from_memory"]) == (0.5, 0.5, 1)
    assert cell["expects"] == "mixed"
    assert cell["accuracy"] == (0.25 + 0.5) / 2


def test_training_seeds_are_averaged_within_the_question_and_the_base_pairs_with_each():
    base = records({("base", "none"): [words(n) for n in (2, 0, 4, 0, 0, 1, 2)]})
    columns = {0: (4, 0, 4, 2, 0, 1, 3), 1: (2, 0, 4, 4, 0, 3, 4), 7: (4, 0, 2, 3, 0, 4, 4)}
    tuned = [records({("tuned", "none"): [words(n) for n in column]}, seed=seed) for seed, column in columns.items()]
    parts = [base, *tuned]
    result = compare(
        recipe="r",
        questions=base["questions"],
        contexts=base["contexts"],
        answers=[answer for part in parts for answer in part["answers"]],
        verdicts={key: verdict for part in parts for key, verdict in part["verdicts"].items()},
        kinds=KINDS,
        contrasts=[contrast("tuned/none", "base/none")],
        split="all",
        context=None,
    )
    check(result)
    cell = cell_of(result, "tuned/none")
    assert result["seeds"] == cell["seeds"] == [0, 1, 7]
    assert result["samples"] == 4
    assert cell["answers"] == 7 * 3 * 4
    assert cell["per_seed"] == [14 / 28, 17 / 28, 17 / 28]
    assert cell["per_question"][0]["samples"] == 4
    assert (cell["per_question"][0]["answers"], cell["per_question"][0]["right"]) == (12, 10)
    row = row_of(result, "tuned/none", "base/none")
    assert row["questions"] == 7
    assert row["difference"] == pytest.approx(48 / 84 - 9 / 28)
    assert row["between_seeds"]["per_seed"] == pytest.approx([5 / 28, 8 / 28, 8 / 28])
    assert any("3 training seeds" in reason for reason in result["decision"]["reasons"])


def test_distinct_texts_are_counted_per_question():
    result = run({("base", "none"): [["correct", "correct", "wrong", "wrong"], words(4)]}, KINDS, [])
    cell = cell_of(result, "base/none")
    assert [entry["distinct"] for entry in cell["per_question"]] == [2, 1]
    assert cell["distinct"] == 3
    assert cell["graders"] == {"rubric": 8}


def test_holm_runs_over_exactly_the_planned_family_that_could_be_compared():
    generator = random.Random(2)
    planned = [
        contrast("tuned/gold", "base/none"),
        contrast("tuned/gold", "ghost/gold"),
        contrast("base/gold", "base/none"),
        contrast("tuned/gold", "base/none"),  # named twice, counted once
    ]
    result = run(random_graded(generator, FOUR, 15), KINDS, planned)
    first, ghost, second = (row for row in result["contrasts"] if row["planned"])
    assert ghost["difference"] is ghost["p_holm"] is ghost["p_value"] is None
    assert ghost["reason"] == "no answers of ghost with gold on all"
    low, high = sorted((first, second), key=lambda row: row["p_value"])
    assert low["p_holm"] == min(1, 2 * low["p_value"])
    assert high["p_holm"] == max(low["p_holm"], high["p_value"])
    others = [row for row in result["contrasts"] if not row["planned"]]
    assert others and all(row["p_holm"] is None and row["difference"] is not None for row in others)
    pairs = [
        (frozenset([tuple(row["a"].values()), tuple(row["b"].values())]), row["split"]) for row in result["contrasts"]
    ]
    assert len(pairs) == len(set(pairs))  # no pair is reported twice


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda given: given["questions"].pop(), "no question 'q001'"),
        (lambda given: given["contexts"].pop(), "'q001' has no context"),
        (lambda given: given["answers"].append(given["answers"][0]), "answered twice"),
    ],
)
def test_records_that_do_not_fit_are_named(spoil, message):
    given = records({("base", "none"): [words(4), words(4)]})
    spoil(given)
    with pytest.raises(UserError, match=message):
        compare(recipe="r", **given, kinds=KINDS, contrasts=[], split="all", context=None)


def test_the_schema_is_one_and_refuses_what_the_contract_forbids():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    result = run(random_graded(random.Random(1), FOUR, 8), KINDS)
    for spoil in (
        lambda r: r["cells"][0].pop("interval"),
        lambda r: r["cells"][0].update(accuracy=100.0),
        lambda r: r["cells"][0]["per_question"][0].update(correct="4"),
        lambda r: r["contrasts"][0].update(difference=None),
        lambda r: r["decision"].update(verdict="maybe"),
        lambda r: r.pop("seeds"),
    ):
        copy = run(random_graded(random.Random(1), FOUR, 8), KINDS)
        spoil(copy)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.Draft202012Validator(SCHEMA).validate(copy)
    jsonschema.Draft202012Validator(SCHEMA).validate({**result, "further": "keys are welcome"})


def test_importing_the_room_is_cheap():
    import subprocess
    import sys

    code = "import sys, train.comparison; print([m for m in ('numpy', 'scipy', 'statsmodels') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_right_answers_that_recite_a_passage_are_counted_apart():
    counts = {("base", "gold"): [4, 2, 0]}
    verdicts = records({cell: [words(right) for right in column] for cell, column in counts.items()})["verdicts"]
    recited = {id: replace(verdict, overlap=0.9 if id.sample == 0 else 0.79) for id, verdict in verdicts.items()}
    result = run(counts, {"base": "untouched"}, more={"verdicts": recited})
    cell = cell_of(result, "base/gold")
    assert cell["accuracy"] == 0.5
    assert cell["dumps"] == 2, "a wrong answer that recites is wrong anyway"
    assert cell["accuracy_without_dumps"] == pytest.approx((3 / 4 + 1 / 4 + 0) / 3)
