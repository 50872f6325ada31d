"""What people said about answers."""

import pytest

from train.errors import UserError
from train.grading.people import Label, by_people, read_labels, read_word, standing
from train.records import Answer, AnswerId, Word

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
    assert (verdict.id, verdict.grader, verdict.verdict, verdict.answer) == (ANSWER.id, "person:jin", "wrong", "k1")
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


@pytest.mark.parametrize(
    ("label", "grader"),
    [
        (Label(ANSWER.id, "wrong", "jin", "2026-01-02"), "person:jin"),
        (Label(ANSWER.id, "wrong", "김 철수", "2026-01-02"), "person:김 철수"),
        (Label(ANSWER.id, "wrong"), "person"),
        (Label(ANSWER.id, "wrong", when="2026-01-02"), "person"),
        # a file is nobody
        (Label(ANSWER.id, "wrong", "answers.csv"), "person"),
    ],
)
def test_the_grader_is_the_person_where_one_is_named(label: Label, grader: str) -> None:
    assert label.grader == grader
    assert by_people([ANSWER], [label])[ANSWER.id][0].grader == grader


def kim(word: Word, when: str = "2026-01-01", key: str = "k1", who: str = "kim") -> Label:
    return Label(ANSWER.id, word, who, when, key=key)


@pytest.mark.parametrize(
    ("labels", "stand"),
    [
        ([kim("wrong"), kim("correct")], ["kim correct"]),
        ([kim("wrong"), kim("unscored")], []),
        ([kim("wrong"), kim("unscored"), kim("abstained")], ["kim abstained"]),
        ([kim("unscored"), kim("wrong")], ["kim wrong"]),
        ([kim("wrong"), kim("correct", who="lee"), kim("unscored")], ["lee correct"]),
        ([kim("wrong"), kim("correct", who="lee"), kim("wrong")], ["lee correct", "kim wrong"]),
        # a clock that was set back does not bring back what was withdrawn
        ([kim("wrong", "2026-01-02"), kim("unscored", "2026-01-01")], []),
        # what was said of the answer as it was before neither counts nor replaces
        ([kim("wrong"), kim("correct", key="k0")], ["kim wrong"]),
        ([kim("wrong", key="k0")], []),
    ],
)
def test_of_each_person_s_labels_of_an_answer_the_last_stands(labels: list[Label], stand: list[str]) -> None:
    assert [f"{label.who} {label.verdict}" for label in standing([ANSWER], labels)] == stand
    said = by_people([ANSWER], labels).get(ANSWER.id, [])
    assert sorted(f"{verdict.grader[7:]} {verdict.verdict}" for verdict in said) == sorted(stand)
