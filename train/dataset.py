"""The questions and passages of a recipe, read, validated and divided into splits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from train import contexts, data, grading, retrieval
from train.conditions import Condition, Retrieved
from train.errors import InputProblems
from train.recipe import Recipe
from train.records import GENERAL, Passage, Question, general_ids
from train.sealing import digest
from train.serialising import to_json


@dataclass(frozen=True)
class Dataset:
    """The questions, each with its split, and the passages of the corpus and those attached to questions."""

    questions: tuple[Question, ...]
    passages: dict[str, Passage]
    warnings: tuple[str, ...]

    @cached_property
    def shown(self) -> dict[str, Passage]:
        """Every passage that a context can hold, the counterfactual ones too, by id."""
        own = (
            contexts.counterfactual_passage(question, question.counterfactual)
            for question in self.questions
            if question.counterfactual is not None
        )
        return self.passages | {passage.id: passage for passage in own}

    @cached_property
    def general(self) -> frozenset[str]:
        """The ids of the general questions."""
        return general_ids(self.questions)

    @cached_property
    def made_from(self) -> str:
        """A hash of all of it."""
        records = [to_json(record) for record in (*self.questions, *self.shown.values())]
        return digest(records)


def load_dataset(recipe: Recipe) -> Dataset:
    """Reads and validates the recipe's questions and documents; raises `UserError` with every problem."""
    corpus = data.load_corpus(recipe.data.corpus) if recipe.data.corpus is not None else None
    found = data.load_questions(
        recipe.data.questions,
        corpus=corpus.passages if corpus else (),
        check_rubric=grading.check_rubric,
        columns=recipe.data.columns,
    )
    shares = recipe.data.splits
    questions: Sequence[Question] = data.assign_splits(
        found.questions, seed=shares.seed, unseen=shares.unseen, validation=shares.validation
    )
    passages = {passage.id: passage for passage in (*(corpus.passages if corpus else ()), *found.passages)}
    warnings = [*(corpus.warnings if corpus else ()), *found.warnings]
    if recipe.data.general is not None:
        general = load_general(recipe.data.general, {question.id for question in questions})
        questions, warnings = [*questions, *general.questions], [*warnings, *general.warnings]
    if recipe.data.limit is not None:
        questions = first_of_each_split(questions, recipe.data.limit)
    return Dataset(tuple(questions), passages, tuple(warnings))


def load_general(source: Path | str, taken: Collection[str]) -> data.QuestionsFile:
    """The general questions, bare of all that belongs to training and to passages; `taken` are the ids of the others.

    Raises:
        UserError: the file cannot be read.
        InputProblems: every problem in it; an id that is taken, and a question without an answer, among them.
    """
    found = data.load_questions(source, check_rubric=grading.check_rubric)
    problems = [
        f"{source}: general question {question.id!r}: data.questions has a question of that id too; give it another"
        for question in found.questions
        if question.id in taken
    ]
    problems += [
        f"{source}: general question {question.id!r}: is unanswerable, and nothing could be forgotten; remove it"
        for question in found.questions
        if question.split == "unanswerable"
    ]
    if problems:
        raise InputProblems(problems)
    bare = [
        replace(question, split=GENERAL, evidence=(), paraphrases=(), counterfactual=None)
        for question in found.questions
    ]
    return data.QuestionsFile(tuple(bare), (), found.warnings)


def first_of_each_split(questions: Iterable[Question], limit: int) -> list[Question]:
    """The first so many questions of each split, in their order."""
    met: Counter[str] = Counter()
    kept = []
    for question in questions:
        met[question.split] += 1
        if met[question.split] <= limit:
            kept.append(question)
    return kept


def context_rules(
    recipe: Recipe, dataset: Dataset, pool: Sequence[str], conditions: Iterable[Condition]
) -> contexts.ContextRules:
    """The rules for contexts whose distractors and search results come from the pool; indexed only where searched."""
    search = None
    if pool and any(isinstance(condition, Retrieved) for condition in conditions):
        search = retrieval.BM25([dataset.passages[passage] for passage in pool]).search
    return contexts.ContextRules(dataset.passages, pool, grading.rubric_passes, recipe.data.context_seed, search)
