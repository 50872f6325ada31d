from __future__ import annotations

import itertools
from typing import Any

import pytest

from train.data import load_answers
from train.data.answers import ragged_cells
from train.errors import InputProblems, UserError
from train.grading import read_word

ROW: dict[str, Any] = {"arm": "base", "condition": "gold", "question": "q1", "sample": 0, "answer": "30 days"}


def row(**cells: Any) -> dict[str, Any]:
    return {**ROW, **cells}


def test_csv_and_jsonl_give_equal_answers_and_verdicts(write):
    rows = [
        row(seed=1, verdict="correct", answer=' 30일,\n"네" '),
        row(seed=1, sample=1, answer="", verdict=None),
        row(seed=1, sample=2, answer="nan", verdict="abstained"),
    ]
    read = [load_answers(write("a.csv", rows)), load_answers(write("a.jsonl", rows), questions={"q1": "What?"})]
    assert read[0] == read[1]
    assert [answer.text for answer in read[0].answers] == [' 30일,\n"네" ', "", "nan"]
    assert [(answer_id.seed, answer_id.sample, word) for answer_id, word in read[0].verdicts.items()] == [
        (1, 0, "correct"),
        (1, 2, "abstained"),
    ]
    assert not read[0].warnings


@pytest.mark.parametrize("written", ["Correct", " WRONG ", "abstained\n", "ABSTAINED"])
def test_a_person_s_word_is_read_in_any_case_as_on_a_sheet_of_labels(write, written):
    (word,) = load_answers(write("a.csv", [row(verdict=written)])).verdicts.values()
    assert word == read_word(written, "") == written.strip().lower()


def test_the_key_is_made_of_the_content_alone(write):
    rows = [
        ROW,
        row(arm="x"),
        row(condition="x"),
        row(question="x"),
        row(sample=1),
        row(seed=1),
        row(answer="x", sample=2),
    ]
    first = load_answers(write("a.csv", rows)).answers
    again = load_answers(write("b.jsonl", rows[::-1])).answers[::-1]
    assert [answer.key for answer in first] == [answer.key for answer in again]
    assert len({answer.key for answer in first}) == len(rows)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([row(arm="")], "row 1, column 'arm': is empty"),
        ([row(condition=None)], "row 1, column 'condition': is empty"),
        ([row(sample=-1)], "column 'sample': is not a whole number from 0 (-1); count from 0"),
        ([row(sample="1.0")], "is not a whole number from 0 ('1.0')"),
        ([row(sample=True)], "is not a whole number from 0 (True)"),
        ([row(sample=None)], "column 'sample': is empty"),
        ([row(seed="x")], "column 'seed': is not a whole number from 0 ('x')"),
        ([row(answer=None)], "column 'answer': is null (None); write a text"),
        ([row(answer=3)], "column 'answer': is a number (3)"),
        ([row(verdict="Corect")], "there is no verdict 'Corect'; did you mean 'correct'?"),
        ([row(verdict="corect")], "there is no verdict 'corect'; did you mean 'correct'?"),
        ([row(verdict="???")], "there is no verdict '???'; there is 'correct', 'wrong', 'abstained'"),
        (
            [row(), row(answer="other")],
            "row 2: arm 'base', seed 0, condition 'gold', question 'q1', sample 0 is in row 1",
        ),
        ([row(question="qq1")], "row 1, column 'question': no question has the id 'qq1'; did you mean 'q1'?"),
        ([row(question="zz"), row(question="zz", sample=1)], "no question has the id 'zz' (2 answers); name one"),
        ([{k: v for k, v in ROW.items() if k != "sample"}], "column 'sample' is missing; the columns are"),
        ([row(), {k: v for k, v in ROW.items() if k != "answer"}], "row 2, column 'answer': is missing"),
        ([row(question="What is IT")], "is named by its text, such as 'What is IT'; write the id instead, here 'q1'"),
        ([{"model" if k == "arm" else k: v for k, v in ROW.items()}], "did you mean 'model'? rename it to 'arm'"),
        (
            [{"Output" if k == "answer" else k: v for k, v in ROW.items()}],
            "did you mean 'Output'? rename it to 'answer'",
        ),
        ([{k: v for k, v in ROW.items() if k != "arm"}], "add it: the name of the model that answered; or give --name"),
        ([], "has no answers"),
    ],
)
def test_bad_answers_are_named(write, rows, message):
    with pytest.raises(InputProblems) as caught:
        load_answers(write("a.jsonl", rows), questions={"q1": "What is it?"})
    assert message in str(caught.value)


def test_all_problems_are_listed_at_once(write):
    text = "arm,condition,question,sample,answer\n,gold,q1,x,a\nbase,gold,nope,0,a\n"
    with pytest.raises(InputProblems) as caught:
        load_answers(write("a.csv", text), questions={"q1": "What?"})
    assert len(caught.value.problems) == 3


def test_parquet_is_not_read(write):
    with pytest.raises(UserError, match=r"it reads \.csv, \.jsonl"):
        load_answers(write("a.parquet", [ROW]))


def test_cells_that_lack_answers_are_warned_of_with_counts(write):
    full = [
        row(arm=arm, seed=seed, question=question, sample=sample)
        for arm, seeds in (("base", (0,)), ("tuned", (0, 1)))
        for seed, question, sample in itertools.product(seeds, ("q1", "q2", "q3"), range(2))
    ]
    assert not ragged_cells(load_answers(write("a.csv", full)).answers, "a.csv")
    ragged = [r for r in full if not (r["arm"] == "tuned" and r["question"] == "q3" and r["seed"] == 1)]
    ragged.remove(row(arm="tuned", seed=0, question="q1", sample=1))
    (warning,) = ragged_cells(load_answers(write("b.csv", ragged)).answers, "b.csv")
    assert warning == (
        "b.csv: arm 'tuned', condition 'gold': 3 of 12 answers are missing "
        "(none for 1 question(s): q3; too few for 1 question(s): q1)"
    )


def test_questions_that_only_other_files_have_are_missing_answers_too(write):
    answers = load_answers(write("a.csv", [row(), row(question="q2")])).answers
    (warning,) = ragged_cells(answers, "a.csv", {"q1", "q2", "q3"})
    assert warning.endswith("1 of 3 answers are missing (none for 1 question(s): q3)")


@pytest.mark.parametrize(
    ("lacks", "condition", "cells"),
    [
        (("arm", "condition"), "", ("small", "none")),
        (("arm", "condition"), "gold+2", ("small", "gold+2")),
        (("arm",), "", ("small", "gold")),
    ],
)
def test_a_file_that_names_no_arm_is_given_one(write, lacks, condition, cells):
    rows = [{k: v for k, v in row(sample=n).items() if k not in lacks} for n in range(3)]
    answers = load_answers(write("a.csv", rows), arm="small", condition=condition).answers
    assert {(answer.arm, answer.condition) for answer in answers} == {cells}
    assert len({answer.key for answer in answers}) == 3


def test_an_arm_or_condition_that_is_there_is_not_overwritten(write):
    with pytest.raises(InputProblems) as caught:
        load_answers(write("a.csv", [ROW]), arm="small", condition="none")
    assert [problem.split(": ")[0].rpartition(":")[2] for problem in caught.value.problems] == [
        "column 'arm'",
        "column 'condition'",
    ]
