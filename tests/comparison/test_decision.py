"""The decision: worlds with the verdict that each calls for, the degenerate ones, and what is always said."""

from __future__ import annotations

import itertools
import random

import pytest

from train.comparison import compare, decision_contrasts
from train.records import Cell

from .builders import cell_of, check, contrast, records, row_of, run, words

BASE_AND_TUNED = {"base": "untouched", "tuned": "tuned"}


def column(share: float, count: int, cell: int) -> list[int]:
    """Right answers of 4 on the easiest `share` of the questions; every eleventh question gives or takes one."""
    plain = [4 if index < round(share * count) else 0 for index in range(count)]
    return [abs(right - 1) if index % 11 == cell else right for index, right in enumerate(plain)]


def world(count: int, **shares: tuple[float, float]) -> dict[tuple[str, str], list[int]]:
    """`world(100, base=(without, with))`: a table in which each arm is right on these shares of the questions."""
    cells = [
        ((arm, condition), share)
        for arm, pair in shares.items()
        for condition, share in zip(("none", "gold"), pair, strict=True)
    ]
    return {name: column(share, count, index) for index, (name, share) in enumerate(cells)}


@pytest.mark.parametrize(
    ("base", "tuned", "verdict"),
    [
        # (without, with context)
        ((0.2, 0.9), (0.4, 0.9), "context"),  # tuning adds nothing to context
        ((0.2, 0.9), (0.2, 0.9), "context"),  # tuning adds nothing at all
        ((0.2, 0.9), (0.5, 0.6), "context"),  # RAFT's finding: tuning hurts the use of context
        ((0.2, 0.9), (0.9, 0.9), "context"),  # either would do: context needs no training
        ((0.2, 0.3), (0.9, 0.9), "tuning"),
        ((0.2, 0.2), (0.9, 0.9), "tuning"),
        ((0.2, 0.5), (0.9, 0.5), "tuning"),  # context distracts the tuned model
        ((0.2, 0.6), (0.5, 0.9), "both"),
        ((0.2, 0.2), (0.2, 0.9), "both"),
        ((0.8, 0.8), (0.8, 0.8), "neither"),
        ((0.8, 0.3), (0.3, 0.6), "neither"),  # each mends the other's harm, and the base is better alone
        ((0.8, 0.3), (0.3, 0.8), "neither"),
        ((0.2, 0.9), (0.4, 0.96), "both"),
    ],
)
def test_with_questions_enough_the_verdict_is_that_of_the_world(base, tuned, verdict):
    result = run(world(200, base=base, tuned=tuned), BASE_AND_TUNED)
    decision = result["decision"]
    assert decision["verdict"] == verdict, decision["sentence"]
    cell = {
        "context": ("base", "gold"),
        "tuning": ("tuned", "none"),
        "both": ("tuned", "gold"),
        "neither": ("base", "none"),
    }
    assert (decision["arm"], decision["condition"]) == cell[verdict]
    assert decision["more_questions"] is None
    assert decision["sentence"].endswith("when the right passage is found; retrieval was not tested.")


def test_with_clear_gaps_the_best_cell_always_wins():
    # Every order of four clearly different accuracies has a verdict: more questions always settle the matter.
    wanted = {0: "neither", 1: "context", 2: "tuning", 3: "both"}
    for shares in itertools.permutations((0.2, 0.4, 0.6, 0.8)):
        result = run(world(150, base=shares[:2], tuned=shares[2:]), BASE_AND_TUNED)
        assert result["decision"]["verdict"] == wanted[shares.index(0.8)], shares


def test_few_questions_leave_it_undetermined_and_say_how_many_more():
    decision = run(world(30, base=(0.2, 0.8), tuned=(0.3, 0.9)), BASE_AND_TUNED)["decision"]
    assert decision["verdict"] == "undetermined"
    assert decision["arm"] is decision["condition"] is None
    assert decision["more_questions"] > 0
    assert f"about {decision['more_questions']} more questions are needed" in decision["sentence"]
    assert "tuned with gold" in decision["sentence"] and "base with gold" in decision["sentence"]


