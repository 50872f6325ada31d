"""Whose verdicts count: people's where they judged everything, the graders' where they judged a part."""

from __future__ import annotations

from dataclasses import replace

import pytest

from train.comparison import compare
from train.records import AnswerId

from .builders import cell_of, check, contrast, records, row_of, words

KINDS = {"base": "untouched", "tuned": "tuned"}
HALF = [[*words(1, 2)] for _ in range(8)]
"""Two samples a question, by the rubric one right and one wrong."""


def people_said(given, *, cells=None, questions=None, samples=None, word="correct"):
    """A person's verdict, the same on every answer chosen."""
    return {
        name: replace(verdict, grader="person:ann", verdict=word)
        for name, verdict in given["verdicts"].items()
        if (cells is None or f"{name.arm}/{name.condition}" in cells)
        and (questions is None or int(name.question[1:]) in questions)
        and (samples is None or name.sample in samples)
    }


def compared(given, people, **more):
    result = compare(
        recipe="r", **{**given, **more}, people=people, side_by_side=[*given["verdicts"].values(), *people.values()],
        kinds=KINDS, contrasts=[contrast("tuned/none", "base/none")], split="all", context=None,
    )  # fmt: skip
    check(result)
    return result


def two_arms(**options):
    return records({("base", "none"): HALF, ("tuned", "none"): HALF}, **options)


@pytest.mark.parametrize(
    ("chosen", "accuracies", "difference", "graded_by"),
    [
        # nobody judged anything, or only a part of each cell: the rubric's verdicts count
        ({"cells": ()}, (0.5, 0.5), 0.0, "graders"),
        ({"questions": range(7)}, (0.5, 0.5), 0.0, "graders"),
        ({"samples": (1,)}, (0.5, 0.5), 0.0, "graders"),
        # one cell in full: its own accuracy is people's, the contrast compares like with like
        ({"cells": ("tuned/none",)}, (0.5, 1.0), 0.0, "graders"),
        # both in full
        ({}, (1.0, 1.0), 0.0, "people"),
    ],
)
def test_people_s_verdicts_count_where_they_judged_everything(chosen, accuracies, difference, graded_by):
    given = two_arms()
    result = compared(given, people_said(given, **chosen))
    assert tuple(cell_of(result, f"{arm}/none")["accuracy"] for arm in KINDS) == accuracies
    row = row_of(result, "tuned/none", "base/none")
    assert (row["difference"], row["graded_by"]) == (difference, graded_by)


def test_a_contrast_says_where_a_row_counts_by_people_and_it_does_not():
    given = two_arms()
    result = compared(given, people_said(given, cells=("tuned/none",)))
    row = row_of(result, "tuned/none", "base/none")
    assert cell_of(result, "tuned/none")["accuracy"] - cell_of(result, "base/none")["accuracy"] != row["difference"]
    assert row["note"] == (
        "tuned with none counts by people's verdicts in its own row, and here by the graders', since people did not "
        "judge all of base with none: 50.0 % right"
    )
    assert f"{row['name']}: {row['note']}" in result["decision"]["reasons"]
    both = compared(given, people_said(given, cells=("tuned/none", "base/none")))
    assert "note" not in row_of(both, "tuned/none", "base/none")


def test_a_contrast_says_on_how_many_questions_it_does_not_count_as_a_row_does():
    given = two_arms(splits=["seen", "unseen"] * 4)
    people = people_said(given, cells=("tuned/none",))
    people |= people_said(given, cells=("base/none",), questions=range(1, 8, 2), word="wrong")
    row = row_of(compared(given, people), "tuned/none", "base/none")
    assert row["graded_by"] == "both"
    assert "and here on 4 of 8 questions by the graders'" in row["note"]
    assert row["note"].endswith("base with none: 75.0 % right")


