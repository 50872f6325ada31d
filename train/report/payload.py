"""What a cell of the matrix opens to, as compact JSON: answers, contexts and prompts of every question.

A text that occurs many times (a passage, a prompt's grader, a repeated answer) is stored once in `texts` and named
by its place there; identical answers of a cell are folded. `script.js` reads exactly this form.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from train.records import Answer, Context, Fact, Findings, Verdict
from train.report import figures, texts, view


class Texts:
    """Gives every different text a number."""

    def __init__(self) -> None:
        self.places: dict[str, int] = {}

    def __call__(self, text: str) -> int:
        """The number of the text."""
        return self.places.setdefault(texts.visible(text), len(self.places))

    def all(self, many: Sequence[str]) -> list[int]:
        """The numbers of the texts."""
        return [self(text) for text in many]


def payload(findings: Findings) -> dict[str, Any]:
    """The JSON-ready data. Numbers stand for places in `texts`.

    `questions[i]` is `[id, text, reference, facts, forbidden]` of the i-th question. `cells[c]` is `[arm, condition,
    place in conditions]`. `answers[i][c]` lists the folded answers `[text, verdict, grader, why, finish, found,
    missing, violated, other verdicts as [grader, verdict, why], samples as [seed, sample, tokens, seconds]]`.
    `contexts[i][d]` is `[expects, facts, forbidden, passages as [id, source, text, is gold]]` and `prompts[i][d]` the
    prompt under the d-th condition; null where there is none.
    """
    name = Texts()
    cells = view.columns(findings)
    conditions = list(dict.fromkeys(condition for _, condition in cells))
    contexts = {(context.question, context.condition): context for context in findings.contexts}
    folded = _folded(findings, name)
    result = {
        "cells": [[name(arm), name(condition), conditions.index(condition)] for arm, condition in cells],
        "questions": [
            [
                name(question.id),
                name(question.text),
                name(question.answer),
                name.all(_facts(question.facts)),
                name.all(_facts(question.forbidden)),
            ]
            for question in findings.questions
        ],
        "answers": [[folded.get((question.id, cell), []) for cell in cells] for question in findings.questions],
        "contexts": [
            [_context(contexts.get((question.id, condition)), name) for condition in conditions]
            for question in findings.questions
        ],
        "prompts": [
            [
                None if (prompt := findings.prompts.get((question.id, condition))) is None else name(prompt)
                for condition in conditions
            ]
            for question in findings.questions
        ],
    }
    return {**result, "texts": list(name.places)}


def _context(context: Context | None, name: Texts) -> list[Any] | None:
    if context is None:
        return None
    passages = [
        [name(passage.id), name(passage.source), name(passage.text), int(passage.id in context.gold)]
        for passage in context.passages
    ]
    return [name(context.expects), name.all(_facts(context.facts)), name.all(_facts(context.forbidden)), passages]


def _facts(facts: Sequence[Fact]) -> list[str]:
    return [fact if isinstance(fact, str) else " or ".join(fact) for fact in facts]


def _folded(findings: Findings, name: Texts) -> dict[tuple[str, view.CellName], list[list[Any]]]:
    others: dict[Any, list[Verdict]] = {}
    for verdict in findings.verdicts:
        counting = findings.headline.get(verdict.id)
        if counting is None or counting.grader != verdict.grader:
            others.setdefault(verdict.id, []).append(verdict)
    cells: dict[tuple[str, view.CellName], dict[str, list[Any]]] = {}
    for answer in sorted(findings.answers, key=lambda answer: answer.id):
        cell = cells.setdefault((answer.question, (answer.arm, answer.condition)), {})
        rest = sorted(others.get(answer.id, []), key=lambda verdict: (verdict.grader, verdict.verdict, verdict.why))
        graded = _graded(answer, findings.headline.get(answer.id), rest, name)
        fold = cell.setdefault(repr(graded), [*graded, []])
        seconds = round(answer.seconds, 3) if figures.finite(answer.seconds) else None
        fold[-1].append([answer.seed, answer.sample, answer.tokens, seconds])
    return {place: list(folds.values()) for place, folds in cells.items()}


def _graded(answer: Answer, verdict: Verdict | None, others: Sequence[Verdict], name: Texts) -> list[Any]:
    if verdict is None:
        graded = [name("unscored"), name(""), name("")]
        facts: list[list[int]] = [[], [], []]
    else:
        graded = [name(verdict.verdict), name(verdict.grader), name(verdict.why)]
        facts = [name.all(verdict.found), name.all(verdict.missing), name.all(verdict.violated)]
    aside = [[name(other.grader), name(other.verdict), name(other.why)] for other in others]
    return [name(answer.text), *graded, name(answer.finish), *facts, aside]
