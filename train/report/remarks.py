"""What other stages say of single answers: why one was not right, and whether people disagree about it.

The only place where the report asks another stage. What a stage does not offer is simply not shown.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from train import comparison, grading
from train.records import Answer, AnswerId, Findings, Verdict


@dataclass(frozen=True, slots=True)
class Remarks:
    """`causes` names why an answer was not right; `disputed` holds the answers that people grade differently."""

    causes: dict[AnswerId, str] = field(default_factory=dict)
    disputed: frozenset[AnswerId] = frozenset()


def remarks(findings: Findings) -> Remarks:
    """The remarks on all answers of the findings."""
    return Remarks(_causes(findings), _disputed(findings))


def _causes(findings: Findings) -> dict[AnswerId, str]:
    cause_of: Callable[..., str | None] | None = getattr(comparison, "cause_of", None)
    if cause_of is None:
        return {}
    questions = {question.id: question for question in findings.questions}
    contexts = {(context.question, context.condition): context for context in findings.contexts}
    found = {}
    for answer in findings.answers:
        verdict = findings.headline.get(answer.id) or _ungraded(answer)
        context = contexts.get((answer.question, answer.condition))
        if context is not None and (cause := cause_of(answer, verdict, context, questions[answer.question])):
            found[answer.id] = str(cause)
    return found


def _disputed(findings: Findings) -> frozenset[AnswerId]:
    disputed: Callable[[Any], set[AnswerId]] | None = getattr(grading, "disputed", None)
    return frozenset(disputed(findings.verdicts)) if disputed else frozenset()


def _ungraded(answer: Answer) -> Verdict:
    return Verdict(answer.arm, answer.seed, answer.condition, answer.question, answer.sample, "", "unscored")
