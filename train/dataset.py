"""The questions and passages of a recipe, read, validated and divided into splits."""

from __future__ import annotations

from dataclasses import dataclass

from train import data, grading
from train.recipe import Recipe
from train.records import Passage, Question, to_json
from train.store import digest


@dataclass(frozen=True, slots=True)
class Dataset:
    """The questions, each with its split, and the passages."""

    questions: tuple[Question, ...]
    passages: dict[str, Passage]
    warnings: tuple[str, ...]

    @property
    def made_from(self) -> str:
        """A hash of all of it."""
        records = [to_json(record) for record in (*self.questions, *self.passages.values())]
        return digest(records)


def load_dataset(recipe: Recipe) -> Dataset:
    """Reads and validates the recipe's questions and documents; raises `UserError` with every problem."""
    corpus = data.load_corpus(recipe.data.corpus) if recipe.data.corpus is not None else None
    found = data.load_questions(
        recipe.data.questions,
        corpus=corpus.passages if corpus else (),
        check_rubric=grading.check_rubric,
    )
    shares = recipe.data.splits
    questions = data.assign_splits(
        found.questions, seed=shares.seed, unseen=shares.unseen, validation=shares.validation
    )
    passages = {passage.id: passage for passage in (*(corpus.passages if corpus else ()), *found.passages)}
    return Dataset(tuple(questions), passages, (*(corpus.warnings if corpus else ()), *found.warnings))
