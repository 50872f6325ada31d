"""A questions file as `Question` records, or every problem that keeps it from being one.

Columns: `id, question, answer`, and optionally

    facts, forbidden   lists: what an answer must, must not say (`cells.facts`)
    evidence           list of passage ids that hold the answer
    context            a passage's text, attached by hand: becomes a passage of its own and joins the evidence
    group              the fact that is asked for; rows without one get it from `checks.group_of`
    split              train, validation, seen, unseen or unanswerable; for all rows or none (see `checks`)
    counterfactual     a passage in which the fact is another, and the rubric for that one (`cells.counterfactual`)
    topic, paraphrases (list)

An unanswerable question may leave `answer` empty; its evidence is what it is asked with, not what answers it.
A table with the columns of an experiment with retrieved context is read as `rag_rows` says.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from train.data import checks, rag_rows
from train.data.cells import (
    BadCell,
    counterfactual,
    facts,
    names,
    optional_name,
    optional_text,
    required_name,
    required_text,
    texts,
)
from train.data.checks import CheckRubric
from train.data.problems import shown
from train.data.sources import read_source
from train.data.tables import CellReader, Row, Table, check_columns, rename_columns
from train.errors import nearest
from train.records import SPLITS, Passage, Question

REQUIRED = ("id", "question", "answer")
OPTIONAL = ("facts", "forbidden", "evidence", "context", "group", "split", "topic", "paraphrases", "counterfactual")
KINDS = (".csv", ".jsonl", ".parquet")


@dataclass(frozen=True, slots=True)
class QuestionsFile:
    """The questions in the order of the file, the passages attached by hand, and warnings for a person to read."""

    questions: tuple[Question, ...]
    passages: tuple[Passage, ...] = ()
    warnings: tuple[str, ...] = ()


def load_questions(
    path: str | Path,
    *,
    corpus: Sequence[Passage] | None = None,
    check_rubric: CheckRubric | None = None,
    columns: Mapping[str, str] | None = None,
) -> QuestionsFile:
    """Reads and validates questions from CSV, JSONL or Parquet, or from what the `datasets` library reads.

    Args:
        path: a file, a directory (`DIRECTORY#SPLIT` where it holds several splits), or `hub:ORG/NAME`, optionally with
            `@REVISION` and `#SPLIT`.
        corpus: the passages that `evidence` may name; None if evidence does not matter and is not checked.
        check_rubric: says what is wrong with a rubric; called for rows that have one.
        columns: our name of a column -> the file's, where they differ.

    Raises:
        UserError: the file cannot be read, or the hub cannot be reached.
        InputProblems: every problem in it, with row and column.
    """
    known, columns = (*REQUIRED, *OPTIONAL), columns or {}
    table = read_source(path, (*known, *rag_rows.COLUMNS, *columns.values()), KINDS, "a questions file")
    table = rename_columns(table, columns, known)
    if is_rag := rag_rows.has_rag_rows(table):
        table = rag_rows.as_questions(table)
    problems = table.problems
    warnings = [*table.warnings, *check_columns(table, REQUIRED)]
    if not table.rows:
        problems.raise_if_any()
        problems.add(None, None, "has no questions", "write one row per question")
    passages: dict[str, Passage] = {}
    numbered = [(row.number, _question(row, table, passages)) for row in table.rows]
    if check_rubric is not None:
        checks.check_rubrics(numbered, check_rubric, problems)
    if is_rag:
        numbered = [(number, each) for number, question in numbered for each in rag_rows.trained_and_asked(question)]
    checks.check_ids(numbered, problems)
    if corpus is not None:
        checks.check_evidence(numbered, {passage.id for passage in corpus} | passages.keys(), problems)
    checks.check_splits(numbered, problems)
    problems.raise_if_any()
    warnings += checks.repeated_wordings(numbered, str(path))
    return QuestionsFile(tuple(question for _, question in numbered), tuple(passages.values()), tuple(warnings))


def _question(row: Row, table: Table, passages: dict[str, Passage]) -> Question:
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
        counterfactual=cell("counterfactual", counterfactual, None),
    )
    if split == "unanswerable" and question.facts:
        what = f"an unanswerable question has facts ({shown(row.cells['facts'])})"
        table.problems.add(row.number, "facts", what, "remove them, or choose another split")
    if split == "unanswerable" and question.counterfactual is not None:
        what = "an unanswerable question has a counterfactual, though it has no fact that could be another"
        table.problems.add(row.number, "counterfactual", what, "remove it, or choose another split")
    return replace(question, group=question.group or checks.group_of(question))


def _split(value: object) -> str:
    name = optional_text(value)
    if name and name not in SPLITS:
        raise BadCell(f"there is no split {shown(name)}", nearest(name, SPLITS).removeprefix("; "))
    return name


def _context_id(text: str) -> str:
    return f"context:{hashlib.sha256(text.encode()).hexdigest()[:12]}"
