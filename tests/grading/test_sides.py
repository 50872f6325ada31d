"""Graders' and people's verdicts apart, and how labelled answers were drawn."""

from __future__ import annotations

from train.grading import Label, drawn_with, sides
from train.records import Answer, Verdict

ANSWERS = [Answer("base", 0, "none", f"q{number}", 0, "x", key=f"k{number}") for number in range(5)]


def said(number, grader, word):
    return Verdict("base", 0, "none", f"q{number}", 0, grader, word)


def test_a_judge_is_a_grader_and_a_named_person_a_person():
    verdicts = [
        said(0, "rubric", "wrong"), said(0, "judge:x", "correct"), said(0, "person:ann", "abstained"),
        said(1, "provisional", "correct"), said(2, "person", "wrong"),
    ]  # fmt: skip
    automatic, people = sides(verdicts)
    assert automatic == {verdicts[1].id: verdicts[1], verdicts[3].id: verdicts[3]}
    assert people == {verdicts[2].id: verdicts[2], verdicts[4].id: verdicts[4]}


def test_the_probability_is_that_of_the_widest_draw_behind_a_standing_label():
    def label(number, who, probability, when="1", word="correct", key=None):
        answer = ANSWERS[number]
        return Label(answer.id, word, who, when, key=answer.key if key is None else key, probability=probability)

    labels = [
        label(0, "ann", 0.1), label(0, "bob", 0.3),
        label(1, "ann", 0.2, "1"), label(1, "ann", 0.2, "2", word="unscored"),  # withdrawn
        label(2, "ann", 0.2, key="of an older answer"),
        label(3, "ann", None),
        label(4, "ann", 0.5, "1"), label(4, "ann", 0.4, "2"),  # the later one stands
    ]  # fmt: skip
    assert drawn_with(labels, ANSWERS) == {ANSWERS[0].id: 0.3, ANSWERS[4].id: 0.4}
