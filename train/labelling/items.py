"""What a person sees of an answer: all that is needed to judge it, and nothing of where it comes from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from train.errors import UserError
from train.grading import headline, rubric_of
from train.records import (
    Answer,
    AnswerId,
    Context,
    Expectation,
    Findings,
    Question,
    fact_label,
    is_person,
    is_right,
)
from train.sealing import digest

COUNTERFACTUAL = "The passages say something untrue on purpose. What they say is what counts, as the facts name it."


@dataclass(frozen=True, slots=True)
class Item:
    """An answer to be labelled, blind. `id` tells nothing; `note` says what else the person must know.

    `passages` are the source and the text of each.
    """

    id: str
    question: str
    expects: Expectation
    reference: str
    facts: tuple[str, ...]
    forbidden: tuple[str, ...]
    passages: tuple[tuple[str, str], ...]
    answer: str
    note: str = ""


def by_item(recipe: str, answers: Iterable[Answer]) -> dict[str, Answer]:
    """The answers by the ids that stand for them in that recipe's run."""
    return {_letters(digest([recipe, answer.id._asdict(), answer.key])): answer for answer in answers}


def items(recipe: str, findings: Findings) -> dict[str, tuple[Answer, Item]]:
    """Every answer as a person sees it, by the id that stands for it in that recipe's run."""
    questions = {question.id: question for question in findings.questions}
    contexts = {(context.question, context.condition): context for context in findings.contexts}
    found = {}
    for name, answer in by_item(recipe, findings.answers).items():
        context = contexts.get((answer.question, answer.condition))
        found[name] = answer, _item(name, answer, questions[answer.question], context)
    return found


def graded_right(findings: Findings) -> dict[AnswerId, bool | None]:
    """Whether the automatic graders' headline calls each answer right; None where it is unscored.

    Answers to general questions are left out: people's time goes to what the decision rests on.
    Raises `UserError` where an answer, as it is now, is not graded.
    """
    keys = {answer.id: answer.key for answer in findings.tested}
    verdicts = headline(
        verdict
        for verdict in findings.verdicts
        if not is_person(verdict.grader) and verdict.answer == keys.get(verdict.id)
    )
    if not keys:
        raise UserError("there are no answers to label yet; run `openbook run` first")
    if missing := keys.keys() - verdicts.keys():
        raise UserError(f"not graded yet: {len(missing)} of {len(keys)} answers; run `openbook grade` first")
    expects = {(context.question, context.condition): context.expects for context in findings.contexts}
    return {
        each: None
        if verdict.verdict == "unscored"
        else is_right(verdict.verdict, expects.get((each.question, each.condition), "answer"))
        for each, verdict in verdicts.items()
    }


def _item(name: str, answer: Answer, question: Question, context: Context | None) -> Item:
    # A question without an answer is asked with true passages under that condition too.
    untrue = context is not None and context.is_counterfactual and context.expects == "answer"
    facts, forbidden = rubric_of(question, context)
    return Item(
        id=name,
        question=question.text,
        expects=context.expects if context else "answer",
        reference="" if untrue else question.answer,
        facts=tuple(map(fact_label, facts)),
        forbidden=tuple(map(fact_label, forbidden)),
        passages=tuple((passage.source, passage.text) for passage in (context.passages if context else ())),
        answer=answer.text,
        note=COUNTERFACTUAL if untrue else "",
    )


def _letters(hexadecimal: str) -> str:
    """Twelve letters for a hash: a spreadsheet would read 12345678e901 as a number."""
    return "".join("bcdfghjkmnpqrstv"[int(digit, 16)] for digit in hexadecimal[:12])
