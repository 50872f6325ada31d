"""All graders' verdicts on a set of answers, and the one of each answer that counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby
from operator import attrgetter
from typing import Any

from train.grading.automatic import PROVISIONAL, RUBRIC, Automatic
from train.grading.judge import Judgement, JudgeRules, verdict_by
from train.grading.judge_prompt import Case
from train.grading.memory import recall
from train.grading.people import PERSON, Label, by_people, majority
from train.grading.provisional import NEAREST_F1, index_references
from train.records import GENERAL, Answer, AnswerId, Context, Question, Verdict

JUDGE = "judge"
RANKS = {grader: rank for rank, grader in enumerate((PROVISIONAL, RUBRIC, JUDGE, PERSON))}
"""Whose word counts most, from least. `judge:NAME` ranks as `judge`, `person:WHO` as `person`."""


@dataclass(frozen=True, slots=True)
class Graded:
    """What rubric or provisional grader say of each answer, in the answers' order, and what a judge is shown of some.

    `cases` has an entry for each answer that a judge is asked about; it is empty without one.
    """

    verdicts: Sequence[Verdict]
    cases: Mapping[AnswerId, Case]


def grade(
    questions: Sequence[Question],
    contexts: Iterable[Context],
    answers: Iterable[Answer],
    *,
    abstention: str,
    labels: Iterable[Label] = (),
    nearest_f1: float = NEAREST_F1,
    judge: JudgeRules | None = None,
    judgements: Mapping[str, Judgement] | None = None,
) -> list[Verdict]:
    """The verdicts of rubric or provisional grader, judge and people, side by side: all of the steps below."""
    answers = list(answers)
    graded = grade_by_rule(questions, contexts, answers, abstention=abstention, nearest_f1=nearest_f1, judge=judge)
    return with_people(with_judge(answers, graded, judge, judgements or {}), answers, labels)


def grade_by_rule(
    questions: Sequence[Question],
    contexts: Iterable[Context],
    answers: Sequence[Answer],
    *,
    abstention: str,
    nearest_f1: float = NEAREST_F1,
    judge: JudgeRules | None = None,
) -> Graded:
    """The verdicts that need no person and no model, and what `judge` is to be shown, if there is one.

    An answer without a context of its own is graded by its question's rubric. `abstention` is the recipe's abstention
    sentence, `nearest_f1` the provisional grader's threshold. Raises `UserError` for an answer to a question that is
    not there and for a rubric that cannot be compiled.
    """
    grader = Automatic(
        questions={question.id: question for question in questions},
        contexts={(context.question, context.condition): context for context in contexts},
        references={
            general: index_references(question for question in questions if (question.split == GENERAL) == general)
            for general in (False, True)
        },
        abstention=abstention,
        nearest_f1=nearest_f1,
        memory=recall(answers),
    )
    verdicts = [grader.grade(answer) for answer in answers]
    cases = {}
    if judge:
        for answer, verdict in zip(answers, verdicts, strict=True):
            if case := grader.case(answer, verdict, judge.scope):
                cases[answer.id] = case
    return Graded(verdicts, cases)


def with_judge(
    answers: Sequence[Answer], graded: Graded, judge: JudgeRules | None, judgements: Mapping[str, Judgement]
) -> list[Verdict]:
    """The graders' verdicts in the order of the answers: behind each of `graded` that of the judge, where there is one.

    `judge` says whose `judgements`, by the key of their case, become verdicts; a case without one gets none.
    """
    if judge is None:
        return list(graded.verdicts)
    verdicts = []
    for answer, automatic in zip(answers, graded.verdicts, strict=True):
        verdicts.append(automatic)
        case = graded.cases.get(answer.id)
        if case and (judged := judgements.get(judge.key(case))):
            verdicts.append(verdict_by(judge, judged, answer, **_of_answer(automatic)))
    return verdicts


def with_people(verdicts: Sequence[Verdict], answers: Sequence[Answer], labels: Iterable[Label]) -> list[Verdict]:
    """The graders' verdicts, which stand answer by answer, with those of people behind each answer's."""
    people = by_people(answers, labels)
    if not people:
        return list(verdicts)
    every: list[Verdict] = []
    for name, own in groupby(verdicts, key=attrgetter("id")):
        every += own
        of_answer = _of_answer(every[-1])
        every += [replace(verdict, **of_answer) for verdict in people.get(name, ())]
    return every


def _of_answer(verdict: Verdict) -> dict[str, Any]:
    """What a verdict says of the answer itself, whoever gives it."""
    return {"overlap": verdict.overlap, "remembered": verdict.remembered}


def headline(verdicts: Iterable[Verdict]) -> dict[AnswerId, Verdict]:
    """The verdict of each answer that counts: a person's before a judge's, a rubric's and the provisional one.

    Of several people's the majority counts (`majority`), else of verdicts of one rank the last. An unscored one counts
    only where no grader could say more, or where people disagree. Raises `ValueError` for a grader without a rank.
    """
    best: dict[AnswerId, Verdict] = {}
    weights: dict[AnswerId, int] = {}
    people: dict[AnswerId, list[Verdict]] = {}
    for verdict in verdicts:
        answer, is_scored, rank = verdict.id, verdict.verdict != "unscored", _rank(verdict.grader)
        weight = rank + is_scored * len(RANKS)
        if weights.get(answer, 0) <= weight:
            best[answer], weights[answer] = verdict, weight
        if is_scored and rank == RANKS[PERSON]:
            people.setdefault(answer, []).append(verdict)
    return best | {answer: majority(said) for answer, said in people.items()}


@lru_cache(maxsize=1024)
def _rank(grader: str) -> int:
    kind = grader.partition(":")[0]
    if kind not in RANKS:
        raise ValueError(f"grader {grader!r}: not one of {', '.join(RANKS)}, judge:NAME, person:WHO")
    return RANKS[kind]