def test_the_number_of_questions_comes_from_the_contrast_that_blocks():
    from scipy.stats import norm

    result = run(world(30, base=(0.2, 0.8), tuned=(0.3, 0.9)), BASE_AND_TUNED)
    row = row_of(result, "tuned/gold", "base/gold")
    z = norm.ppf(1 - 0.05 / (2 * 4)) + norm.ppf(0.8)  # four planned contrasts
    needed = (z * row["standard_deviation"] / row["difference"]) ** 2
    assert result["decision"]["more_questions"] == pytest.approx(needed - 30, abs=1)


def test_a_perfect_score_on_few_questions_does_not_show_that_tuning_adds_nothing():
    perfect = {
        ("base", "none"): [0] * 30,
        ("base", "gold"): [4] * 30,
        ("tuned", "none"): [1] * 30,
        ("tuned", "gold"): [4] * 30,
    }
    decision = run(perfect, BASE_AND_TUNED)["decision"]
    assert (decision["verdict"], decision["more_questions"]) == ("undetermined", 42)
    assert "as often right as" in decision["sentence"]
    enough = {cell: counts[:1] * 72 for cell, counts in perfect.items()}
    decision = run(enough, BASE_AND_TUNED)["decision"]
    assert decision["verdict"] == "context"
    assert "all 72 questions alike" in decision["sentence"]


def test_a_verdict_says_its_points_interval_and_p():
    result = run(world(200, base=(0.2, 0.9), tuned=(0.4, 0.9)), BASE_AND_TUNED)
    row = row_of(result, "base/gold", "base/none")
    shown, low, high = (f"{100 * value:.1f}" for value in (row["difference"], *row["interval"]))
    assert result["decision"]["sentence"].startswith(
        f"Context is enough: base with gold is {shown} points better than base with none [{low}, {high}], "
        "Holm-adjusted p < .0001, and tuning adds less than 5 points to it (tuned with gold against base with gold: "
    )


def test_both_must_also_beat_the_best_tuned_arm_without_context():
    # `opened` with gold beats itself without, but `closed` without any context is as good: context may be spared.
    kinds = {"base": "untouched", "closed": "tuned", "opened": "tuned"}
    decision = run(world(200, base=(0.2, 0.5), closed=(0.9, 0.6), opened=(0.3, 0.92)), kinds)["decision"]
    assert (decision["verdict"], decision["arm"]) == ("tuning", "closed")
    decision = run(world(200, base=(0.2, 0.5), closed=(0.7, 0.6), opened=(0.3, 0.92)), kinds)["decision"]
    assert (decision["verdict"], decision["arm"]) == ("both", "opened")


def test_of_several_tuned_arms_that_qualify_the_most_accurate_is_named():
    kinds = {"base": "untouched", "first": "tuned", "second": "tuned"}
    decision = run(world(200, base=(0.2, 0.5), first=(0.3, 0.7), second=(0.3, 0.9)), kinds)["decision"]
    assert (decision["verdict"], decision["arm"]) == ("both", "second")


def test_a_contrast_that_was_not_planned_may_not_carry_the_decision():
    graded = world(200, base=(0.2, 0.6), tuned=(0.5, 0.9))
    planned = decision_contrasts(BASE_AND_TUNED, "gold", "all")
    assert run(graded, BASE_AND_TUNED, planned)["decision"]["verdict"] == "both"
    decision = run(graded, BASE_AND_TUNED, [c for c in planned if c.b != Cell("base", "gold")])["decision"]
    assert decision["verdict"] == "undetermined"
    assert any("lacks tuned with gold − base with gold on all" in reason for reason in decision["reasons"])
    decision = run(graded, BASE_AND_TUNED, [])["decision"]
    assert (decision["verdict"], decision["more_questions"]) == ("undetermined", None)
    # The same pair planned the other way round is the same test.
    turned = [contrast(f"{c.b.arm}/{c.b.condition}", f"{c.a.arm}/{c.a.condition}") for c in planned]
    assert run(graded, BASE_AND_TUNED, turned)["decision"]["verdict"] == "both"


