"""report.md: tables stay tables, whatever stands in their cells."""

import re
from typing import Any

import pytest

from train.report import render

from .builders import HOSTILE, findings


def tables(text: str) -> list[list[str]]:
    """The tables' lines."""
    result: list[list[str]] = [[]]
    for line in text.split("\n"):
        if line.startswith("| "):
            result[-1].append(line)
        elif result[-1]:
            result.append([])
    return [table for table in result if table]


def cells(line: str) -> list[str]:
    """The line's cells; a pipe after a backslash is text."""
    return re.split(r"(?<!\\)\|", line)[1:-1]


@pytest.mark.parametrize(
    "case",
    [
        {},
        {"texts": HOSTILE, "per_split": 12},
        {"kinds": {text or "none": "tuned" for text in HOSTILE}, "per_split": 1},
        {"conditions": ("none", *filter(None, HOSTILE)), "per_split": 1},
    ],
)
def test_every_row_has_as_many_cells_as_its_header(case: dict[str, Any]) -> None:
    text = render(findings(**case))["report.md"]
    assert len(tables(text)) >= 6
    for table in tables(text):
        assert {len(cells(line)) for line in table} == {len(cells(table[0]))}
        assert set(table[1]) <= set("|- ")


def test_no_html_but_line_breaks_and_no_code_or_control_characters() -> None:
    text = render(findings(texts=HOSTILE, per_split=12))["report.md"]
    assert set(re.findall(r"<[^ ].*?>", text)) == {"<br>"}
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text)


def test_totals_stand_before_the_matrix_and_the_decision_before_both() -> None:
    data = findings()
    text = render(data)["report.md"]
    order = [text.index(part) for part in ("> **", "## Planned contrasts", "## Totals", "## Questions")]
    assert order == sorted(order)
    for split in ("unseen", "seen", "unanswerable"):
        assert f"### {split}" in text.split("## Questions")[1]


def test_the_matrix_has_every_question_with_its_marks() -> None:
    data = findings()
    rows = render(data)["report.md"].split("## Questions")[1]
    for question in data.questions:
        line = next(line for line in rows.split("\n") if line.startswith(f"| {question.id}:"))
        assert len(re.findall(r"[✅⚠❌❔] \d/\d", line)) == 12
