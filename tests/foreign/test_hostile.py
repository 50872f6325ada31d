"""Files in which one thing is what no tool writes: they are read as what can be stored, or refused by their names."""

from __future__ import annotations

import json
import math
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from train import data, grading
from train.errors import UserError
from train.foreign.inputs import read_input
from train.records import Answer
from train.serialising import to_json

from .material import (
    RIGHT,
    answer_rows,
    as_csv,
    harness_lines,
    inspect_header,
    inspect_samples,
    write_inspect,
    write_questions,
)

LAMPS = {id: RIGHT[id] for id in ("lamp0", "lamp1")}
RESPONSES = {id: [text] for id, text in LAMPS.items()}
Place = tuple[int | str, ...]

DIGITS, NESTED = "@digits@", "@nested@"
RAW = {f'"{DIGITS}"': "9" * 5000, f'"{NESTED}"': "[" * 50_000 + "]" * 50_000}
"""What Python would not write: a number of more digits than it reads, and lists in lists without end."""

VALUES: dict[str, Any] = {
    "null": None,
    "a flag": True,
    "a number": 5,
    "a number below nothing": -1,
    "a fraction": 0.5,
    "a number of 400 digits": 10**400,
    "a number of 5000 digits": DIGITS,
    "no number": math.nan,
    "infinity": math.inf,
    "an empty text": "",
    "a text": "another",
    "a missing value's word": "none",
    "half a character": "ok \ud83d",
    "the other half": "\udc00",
    "control characters": "a\x00\x1b[2J\nb\u2028c",
    "a long text": "x" * 1_000_000,
    "an empty list": [],
    "a list in a list": [[]],
    "lists without end": NESTED,
    "a list of nulls": [None, None],
    "an empty object": {},
    "an object": {"text": 5},
}
CELLS = {
    "an empty cell": "",
    "blanks": "  ",
    "a number": "5",
    "a number below nothing": "-1",
    "a number of 400 digits": "9" * 400,
    "a missing value's word": "nan",
    "a text": "another",
    "a bracket": "[",
    "a list of nulls": "[null]",
    "lists without end": "[" * 50_000,
    "a brace": "{",
    "an object": '{"text": 5}',
    "half a regular expression": "/(/",
    "separators": "||",
    "a formula": "=1+1",
    "half a character": "\\ud83d",
    "control characters": "a\x1b[2J\nb\u2028c",
    "a byte order mark": "\ufeff",
    "a long text": "x" * 1_000_000,
}
"""Texts of a CSV cell."""
ASKED: list[dict[str, Any]] = [
    {
        "id": id, "question": f"Which lamp is {id}?", "answer": text, "facts": [["red", "rot"], "/jade|red/"],
        "forbidden": ["black"], "evidence": ["a.md#b"], "context": "The lamp is red.", "group": id, "split": "unseen",
        "topic": "lamps", "paraphrases": ["Which?"],
        "counterfactual": {"text": "It is blue.", "facts": ["blue"], "forbidden": ["red"]},
    }
    for id, text in LAMPS.items()
]  # fmt: skip
LOGS = {
    "samples.jsonl": harness_lines(RESPONSES),
    "log.json": {**inspect_header(), "samples": inspect_samples(RESPONSES)},
    "answers.jsonl": [
        {**row, "seed": 0, "verdict": "wrong"} for row in answer_rows({"small/none": RESPONSES, "big/gold": RESPONSES})
    ],
}


def places(content: Any, place: Place = ()) -> Iterator[Place]:
    """Every place of the content, of a list the first alone; what a tool notes of its own is not looked into."""
    if place:
        yield place
    if isinstance(content, dict) and place[-1:] != ("config",):
        for key, value in content.items():
            yield from places(value, (*place, key))
    elif isinstance(content, list) and content:
        yield from places(content[0], (*place, 0))


def changed(content: Any, place: Place, value: Any) -> Any:
    """A copy of the content with another value at the place."""
    copy = json.loads(json.dumps(content))
    inner = copy
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    return copy


def written(content: Any) -> str:
    """JSON, or for a list of rows JSON Lines, all of it ASCII: what is no whole character stays written as half."""
    text = "".join(json.dumps(row) + "\n" for row in content) if isinstance(content, list) else json.dumps(content)
    for mark, raw in RAW.items():
        text = text.replace(mark, raw)
    return text


def refusal(read: Callable[[], Any], where: object, *named: Path) -> str:
    """Why the file is refused, each line beginning with one of these names; empty where it is read."""
    try:
        read()
    except UserError as error:
        message = str(error)
        assert all(line.startswith(tuple(map(str, named))) for line in message.splitlines()), (where, message[:500])
        assert len(message) < 5000 and "\x1b" not in message, where
        return message
    return ""


def read_answers(path: Path) -> None:
    """Reads answers to the two lamps; what is read must be such that it can be stored, shown and counted."""
    given = read_input(path, data.load_questions(write_questions(path.parent)).questions, None)
    for answer in given.answers:
        assert json.dumps(to_json(answer), ensure_ascii=False, allow_nan=False).encode()
        assert_counted(answer)
    assert json.dumps(given.labels, ensure_ascii=False).encode()


