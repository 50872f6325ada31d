"""What people said about answers."""

import pytest

from train.errors import UserError
from train.grading.people import Label, by_people, read_labels, read_word
from train.records import Answer, AnswerId

ANSWER = Answer("base", 0, "none", "q1", 2, "30일", key="k1")


def test_verdicts_that_came_with_answers_become_labels() -> None:
    ids = [AnswerId("base", 0, "none", f"q{number}", 0) for number in range(4)]
    labels = read_labels(dict(zip(ids, ["correct", " Wrong ", "", "ABSTAINED"], strict=True)), who="answers.csv")
    assert [(label.answer, label.verdict) for label in labels] == [
        (ids[0], "correct"),
        (ids[1], "wrong"),
        (ids[3], "abstained"),
    ]
    assert {label.who for label in labels} == {"answers.csv"}


@pytest.mark.parametrize("word", ["corect", "unscored", "yes", "1", "정답"])
def test_another_word_is_an_error_that_names_place_value_and_mend(word: str) -> None:
    with pytest.raises(UserError, match=r"base/none, question 'q1', seed 0, sample 2: verdict .* correct, wrong"):
        read_labels({ANSWER.id: word})
    with pytest.raises(UserError, match=r"^labels\.csv:3: "):
        read_word(word, "labels.csv:3")


def test_a_misspelt_word_is_answered_with_the_nearest() -> None:
    with pytest.raises(UserError, match="did you mean 'correct'"):
        read_labels({ANSWER.id: "corect"})


def test_a_verdict_tells_who_when_and_why() -> None:
    label = Label(ANSWER.id, "wrong", who="jin", when="2026-01-02", why="축이 바뀜")
    (verdict,) = by_people([ANSWER], [label])[ANSWER.id]
    assert (verdict.id, verdict.grader, verdict.verdict, verdict.answer) == (ANSWER.id, "person", "wrong", "k1")
    assert verdict.why == "jin, 2026-01-02: 축이 바뀜"
    assert by_people([ANSWER], [Label(ANSWER.id, "wrong")])[ANSWER.id][0].why == ""


def test_labels_come_in_the_order_in_which_they_were_given() -> None:
    labels = [
        Label(ANSWER.id, "wrong", "b", "2026-02-01"),
        Label(ANSWER.id, "correct", "a", "2026-01-01"),
        Label(ANSWER.id, "abstained", "file"),
    ]
    assert [verdict.why for verdict in by_people([ANSWER], labels)[ANSWER.id]] == [
        "file",
        "a, 2026-01-01",
        "b, 2026-02-01",
    ]


def test_a_label_holds_for_the_answer_that_was_labelled_only() -> None:
    assert by_people([ANSWER], [Label(ANSWER.id, "wrong", key="k1")])
    assert not by_people([ANSWER], [Label(ANSWER.id, "wrong", key="k0")])
    assert not by_people([ANSWER], [Label(AnswerId("base", 1, "none", "q1", 2), "wrong")])
