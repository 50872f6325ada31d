"""What each question expects under each condition, and what it was asked with as far as the inputs know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from train.conditions import COUNTERFACTUAL
from train.foreign.records import Given
from train.records import Cell, Context, Passage, Question

Key = tuple[str, str]
"""Question and condition."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The contexts, the prompts that are known, the passages that are shown, and warnings for a person to read."""

    contexts: tuple[Context, ...]
    prompts: Mapping[Key, str]
    passages: tuple[Passage, ...]
    warnings: tuple[str, ...] = ()


def make_contexts(questions: Sequence[Question], cells: Sequence[Cell]) -> list[Context]:
    """What each question expects under each condition; what the models were shown is not known.

    A condition's name says whether it held the answer: `distractors@…` expects abstention, any other an answer,
    except for questions that the corpus cannot answer. Under `counterfactual` the counterfactual passage's rubric
    counts, where the question has one.
    """
    return [
        expected(question, condition)
        for condition in dict.fromkeys(cell.condition for cell in cells)
        for question in questions
    ]


def expected(question: Question, condition: str) -> Context:
    """That question under that condition."""
    other = question.counterfactual if condition == COUNTERFACTUAL.name else None
    return Context(
        question=question.id,
        condition=condition,
        passages=(),
        gold=(),
        expects="abstain" if question.split == "unanswerable" or condition.startswith("distractors@") else "answer",
        facts=other.facts if other else question.facts,
        forbidden=other.forbidden if other else question.forbidden,
    )


def asked_with(questions: Sequence[Question], cells: Sequence[Cell], inputs: Sequence[Given]) -> Asked:
    """The contexts, with the passages of the runs where all inputs that asked a question so showed it the same.

    The rubrics are those of the questions file: the answers of all inputs are graded alike.
    """
    shown: dict[Key, list[Context | None]] = {}
    said: dict[Key, set[str]] = {}
    for given in inputs:
        for key in dict.fromkeys((answer.question, answer.condition) for answer in given.answers):
            shown.setdefault(key, []).append(given.facts.contexts.get(key) if given.facts else None)
            said.setdefault(key, set()).add(given.facts.prompts.get(key, "") if given.facts else "")
    agreed = {key: known for key, contexts in shown.items() if (known := common(contexts)) is not None}
    # Two runs can give one id to passages of different texts, of which only one could be stored.
    first: dict[str, Passage] = {}
    torn = {
        passage.id
        for context in agreed.values()
        for passage in context.passages
        if first.setdefault(passage.id, passage) != passage
    }
    contexts, unknown = [], Counter[str]()
    for plain in make_contexts(questions, cells):
        key = plain.question, plain.condition
        known = agreed.get(key)
        if known is not None and torn.isdisjoint(passage.id for passage in known.passages):
            contexts.append(replace(plain, passages=known.passages, gold=known.gold))
        else:
            contexts.append(plain)
            unknown[plain.condition] += any(context and context.passages for context in shown.get(key, ()))
    passages = {passage.id: passage for context in contexts for passage in context.passages}
    warnings = [
        f"condition {condition}: for {count} question(s) the inputs do not all say, or not the same, what they were "
        "asked with; the report shows no passages there"
        for condition, count in unknown.items()
        if count
    ]
    prompts = {key: next(iter(texts)) for key, texts in said.items() if len(texts) == 1}
    return Asked(tuple(contexts), prompts, tuple(passages.values()), tuple(warnings))


def common(contexts: Sequence[Context | None]) -> Context | None:
    """The first context, where all show the same passages and have the same gold; None where one is not known."""
    first, *others = contexts
    if first is None or any(other is None for other in others):
        return None
    same = all(other and (other.passages, other.gold) == (first.passages, first.gold) for other in others)
    return first if same else None


def with_splits(questions: Sequence[Question], inputs: Sequence[Given]) -> list[Question]:
    """The questions under the splits that the runs gave them, where the questions file has none and the runs agree."""
    found: dict[str, set[str]] = {question.id: set() for question in questions}
    for known in (given.facts.questions for given in inputs if given.facts):
        for id in found.keys() & known.keys():
            found[id].add(known[id].split)
    if any(question.split for question in questions) or not all(
        len(splits) == 1 and all(splits) for splits in found.values()
    ):
        return list(questions)
    return [replace(question, split=next(iter(found[question.id]))) for question in questions]


def abstention_of(inputs: Sequence[Given]) -> tuple[str, str]:
    """The sentence that the runs were told to abstain with, and a warning where there are several."""
    told = {given.facts.abstention for given in inputs if given.facts and given.facts.abstention}
    if len(told) > 1:
        sentences = ", ".join(map(repr, sorted(told)))
        return "", f"the runs were told to abstain with different sentences ({sentences}); give one with --abstention"
    return next(iter(told), ""), ""
