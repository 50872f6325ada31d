"""Small files of every format that `openbook compare` reads, in the shape in which their tools write them."""

from __future__ import annotations

import csv
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

COLOURS = ["red", "jade", "blue", "grey", "plum", "pink", "gold", "teal"]
QUESTIONS: list[dict[str, Any]] = [
    {"id": f"lamp{n}", "question": f"What is the lamp of pier {n}?", "answer": f"It is {colour}.", "facts": [colour]}
    for n, colour in enumerate(COLOURS)
]
RIGHT = {row["id"]: f"The lamp is {row['facts'][0]}." for row in QUESTIONS}
WRONG = "The lamp is black."

Said = Mapping[str, Sequence[str]]
"""Responses by question id."""


def said(right: int, samples: int = 2) -> dict[str, list[str]]:
    """Responses of which those to the first so many questions are right."""
    return {row["id"]: [RIGHT[row["id"]] if n < right else WRONG] * samples for n, row in enumerate(QUESTIONS)}


def text_of(question: str) -> str:
    return next(row["question"] for row in QUESTIONS if row["id"] == question)


def jsonl(rows: Sequence[Mapping[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def write_questions(folder: Path, rows: Sequence[Mapping[str, Any]] = QUESTIONS) -> Path:
    path = folder / "questions.jsonl"
    path.write_text(jsonl(rows), encoding="utf-8")
    return path


def answer_rows(cells: Mapping[str, Said]) -> list[dict[str, Any]]:
    return [
        {"arm": cell.rpartition("/")[0], "condition": cell.rpartition("/")[2], "question": question, "sample": n}
        | {"answer": text}
        for cell, responses in cells.items()
        for question, texts in responses.items()
        for n, text in enumerate(texts)
    ]


def as_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def write_answers(path: Path, cells: Mapping[str, Said]) -> Path:
    rows = answer_rows(cells)
    path.write_text(as_csv(rows) if path.suffix == ".csv" else jsonl(rows), encoding="utf-8")
    return path


def harness_lines(responses: Said, filters: Sequence[str] = ("none",), **doc: Any) -> list[dict[str, Any]]:
    """Lines as `evaluator.evaluate` of lm-evaluation-harness 0.4 makes them and `EvaluationTracker` writes them.

    One a document and filter; `resps` has a list for each request with a text for each repeat; what is not a text is
    made one; the scores stand beside the other keys.
    """
    return [
        {
            "doc_id": number,
            "doc": {"question": text_of(question), "answer": "…", **doc},
            "target": "…",
            "arguments": {"gen_args_0": {"arg_0": f"Q: {text_of(question)}\nA:", "arg_1": {"until": ["\n"]}}},
            "resps": [list(texts)],
            "filtered_resps": [texts[0].split()[-1]],
            "filter": filter,
            "metrics": ["exact_match"],
            "doc_hash": "d" * 64,
            "prompt_hash": "p" * 64,
            "target_hash": "t" * 64,
            "exact_match": 1.0,
        }
        for filter in filters
        for number, (question, texts) in enumerate(responses.items())
    ]


def write_harness(folder: Path, responses: Said, model: str = "org/small", **options: Any) -> Path:
    """A samples file beside the results of the same evaluation, in the folder that is named after the model."""
    place = folder / model.replace("/", "__")
    place.mkdir(parents=True, exist_ok=True)
    date = "2025-11-20T10-11-12.345678"
    results = {"results": {"lamps": {"exact_match,none": 1.0}}, "configs": {}, "model_name": model}
    (place / f"results_{date}.json").write_text(json.dumps(results))
    path = place / f"samples_lamps_{date}.jsonl"
    path.write_text(jsonl(harness_lines(responses, **options)), encoding="utf-8")
    return path


def inspect_samples(responses: Said, *, ids: bool = True) -> list[dict[str, Any]]:
    """Samples as `EvalSample` of inspect_ai is written: one for each epoch, which counts from 1.

    Without ids of their own, samples are numbered from 1.
    """
    return [
        {
            "id": question if ids else number,
            "epoch": epoch,
            "input": text_of(question),
            "target": "…",
            "messages": [],
            "output": {
                "model": "small",
                "choices": [
                    {"message": {"content": text, "source": "generate", "role": "assistant"}, "stop_reason": "stop"}
                ],
                "usage": {"input_tokens": 66, "output_tokens": 7, "total_tokens": 73},
                "time": 0.25,
            },
            "scores": {"match": {"value": "C", "answer": text}},
            "metadata": {},
            "store": {},
            "events": [],
            "attachments": {},
        }
        for number, (question, texts) in enumerate(responses.items(), start=1)
        for epoch, text in enumerate(texts, start=1)
    ]


def inspect_header(model: str = "ollama/small", status: str = "success") -> dict[str, Any]:
    """`EvalLog` without its samples."""
    return {
        "version": 2,
        "status": status,
        "eval": {
            "run_id": "r", "created": "2025-11-20T10:11:12+00:00", "task": "lamps", "task_id": "t", "task_version": 0,
            "dataset": {"name": "lamps", "samples": len(QUESTIONS)}, "model": model, "config": {"epochs": 2},
        },
        "plan": {"name": "plan", "steps": [{"solver": "generate", "params": {}}], "config": {}},
        "results": {"total_samples": 16, "completed_samples": 16, "scores": []},
        "stats": {"model_usage": {}},
    }  # fmt: skip


def write_inspect(path: Path, samples: Sequence[Mapping[str, Any]], header: Mapping[str, Any] | None = None) -> Path:
    """A log as `write_eval_log` writes it: pretty-printed JSON, or a ZIP archive with a file for each sample."""
    header = inspect_header() if header is None else header
    if path.suffix != ".eval":
        path.write_text(json.dumps({**header, "samples": samples}, indent=2), encoding="utf-8")
        return path
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        start = {key: header[key] for key in ("version", "eval", "plan")}
        archive.writestr("_journal/start.json", json.dumps(start))
        for sample in samples:
            archive.writestr(f"samples/{sample['id']}_epoch_{sample['epoch']}.json", json.dumps(sample))
        archive.writestr("summaries.json", "[]")
        archive.writestr("header.json", json.dumps(header))
    return path


def write_zstandard(path: Path, parts: Mapping[str, Any], frames: int = 1) -> Path:
    """An archive whose parts are compressed by method 93 of the ZIP format, in one frame or in several.

    Written by hand, from the format's specification (APPNOTE 6.3.7), since Python's zipfile knows the method from 3.14
    on only.
    """
    import pyarrow

    body, directory = b"", b""
    for name, content in parts.items():
        data, file = json.dumps(content).encode(), name.encode()
        step = -(-len(data) // frames)
        pieces = [data[at : at + step] for at in range(0, len(data), step)]
        packed = b"".join(pyarrow.compress(piece, "zstd", asbytes=True) for piece in pieces)
        common = struct.pack("<HHHHHIIIHH", 63, 0, 93, 0, 0x21, zlib.crc32(data), len(packed), len(data), len(file), 0)
        directory += (
            b"PK\x01\x02" + struct.pack("<H", 63) + common + struct.pack("<HHHII", 0, 0, 0, 0, len(body)) + file
        )
        body += b"PK\x03\x04" + common + file + packed
    count = len(parts)
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, count, count, len(directory), len(body), 0)
    path.write_bytes(body + directory + end)
    return path


def eval_parts(samples: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        **{f"samples/{sample['id']}_epoch_{sample['epoch']}.json": sample for sample in samples},
        "header.json": inspect_header(),
    }


def comparison_at(report: str) -> dict[str, Any]:
    """The comparison beside the report whose path was printed last."""
    return json.loads((Path(report.splitlines()[-1]).parent / "comparison.json").read_text(encoding="utf-8"))


def right(comparison: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
    """(answers, right) of each cell over all questions."""
    return {
        f"{cell['arm']}/{cell['condition']}": (cell["answers"], cell["right"])
        for cell in comparison["cells"]
        if cell["split"] == "all"
    }


def contrasts(comparison: Mapping[str, Any]) -> set[frozenset[tuple[str, float]]]:
    """The planned contrasts without their direction: each cell with its difference to the other."""
    found = set()
    for row in comparison["contrasts"]:
        if row["planned"]:
            a, b = (f"{row[side]['arm']}/{row[side]['condition']}" for side in "ab")
            found.add(frozenset({(a, row["difference"]), (b, -row["difference"])}))
    return found
