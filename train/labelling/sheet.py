"""Labelling in a spreadsheet: the planned answers as CSV, blind, and the verdicts read back from it."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from train.data.problems import Problems, did_you_mean, shown
from train.data.tables import Row, Table, check_columns, read_table
from train.errors import UserError
from train.findings import load_graded, stored_labels, uncollected
from train.grading import Label, read_word, standing
from train.labelling.items import Item, by_item, graded_right, items
from train.labelling.plan import draw, sequence
from train.labelling.storing import LABELS, labeller, now
from train.records import WORDS, Answer, Findings, Word
from train.report.sheets import BOM
from train.report.texts import encodable, sheet, unsheet, visible
from train.serialising import to_json
from train.store import Run

COLUMNS = (
    "id", "question", "expected", "reference", "facts", "forbidden", "context", "answer", "verdict", "comment", "drawn",
)  # fmt: skip
"""`drawn` is the size of the plan that the sheet was written from, the same in every row.
So the labels can be told how likely their answers were to be drawn, however many rows come back."""


@uncollected()
def write_sheet(run: Run, path: Path, name: str, size: int) -> int:
    """Writes the answers that are to be labelled and returns how many.

    They come in the order of `name`, with the labels which that person gave already; without a name, in an order of
    the file's own. Raises `UserError` where the answers are not graded or the file is there or cannot be written.
    """
    if path.suffix.lower() != ".csv":
        raise UserError(f"--export {path}: is not the name of a .csv file; end it in .csv")
    findings = load_graded(run)
    labels = stored_labels(run)
    who = labeller(name, labels) if name else ""
    known = items(run.recipe, findings)
    by_answer = {answer.id: item for answer, item in known.values()}
    given = {label.answer: label for label in _own(labels, findings.answers, who)}
    order = sequence(draw(graded_right(findings), run.recipe, size), run.recipe, who)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows(_cells(by_answer[each], given.get(each), len(order)) for each in order)
    try:
        with path.open("x", encoding="utf-8", newline="") as file:  # never over a sheet that someone has filled in
            file.write(BOM + out.getvalue())
    except OSError as error:
        raise UserError(f"--export {path}: cannot be written ({error.strerror}); give another file") from error
    return len(order)


def read_sheet(run: Run, findings: Findings, path: Path, name: str) -> tuple[int, tuple[str, ...]]:
    """Stores the verdicts of a sheet as labels of `name`; returns how many are new or changed, and warnings.

    An answer without a verdict is not labelled; what was labelled before stays. All are stored, or none. `findings`
    hold the run's answers and verdicts.

    Raises:
        UserError: an unfit name, or a file that cannot be read.
        InputProblems: every problem in it, with row and column.
    """
    before = stored_labels(run)
    who = labeller(name, before)
    table = read_table(path, COLUMNS, (".csv",), "a sheet of labels")
    warnings = [*table.warnings, *check_columns(table, ("id", "verdict"))]
    said = _labels(table, by_item(run.recipe, findings.answers), who)
    drawn = max((_drawn(row, table.problems) for row in table.rows), default=0)
    table.problems.raise_if_any()
    if not said:
        warnings.append(f"{path}: has no verdicts; write one of {', '.join(WORDS)} into the column 'verdict'")
    mine = {label.answer: label for label in _own(before, findings.answers, who)}
    changed = [
        label for label in said if _content(label) != (_content(mine[label.answer]) if label.answer in mine else None)
    ]
    chance = draw(graded_right(findings), run.recipe, max(drawn, len(table.rows))).probability
    # An answer that was labelled before keeps the chance that it had when it was drawn.
    chance = {**chance, **{answer: label.probability for answer, label in mine.items() if label.probability}}
    new = [replace(label, probability=chance.get(label.answer)) for label in changed]
    if new:
        # In one piece, unlike labels given one by one: half a sheet is nobody's work.
        run.write_records(LABELS, [to_json(label) for label in (*before, *new)])
    return len(changed), tuple(warnings)


def _own(labels: Iterable[Label], answers: Iterable[Answer], who: str) -> list[Label]:
    return [label for label in standing(answers, labels) if label.who == who and label.when]


def _content(label: Label) -> tuple[Word, str]:
    return label.verdict, label.why


def _cells(item: Item, label: Label | None, drawn: int) -> list[str]:
    texts = {
        "id": item.id,
        "question": item.question,
        "expected": item.expects,
        "reference": item.reference or item.note,
        "facts": "\n".join(item.facts),
        "forbidden": "\n".join(item.forbidden),
        "context": "\n\n".join(text for _, text in item.passages),
        "answer": item.answer,
        "verdict": label.verdict if label else "",
        "comment": label.why if label else "",
        "drawn": str(drawn),
    }
    return [sheet(visible(texts[column])) for column in COLUMNS]


def _labels(table: Table, known: Mapping[str, Answer], who: str) -> list[Label]:
    """The labels of the rows with a verdict; what is wrong with a row is noted in the table's problems."""
    labels: list[Label] = []
    first: dict[str, int] = {}
    when = now()
    for row in table.rows if {"id", "verdict"} <= set(table.columns) else ():
        identifier = _text(row, "id")
        if identifier not in known:
            mend = did_you_mean(identifier, list(known), "read a sheet that was exported from this run as it is now")
            table.problems.add(row.number, "id", f"no answer has the id {shown(identifier)}", mend)
        elif identifier in first:
            table.problems.add(row.number, "id", f"{identifier} is in row {first[identifier]} too", "keep one of them")
        first.setdefault(identifier, row.number)
        word = _word(row, table.problems)
        if word is not None and identifier in known:
            answer = known[identifier]
            labels.append(Label(answer.id, word, who, when, _text(row, "comment"), answer.key))
    return labels


def _word(row: Row, problems: Problems) -> Word | None:
    written = _text(row, "verdict")
    try:
        return read_word(written, "")
    except UserError:
        mend = did_you_mean(written, WORDS, "leave it empty where you cannot tell")
        problems.add(row.number, "verdict", f"{shown(written)} is not one of {', '.join(WORDS)}", mend)
        return None


def _text(row: Row, column: str) -> str:
    return encodable(unsheet(str(row.cells.get(column, "")))).strip()


def _drawn(row: Row, problems: Problems) -> int:
    written = _text(row, "drawn")
    if written and not re.fullmatch("[0-9]{1,9}", written):
        problems.add(row.number, "drawn", f"{shown(written)} is not a number", "leave it as it was exported")
        return 0
    return int(written or 0)
