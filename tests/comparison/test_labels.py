"""What labels stand for: strata judged in full, drawn labels, and labels of which nobody knows why they were given."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from train.comparison import compare
from train.records import AnswerId, Verdict, Word

from .builders import cell_of, check, records

KINDS = {"base": "untouched", "m": "tuned"}
Pair = tuple[bool, bool]
"""Is an answer right by the grader, and in truth?"""


def word(right: bool) -> Word:
    return "correct" if right else "wrong"


def pairs(tp: int, fp: int, fn: int, tn: int) -> list[Pair]:
    return [(True, True)] * tp + [(True, False)] * fp + [(False, True)] * fn + [(False, False)] * tn


def compared(
    cells: Mapping[tuple[str, str], Sequence[Pair]],
    labelled: Mapping[AnswerId, float | None],
    *,
    splits: Sequence[str] = (),
    judge: Mapping[AnswerId, bool] | None = None,
) -> dict[str, Any]:
    """A comparison of answers, one to a question; people's labels tell the truth, with these probabilities."""
    given = records({cell: [[word(right)] for right, _ in column] for cell, column in cells.items()}, splits=splits)

    def said(name: AnswerId, grader: str, right: bool) -> Verdict:
        return Verdict(name.arm, 0, name.condition, name.question, 0, grader, word(right))

    people = {
        name: said(name, "person:ann", cells[name.arm, name.condition][int(name.question[1:])][1]) for name in labelled
    }
    beside = list(given["verdicts"].values())
    judged = {name: said(name, "judge:j", right) for name, right in (judge or {}).items()}
    given["verdicts"] = given["verdicts"] | judged
    result = compare(
        recipe="r", **given, people=people, side_by_side=[*beside, *judged.values(), *people.values()],
        probabilities={name: chance for name, chance in labelled.items() if chance is not None},
        kinds=KINDS, contrasts=[], split="all", context=None,
    )  # fmt: skip
    check(result)
    return result


def name(number: int, condition: str = "none", arm: str = "m") -> AnswerId:
    return AnswerId(arm, 0, condition, f"q{number:03}", 0)


def grader_row(result: dict[str, Any], arm: str | None, grader: str = "rubric") -> dict[str, Any]:
    [row] = [row for row in result["graders"] if (row["arm"], row["grader"]) == (arm, grader)]
    return row


NONE, GOLD = pairs(18, 8, 2, 72), pairs(81, 1, 9, 9)
"""Right in truth 20 and 90 of 100; the grader knows 90 % of either kind."""
GOLD_RIGHT_LABELS = {name(number, "gold"): 0.25 for number in range(0, 80, 4)}


@pytest.mark.parametrize("further", [{}, {name(0, "gold"): None}, GOLD_RIGHT_LABELS])
def test_rates_from_a_cell_judged_in_full_hold_at_another_base_rate(further):
    labelled = {name(number): None for number in range(100)} | further
    result = compared({("m", "none"): NONE, ("m", "gold"): GOLD}, labelled)
    gold = cell_of(result, "m/gold")
    found = gold["corrected"]["rogan_gladen"]
    assert (gold["accuracy"], cell_of(result, "m/none")["corrected"]) == (0.82, None)
    assert (found["tpr"], found["tnr"], found["accuracy"]) == pytest.approx((0.9, 0.9, 0.9))
    assert found["interval"][0] < 0.9 < found["interval"][1]
    assert "refused" in gold["corrected"]["prediction_powered"]
    for arm in ("m", None):
        row = grader_row(result, arm)
        assert (row["tpr"], row["tnr"], row["labels"]) == (pytest.approx(0.9), pytest.approx(0.9), 100)
        assert row["weighted"] is False, "no label stands for the other cell"