def test_every_contrast_that_a_verdict_can_use_is_listed():
    kinds = {"base": "untouched", "x": "tuned", "y": "tuned"}
    result = run(world(12, base=(0.4, 0.5), x=(0.4, 0.6), y=(0.3, 0.6)), kinds)
    assert result["decision"]["verdict"] == "undetermined"
    assert not any("no contrast" in reason for reason in result["decision"]["reasons"])
    assert len(result["decision"]["rests_on"]["contrasts"]) == 1 + 3 * 2 + 2 * 2 + 2


def test_decision_contrasts_are_the_base_and_three_for_each_tuned_arm():
    kinds = {"x": "tuned", "base": "untouched", "big": "untouched", "elsewhere": "given"}
    assert decision_contrasts(kinds, "gold", "unseen") == (
        contrast("base/gold", "base/none", "unseen"),
        contrast("x/gold", "base/gold", "unseen"),
        contrast("x/none", "base/none", "unseen"),
        contrast("x/gold", "x/none", "unseen"),
    )
    assert decision_contrasts({"x": "tuned"}, "gold", "unseen") == ()
    assert decision_contrasts(kinds, None, "unseen") == (contrast("x/none", "base/none", "unseen"),)


GOLD = "This holds when the right passage is found; retrieval was not tested."


@pytest.mark.parametrize(
    ("graded", "kinds", "contrasts", "context", "sentences"),
    [
        (  # two tuned cells, no base: the seed experiment
            {("open", "gold"): [4] * 8, ("closed", "none"): [1] * 7 + [4]},
            {"open": "tuned", "closed": "tuned"},
            [contrast("open/gold", "closed/none")],
            "gold",
            [
                "open with gold is 65.6 points better than closed with none [43.",
                "p = .0156.",
                GOLD,
                "no untouched base",
            ],
        ),
        (  # no condition that stands for context
            {("base", "none"): [0] * 8, ("tuned", "none"): [4] * 7 + [0]},
            BASE_AND_TUNED,
            None,
            None,
            ["tuned with none is 87.5 points better than base with none", "no condition stands for having context"],
        ),
        (  # no tuned arm
            {("base", "none"): [0] * 8, ("base", "retrieved@3"): [3] * 8},
            {"base": "untouched"},
            None,
            "retrieved@3",
            ["base with retrieved@3 is 75.0 points better than base with none, p = .0078.", "no tuned arm"],
        ),
        (  # a single arm with nothing to compare it to
            {("base", "gold"): [4, 4, 4, 2]},
            {"base": "untouched"},
            [],
            "gold",
            ["base with gold is 87.5 % right", "nothing to compare it to", GOLD, "base with none was not asked"],
        ),
        (  # a tuned arm that was not asked without context
            {("base", "none"): [0] * 8, ("base", "gold"): [4] * 8, ("tuned", "gold"): [4] * 8},
            BASE_AND_TUNED,
            None,
            "gold",
            ["base with gold is 100.0 points better", GOLD, "no tuned arm was asked both with gold and without"],
        ),
        (  # a first planned contrast that could not be made gives way to the next
            {("x", "none"): [0] * 8, ("y", "none"): [1] * 8},
            {"x": "given", "y": "given"},
            [contrast("z/none", "x/none"), contrast("x/none", "y/none")],
            None,
            ["y with none is better than x with none by 25.0 points, p = .0078."],
        ),
        (  # a difference that chance explains
            {("x", "none"): [0, 4, 2, 1, 0, 0, 4], ("y", "none"): [4, 0, 2, 1, 1, 0, 4]},
            {"x": "given", "y": "given"},
            [contrast("x/none", "y/none")],
            None,
            ["No difference is shown between x with none and y with none (", "p = 1, not significant)."],
        ),
        (  # made-up facts decide nothing
            {("base", "none"): [0] * 8, ("base", "counterfactual"): [4] * 8},
            BASE_AND_TUNED,
            None,
            "counterfactual",
            ["made-up facts"],
        ),
        ({("x", "none"): []}, {}, [], None, ["Undetermined: no question of the split 'all' was answered"]),
    ],
)
def test_where_four_cells_are_not_there_the_first_contrast_is_said_and_nothing_decided(
    graded, kinds, contrasts, context, sentences
):
    decision = run(graded, kinds, contrasts, context=context)["decision"]
    assert decision["verdict"] == "undetermined"
    assert decision["more_questions"] is None
    for sentence in sentences:
        assert sentence in decision["sentence"]
    assert ("retrieval was not tested" in decision["sentence"]) == (GOLD in sentences)


