"""Files of other tools in which one thing is what no tool writes: there is a comparison, or the file is named."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .material import (
    RIGHT,
    answer_rows,
    as_csv,
    harness_lines,
    inspect_header,
    inspect_samples,
    jsonl,
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


def assert_compared_or_refused(openbook: Any, path: Path, questions: Path, where: object, *named: Path) -> None:
    """A comparison that `verify` finds whole; or exit code 2 and messages that name one of these files, line by line."""
    out = path.parent / "run"
    code, printed, err = openbook("compare", path, "--questions", questions, "--out", out)
    assert "Traceback" not in err and "--debug" not in err, where
    if code == 0:
        assert printed.splitlines()[-1] == str(out / "report.html"), where
        assert openbook("verify", out)[0] == 0, where
        return
    assert (code, printed) == (2, ""), (where, err[:500])
    message = err.split("openbook: error: ", 1)[1]
    assert all(line.startswith(tuple(map(str, named))) for line in message.splitlines()), (where, message[:500])
    assert len(message) < 2000, where
    assert "\x1b" not in message, where


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("name", LOGS)
def test_one_odd_value_anywhere_in_a_log_or_table(name, value, openbook, tmp_path):
    questions = write_questions(tmp_path)
    for place in places(LOGS[name]):
        (tmp_path / name).write_text(written(changed(LOGS[name], place, VALUES[value])), encoding="utf-8")
        assert_compared_or_refused(openbook, tmp_path / name, questions, place, tmp_path / name)


@pytest.mark.parametrize("value", VALUES)
def test_one_odd_value_anywhere_in_the_questions(value, openbook, tmp_path):
    answers = tmp_path / "answers.jsonl"
    answers.write_text(jsonl(LOGS["answers.jsonl"]), encoding="utf-8")
    path = tmp_path / "questions.jsonl"
    for place in places(ASKED):
        path.write_text(written(changed(ASKED, place, VALUES[value])), encoding="utf-8")
        assert_compared_or_refused(openbook, answers, path, place, path, answers)


@pytest.mark.parametrize("value", CELLS)
@pytest.mark.parametrize("which", ["answers", "questions"])
def test_one_odd_cell_anywhere_in_a_spreadsheet(which, value, openbook, tmp_path):
    tables = {
        "answers": LOGS["answers.jsonl"],
        "questions": [{**row, "facts": "red|/jade/", "forbidden": "black", "evidence": "a.md#b", "paraphrases": "Which?"}
                      | {"counterfactual": "It is blue."} for row in ASKED],
    }  # fmt: skip
    paths = {name: tmp_path / f"{name}.csv" for name in tables}
    for column in tables[which][0]:
        for name, rows in tables.items():
            odd = [{**rows[0], column: CELLS[value]}, *rows[1:]] if name == which else rows
            paths[name].write_text(as_csv(odd), encoding="utf-8", newline="")
        assert_compared_or_refused(openbook, paths["answers"], paths["questions"], column, *paths.values())


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
def test_a_file_that_is_cut_short_or_has_odd_bytes(name, inserted, openbook, tmp_path):
    questions, path = write_questions(tmp_path), tmp_path / name
    if name == "log.eval":
        write_inspect(path, inspect_samples(RESPONSES))
        whole = path.read_bytes()
    else:
        whole = (as_csv(LOGS["answers.jsonl"]) if name == "answers.csv" else written(LOGS[name])).encode()
    for part in range(1, 12):
        at = len(whole) * part // 11
        for content in (whole[:at] + BYTES[inserted], whole[:at] + BYTES[inserted] + whole[at:]):
            path.write_bytes(content)
            assert_compared_or_refused(openbook, path, questions, at, path)


def test_an_archive_whose_directory_has_another_byte(openbook, tmp_path):
    questions, path = write_questions(tmp_path), write_inspect(tmp_path / "log.eval", inspect_samples(RESPONSES))
    whole = path.read_bytes()
    for start in (whole.index(b"PK\x03\x04"), whole.index(b"PK\x01\x02"), whole.index(b"PK\x05\x06")):
        for at in range(start + 2, min(start + 46, len(whole))):
            for byte in (0x00, 0x7F, 0xFF):
                path.write_bytes(whole[:at] + bytes([byte]) + whole[at + 1 :])
                assert_compared_or_refused(openbook, path, questions, (at, byte), path)


def test_a_file_whose_name_is_no_text(openbook, tmp_path):
    questions = write_questions(tmp_path)
    for name in (b"a\xff.csv", b"a\nb.csv", b"a\x1b[2J.csv"):
        path = tmp_path / os.fsdecode(name)
        path.write_text(as_csv(LOGS["answers.jsonl"]), encoding="utf-8")
        assert_compared_or_refused(openbook, path, questions, name, path, Path(repr(str(path))))
