"""The training jobs that a recipe means: the rows of every tuned arm in tokens, and what makes each adapter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pydantic import TypeAdapter

from train import contexts, tuning
from train.dataset import Dataset, context_rules
from train.errors import InputProblems
from train.prompts import ChatFormat, Tokens
from train.recipe import Optimization, Recipe, Tuned
from train.records import TrainingRow
from train.sealing import digest

TUNING = "sft-3"
"""Part of every adapter's fingerprint; raise it when training makes other weights of the same rows."""

Rows = dict[tuple[str, int], list[TrainingRow]]
"""The rows that are trained on, by arm and training seed."""

Encode = Callable[[Sequence[TrainingRow]], list[tuning.TokenRow]]


@dataclass(frozen=True, slots=True)
class Fitted:
    """Rows that are short enough to be trained on, as they are and in tokens, and a line on each of the others."""

    rows: list[TrainingRow]
    tokens: list[tuning.TokenRow]
    left_out: list[str]


def training_jobs(
    recipe: Recipe,
    dataset: Dataset,
    chat: ChatFormat,
    *,
    weights: str,
    window: int | None,
    folder: Callable[[str, int], Path],
    processes: int = 1,
) -> tuple[list[tuning.Job], Rows, list[str]]:
    """One job for each tuned arm and training seed, the rows it is made of, and what was left out as too long.

    `weights` identifies the base and its precision; `folder` says where an arm's adapter of a seed belongs; so many
    `processes` train it. Their number is no part of what makes an adapter: one that is there is not trained again
    because the machine has another number of GPUs. Its summary has the rows of a step.

    Raises:
        InputProblems: an arm has nothing to train on, or rows are too long and the recipe does not drop them.
    """
    encode = encoder(recipe, dataset, chat)
    trained = [question for question in dataset.questions if question.split in ("train", "validation")]
    evidence = {passage: None for question in trained if question.split == "train" for passage in question.evidence}
    tuned_under = [arm.condition for arm in recipe.arms.values() if isinstance(arm, Tuned)]
    rules = context_rules(recipe, dataset, tuple(evidence), tuned_under)
    jobs: list[tuning.Job] = []
    all_rows: Rows = {}
    left_out: dict[str, None] = {}
    for arm, tuned in recipe.arms.items():
        if not isinstance(tuned, Tuned):
            continue
        if not any(question.split == "train" for question in trained):
            raise InputProblems(
                [
                    f"arms.{arm}: no question of {recipe.data.questions} has the split 'train'; "
                    "give some rows that split, or drop the arm"
                ]
            )
        optimization = recipe.optimization_of(arm)
        limit = min(filter(None, (optimization.max_length, window)), default=None)
        training = {}
        for seed in recipe.seeds_of(arm):
            rows = contexts.training_rows(
                tuned.condition,
                trained,
                rules,
                epochs=optimization.epochs,
                seed=seed,
                abstention=recipe.prompt.abstention,
            )
            training[seed] = fitted(rows, encode, f"training row, arm {arm}", limit, optimization)
            if not training[seed].rows:
                raise InputProblems([f"arms.{arm}: no training row fits into {limit} tokens; shorten the passages"])
        checks = contexts.validation_rows(tuned.condition, trained, rules, abstention=recipe.prompt.abstention)
        validation = fitted(checks, encode, f"validation row, arm {arm}", limit, optimization)
        if optimization.watched and not validation.rows:
            raise InputProblems(
                [
                    f"arms.{arm}: optimization.keep = 'best' and optimization.patience go by the validation loss, and "
                    "there is no validation row; give some questions the split 'validation'"
                ]
            )
        for each in (*training.values(), validation):
            left_out.update(dict.fromkeys(each.left_out))
        settings = TypeAdapter(type(optimization)).dump_python(optimization, mode="json")
        settings["batch_size"] *= settings.pop("accumulation")
        # What changes nothing that is learnt, or is in the rows already. Where the validation loss decides which
        # weights are kept, so does how often it is looked at, and on what.
        unimportant = ["max_length", "too_long", "gradient_checkpointing"]
        for name in [*unimportant, *([] if optimization.watched else ["checkpoint_epochs"])]:
            settings.pop(name)
        decisive = [[[row.prompt, row.completion] for row in validation.tokens]] if optimization.watched else []
        for seed, kept in training.items():
            made_from = [
                TUNING,
                weights,
                [[row.prompt, row.completion] for row in kept.tokens],
                TypeAdapter(type(tuned.adapter)).dump_python(tuned.adapter, mode="json"),
                settings,
                seed,
                *decisive,
            ]
            all_rows[arm, seed] = kept.rows
            jobs.append(
                tuning.Job(
                    arm=arm,
                    seed=seed,
                    condition=tuned.condition.name,
                    rows=kept.tokens,
                    epochs=optimization.epochs,
                    validation=validation.tokens,
                    adapter=tuned.adapter,
                    optimization=optimization,
                    fingerprint=digest(made_from),
                    directory=folder(arm, seed),
                    processes=processes,
                )
            )
    return jobs, all_rows, list(left_out)


def fitted(
    rows: Sequence[TrainingRow], encode: Encode, name: str, limit: int | None, optimization: Optimization
) -> Fitted:
    """The rows that are short enough; raises `InputProblems` for others unless the recipe drops them."""
    tokens = encode(rows)
    names = [f"{name}, question {row.question!r}, wording {row.number}" for row in rows]
    kept, left_out = tuning.select_rows(tokens, names, limit, drop=optimization.too_long == "drop")
    return Fitted([rows[index] for index in kept], [tokens[index] for index in kept], left_out)


def encoder(recipe: Recipe, dataset: Dataset, chat: ChatFormat) -> Encode:
    """Renders training rows to tokens; what an epoch or another arm repeats is rendered once."""
    known = dataset.shown

    @lru_cache(maxsize=100_000)
    def tokens(text: str, passages: tuple[str, ...], completion: str) -> tuple[Tokens, Tokens]:
        shown = [known[passage] for passage in passages]
        return (
            chat.prompt(recipe.prompt, text, shown)[1],
            chat.completion(recipe.prompt, text, shown, completion),
        )

    def encode(rows: Sequence[TrainingRow]) -> list[tuning.TokenRow]:
        return [
            tuning.TokenRow(*tokens(row.text, tuple(passage.id for passage in row.passages), row.completion))
            for row in rows
        ]

    return encode
