"""Is an answer what the model says without its context: does its memory speak, and not the passage?"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from train.conditions import NONE
from train.grading.normalise import Normalised, normal_form
from train.grading.rubric import compile_rubric
from train.records import Answer, Context, Question

Memory = Mapping[tuple[str, int, str], str]
"""(arm, training seed, question) -> the normalised text that most of its answers without context have."""


def recall(answers: Iterable[Answer]) -> Memory:
    """What each model says without context, where more than half of its answers to a question say the same."""
    said: dict[tuple[str, int, str], Counter[str]] = defaultdict(Counter)
    for answer in answers:
        if answer.condition == NONE.name:
            said[answer.arm, answer.seed, answer.question][normal_form(answer.text).text] += 1
    found = {}
    for place, texts in said.items():
        text, count = texts.most_common(1)[0]
        if text and 2 * count > texts.total():
            found[place] = text
    return found


def is_remembered(
    answer: Answer, text: Normalised, context: Context | None, question: Question, memory: Memory
) -> bool:
    """Whether the answer, `text` once normalised, agrees with the model's memory.

    Under a counterfactual context: it passes the question's own rubric, which is about the true fact. Under any
    context: most answers of the same model to the same question without context are the same, word for word. That
    misses a memory told in other words, so what is found is the least there is.
    """
    if answer.condition == NONE.name:
        return False
    counterfactual = context is not None and context.is_counterfactual
    if counterfactual and compile_rubric(question.facts, question.forbidden).judge(text).passed:
        return True
    return bool(text.text) and memory.get((answer.arm, answer.seed, answer.question)) == text.text
