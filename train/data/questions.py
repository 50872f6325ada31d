"""A questions file as `Question` records, or every problem that keeps it from being one.

Columns: `id, question, answer`, and optionally

    facts, forbidden   lists: what an answer must, must not say (`cells.facts`)
    evidence           list of passage ids that hold the answer
    context            a passage's text, attached by hand: becomes a passage of its own and joins the evidence
    group              the fact that is asked for; rows without one get it from `checks.group_of`
    split              train, validation, seen, unseen or unanswerable; for all rows or none (see `checks`)
    topic, counterfactual, paraphrases (list)

An unanswerable question may leave `answer` empty; its evidence is what it is asked with, not what answers it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from train.data import checks
from train.data.cells import (
    BadCell,
    facts,
    names,
    optional_name,
    optional_text,
    required_name,
    required_text,
    texts,
)
from train.data.problems import shown
from train.data.tables import CellReader, Row, Table, check_columns, read_table
from train.errors import nearest
from train.records import SPLITS, Fact, Passage, Question

REQUIRED = ("id", "question", "answer")
OPTIONAL = ("facts", "forbidden", "evidence", "context", "group", "split", "topic", "paraphrases", "counterfactual")
KINDS = (".csv", ".jsonl", ".parquet")

CheckRubric = Callable[[tuple[Fact, ...], tuple[Fact, ...], str], Sequence[str]]
"""(facts, forbidden, reference answer) -> what is wrong with the rubric, one text each. The grading room has one."""


@dataclass(frozen=True, slots=True)
class QuestionsFile:
    """The questions in the order of the file, the passages attached by hand, and warnings for a person to read."""

    questions: tuple[Question, ...]
    passages: tuple[Passage, ...] = ()
    warnings: tuple[str, ...] = ()


def load_questions(
    path: str | Path, *, corpus: Sequence[Passage] | None = None, check_rubric: CheckRubric | None = None
) -> QuestionsFile:
    """Reads and validates questions from CSV, JSONL or Parquet.

    Args:
        path: the file.
        corpus: the passages that `evidence` may name; None if evidence does not matter and is not checked.
        check_rubric: says what is wrong with a rubric; called for rows that have one.

    Raises:
        UserError: the file cannot be read.
        InputProblems: every problem in it, with row and column.
    """
    table = read_table(Path(path), (*REQUIRED, *OPTIONAL), KINDS, "a questions file")
    problems = table.problems
    warnings = [*table.warnings, *check_columns(table, REQUIRED)]
    if not table.rows:
        problems.raise_if_any()
        problems.add(None, None, "has no questions", "write one row per question")
    passages: dict[str, Passage] = {}
    read = [_question(row, table, passages) for row in table.rows]
    if check_rubric is not None:
        for row, question in read:
            # Without its answer (a problem already) the rubric would only seem wrong too.
            if (question.facts or question.forbidden) and (question.answer or question.split == "unanswerable"):
                for problem in check_rubric(question.facts, question.forbidden, question.answer):
                    problems.add(row.number, "facts", problem)
    numbered = [(row.number, question) for row, question in read]
    checks.check_ids(numbered, problems)
    if corpus is not None:
        checks.check_evidence(numbered, {passage.id for passage in corpus} | passages.keys(), problems)
    checks.check_splits(numbered, problems)
    problems.raise_if_any()
    warnings += checks.repeated_wordings(numbered, str(path))
    return QuestionsFile(tuple(question for _, question in read), tuple(passages.values()), tuple(warnings))


def _question(row: Row, table: Table, passages: dict[str, Passage]) -> tuple[Row, Question]:
    """The row as far as it can be read; what cannot is noted, so that later checks still see the rest."""
    cell = CellReader(table, row, REQUIRED)
    split = cell("split", _split, "invalid")
    if split == "unanswerable":
        cell = CellReader(table, row, ("id", "question"))
    context = cell("context", optional_text, "")
    evidence = cell("evidence", names, ())
    if context:
        passage = Passage(id=_context_id(context), text=context, source=Path(table.problems.place).name)
        passages.setdefault(passage.id, passage)
        evidence = tuple(dict.fromkeys((*evidence, passage.id)))
    question = Question(
        id=cell("id", required_name, ""),
        text=cell("question", required_text, ""),
        answer=cell("answer", optional_text if split == "unanswerable" else required_text, ""),
        facts=cell("facts", facts, ()),
        forbidden=cell("forbidden", facts, ()),
        evidence=evidence,
        group=cell("group", optional_name, ""),
        split=split,
        topic=cell("topic", optional_name, ""),
        paraphrases=cell("paraphrases", texts, ()),
        counterfactual=cell("counterfactual", optional_text, ""),
    )
    if split == "unanswerable" and question.facts:
        what = f"an unanswerable question has facts ({shown(row.cells['facts'])})"
        table.problems.add(row.number, "facts", what, "remove them, or choose another split")
    return row, replace(question, group=question.group or checks.group_of(question))


def _split(value: object) -> str:
    name = optional_text(value)
    if name and name not in SPLITS:
        raise BadCell(f"there is no split {shown(name)}", nearest(name, SPLITS).removeprefix("; "))
    return name


def _context_id(text: str) -> str:
    return f"context:{hashlib.sha256(text.encode()).hexdigest()[:12]}"
