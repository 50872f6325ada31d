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
LINE: dict[str, Any] = {
    "doc_id": 0,
    "doc": {"id": "lamp2", "question": LAMP},
    "target": "blue",
    "arguments": {"gen_args_0": {"arg_0": LAMP}},
    "resps": [["It is blue."]],
    "filtered_resps": ["It is blue."],
    "filter": "none",
    "exact_match": 1.0,
}
SAMPLE: dict[str, Any] = {
    "id": "lamp2",
    "epoch": 1,
    "input": LAMP,
    "target": "blue",
    "output": {"choices": [{"message": {"role": "assistant", "content": "It is blue."}, "stop_reason": "stop"}]},
}
LOG = {"version": 2, "status": "success", "eval": {"task": "t", "model": "m"}}
ROW = {"arm": "base", "condition": "none", "question": "lamp2", "sample": 0, "answer": "It is blue."}
TABLE = "arm,condition,question,sample,answer\nbase,none,lamp2,0,It is blue.\n"


def lines(*changes: dict[str, Any]) -> str:
    return "".join(json.dumps(LINE | change) + "\n" for change in changes)


def log(*changes: dict[str, Any]) -> str:
    return json.dumps({**LOG, "samples": [SAMPLE | change for change in changes]}, indent=1)


def archive(**parts: Any) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name, content in parts.items():
            file.writestr(name, content if isinstance(content, str) else json.dumps(content))
    return out.getvalue()


def damaged(content: bytes) -> bytes:
    """With a byte of the first part's content changed."""
    at = content.index(b'"status"')
    return content[:at] + b"#" + content[at + 1 :]


