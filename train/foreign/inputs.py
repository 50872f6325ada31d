"""What an input of `openbook compare` is, found out from its content, and what it gives."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from train import data, grading
from train.data.answers import KINDS
from train.data.cells import BadCell, optional_name, verbatim_text
from train.data.files import decode, kind, read_bytes, require_readable_name
from train.data.problems import Problems, shown
from train.errors import UserError
from train.foreign import harness, inspect_archive, inspect_logs, runs
from train.foreign.matching import match
from train.foreign.names import Name, stem
from train.foreign.records import Given, ToolLog
from train.records import Answer, Question
from train.serialising import to_json

READABLE = (
    "a CSV or JSONL file with arm, condition, question, sample, answer; a run directory of openbook; samples_*.jsonl "
    "of lm-evaluation-harness; a .json or .eval log of inspect_ai"
)
_COMPRESSED = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"\x28\xb5\x2f\xfd": "zstd"}


def read_input(path: Path, questions: Sequence[Question], name: Name | None) -> Given:
    """Reads one input, whatever it is; its answers bear the ids of the questions.

    Args:
        path: a file or a run directory.
        questions: those that were asked, and maybe others.
        name: what the user calls it, if anything.

    Raises:
        UserError: it cannot be read, is of no known kind, or was asked other questions.
        InputProblems: every problem in it.
    """
    require_readable_name(path)
    if path.is_dir():
        if not runs.is_run(path):
            raise UserError(f"{path}: is a directory and holds no run; name the files in it, or a directory with a run")
        return runs.read_run(path, questions)
    found = recognise(path)
    if isinstance(found, str):
        return read_table(path, found, questions, name)
    return as_given(path, found, questions, name)


def recognise(path: Path) -> ToolLog | str:
    """Another tool's log, read; or for a table the suffix of its kind. The content decides, not the file's name."""
    content = read_bytes(path)
    if content.startswith(inspect_archive.MAGIC):
        return inspect_archive.read_archive(path)
    if packer := next((name for magic, name in _COMPRESSED.items() if content.startswith(magic)), ""):
        raise UserError(f"{path}: is compressed with {packer}; unpack it and name the file that comes out")
    if content.startswith(b"PAR1"):
        raise UserError(f"{path}: is a Parquet file; write its answers as CSV or JSONL")
    text = decode(content, str(path))[0].lstrip()
    if not text.startswith(("{", "[")):
        return kind(path, KINDS, "an answers file")
    line = parsed(text.split("\n", 1)[0])
    if harness.is_sample(line):
        return harness.read_harness(path)
    document = line if inspect_logs.is_log(line) else parsed(text) if line is None else None
    if inspect_logs.is_log(document):
        return inspect_logs.read_log(document, document.get("samples"), str(path))
    if isinstance(document, dict) and {"results", "configs"} <= document.keys():
        raise UserError(
            f"{path}: has the scores of lm-evaluation-harness and no answers; evaluate with --log_samples and name the "
            "samples_*.jsonl beside it"
        )
    if isinstance(line, list) or isinstance(document, list):
        raise UserError(f"{path}: is a JSON array; write one JSON object a line, as JSONL")
    if document is not None:
        raise UserError(f"{path}: is JSON of an unknown kind (its keys are {shown(list(document))}); name {READABLE}")
    if line is None and path.suffix.lower() != ".jsonl":
        raise UserError(f"{path}: is no whole JSON ({fault(text)}); it may have been cut short: write or copy it anew")
    return ".jsonl"


def parsed(text: str) -> Any:
    """What the JSON says; None for a text that is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def fault(text: str) -> str:
    """Why the text is no JSON."""
    try:
        json.loads(text)
    except (ValueError, RecursionError) as error:
        return str(error)
    return ""


def read_table(path: Path, suffix: str, questions: Sequence[Question], name: Name | None) -> Given:
    """The answers of a table; verdicts in it are a person's."""
    found = data.load_answers(
        path,
        questions={question.id: question.text for question in questions},
        suffix=suffix,
        arm=name.arm if name else "",
        condition=name.condition if name else "",
    )
    labels = grading.read_labels(found.verdicts, who=path.name)
    return Given(
        path=path,
        what="a table of answers",
        answers=found.answers,
        labels=tuple(map(to_json, labels)),
        warnings=found.warnings,
        named=True,
    )


def check_texts(path: Path, log: ToolLog) -> None:
    """Raises `InputProblems` for responses that hold what could not be stored."""
    problems = Problems(str(path))
    for item in log.items:
        for number, said in enumerate(item.said, start=1):
            try:
                verbatim_text(said.text)
            except BadCell as bad:
                problems.add(None, None, f"{item.place}, response {number} {bad.what}", bad.mend)
    problems.raise_if_any()


def own_name(path: Path, model: str) -> str:
    """The arm of a log that the user gives no name: its model, else the file's name.

    Raises `UserError` where the model's name cannot be an arm's.
    """
    try:
        return optional_name(model) or stem(path)
    except BadCell as bad:
        raise UserError(f"{path}: the name of its model {bad.what}; give it one with --name FILE=ARM") from None


def as_given(path: Path, log: ToolLog, questions: Sequence[Question], name: Name | None) -> Given:
    """Another tool's log as answers: its arm is what the user says, else its model, else the file's name."""
    check_texts(path, log)
    found = match(log.items, questions, str(path))
    name = name.of_model(log.model) if name else None
    arm = name.arm if name else own_name(path, log.model)
    condition = (name.condition if name else "") or "none"
    answers = [
        Answer(
            arm=arm,
            seed=0,
            condition=condition,
            question=question,
            sample=sample,
            text=said.text,
            finish=said.finish,
            prompt_tokens=said.prompt_tokens,
            tokens=said.tokens,
            seconds=said.seconds,
        )
        for item, question in zip(log.items, found.questions, strict=True)
        for sample, said in enumerate(item.said)
    ]
    warnings = list(log.warnings)
    if log.scored:
        warnings.append(f"{path}: the scores of {log.tool} are not read: they are no person's word; all is graded anew")
    if found.way == "doc_id":
        warnings.append(f"{path}: its questions are known by doc_id alone, which counts documents; see that they fit")
    return Given(
        path=path,
        what=f"a log of {log.tool}, questions found by {found.way}",
        answers=tuple(answers),
        warnings=tuple(warnings),
        named=name is not None,
    )
