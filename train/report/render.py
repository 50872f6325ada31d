"""The files of a report, by name."""

from __future__ import annotations

from train.records import Findings
from train.report import sheets
from train.report.charts import figure_files
from train.report.markdown import markdown
from train.report.page import page
from train.report.redacted import without_texts
from train.report.texts import encodable

REDACTED_FILES = (
    "report-redacted.html",
    "report-redacted.md",
    "cells-redacted.csv",
    "contrasts-redacted.csv",
    "answers-redacted.csv",
)


def render(findings: Findings) -> dict[str, str]:
    """The report's files: name -> content, to be written as UTF-8 without changing line ends (`newline=""`).

    A pure function: no clock, no randomness, nothing written; the same findings give the same bytes, in whatever order
    answers, verdicts, contexts and prompts come. Questions and cells stay in their order, which is the author's.
    `comparison.json` is not among them: it is the findings' own `comparison`. Figures are in the folder `figures`.
    """
    contents = {
        "report.html": page(findings),
        "report.md": markdown(findings),
        "cells.csv": sheets.cells_csv(findings),
        "contrasts.csv": sheets.contrasts_csv(findings),
        "answers.csv": sheets.answers_csv(findings),
        **figure_files(findings),
    }
    return {name: encodable(content) for name, content in contents.items()}


def render_redacted(findings: Findings) -> dict[str, str]:
    """The same files without any text of the data, to be shown to people who may not read it; see `redacted`.

    The figures are those of the full report, which hold no such text either, so that they are not made twice.
    """
    bare = without_texts(findings)
    contents = (
        page(bare, redacted=True),
        markdown(bare, redacted=True),
        sheets.cells_csv(bare),
        sheets.contrasts_csv(bare),
        sheets.answers_csv(bare),
    )
    return {name: encodable(content) for name, content in zip(REDACTED_FILES, contents, strict=True)}
