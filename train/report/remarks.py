"""What other stages say of single answers: why one was not right, and whether people disagree about it.

The only place where the report asks another stage.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from train.comparison import CAUSES, cause_of
from train.grading import disputed
from train.records import Answer, AnswerId, Findings, Verdict


@dataclass(frozen=True, slots=True)
class Remarks:
    """`causes` names why an answer was not right; `disputed` holds the answers that people grade differently."""

    causes: dict[AnswerId, str] = field(default_factory=dict)
    disputed: frozenset[AnswerId] = frozenset()


def remarks(findings: Findings) -> Remarks:
    """The remarks on all answers of the findings."""
    return Remarks(_causes(findings), frozenset(disputed(findings.verdicts)))


def in_order(causes: Iterable[str]) -> list[str]:
    """The causes in the order of precedence; those of a later openbook, unknown here, by name."""
    named = set(causes)
    return [*(cause for cause in CAUSES if cause in named), *sorted(named.difference(CAUSES))]


def _causes(findings: Findings) -> dict[AnswerId, str]:
    questions = {question.id: question for question in findings.questions}
    contexts = {(context.question, context.condition): context for context in findings.contexts}
    found: dict[AnswerId, str] = {}
    for answer in findings.answers:
        verdict = findings.headline.get(answer.id) or _ungraded(answer)
        context = contexts.get((answer.question, answer.condition))
        if context is not None and (cause := cause_of(answer, verdict, context, questions[answer.question])):
            found[answer.id] = cause
    return found


def _ungraded(answer: Answer) -> Verdict:
    return Verdict(answer.arm, answer.seed, answer.condition, answer.question, answer.sample, "", "unscored")
