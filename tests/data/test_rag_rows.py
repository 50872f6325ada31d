"""Tables of experiments with retrieved context: each row is trained on and asked."""

from __future__ import annotations

import json

import pytest

from train.data import load_questions
from train.data.checks import group_of
from train.errors import InputProblems
from train.grading import check_rubric

HEADER = "data_type,input_data,user_question,rag_retrieved_data,output_message\n"
TEXT = (
    HEADER
    + '규정,대출,"책은 며칠 동안 빌리나요?","한 번에 두 주 동안 빌린다.\n연장은 한 번, 한 주다.",두 주 동안 빌립니다.\n'
    + "규정,연장,연장은 몇 번 되나요?,,한 번 됩니다.\n"
    + '규정,"연체료는 얼마인가요?",,하루에 백 원이다.,하루에 백 원입니다.\n'
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_each_row_is_a_question_to_train_on_and_the_same_to_ask(write, encoding, newline):
    read = load_questions(write("q.csv", TEXT.replace("\n", newline), encoding), corpus=(), check_rubric=check_rubric)
    assert [(q.id, q.split, q.text, q.answer) for q in read.questions] == [
        ("row-001", "train", "책은 며칠 동안 빌리나요?", "두 주 동안 빌립니다."),
        ("row-001-asked", "seen", "책은 며칠 동안 빌리나요?", "두 주 동안 빌립니다."),
        ("row-002", "train", "연장은 몇 번 되나요?", "한 번 됩니다."),
        ("row-002-asked", "seen", "연장은 몇 번 되나요?", "한 번 됩니다."),
        ("row-003", "train", "연체료는 얼마인가요?", "하루에 백 원입니다."),
        ("row-003-asked", "seen", "연체료는 얼마인가요?", "하루에 백 원입니다."),
    ]
    assert [passage.text for passage in read.passages] == [
        "한 번에 두 주 동안 빌린다.\n연장은 한 번, 한 주다.",
        "하루에 백 원이다.",
    ]
    first, second = read.passages
    assert [q.evidence for q in read.questions[::2]] == [(first.id,), (), (second.id,)]
    assert all(a.group == b.group for a, b in zip(read.questions[::2], read.questions[1::2], strict=True))
    assert len({q.group for q in read.questions}) == 3
    notes = [warning.partition("q.csv: ")[2] for warning in read.warnings if "CP949" not in warning]
    assert notes == ["3 row(s) are trained on (train) and asked in the same words (seen)"]


def test_the_order_of_columns_does_not_matter_a_rubric_is_read_and_further_columns_are_warned_of(write):
    names = ["번호", *reversed(HEADER.strip().split(",")), "facts", "topic"]
    row = ["1", "두 주입니다.", "두 주 빌린다.", "며칠 빌리나요?", "대출", "규정", "두 주", "대출"]
    read = load_questions(write("q.csv", f"{','.join(names)}\n{','.join(row)}\n"))
    assert [(q.text, q.answer, q.facts) for q in read.questions] == [("며칠 빌리나요?", "두 주입니다.", ("두 주",))] * 2
    assert [warning.partition("q.csv: ")[2] for warning in read.warnings[:2]] == [
        "column '번호' is not read",
        "column 'topic' is not read",
    ]


@pytest.mark.parametrize("name", ["q.jsonl", "q.parquet"])
def test_other_kinds_of_files_are_recognised_too(write, name):
    rows = [dict.fromkeys(HEADER.strip().split(","), text) for text in ("가", "나")]
    assert [q.text for q in load_questions(write(name, rows)).questions] == ["가", "가", "나", "나"]


def test_a_data_type_that_names_a_split_is_the_split(write):
    rows = [f"{split},,{split}?,,{split}입니다.\n" for split in ("train", " unseen", "validation", "seen", "기타")]
    with pytest.raises(InputProblems, match="a seen fact must be trained"):
        load_questions(write("q.csv", HEADER + "".join(rows)))
    del rows[3]
    rows.append("unanswerable,,누구예요?,아무도 모른다.,\n")
    read = load_questions(write("q.csv", HEADER + "".join(rows)))
    assert [(q.id, q.split) for q in read.questions] == [
        ("row-001", "train"),
        ("row-002", "unseen"),
        ("row-003", "validation"),
        ("row-004", "train"),
        ("row-004-asked", "seen"),
        ("row-005", "unanswerable"),
    ]
    assert read.questions[5].group == group_of(read.questions[5])


def test_what_is_missing_is_said_once_by_the_names_of_the_file(write):
    text = HEADER + "규정,,,두 주 빌린다.,두 주입니다.\n\n규정,,며칠 빌리나요?,,nan\n"
    with pytest.raises(InputProblems) as caught:
        load_questions(write("q.csv", text))
    assert [problem.partition("q.csv:")[2] for problem in caught.value.problems] == [
        "row 2, column 'user_question': is empty; write the text, or remove the row",
        "row 4, column 'output_message': says 'nan', which stands for a missing value; write the text, as a sentence",
    ]


def test_repeated_questions_are_warned_of_once(write):
    read = load_questions(write("q.csv", HEADER + "규정,,며칠?,,두 주.\n" + "규정,,며칠?,,한 주.\n"))
    assert "1 row asks the same words as an earlier row: 3 (as row 2)" in read.warnings[-1]


def test_a_file_with_the_header_alone_has_no_questions(write):
    with pytest.raises(InputProblems, match="has no questions"):
        load_questions(write("q.csv", HEADER))


def test_columns_named_by_hand_are_read_as_named(write):
    """Whoever says which column is the question does not want the pairs."""
    row = dict(zip(HEADER.strip().split(","), ["규정", "대출", "며칠?", "두 주 빌린다.", "두 주."], strict=True))
    path = write("q.jsonl", json.dumps(row) + "\n")
    columns = {"id": "input_data", "question": "user_question", "answer": "output_message"}
    (question,) = load_questions(path, columns=columns).questions
    assert (question.id, question.text, question.answer, question.split) == ("대출", "며칠?", "두 주.", "")
