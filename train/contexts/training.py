"""The rows an arm is trained on: every wording of every training question, in every epoch, with its context."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from train.conditions import Condition, Retrieved
from train.contexts.build import ContextRules, generator, make_context, make_contexts
from train.errors import InputProblems
from train.records import Question, TrainingRow


def training_rows(
    condition: Condition, questions: Sequence[Question], rules: ContextRules, *, epochs: int, seed: int, abstention: str
) -> list[TrainingRow]:
    """All rows of all epochs in the order in which they are trained on.

    Each epoch draws its distractors and its order afresh: distractors from `rules.seed`, so that they are the same for
    every training seed, the order from `seed`. Where the context does not support the answer, the target is the
    abstention; without context it is the answer, which is then learnt by heart.

    Raises:
        InputProblems: a question lacks the evidence, or the pool the distractors, that the condition needs.
    """
    trained = [question for question in questions if question.split == "train"]
    make_contexts(condition, trained, rules)  # says at once what is wrong with all of them
    if isinstance(condition, Retrieved) and (unknown := [each.id for each in trained if not each.evidence]):
        raise InputProblems(
            f"question {name!r}: names no evidence, so that what a search misses cannot be told in training under "
            f"{condition.name}; fill its column 'evidence'"
            for name in unknown
        )
    rows: list[TrainingRow] = []
    for epoch in range(epochs):
        epoch_rows = [
            row(condition, question, rules, text, number, epoch, abstention)
            for question in trained
            for number, text in enumerate((question.text, *question.paraphrases))
        ]
        generator(seed, "all", f"training order {epoch}").shuffle(epoch_rows)
        rows += epoch_rows
    return rows


def validation_rows(
    condition: Condition, questions: Sequence[Question], rules: ContextRules, *, abstention: str
) -> list[TrainingRow]:
    """The validation questions under the condition that the arm is trained under; the same after every epoch.

    Raises:
        InputProblems: a question lacks the evidence, or the pool the distractors, that the condition needs.
    """
    asked = [question for question in questions if question.split == "validation"]
    make_contexts(condition, asked, rules)  # says at once what is wrong with all of them
    return [row(condition, question, rules, question.text, 0, -1, abstention) for question in asked]


def row(
    condition: Condition, question: Question, rules: ContextRules, text: str, number: int, epoch: int, abstention: str
) -> TrainingRow:
    """The row that teaches what the context expects; each wording draws its own distractors."""
    wording = replace(question, id=f"{question.id}#{number}", text=text)
    context = make_context(condition, wording, rules, occasion=f"epoch {epoch}")
    missed = isinstance(condition, Retrieved) and not context.gold
    completion = question.answer if context.expects == "answer" and not missed else abstention
    return TrainingRow(question.id, text, completion, context.passages, context.gold, number, max(epoch, 0))
