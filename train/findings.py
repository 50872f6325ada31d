"""Read a run back: from its record files to all that a report shows."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from train import comparison, data
from train.errors import UserError
from train.grading import Label, disputed, sides
from train.records import Answer, AnswerId, Findings, Passage, Question, Verdict, general_ids
from train.sealing import CHECK, Record, unsealed
from train.serialising import revive, revive_context
from train.store import Run

VOLATILE = ("stages", CHECK)
"""Entries of the manifest that change when a report is written; a report that showed them could not be made again."""


@contextmanager
def uncollected() -> Iterator[None]:
    """Meanwhile no garbage is looked for: records hold no cycles, and walking them all again and again costs a third.

    For what reads and computes; where a model works, its garbage must go.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def read_answers(run: Run, name: str = "answers.jsonl") -> list[Answer]:
    """The stored answers."""
    return [revive(Answer, record) for record in run.records(name)]


def stored_labels(run: Run) -> list[Label]:
    """What people said of the answers, in the order in which they said it."""
    return [
        Label(**{**record, "answer": AnswerId(**record["answer"])})
        for record in map(unsealed, run.records("labels.jsonl"))
    ]


@uncollected()
def load_findings(run: Run) -> Findings:
    """All that a report of this run shows; what is not there yet is empty.

    Raises:
        UserError: the directory holds no run, or its records do not belong together.
    """
    findings = load_graded(run)
    return replace(with_verdicts(findings, findings.verdicts), comparison=read_json(run, "comparison.json"))


@uncollected()
def load_graded(run: Run) -> Findings:
    """The same, but for what follows from the verdicts, which `with_verdicts` adds. Raises `UserError`."""
    return replace(load_answered(run), verdicts=stored_verdicts(run))


@uncollected()
def load_answered(run: Run) -> Findings:
    """The same without verdicts, which may be about other answers. Raises `UserError`."""
    manifest = run.manifest()
    if not manifest:
        raise UserError(f"{run.directory}: holds no run; begin with `openbook run`")
    passages = {record["id"]: revive(Passage, record) for record in run.records("passages.jsonl")}
    stored = run.records("contexts.jsonl")
    try:
        contexts = [revive_context(record, passages) for record in stored]
    except KeyError as error:
        raise UserError(f"{run.path('contexts.jsonl')}: names the passage {error}, which is not stored") from error
    answers = read_answers(run)
    targets = {record["completion"] for record in run.records("training.jsonl")}
    questions = [revive(Question, record) for record in run.records("questions.jsonl")]
    general = general_ids(questions)
    tested = [answer for answer in answers if answer.question not in general]
    return Findings(
        comparison={},
        questions=questions,
        contexts=contexts,
        answers=answers,
        verdicts=(),
        headline={},
        prompts={(record["question"], record["condition"]): record["prompt"] for record in stored if record["prompt"]},
        audit={**manifest.get("audit", {}), "answers": data.audit_answers(tested, targets)},
        training=manifest.get("training", []),
        manifest=lasting(manifest),
    )


@uncollected()
def with_verdicts(findings: Findings, verdicts: Sequence[Verdict]) -> Findings:
    """The findings with these verdicts, and what follows from them."""
    questions, answers = findings.questions, findings.answers
    headline = comparison.count_verdicts(questions, answers, *sides(verdicts)).headline
    return replace(
        findings,
        verdicts=verdicts,
        headline=headline,
        causes=comparison.causes_of(questions, findings.contexts, answers, headline),
        disputed=frozenset(disputed(verdicts)),
    )


def stored_verdicts(run: Run) -> list[Verdict]:
    """What the graders said of the answers."""
    return [revive(Verdict, record) for record in run.records("verdicts.jsonl")]


def lasting(manifest: Record) -> Record:
    """Of the manifest, what a report shows: all but what changes when a report is written."""
    return {key: value for key, value in manifest.items() if key not in VOLATILE}


def read_json(run: Run, name: str) -> dict[str, Any]:
    """A JSON file of the run; empty where it is not there yet."""
    try:
        content = json.loads(run.path(name).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise UserError(f"{run.path(name)}: is damaged ({error}); run `openbook report` again") from error
    return content if isinstance(content, dict) else {}
