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
    "why", "cause", "finish", "prompt_tokens", "tokens", "seconds",
)  # fmt: skip


def cells_csv(findings: Findings) -> str:
    """One row for each cell and split."""
    return _table(CELL_COLUMNS, ({**cell, **_bounds(cell)} for cell in findings.comparison["cells"]))


def contrasts_csv(findings: Findings) -> str:
    """One row for each contrast, planned or not."""
    return _table(
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
    guarded = _Guarded()

    def rows() -> Iterable[Sequence[Any]]:
        for answer in sorted(findings.answers, key=attrgetter("id")):
            verdict = findings.headline.get(answer.id)
            word = verdict.verdict if verdict else "unscored"
            expected = expects.get((answer.question, answer.condition), "answer")
            yield (
                guarded[answer.arm],
                answer.seed,
                guarded[answer.condition],
                guarded[splits.get(answer.question, "")],
                guarded[answer.question],
                answer.sample,
                expected,
                guarded[answer.text],
                word,
                "" if word == "unscored" else _value(is_right(word, expected)),
                guarded[verdict.grader] if verdict else "",
                guarded[verdict.why] if verdict else "",
                guarded[findings.causes.get(answer.id, "")],
                guarded[answer.finish],
                answer.prompt_tokens,
                answer.tokens,
                answer.seconds,
            )

    return _csv(ANSWER_COLUMNS, rows())


class _Guarded(dict[str, str]):
    """The texts as they stand in a cell; most stand in many rows."""

    def __missing__(self, text: str) -> str:
        made = self[text] = texts.sheet(text)
        return made


def _bounds(row: Mapping[str, Any]) -> dict[str, Any]:
    low, high = row["interval"] or (None, None)
    return {"interval_low": low, "interval_high": high}


def _table(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """Those columns of the rows; one that the data lack stays empty."""
    return _csv(columns, ([_value(row.get(column)) for column in columns] for row in rows))


def _csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """The file, of texts that are guarded already and of numbers, which stand in full precision."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows(rows)
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