def test_a_condition_that_expects_abstention_decides_nothing():
    graded = {(arm, condition): [4] * 8 for arm in BASE_AND_TUNED for condition in ("none", "distractors@3")}
    expects = {("distractors@3", f"q{index:03}"): "abstain" for index in range(8)}
    decision = run(graded, BASE_AND_TUNED, context="distractors@3", expects=expects)["decision"]
    assert decision["verdict"] == "undetermined"
    assert "base with distractors@3 expects abstention" in decision["sentence"]


def test_a_split_that_was_not_asked_decides_nothing():
    decision = run(world(20, base=(0.2, 0.9), tuned=(0.2, 0.9)), BASE_AND_TUNED, split="unseen")["decision"]
    assert decision["verdict"] == "undetermined"
    assert "no question of the split 'unseen' was answered" in decision["sentence"]


def test_gold_evidence_points_to_the_retrieved_cells_where_there_are_any():
    graded = world(200, base=(0.2, 0.9), tuned=(0.4, 0.9))
    graded["base", "retrieved@3"] = column(0.6, 200, 5)
    assert run(graded, BASE_AND_TUNED)["decision"]["sentence"].endswith(
        "retrieval was not tested by this decision (see retrieved@3)."
    )
    retrieved = {
        (arm, condition.replace("gold", "retrieved@3")): counts
        for (arm, condition), counts in world(200, base=(0.2, 0.9), tuned=(0.4, 0.9)).items()
    }
    decision = run(retrieved, BASE_AND_TUNED, context="retrieved@3")["decision"]
    assert decision["verdict"] == "context"
    assert "retrieval was not tested" not in decision["sentence"]


def test_the_decision_is_made_on_its_split_alone():
    # Seen facts: tuning learnt them all. Unseen facts: only context helps.
    seen, unseen = world(150, base=(0.1, 0.9), tuned=(0.95, 0.95)), world(150, base=(0.1, 0.9), tuned=(0.15, 0.9))
    graded = {cell: seen[cell] + unseen[cell] for cell in seen}
    result = run(graded, BASE_AND_TUNED, split="unseen", splits=["seen"] * 150 + ["unseen"] * 150)
    assert result["decision"]["verdict"] == "context"
    assert row_of(result, "tuned/none", "base/none", "seen")["p_holm"] is None
    assert cell_of(result, "tuned/none", "unseen")["accuracy"] < 0.2


def test_no_table_whatever_makes_it_fail():
    generator = random.Random(11)
    arms = ["base", "big", "tuned", "mixed", "elsewhere"]
    conditions = ["none", "gold", "gold+3", "retrieved@3", "distractors@3", "counterfactual"]
    splits = ["", "seen", "unseen", "unanswerable", "validation"]
    verdicts = set()
    for _ in range(120):
        count = generator.randint(1, 12)
        cells = [
            (arm, condition)
            for arm in arms
            for condition in conditions
            if generator.random() < generator.choice([0.2, 0.9])
        ] or [("base", "none")]
        graded = {
            cell: [
                words(generator.choice([0, 4, generator.randint(0, 4)]))
                if generator.random() < 0.9
                else ["unscored"] * 4
                for _ in range(count)
            ]
            for cell in cells
        }
        kinds = {arm: generator.choice(["untouched", "tuned", "given"]) for arm in arms if generator.random() < 0.8}
        split, context = generator.choice(["all", *splits[1:]]), generator.choice([None, *conditions])
        family = list(decision_contrasts(kinds, context, split))
        if generator.random() < 0.3:
            generator.shuffle(family)
            family = family[: generator.randint(0, len(family))]
        result = compare(
            recipe="any",
            **records(graded, splits=[generator.choice(splits) for _ in range(count)]),
            kinds=kinds,
            contrasts=family,
            split=split,
            context=context,
        )
        check(result)
        verdicts.add(result["decision"]["verdict"])
    assert "undetermined" in verdicts