def unknown_method(content: bytes) -> bytes:
    """As if its parts were compressed by a method that nobody has (number 77)."""
    local, central = b"PK\x03\x04", b"PK\x01\x02"
    for mark, at in ((local, 8), (central, 10)):
        start = content.find(mark)
        while start >= 0:
            content = content[: start + at] + b"\x4d\x00" + content[start + at + 2 :]
            start = content.find(mark, start + 4)
    return content


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
        "the harness's results",
        write("results_x.json", '{\n "results": {},\n "configs": {}\n}\n'),
        file="results_x.json",
        value="has the scores of lm-evaluation-harness and no answers",
        mend="name the samples_*.jsonl beside it",
    ),
    bad(
        "harness: a line that was cut short",
        write("s.jsonl", lines({}, {"doc_id": 1, "doc": {"id": "lamp3"}})[:-40]),
        file="s.jsonl",
        place="s.jsonl:row 2",
        value="is not JSON",
        mend="write one JSON object a line",
    ),
    bad(
        "harness: a line that is none",
        write("s.jsonl", lines({}) + '{"question": "lamp3"}\n'),
        file="s.jsonl",
        place="s.jsonl:row 2, column 'doc_id'",
        value="is no number (None)",
        mend="is the line one of lm-evaluation-harness?",
    ),
    bad(
        "harness: log-likelihoods",
        write("s.jsonl", lines({"resps": [[["-1.5", "False"]], [["-0.5", "True"]]]})),
        file="s.jsonl",
        place="s.jsonl:row 1, column 'resps'",
        value="holds no texts ([[['-1.5', 'False']]",
        mend="evaluate a task that generates (generate_until)",
    ),
    bad(
        "harness: filtered log-likelihoods",
        write("s.jsonl", lines({"resps": None, "filtered_resps": [["-1.5", "False"], ["-0.5", "True"]]})),
        file="s.jsonl",
        place="s.jsonl:row 1",
        value="holds no texts",
        mend="evaluate a task that generates",
    ),
    bad(
        "harness: several requests",
        write("s.jsonl", lines({"resps": [["a"], ["b"]]})),
        file="s.jsonl",
        place="s.jsonl:row 1, column 'resps'",
        value="holds the responses to 2 requests",
        mend="only tasks that ask a document once can be compared",
    ),
    bad(
        "harness: two evaluations in one file",
        write("s.jsonl", lines({}, {})),
        file="s.jsonl",
        place="s.jsonl:row 2",
        value="doc_id 0 is in row 1 too (filter 'none')",
        mend="keep the lines of one evaluation",
    ),
    bad(
        "harness: other questions",
        write("s.jsonl", lines({"doc": {"question": "Who?"}}, {"doc_id": 1, "doc": {"question": LAMP}})),
        file="s.jsonl",
        value="1 of 2 items are no question of the questions file, looked for by the id 'doc_id' and by text: "
        "row 1, doc_id 0 ('Who?')",
        mend="give --questions a file with their ids, or with their texts word for word",
    ),
    bad(
        "harness: one document of two is unknown",
        write("s.jsonl", lines({}, {"doc_id": 1, "doc": {"id": "lamp33", "question": "Who?"}})),
        file="s.jsonl",
        value="1 of 2 items are no question",
        mend="did you mean 'lamp3'?",
    ),
    bad(
        "harness: a document that is there twice",
        write("s.jsonl", lines({}, {"doc_id": 1})),
        file="s.jsonl",
        value="row 1, doc_id 0 and row 2, doc_id 1 are both question 'lamp2'",
        mend="keep one of them",
    ),
    bad(
        "inspect: a log that was cut short",
        write("log.json", log({}, {"id": "lamp3"})[:-50]),
        file="log.json",
        value="is no whole JSON",
        mend="write or copy it anew",
    ),
    bad(
        "inspect: a log without samples",
        write("log.json", json.dumps(LOG, indent=1)),
        file="log.json",
        value="is a log without samples",
        mend="evaluate with `inspect eval --log-samples`",
    ),
    bad(
        "inspect: a log of no sample",
        write("log.json", log()),
        file="log.json",
        value="has no sample with an answer",
        mend="evaluate again",
    ),
    bad(
        "inspect: samples that all failed",
        write("log.json", log({"output": {}, "error": {"message": "timeout"}})),
        file="log.json",
        value="has no sample with an answer",
        mend="1 sample(s) failed and are left out: 'lamp2' (epoch 1)",
    ),
    bad(
        "inspect: a sample without an id",
        write("log.json", log({"id": None})),
        file="log.json",
        value="sample 1 has no id or no epoch",
        mend="write the log again with inspect_ai",
    ),
    bad(
        "inspect: an epoch that is there twice",
        write("log.json", log({}, {})),
        file="log.json",
        value="sample 'lamp2', epoch 1, is there twice",
        mend="keep one of the two",
    ),
    bad(
        "inspect: other questions",
        write("log.json", log({"id": 1, "input": "Who?"})),
        file="log.json",
        value="1 of 1 items are no question of the questions file, looked for by the id 'id' and by text: "
        "sample '1' ('Who?')",
        mend="give --questions a file with their ids",
    ),
    bad(
        "inspect: an archive that was cut short",
        write("log.eval", archive(**{"header.json": LOG})[:-30]),
        file="log.eval",
        value="is a damaged ZIP archive",
        mend="copy it anew",
    ),
    bad(
        "inspect: an archive with a damaged part",
        write("log.eval", damaged(archive(**{"header.json": LOG}))),
        file="log.eval",
        value="header.json: is damaged",
        mend="copy the log anew",
    ),
    bad(
        "inspect: an archive of another tool",
        write("a.zip", archive(**{"answers.csv": TABLE})),
        file="a.zip",
        value="is a ZIP archive and no log of inspect_ai",
        mend="unpack it and name the files in it",
    ),
    bad(
        "inspect: a compression of another day",
        write("log.eval", unknown_method(archive(**{"header.json": LOG}))),
        file="log.eval",
        value="header.json: is compressed in a way that is not read here",
        mend="inspect log convert log.eval --to json --output-dir json",
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