def test_a_grader_that_never_erred_in_one_cell_may_err_in_another():
    labelled = {name(number): None for number in range(40)}
    cells = {("m", "none"): pairs(20, 0, 0, 20), ("m", "gold"): pairs(30, 0, 0, 10)}
    found = cell_of(compared(cells, labelled), "m/gold")["corrected"]["rogan_gladen"]
    raw = cell_of(compared({("m", "gold"): pairs(30, 0, 0, 10)}, {}), "m/gold")
    assert found["accuracy"] == pytest.approx(0.75)
    assert found["interval"][0] < raw["interval"][0] and found["interval"][1] > raw["interval"][1]


SEEN, UNSEEN = pairs(46, 6, 4, 4), pairs(8, 10, 2, 40)
"""Right in truth 50 and 10 of 60."""
SPLITS = ["seen"] * 60 + ["unseen"] * 60


def test_a_split_judged_in_full_stands_for_no_other():
    labelled = {name(number): None for number in [*range(60), *range(60, 120, 9)]}
    result = compared({("m", "none"): [*SEEN, *UNSEEN]}, labelled, splits=SPLITS)
    refused = {"refused": "the labels carry no sampling probability"}
    for split in ("all", "unseen"):
        assert cell_of(result, "m/none", split)["corrected"]["prediction_powered"] == refused
    assert cell_of(result, "m/none", "seen")["corrected"] is None
    assert grader_row(result, "m")["weighted"] is False
    none = compared({("m", "none"): [*SEEN, *UNSEEN]}, {name(number): None for number in range(60)}, splits=SPLITS)
    assert cell_of(none, "m/none")["corrected"]["prediction_powered"] == {
        "refused": "none of its answers that are not judged in full is labelled"
    }


def test_what_is_judged_in_full_is_known_and_the_rest_is_corrected():
    # Of unseen's 18 that the grader passes 9 are drawn, 4 of them right; of the 42 others 7, one right.
    drawn = dict.fromkeys((name(60 + number) for number in (*range(4), *range(8, 13))), 0.5)
    drawn |= dict.fromkeys((name(60 + number) for number in (18, *range(20, 26))), 1 / 6)
    labelled = {name(number): None for number in range(60)} | drawn
    result = compared({("m", "none"): [*SEEN, *UNSEEN]}, labelled, splits=SPLITS)
    unseen = (18 * 4 / 9 + 42 * 1 / 7) / 60
    found = {split: cell_of(result, "m/none", split)["corrected"] for split in ("unseen", "all")}
    assert found["unseen"]["prediction_powered"]["accuracy"] == pytest.approx(unseen)
    assert found["all"]["prediction_powered"]["accuracy"] == pytest.approx((50 / 60 + unseen) / 2)
    assert (found["unseen"]["prediction_powered"]["labels"], found["all"]["prediction_powered"]["labels"]) == (16, 76)
    # Rogan and Gladen's too corrects the rest alone; the rates are those of both splits together.
    tpr, tnr = (46 + 8) / (46 + 8 + 4 + 6), (4 + 36) / (4 + 36 + 6 + 10)
    rest = (18 / 60 + tnr - 1) / (tpr + tnr - 1)
    assert found["all"]["rogan_gladen"]["tpr"] == pytest.approx(tpr)
    assert found["unseen"]["rogan_gladen"]["accuracy"] == pytest.approx(rest)
    assert found["all"]["rogan_gladen"]["accuracy"] == pytest.approx((50 / 60 + rest) / 2)
    assert grader_row(result, "m")["weighted"] is True


def test_a_drawn_label_stands_for_the_answers_like_it_whatever_was_planned():
    cells = {("m", "none"): pairs(60, 20, 5, 15)}
    drawn = [*range(12), *range(60, 64), *range(80, 81), *range(85, 94)]
    one_plan = compared(cells, dict.fromkeys(map(name, drawn), 0.5))
    enlarged = compared(cells, {name(number): (0.1, 0.9)[number % 2] for number in drawn})
    assert one_plan == enlarged
    # 12 of 16 labels of the 80 that the grader passes are right, 1 of 10 of the 20 others.
    row = grader_row(one_plan, "m")
    assert (row["weighted"], row["tpr"], row["tnr"]) == (True, pytest.approx(60 / 62), pytest.approx(18 / 38))
    assert cell_of(one_plan, "m/none")["corrected"]["prediction_powered"]["accuracy"] == pytest.approx(0.62)


