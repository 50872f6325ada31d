"""Samples of EleutherAI's lm-evaluation-harness: `samples_<task>_<date>.jsonl`, as `--log_samples` writes them.

A line has `doc_id` (the document's number in its split, from 0), `doc` (the row of the data set), `target`, `arguments`
(the prompt), `resps` (a list for each request, with one response for each repeat), `filtered_resps`, `filter`, and the
scores. A task with several filters has a line for each, with the same `resps`: these, which the model said, are read;
what a filter left of them is read only where they are not there.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from train.data.cells import BadCell, required_name
from train.data.problems import shown
from train.data.tables import read_table
from train.foreign.records import Item, Said, ToolLog

TOOL = "lm-evaluation-harness"
ID_KEYS = ("id", "_id", "qid", "question_id")
"""What data sets call the id of a row."""
OWN = ("doc_id", "doc", "target", "arguments", "resps", "filtered_resps", "filter", "metrics")
"""The keys of a line that are no scores; those that end in `_hash` are none either."""


def is_sample(record: Any) -> bool:
    """Whether a line is one of the harness's."""
    return isinstance(record, dict) and "doc_id" in record and bool({"resps", "filtered_resps"} & record.keys())


def read_harness(path: Path) -> ToolLog:
    """Reads a samples file.

    Raises:
        UserError: the file cannot be read.
        InputProblems: every line that is no sample, or whose responses are no texts.
    """
    table = read_table(path, (), (".jsonl",), "a samples file", suffix=".jsonl")
    problems = table.problems
    items: dict[str, Item] = {}
    first: dict[tuple[str, str], int] = {}
    scored = False
    for row in table.rows:
        line = row.cells
        filter, number = str(line.get("filter", "")), shown(line.get("doc_id"))
        try:
            name = required_name(line.get("doc_id"))
        except BadCell:
            problems.add(row.number, "doc_id", f"is no number ({number})", f"is the line one of {TOOL}?")
            continue
        scored |= any(isinstance(line.get(metric), int | float) for metric in scores(line))
        if (earlier := first.setdefault((name, filter), row.number)) != row.number:
            what = f"doc_id {number} is in row {earlier} too" + (f" (filter {shown(filter)})" if filter else "")
            problems.add(row.number, None, what, "the harness adds to its file: keep the lines of one evaluation")
            continue
        try:
            said = tuple(map(Said, responses(line)))
        except BadCell as bad:
            problems.add(row.number, "resps" if "resps" in line else "filtered_resps", bad.what, bad.mend)
            continue
        items.setdefault(name, Item(f"row {row.number}, doc_id {number}", names(line, name), texts(line), said))
    problems.raise_if_any()
    filters = {filter for _, filter in first}
    bare = len(filters) > 1 and not any("resps" in row.cells for row in table.rows)
    warnings = [f"{path}: has only what {len(filters)} filters left; the first in the file is read"] if bare else []
    return ToolLog(TOOL, model(path), tuple(items.values()), scored, (*table.warnings, *warnings))


def responses(line: dict[str, Any]) -> list[str]:
    """The texts that the model gave for the document, one for each repeat; raises `BadCell` for anything else."""
    requests = line["resps"] if line.get("resps") is not None else line.get("filtered_resps")
    if not isinstance(requests, list) or not requests:
        raise BadCell(f"holds no responses ({shown(requests)})", "write one list of texts for the document's request")
    # Each request has a list of repeats; a filter leaves a text of it, or fewer texts.
    repeats = requests if all(isinstance(each, str) for each in requests) else requests[0]
    if is_likelihood(repeats) or not isinstance(repeats, list) or not all(isinstance(each, str) for each in repeats):
        raise BadCell(
            f"holds no texts ({shown(requests)})",
            "log-likelihoods of choices cannot be compared; evaluate a task that generates (generate_until)",
        )
    if repeats is not requests and len(requests) > 1:
        raise BadCell(
            f"holds the responses to {len(requests)} requests ({shown(requests)})",
            "only tasks that ask a document once can be compared",
        )
    if not repeats:
        raise BadCell("holds no response", "remove the line")
    return repeats


def is_likelihood(repeats: Any) -> bool:
    """Whether that is what the harness notes of a choice: its log-likelihood, and whether a greedy model says it."""
    if not isinstance(repeats, list) or len(repeats) != 2 or str(repeats[1]) not in ("True", "False"):
        return False
    return re.fullmatch(r"-?(?:inf|nan|[\d.]+(?:e[-+]?\d+)?)", str(repeats[0])) is not None


def names(line: dict[str, Any], number: str) -> dict[str, str]:
    """The ids that the document goes by: those of its data set before the harness's number."""
    doc = line.get("doc")
    own = {key: doc[key] for key in ID_KEYS if key in doc} if isinstance(doc, dict) else {}
    given = {f"doc.{key}": str(value) for key, value in own.items() if isinstance(value, int | str)}
    return {**given, "doc_id": number}


def texts(line: dict[str, Any]) -> tuple[str, ...]:
    """Every text of the document: which of them is the question depends on the data set."""
    doc = line.get("doc")
    if isinstance(doc, str):
        return (doc,)
    return tuple(value for value in doc.values() if isinstance(value, str)) if isinstance(doc, dict) else ()


def scores(line: dict[str, Any]) -> list[str]:
    """The keys of the line's scores."""
    return [key for key in line if key not in OWN and not key.endswith("_hash")]


def model(path: Path) -> str:
    """The model that the results file of the same evaluation names; empty where there is none beside the samples."""
    date = re.fullmatch(r"samples_.+_(\d{4}-\d\d-\d\dT[\d.-]+)", path.stem)
    for results in sorted(path.parent.glob(f"*_{date[1]}.json")) if date else ():
        try:
            named = json.loads(results.read_text(encoding="utf-8")).get("model_name")
        except (OSError, ValueError, AttributeError):
            continue
        if isinstance(named, str) and named.strip():
            return named.strip()
    return ""
