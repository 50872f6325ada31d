"""Files whose columns have other names than ours."""

from __future__ import annotations

import pytest

from train.data import load_questions
from train.errors import InputProblems

COLUMNS = {"question": "input", "answer": "output"}
ROWS = [
    {"id": "a", "input": "반납은 어디에 하나요?", "output": "일 층 창구에 합니다."},
    {"id": "b", "input": "연체료는 얼마인가요?", "output": "하루에 백 원입니다.", "facts": ["백 원"]},
]


def problems(path, columns) -> list[str]:
    with pytest.raises(InputProblems) as caught:
        load_questions(path, columns=columns)
    return [problem.partition("q.")[2].partition(":")[2] for problem in caught.value.problems]


@pytest.mark.parametrize("name", ["q.csv", "q.jsonl", "q.parquet"])
def test_columns_are_read_under_other_names(write, name):
    read = load_questions(write(name, ROWS), columns=COLUMNS)
    assert [(q.id, q.text, q.answer) for q in read.questions] == [(r["id"], r["input"], r["output"]) for r in ROWS]
    assert not read.warnings


def test_two_columns_may_change_names_and_one_may_be_read_twice(write):
    path = write("q.csv", "id,question,answer\nA,일 층입니다.,어디예요?\n")
    (question,) = load_questions(path, columns={"question": "answer", "answer": "question"}).questions
    assert (question.text, question.answer) == ("어디예요?", "일 층입니다.")
    (question,) = load_questions(path, columns={"topic": "id", "id": "id"}).questions
    assert (question.id, question.topic) == ("A", "A")


def test_a_column_that_gives_way_is_warned_of(write):
    path = write("q.csv", "id,question,question_ko,answer,rest\na,Where?,어디예요?,여기.,x\n")
    read = load_questions(path, columns={"question": "question_ko"})
    assert read.questions[0].text == "어디예요?"
    assert [warning.partition("q.csv: ")[2] for warning in read.warnings] == [
        "column 'question' is not read; 'question_ko' is read as 'question'",
        "column 'rest' is not read",
    ]


BAD_COLUMNS = [
    ({"qestion": "input"}, ["'input' cannot be read as 'qestion', which is no column; did you mean 'question'?"]),
    ({"xyz": "input"}, ["'input' cannot be read as 'xyz', which is no column; there are id, question, answer, "]),
    (
        {"question": "inptu", "answer": "zzz"},
        [
            "columns: 'question' is to be read from 'inptu', which is not there; did you mean 'input'?",
            "columns: 'answer' is to be read from 'zzz', which is not there; the columns are 'id', 'input', 'output'",
        ],
    ),
    # What was renamed is no longer there under its old name.
    ({"question": "input", "answer": "output", "topic": "id"}, ["column 'id' is missing"]),
]


@pytest.mark.parametrize(("columns", "messages"), BAD_COLUMNS)
@pytest.mark.parametrize("name", ["q.csv", "q.jsonl", "q.parquet"])
def test_names_that_are_not_there_are_errors(write, name, columns, messages):
    said = problems(write(name, ROWS), columns)
    assert len(said) == len(messages)
    assert all(message in problem for message, problem in zip(messages, said, strict=True))


def test_errors_call_a_column_as_the_file_does(write):
    rows = [{**ROWS[0], "input": " "}, {"id": "b", "input": "왜요?"}, {**ROWS[0], "id": "c", "question": "왜요?"}]
    del rows[2]["input"]
    assert problems(write("q.jsonl", rows), COLUMNS) == [
        "row 1, column 'input': is empty; write the text, or remove the row",
        "row 2, column 'output': is missing; write it",
        "row 3, column 'input': is missing; write it",
    ]


def test_an_empty_file_is_empty_whatever_its_columns(write):
    assert problems(write("q.jsonl", ""), COLUMNS) == [" has no questions; write one row per question"]
