"""The files of a report, by name."""

from __future__ import annotations

from train.records import Findings
from train.report import sheets
from train.report.markdown import markdown
from train.report.page import page
from train.report.texts import encodable


def render(findings: Findings) -> dict[str, str]:
    """The report's files: name -> content, to be written as UTF-8 without changing line ends (`newline=""`).

    A pure function: no clock, no randomness, nothing written; the same findings give the same bytes, in whatever order
    answers, verdicts, contexts and prompts come. Questions and cells stay in their order, which is the author's.
    `comparison.json` is not among them: it is the findings' own `comparison`.
    """
    contents = {
        "report.html": page(findings),
        "report.md": markdown(findings),
        "cells.csv": sheets.cells_csv(findings),
        "contrasts.csv": sheets.contrasts_csv(findings),
        "answers.csv": sheets.answers_csv(findings),
    }
    return {name: encodable(content) for name, content in contents.items()}
