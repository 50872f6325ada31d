"""Rows as experiments with retrieved context often keep them: what was asked, what was found, what was to be said.

Such a table is known by its columns `data_type, input_data, user_question, rag_retrieved_data, output_message`. It has
no ids and no splits: what such an experiment trains on is what it asks afterwards. So each row becomes two questions
in the same words, one of them `train` and one `seen`, unless its `data_type` is the name of a split. A rubric can stand
beside, in our columns `facts` and `forbidden`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from train.data.cells import is_absent
from train.data.tables import Row, Table, check_columns
from train.records import SPLITS, Question

COLUMNS = ("data_type", "input_data", "user_question", "rag_retrieved_data", "output_message")

RUBRIC = ("facts", "forbidden")

_NAMES = {"question": "user_question", "context": "rag_retrieved_data", "answer": "output_message"}


def has_rag_rows(table: Table) -> bool:
    """Whether the table has all columns of such an experiment."""
    return all(column in table.columns for column in COLUMNS)


def as_questions(table: Table) -> Table:
    """The same table with our columns; a row without a `split` is one for `trained_and_asked`.

    Ids count the rows: `row-001`. A row without a question of its own is asked its `input_data`.
    """
    unread = check_columns(replace(table, known=(*COLUMNS, *RUBRIC)), ())
    rubric = [column for column in RUBRIC if column in table.columns]
    rows = tuple(_row(number, row) for number, row in enumerate(table.rows, start=1))
    table.problems.names |= _NAMES
    pairs = sum(not row.cells["split"] for row in rows)
    note = f"{table.problems.place}: {pairs} row(s) are trained on (train) and asked in the same words (seen)"
    return replace(
        table,
        columns=("id", "question", "context", "answer", "split", *rubric),
        rows=rows,
        warnings=(*table.warnings, *unread, *([note] if pairs else [])),
    )


def trained_and_asked(question: Question) -> tuple[Question, ...]:
    """The row's questions: itself, or where it has no split, one to train on and one to ask."""
    if question.split:
        return (question,)
    return replace(question, split="train"), replace(question, id=f"{question.id}-asked", split="seen")


def _row(number: int, row: Row) -> Row:
    cells: dict[str, Any] = {column: row.cells.get(name) for column, name in _NAMES.items()}
    cells |= {column: row.cells[column] for column in RUBRIC if column in row.cells}
    if is_absent(cells["question"]):
        cells["question"] = row.cells.get("input_data")
    kind = row.cells.get("data_type")
    kind = kind.strip() if isinstance(kind, str) else ""
    return Row(row.number, {**cells, "id": f"row-{number:03d}", "split": kind if kind in SPLITS else ""})
