"""The CSV files: RFC 4180 with a byte order mark, because spreadsheets read Korean as Latin without one.

Figures stand in full precision; text columns are guarded against formulas (`texts.sheet`).
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any

from train.records import Findings, is_right
from train.report import texts

BOM = "\ufeff"

CELL_COLUMNS = (
    "arm", "kind", "condition", "split", "expects", "questions", "unscored_questions", "seeds", "answers", "correct",
    "wrong", "abstained", "unscored", "right", "distinct", "accuracy", "interval_low", "interval_high",
    "standard_error", "per_seed", "false_refusal", "right_abstention", "answered_from_memory",
    "dumps", "accuracy_without_dumps", "pass_at_k",
    "pass_hat_k", "graders",
)  # fmt: skip
CONTRAST_COLUMNS = (
    "a_arm", "a_condition", "b_arm", "b_condition", "split", "planned", "questions", "left_out", "differing",
    "difference", "interval_low", "interval_high", "p_value", "p_holm", "detectable", "equivalent_p",
    "standard_deviation",
)  # fmt: skip
ANSWER_COLUMNS = (
    "arm", "seed", "condition", "split", "question", "sample", "expects", "answer", "graded", "right", "grader",
    "why", "finish", "prompt_tokens", "tokens", "seconds",
)  # fmt: skip


def cells_csv(findings: Findings) -> str:
    """One row for each cell and split."""
    return _csv(CELL_COLUMNS, ({**cell, **_bounds(cell)} for cell in findings.comparison["cells"]))


def contrasts_csv(findings: Findings) -> str:
    """One row for each contrast, planned or not."""
    return _csv(
        CONTRAST_COLUMNS,
        (
            {
                "planned": contrast.get("p_holm") is not None,
                **contrast,
                **_bounds(contrast),
                **{f"{side}_{part}": contrast[side][part] for side in ("a", "b") for part in ("arm", "condition")},
            }
            for contrast in findings.comparison["contrasts"]
        ),
    )


def answers_csv(findings: Findings) -> str:
    """One row for each answer, with the verdict that counts.

    Its column is not called `verdict`: in a file given to `openbook compare` that is a person's word.
    """
    splits = {question.id: question.split for question in findings.questions}
    expects = {(context.question, context.condition): context.expects for context in findings.contexts}

    def rows() -> Iterable[Mapping[str, Any]]:
        for answer in sorted(findings.answers, key=attrgetter("id")):
            verdict = findings.headline.get(answer.id)
            word = verdict.verdict if verdict else "unscored"
            expected = expects.get((answer.question, answer.condition), "answer")
            yield {
                "arm": answer.arm,
                "seed": answer.seed,
                "condition": answer.condition,
                "split": splits.get(answer.question, ""),
                "question": answer.question,
                "sample": answer.sample,
                "expects": expected,
                "answer": answer.text,
                "graded": word,
                "right": None if word == "unscored" else is_right(word, expected),
                "grader": verdict.grader if verdict else "",
                "why": verdict.why if verdict else "",
                "finish": answer.finish,
                "prompt_tokens": answer.prompt_tokens,
                "tokens": answer.tokens,
                "seconds": answer.seconds,
            }

    return _csv(ANSWER_COLUMNS, rows())


def _bounds(row: Mapping[str, Any]) -> dict[str, Any]:
    low, high = row["interval"] or (None, None)
    return {"interval_low": low, "interval_high": high}


def _csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """The table; a column that the data lack stays empty."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    known: dict[Any, str] = {}  # most texts stand in many rows

    def cell(value: Any) -> str | int | float:
        if value.__class__ in (int, float):
            return value  # as csv writes it
        if not isinstance(value, str):
            return _value(value)
        made = known.get(value)
        if made is None:
            made = known[value] = texts.sheet(value)
        return made

    writer.writerows(list(map(cell, map(row.get, columns))) for row in rows)
    return BOM + out.getvalue()


def _value(value: Any) -> str:
    if isinstance(value, str):
        return texts.sheet(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, (list, tuple)) and not any(isinstance(item, (Mapping, list, tuple)) for item in value):
        return " ".join(map(_value, value))
    return texts.sheet(json.dumps(value, ensure_ascii=False, sort_keys=True))
