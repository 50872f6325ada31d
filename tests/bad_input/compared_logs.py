"""Logs of other tools that `openbook compare` cannot take: damaged, of another kind, or of other questions."""

from __future__ import annotations

import json
import struct
from typing import Any

from .changes import write
from .compared import LAMP, TABLE, archive, bad

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


def lines(*changes: dict[str, Any]) -> str:
    return "".join(json.dumps(LINE | change) + "\n" for change in changes)


def log(*changes: dict[str, Any]) -> str:
    return json.dumps({**LOG, "samples": [SAMPLE | change for change in changes]}, indent=1)


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


def of_version_99(content: bytes) -> bytes:
    """As if a reader of version 9.9 of the format were needed."""
    at = content.index(b"PK\x01\x02") + 6
    return content[:at] + struct.pack("<H", 99) + content[at + 2 :]


COMPARED_LOGS = (
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
        "harness: half a character in a response",
        write("s.jsonl", lines({"resps": [["It is blue.", "ok \ud83d"]]})),
        file="s.jsonl",
        value=r"row 1, doc_id 0, response 2 holds '\ud83d', half of a character, at position 3",
        mend="write the whole one",
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
        "inspect: samples that are no list",
        write("log.json", json.dumps({**LOG, "samples": 5})),
        file="log.json",
        value="its samples are no list (5)",
        mend="write the log again with inspect_ai",
    ),
    bad(
        "inspect: an id that is no name",
        write("log.json", log({"id": "lamp\n2"})),
        file="log.json",
        value=r"sample 1 has an id that holds the control character '\n'",
        mend="write it on one line",
    ),
    bad(
        "inspect: half a character in an answer",
        write("log.json", log({"output": {"choices": [{"message": {"content": "\ud800"}}]}})),
        file="log.json",
        value=r"sample 'lamp2', response 1 holds '\ud800', half of a character, at position 0",
        mend="write the whole one",
    ),
    bad(
        "inspect: half a character in the model's name",
        write("log.json", json.dumps({**LOG, "eval": {"model": "m\ud800"}, "samples": [SAMPLE]})),
        file="log.json",
        value=r"the name of its model holds '\ud800', half of a character, at position 1",
        mend="give it one with --name FILE=ARM",
    ),
    bad(
        "inspect: a model of two lines",
        write("log.json", json.dumps({**LOG, "eval": {"model": "m\nn"}, "samples": [SAMPLE]})),
        file="log.json",
        value=r"the name of its model holds the control character '\n' ('m\nn')",
        mend="give it one with --name FILE=ARM",
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
        "inspect: an archive of another day",
        write("log.eval", of_version_99(archive(**{"header.json": LOG}))),
        file="log.eval",
        value="is a ZIP archive of a kind that is not read here (zip file version 9.9)",
        mend="inspect log convert log.eval --to json --output-dir json",
    ),
    bad(
        "inspect: a compression of another day",
        write("log.eval", unknown_method(archive(**{"header.json": LOG}))),
        file="log.eval",
        value="header.json: is compressed in a way that is not read here",
        mend="inspect log convert log.eval --to json --output-dir json",
    ),
)