def test_labels_drawn_by_one_grader_s_word_measure_one_that_came_later():
    generator = random.Random(5)
    rounds, found, alone = 150, {"tpr": 0.0, "tnr": 0.0, "accuracy": 0.0}, 0.0
    for _ in range(rounds):
        truths = [generator.random() < 0.8 for _ in range(600)]
        rubric = [generator.random() < (0.75 if truth else 0.2) for truth in truths]
        judge = {
            name(number): generator.random() < (0.9 if truth else 0.1) for number, truth in enumerate(truths)
        }  # fmt: skip
        kinds = [[number for number in range(600) if rubric[number] == right] for right in (True, False)]
        drawn = [name(number) for kind in kinds for number in generator.sample(kind, 60)]
        column = list(zip(rubric, truths, strict=True))
        result = compared({("m", "none"): column}, dict.fromkeys(drawn, 0.1), judge=judge)
        row = grader_row(result, "m", "judge:j")
        for key in ("tpr", "tnr"):
            found[key] += row[key] / rounds
        found["accuracy"] += cell_of(result, "m/none")["corrected"]["prediction_powered"]["accuracy"] / rounds
        alone += sum(truths) / 600 / rounds
    assert found == pytest.approx({"tpr": 0.9, "tnr": 0.9, "accuracy": alone}, abs=0.015)


def test_labels_outside_a_plan_are_left_out_beside_drawn_ones_and_the_row_says_so():
    cells = {("m", "none"): pairs(60, 20, 5, 15)}
    drawn = dict.fromkeys(map(name, [*range(12), *range(60, 64), 80, *range(85, 94)]), 0.5)
    row = grader_row(compared(cells, drawn | dict.fromkeys(map(name, range(20, 50)))), "m")
    assert (row["labels"], row["weighted"], row["tpr"]) == (26, False, pytest.approx(60 / 62))


def test_the_corrected_accuracy_is_about_the_answers_of_the_raw_one():
    # 40 questions: the grader cannot score 10, of which people judged 8 (all right); it passes 20 of the other 30.
    column = [["unscored"]] * 10 + [["correct"]] * 20 + [["wrong"]] * 10
    given = records({("m", "none"): column})
    judged: dict[int, Word] = dict.fromkeys(range(8), "correct")
    judged |= {10: "correct", 11: "correct", 12: "correct", 13: "correct", 14: "wrong"}
    judged |= {30: "correct", 31: "wrong", 32: "wrong", 33: "wrong", 34: "wrong"}
    people = {
        name(number): Verdict("m", 0, "none", f"q{number:03}", 0, "person:ann", said) for number, said in judged.items()
    }
    result = compare(
        recipe="r", **given, people=people, side_by_side=[*given["verdicts"].values(), *people.values()],
        probabilities=dict.fromkeys(people, 0.5), kinds=KINDS, contrasts=[], split="all", context=None,
    )  # fmt: skip
    check(result)
    row = cell_of(result, "m/none")
    assert (row["accuracy"], row["unscored"]) == (pytest.approx(28 / 38), 2)
    powered = row["corrected"]["prediction_powered"]
    assert (powered["accuracy"], powered["labels"]) == (pytest.approx((8 + 20 * 4 / 5 + 10 * 1 / 5) / 38), 18)
    # The rates are the grader's alone: it scored 30 answers.
    rates = grader_row(result, "m")
    assert (rates["tpr"], rates["tnr"]) == (pytest.approx(16 / 18), pytest.approx(8 / 12))
