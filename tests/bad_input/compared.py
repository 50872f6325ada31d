"""Inputs of `openbook compare` that are none, damaged, or about other questions."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

from train.store import Run

from .case import Case, case
from .changes import Change, write
from .changes import lines as rows

LAMP = "What is the lamp of pier 2?"
ROW = {"arm": "base", "condition": "none", "question": "lamp2", "sample": 0, "answer": "It is blue."}
TABLE = "arm,condition,question,sample,answer\nbase,none,lamp2,0,It is blue.\n"


def archive(**parts: Any) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name, content in parts.items():
            file.writestr(name, content if isinstance(content, str) else json.dumps(content))
    return out.getvalue()


def begun(project: Path) -> None:
    """A run whose manifest is all there is."""
    (project / "run").mkdir()
    Run(project / "run", "other").amend({"recipe": {"name": "other"}})


def bad(name: str, *changes: Change, file: str, options: str = "", value: str, mend: str, place: str = "") -> Case:
    return case(
        f"compare: {name}",
        *changes,
        command=f"compare {file} --questions questions.jsonl {options}",
        place=place or file,
        value=value,
        mend=mend,
    )


COMPARED = (
    bad(
        "a column under another name",
        write("a.csv", "model,condition,question,sample,answer\nbase,none,lamp2,0,Blue.\n"),
        file="a.csv",
        value="column 'arm' is missing",
        mend="did you mean 'model'? rename it to 'arm'",
    ),
    bad(
        "a misspelt column",
        write("a.csv", "arm,conditon,question,sample,answer\nbase,none,lamp2,0,Blue.\n"),
        file="a.csv",
        value="column 'condition' is missing",
        mend="did you mean 'conditon'? rename it to 'condition'",
    ),
    bad(
        "a column that is not there",
        write("a.csv", "condition,question,sample,answer\nnone,lamp2,0,Blue.\n"),
        file="a.csv",
        value="column 'arm' is missing; the columns are 'condition', 'question', 'sample', 'answer'",
        mend="add it: the name of the model that answered; or give --name FILE=ARM",
    ),
    bad(
        "a misspelt key in one row",
        rows("a.jsonl", ROW, {**{key: ROW[key] for key in ROW if key != "answer"}, "sample": 1, "anwser": "x"}),
        file="a.jsonl",
        place="a.jsonl:row 2, column 'answer'",
        value="is missing",
        mend="did you mean 'anwser'?",
    ),
    bad(
        "a question's text where its id belongs",
        write("a.csv", f"arm,condition,question,sample,answer\nbase,none,{LAMP},0,Blue.\nbase,none,{LAMP},1,Blue.\n"),
        file="a.csv",
        place="a.csv:row 2, column 'question'",
        value=f"a question is named by its text, such as {LAMP!r}",
        mend="write the id instead, here 'lamp2'",
    ),
    bad(
        "ids and texts mixed in a table",
        write("a.csv", TABLE + f"base,none,{LAMP},1,Blue.\n"),
        file="a.csv",
        place="a.csv:row 3, column 'question'",
        value="a question is named by its text",
        mend="write the id instead",
    ),
    bad(
        "a table in UTF-16",
        write("a.csv", TABLE.encode("utf-16")),
        file="a.csv",
        place="a.csv: byte 0",
        value="is UTF-16, not UTF-8",
        mend="save it as UTF-8",
    ),
    bad("an empty file", write("a.jsonl", ""), file="a.jsonl", value="has no answers", mend="write one row per answer"),
    bad(
        "a spreadsheet",
        write("a.xlsx", archive(**{"[Content_Types].xml": "<x/>"})),
        file="a.xlsx",
        value="is a spreadsheet",
        mend="save it as CSV",
    ),
    bad(
        "a compressed file",
        write("a.jsonl", b"\x1f\x8b\x08\x00" + b"x" * 20),
        file="a.jsonl",
        value="is compressed with gzip",
        mend="unpack it",
    ),
    bad(
        "answers as Parquet",
        write("a.parquet", b"PAR1xxxx"),
        file="a.parquet",
        value="is a Parquet file",
        mend="write its answers as CSV or JSONL",
    ),
    bad(
        "a JSON array",
        write("a.json", '[\n {"arm": "a"}\n]\n'),
        file="a.json",
        value="is a JSON array",
        mend="write one JSON object a line",
    ),
    bad(
        "JSON of an unknown kind",
        write("a.json", '{\n "results": []\n}\n'),
        file="a.json",
        value="is JSON of an unknown kind (its keys are ['results'])",
        mend="name a CSV or JSONL file with arm",
    ),
    bad(
        "a directory without a run",
        file="corpus",
        value="is a directory and holds no run",
        mend="name the files in it",
    ),
    bad(
        "a run that has not answered yet",
        begun,
        file="run",
        value="the answers are not all there",
        mend="finish the run with `openbook run`",
    ),
    bad(
        "an input that is named twice",
        write("a.csv", TABLE),
        file="a.csv ./a.csv",
        place="a.csv: ",
        value="is named twice",
        mend="name each input once",
    ),
    bad(
        "an answer that two files have",
        write("a.csv", TABLE),
        write("b.csv", TABLE),
        file="a.csv b.csv",
        place="b.csv: ",
        value="question 'lamp2', sample 0 is in a.csv too",
        mend="give the arm another name in one of them",
    ),
    bad(
        "a name that is none",
        write("a.csv", TABLE),
        file="a.csv",
        options="--name small",
        place="--name 'small'",
        value="write it as",
        mend="FILE=ARM or FILE=ARM/CONDITION",
    ),
    bad(
        "a name for no input",
        write("a.csv", TABLE),
        file="a.csv",
        options="--name b.csv=small",
        place="--name 'b.csv'",
        value="is none of the inputs",
        mend="did you mean 'a.csv'?",
    ),
    bad(
        "a name for a table that names its arms",
        write("a.csv", TABLE),
        file="a.csv",
        options="--name a.csv=small",
        place="a.csv:column 'arm'",
        value="is there, and each answer has its own",
        mend="leave 'small' out of --name, or remove the column",
    ),
    bad(
        "a name without an arm",
        write("a.csv", TABLE),
        file="a.csv",
        options="--name a.csv=/gold",
        place="--name 'a.csv=/gold'",
        value="write it as",
        mend="FILE=ARM/CONDITION",
    ),
)