def assert_counted(answer: Answer) -> None:
    assert all("\n" not in name and "\x1b" not in name for name in (answer.arm, answer.condition, answer.question))
    assert all(0 <= number < 10**18 for number in (answer.seed, answer.sample, answer.tokens, answer.prompt_tokens))
    assert 0 <= answer.seconds < math.inf


def read_questions(path: Path) -> None:
    """Reads questions; what is read must be such that it can be stored."""
    for question in data.load_questions(path, check_rubric=grading.check_rubric).questions:
        assert json.dumps(to_json(question), ensure_ascii=False).encode()
        assert "\n" not in question.id


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("name", LOGS)
def test_one_odd_value_anywhere_in_a_log_or_table(name, value, tmp_path):
    path = tmp_path / name
    for place in places(LOGS[name]):
        path.write_text(written(changed(LOGS[name], place, VALUES[value])), encoding="utf-8")
        refusal(lambda: read_answers(path), place, path)


@pytest.mark.parametrize("value", VALUES)
def test_one_odd_value_anywhere_in_the_questions(value, tmp_path):
    path = tmp_path / "asked.jsonl"
    for place in places(ASKED):
        path.write_text(written(changed(ASKED, place, VALUES[value])), encoding="utf-8")
        refusal(lambda: read_questions(path), place, path)


@pytest.mark.parametrize("value", CELLS)
def test_one_odd_cell_anywhere_in_a_spreadsheet(value, tmp_path):
    questions = [
        {**row, "facts": "red|/jade/", "forbidden": "black", "evidence": "a.md#b", "paraphrases": "Which?"}
        | {"counterfactual": "It is blue."}
        for row in ASKED
    ]
    for rows, read in ((LOGS["answers.jsonl"], read_answers), (questions, read_questions)):
        path = tmp_path / "table.csv"
        for column in rows[0]:
            path.write_text(as_csv([{**rows[0], column: CELLS[value]}, *rows[1:]]), encoding="utf-8", newline="")
            refusal(lambda: read(path), column, path)  # noqa: B023 (called at once)


@pytest.mark.parametrize("seed", range(4))
def test_what_is_read_is_compared_and_verified_to_the_end(seed, openbook, tmp_path):
    rng = random.Random(seed)
    questions = write_questions(tmp_path)
    for _ in range(6):
        name = rng.choice(list(LOGS))
        place, value = rng.choice(list(places(LOGS[name]))), rng.choice(list(VALUES))
        path = tmp_path / name
        path.write_text(written(changed(LOGS[name], place, VALUES[value])), encoding="utf-8")
        code, out, err = openbook("compare", path, "--questions", questions, "--out", tmp_path / "run")
        assert code in (0, 2) and "--debug" not in err, (name, place, value, err[:500])
        if code == 0:
            assert out.splitlines()[-1] == str(tmp_path / "run" / "report.html")
            assert openbook("verify", tmp_path / "run")[0] == 0, (name, place, value)


BYTES = {
    "nothing": b"",
    "a zero byte": b"\0",
    "UTF-16": "arm,condition\n".encode("utf-16"),
    "half a letter": b"\xea\xb0",
    "half of a surrogate pair": b"\xed\xa0\xbd",
    "a lone quote": b'"',
    "a lone return": b"\r",
    "a bracket": b"[",
    "brackets": b"[" * 100_000,
}


@pytest.mark.parametrize("inserted", BYTES)
@pytest.mark.parametrize("name", ["answers.csv", "answers.jsonl", "log.json", "log.eval", "samples.jsonl"])
def test_a_file_that_is_cut_short_or_has_odd_bytes(name, inserted, tmp_path):
    path = tmp_path / name
    if name == "log.eval":
        whole = write_inspect(path, inspect_samples(RESPONSES)).read_bytes()
    else:
        whole = (as_csv(LOGS["answers.jsonl"]) if name == "answers.csv" else written(LOGS[name])).encode()
    for part in range(1, 12):
        at = len(whole) * part // 11
        for content in (whole[:at] + BYTES[inserted], whole[:at] + BYTES[inserted] + whole[at:]):
            path.write_bytes(content)
            refusal(lambda: read_answers(path), at, path)


def test_an_archive_of_which_one_byte_is_another(tmp_path):
    path = write_inspect(tmp_path / "log.eval", inspect_samples(RESPONSES))
    whole = path.read_bytes()
    for mark in (b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"):
        start = whole.index(mark) + 2
        for at in range(start, min(start + 44, len(whole))):
            for byte in (0x00, 0x7F, 0xFF):
                path.write_bytes(whole[:at] + bytes([byte]) + whole[at + 1 :])
                refusal(lambda: read_answers(path), (at, byte), path)


@pytest.mark.parametrize("name", [b"a\xff.csv", b"a\nb.csv", b"a\x1b[2J.csv"])
def test_a_file_whose_name_no_manifest_could_hold(name, tmp_path):
    path = tmp_path / os.fsdecode(name)
    path.write_text(as_csv(LOGS["answers.jsonl"]), encoding="utf-8")
    assert refusal(lambda: read_answers(path), name, Path(repr(str(path)))).endswith("rename the file or folder")
