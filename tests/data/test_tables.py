"""Files as a whole: encodings, malformed rows, columns, and files that cannot be read. Questions stand for all."""

from __future__ import annotations

import pytest

from train.data import load_questions
from train.errors import InputProblems, UserError


def problems(path) -> str:
    with pytest.raises(InputProblems) as caught:
        load_questions(path)
    return str(caught.value)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_encodings_and_line_ends_do_not_change_the_questions(write, encoding, newline):
    text = 'id,question,answer\n1,"코사인 유사도란?\n짧게.","두 벡터의, 각도 — 똠방각하"\n'.replace("—", "-")
    read = load_questions(write("q.csv", text.replace("\n", newline), encoding))
    assert [(q.id, q.text, q.answer) for q in read.questions] == [
        ("1", "코사인 유사도란?\n짧게.", "두 벡터의, 각도 - 똠방각하")
    ]
    assert [w for w in read.warnings if "CP949" in w] == list(read.warnings)
    assert bool(read.warnings) == (encoding == "cp949")


def test_the_row_in_an_error_is_the_row_a_spreadsheet_shows(write):
    text = 'id,question,answer\na,"two\nlines",x\n\nb,,y\n'
    assert "q.csv:row 4, column 'question': is empty" in problems(write("q.csv", text))
    assert "q.jsonl:row 3, column 'question'" in problems(
        write("q.jsonl", '{"id":1,"question":"a","answer":"b"}\n\n{"id":2,"question":"","answer":"b"}\n')
    )


BAD_FILES = [
    ("q.csv", "", "q.csv: is empty"),
    ("q.csv", "id,question,answer\n", "q.csv: has no questions"),
    ("q.jsonl", "\n", "q.jsonl: has no questions"),
    (
        "q.csv",
        "id,question,anwser\n1,a,b\n",
        "column 'answer' is missing; did you mean 'anwser'? rename it to 'answer'",
    ),
    ("q.csv", "id,Question,answer\n1,a,b\n", "did you mean 'Question'?"),
    ("q.csv", "id,text\n1,a\n", "column 'answer' is missing; the columns are 'id', 'text'"),
    ("q.csv", "id,question,answer,id\n1,a,b,2\n", "column 'id' is there twice"),
    ("q.csv", "id;question;answer\n1;a;b\n", "cells are separated by ';'; save the file with commas"),
    ("q.csv", "id,question,answer\n1,a,b, and c\n", "row 2: has 4 cells, the header 3 (' and c' is left over)"),
    ("q.csv", 'id,question,answer\n1,"a,b\n2,c,d\n', "row 2: is not CSV"),
    ("q.csv", "id,question,answer\n1,a,b\n2,a,b\n1,a,b\n", "row 4, column 'id': '1' is the id of row 2 too"),
    ("q.jsonl", '{"id": 1}\nnot json\n', "row 2: is not JSON (Expecting value, character 1): 'not json'"),
    ("q.jsonl", '["a"]\n', "row 1: is not a JSON object"),
    ("q.jsonl", '[\n{"id": 1}\n]\n', "write one JSON object a line"),
    (
        "q.jsonl",
        '{"id": 1, "question": "a", "answer": "b"}\n{"id": 2, "question": "a", "anwser": "b"}\n',
        "row 2, column 'answer': is missing; did you mean 'anwser'?",
    ),
    (
        "q.csv",
        "id,question,answer,split\n1,a,b,train\n2,c,d,\n3,e,f,unanswerable\n",
        "column 'split': row(s) 3 have no split, row(s) 2 have one; give every row a split, or none",
    ),
    (
        "q.csv",
        "id,question,answer,split,group\n1,a,b,train,g\n2,c,d,unseen,g\n3,e,f,validation,g\n",
        "row 3, column 'group': group 'g' is unseen here and trained in row 2",
    ),
    (
        "q.csv",
        "id,question,answer,split,evidence\n1,a,b,train,p\n2,c,d,validation,x|p\n",
        "row 3, column 'evidence': passage 'p' is validation here and trained in row 2",
    ),
]


@pytest.mark.parametrize(("name", "content", "message"), BAD_FILES)
def test_bad_files_are_named_with_the_mend(write, name, content, message):
    assert message in problems(write(name, content))


FILE_ERRORS = [
    ("missing.csv", None, "no such file or directory; did you mean 'misssing.csv'?"),
    ("q.xlsx", b"PK", "cannot be read from a .xlsx file; save it as .csv, encoded in UTF-8"),
    ("q.json", b"[]", "save it as .jsonl, one JSON object a line"),
    ("q.parqet", b"", "did you mean '.parquet'?"),
    ("questions", b"", "a file without suffix"),
    ("q.csv", b"id,question,answer\n1,caf\xe9,x\n", "byte 24 (0xe9): is not UTF-8, and from byte 24 on not CP949"),
    ("q.csv", "id,질문,대답,가나다\n".encode()[:-2] + b"\n", "is damaged UTF-8"),
    ("q.csv", "id,question".encode("utf-16"), "is UTF-16, not UTF-8"),
    ("q.csv", b"id,\0", "byte 3: is a binary file"),
    ("q.parquet", b"PAR1 not really", "is not a Parquet file"),
    ("q.parquet", b"", "is not a Parquet file"),
]


@pytest.mark.parametrize(("name", "content", "message"), FILE_ERRORS)
def test_files_that_cannot_be_read(write, tmp_path, name, content, message):
    write("misssing.csv", "id")
    path = tmp_path / name if content is None else write(name, content)
    with pytest.raises(UserError) as caught:
        load_questions(path)
    assert message in str(caught.value)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_large_files_and_large_cells(write):
    long = "긴 글 " * 200_000
    assert (
        load_questions(write("q.csv", [{"id": "q1", "question": "Why?", "answer": "Because.", "context": long}]))
        .passages[0]
        .text
        == long.strip()
    )
    lines = "".join(f'{{"id": {n}, "question": "Q{n}?", "answer": "A{n}"}}\n' for n in range(100_000))
    assert len(load_questions(write("q.jsonl", lines)).questions) == 100_000