def test_a_contrast_of_cells_judged_in_full_is_people_s():
    given = two_arms()
    people = people_said(given, cells=("tuned/none",)) | people_said(given, cells=("base/none",), word="wrong")
    result = compared(given, people)
    assert row_of(result, "tuned/none", "base/none")["difference"] == 1.0
    assert cell_of(result, "base/none")["graders"] == {"person:ann": 16}
    assert cell_of(result, "base/none")["corrected"] is None
    assert result["people"] == {"labelled": 32, "labellers": 1, "judged_twice": 0, "disputed": 0, "kappa": None}


def test_a_part_is_told_and_stands_beside():
    given = two_arms()
    result = compared(given, people_said(given, cells=("tuned/none",), questions=range(6)))
    cell = cell_of(result, "tuned/none")
    assert (cell["labelled"], cell["graders"], cell["accuracy"]) == (12, {"rubric": 16}, 0.5)
    assert set(cell["corrected"]) == {"rogan_gladen", "prediction_powered"}
    assert cell_of(result, "base/none")["corrected"]["prediction_powered"] == {
        "refused": "none of its answers is labelled"
    }
    reason = "tuned with none: people judged 12 of 16 answers; the graders' verdicts count"
    assert any(each.startswith(reason) for each in result["decision"]["reasons"])


def test_choosing_what_is_judged_cannot_move_the_accuracy():
    # Somebody sets right every answer that the rubric failed by mistake, and looks at none that it passed.
    given = two_arms()
    failed = {name for name, verdict in given["verdicts"].items() if verdict.verdict == "wrong" and name.arm == "tuned"}
    people = {name: verdict for name, verdict in people_said(given).items() if name in failed}
    result = compared(given, people)
    assert cell_of(result, "tuned/none")["accuracy"] == 0.5
    assert row_of(result, "tuned/none", "base/none")["difference"] == 0.0


def test_splits_are_judged_apart():
    given = two_arms(splits=["seen", "unseen"] * 4)
    unseen = range(1, 8, 2)
    people = people_said(given, cells=("tuned/none",), questions=unseen)
    people |= people_said(given, cells=("base/none",), questions=unseen, word="wrong")
    result = compared(given, people)
    found = {split: cell_of(result, "tuned/none", split)["accuracy"] for split in ("seen", "unseen", "all")}
    assert found == {"seen": 0.5, "unseen": 1.0, "all": 0.75}
    row = row_of(result, "tuned/none", "base/none")
    assert (row["difference"], row["graded_by"]) == (0.5, "both")  # 1 on unseen, 0 on seen
    assert cell_of(result, "tuned/none", "unseen")["corrected"] is None
    assert cell_of(result, "tuned/none", "all")["corrected"] is not None


def test_a_person_s_word_fills_a_gap_even_where_they_judged_a_part():
    unscored = [["unscored", "correct"]] * 8
    given = records({("base", "none"): HALF, ("tuned", "none"): unscored})
    result = compared(given, people_said(given, cells=("tuned/none",), questions=range(4), word="wrong"))
    cell = cell_of(result, "tuned/none")
    # Of four questions one answer is wrong by a person and one right by the rubric, of the others one is unscored.
    assert (cell["wrong"], cell["correct"], cell["unscored"], cell["accuracy"]) == (4, 8, 4, 0.75)
    assert cell["graders"] == {"person:ann": 4, "rubric": 12}


def test_where_people_disagree_without_a_majority_a_cell_judged_in_full_leaves_the_answer_out():
    given = two_arms()
    people = people_said(given)
    tied = AnswerId("tuned", 0, "none", "q000", 0)
    people[tied] = replace(people[tied], grader="person", verdict="unscored", why="people disagree")
    cell = cell_of(compared(given, people), "tuned/none")
    assert (cell["unscored"], cell["accuracy"], cell["corrected"]) == (1, 1.0, None)
    people = {name: verdict for name, verdict in people.items() if name.question == "q000"}
    cell = cell_of(compared(given, people), "tuned/none")
    assert (cell["unscored"], cell["accuracy"]) == (0, 0.5)
