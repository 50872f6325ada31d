"""What a recipe means here, before the first step: its data, contexts, prompts and training jobs, all checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import TemplateError
from pydantic import TypeAdapter

from train import contexts, data, grading, models, tuning
from train.errors import InputProblems, UserError, nearest
from train.prompts import ChatFormat, Tokens
from train.recipe import Recipe, Tuned
from train.records import AnswerId, Context, Passage, Prompt, Question, TrainingRow, to_json
from train.sampling import Settings, answer_key
from train.store import Run, digest, revive_context

TUNING = "sft-1"
"""Part of every adapter's fingerprint; raise it when training makes other weights of the same rows."""

Passages = dict[str, Passage]


@dataclass(frozen=True, slots=True)
class Dataset:
    """The questions, each with its split, and the passages."""

    questions: tuple[Question, ...]
    passages: Passages
    warnings: tuple[str, ...]

    @property
    def made_from(self) -> str:
        """A hash of all of it."""
        records = [to_json(record) for record in (*self.questions, *self.passages.values())]
        return digest(records)


@dataclass(frozen=True, slots=True)
class Prepared:
    """All that is known before the first step: what is asked, what is trained on, and what was found in the data."""

    recipe: Recipe
    source: models.Source
    chat: ChatFormat
    dataset: Dataset
    contexts: tuple[Context, ...]
    prompts: Mapping[tuple[str, str], Prompt]
    jobs: tuple[tuning.Job, ...]
    rows: Mapping[tuple[str, int], Sequence[TrainingRow]]
    dropped: tuple[str, ...]
    audit: Mapping[str, Any]
    settings: Settings
    dtype: str

    def weights(self, adapter: str | None) -> str:
        """What identifies the weights that answer: the base, its precision, and the adapter's hash."""
        return f"{self.source.fingerprint} {self.dtype} {adapter or 'untouched'}"

    def wanted(self, digests: Mapping[tuple[str, int], str]) -> dict[AnswerId, str]:
        """Every answer that the recipe asks for, with its key; arms whose adapter is not there yet are left out."""
        recipe, wanted = self.recipe, {}
        for arm, kind in recipe.arms.items():
            for seed in recipe.seeds_of(arm):
                adapter = digests.get((arm, seed))
                if isinstance(kind, Tuned) and adapter is None:
                    continue
                weights = self.weights(adapter)
                for context in self.contexts:
                    prompt = self.prompts[context.question, context.condition]
                    for sample in range(recipe.sampling.samples):
                        key = answer_key(weights, prompt, self.settings, context.question, sample)
                        wanted[AnswerId(arm, seed, context.condition, context.question, sample)] = key
        return wanted


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


def prepare(recipe: Recipe, run: Run | None = None, say: models.Say = models.silent) -> Prepared:
    """Everything up to the first step of training. A run's frozen contexts are taken as they are.

    Raises:
        UserError: anything that would stop the run later: bad data, contexts that cannot be made, prompts that do not
            fit into the model's window, training rows that are too long.
    """
    dataset = load_dataset(recipe)
    asked = [question for question in dataset.questions if question.split in recipe.ask]
    if not asked:
        raise InputProblems(
            [
                f"ask = {', '.join(recipe.ask)}: no question of {recipe.data.questions} has such a split; "
                "give some rows that split, or ask others"
            ]
        )
    made = frozen_contexts(recipe, dataset, asked, run)
    source = models.resolve(recipe.base, say)
    tokenizer = models.load_tokenizer(source, recipe.base)
    config = models.load_config(source, recipe.base)
    chat = chat_format(recipe, source, tokenizer)
    check_modules(recipe, models.linear_layers(config, recipe.base))
    window = models.window(config)
    texts = {question.id: question.text for question in asked}
    prompts = {}
    for context in made:
        text, tokens = chat.prompt(recipe.prompt, texts[context.question], context.passages)
        prompts[context.question, context.condition] = Prompt(context.question, context.condition, text, tokens)
    check_window(prompts.values(), recipe.sampling.max_new_tokens, window)
    jobs, rows, dropped = training_jobs(recipe, dataset, chat, source, window, run)
    any_rows = [row for seeds in rows.values() for row in seeds]
    return Prepared(
        recipe=recipe,
        source=source,
        chat=chat,
        dataset=dataset,
        contexts=tuple(made),
        prompts=prompts,
        jobs=tuple(jobs),
        rows=rows,
        dropped=tuple(dropped),
        audit=data.audit(dataset.questions, any_rows, made),
        settings=Settings(
            temperature=recipe.sampling.temperature,
            top_p=recipe.sampling.top_p,
            max_new_tokens=recipe.sampling.max_new_tokens,
            seed=recipe.sampling.seed,
            stop=tuple(sorted(chat.stop)),
        ),
        dtype=str(models.pick_dtype(recipe.base, models.pick_device())).removeprefix("torch."),
    )


def chat_format(recipe: Recipe, source: models.Source, tokenizer: Any) -> ChatFormat:
    """The base's chat format, checked; raises `UserError` for a template that cannot be used."""
    try:
        chat = ChatFormat.of(tokenizer, models.stop_tokens(source))
    except (UserError, TemplateError) as error:
        reason = f"the chat template fails: {error}" if isinstance(error, TemplateError) else error
        raise UserError(f"base.model = {recipe.base.model!r}: {reason}; use another instruct model") from error
    chat.check_system(recipe.prompt)
    return chat


def check_modules(recipe: Recipe, layers: Sequence[str]) -> None:
    """Raises `UserError` for an adapter on modules that the model does not have."""
    kinds = sorted({layer.rpartition(".")[2] for layer in layers})
    for arm, tuned in recipe.arms.items():
        if isinstance(tuned, Tuned) and tuned.adapter.target_modules != ("all-linear",):
            for module in tuned.adapter.target_modules:
                if not any(layer == module or layer.endswith(f".{module}") for layer in layers):
                    raise UserError(
                        f"arms.{arm}.adapter.target_modules: the model has no linear layer {module!r}"
                        f"{nearest(module, kinds)}"
                    )


def contexts_made_from(recipe: Recipe, dataset: Dataset) -> str:
    """What the test contexts depend on."""
    return digest(
        [
            dataset.made_from,
            [condition.name for condition in recipe.conditions],
            list(recipe.ask),
            recipe.data.context_seed,
        ]
    )


def frozen_contexts(recipe: Recipe, dataset: Dataset, asked: Sequence[Question], run: Run | None) -> list[Context]:
    """The test contexts: those that the run froze, if they were made from the same, else made now."""
    if run is not None and run.made_from("contexts") == contexts_made_from(recipe, dataset):
        return [revive_context(record, dataset.passages) for record in run.records("contexts.jsonl")]
    rules = contexts.ContextRules(
        dataset.passages, tuple(dataset.passages), grading.rubric_passes, recipe.data.context_seed
    )
    problems: list[str] = []
    made: list[Context] = []
    for condition in recipe.conditions:
        try:
            made += contexts.make_contexts(condition, asked, rules)
        except InputProblems as error:
            problems += error.problems
    if problems:
        raise InputProblems(problems[:20] + ([f"… and {len(problems) - 20} more"] if len(problems) > 20 else []))
    return made


def check_window(prompts: Any, new_tokens: int, window: int | None) -> None:
    """Raises `InputProblems` for prompts that leave no room for the answer in the model's window."""
    problems = [
        f"question {prompt.question!r} under condition {prompt.condition}: its prompt has {len(prompt.tokens)} tokens, "
        f"with {new_tokens} new ones more than the model's window of {window}; shorten the passages or ask for fewer"
        for prompt in prompts
        if window is not None and len(prompt.tokens) + new_tokens > window
    ]
    if problems:
        raise InputProblems(problems[:20] + ([f"… and {len(problems) - 20} more"] if len(problems) > 20 else []))


def training_jobs(
    recipe: Recipe, dataset: Dataset, chat: ChatFormat, source: models.Source, window: int | None, run: Run | None
) -> tuple[list[tuning.Job], dict[tuple[str, int], list[TrainingRow]], list[str]]:
    """One job for each tuned arm and training seed, the rows it is made of, and what was left out as too long."""
    trained = [question for question in dataset.questions if question.split in ("train", "validation")]
    evidence = {passage: None for question in trained if question.split == "train" for passage in question.evidence}
    rules = contexts.ContextRules(dataset.passages, tuple(evidence), grading.rubric_passes, recipe.data.context_seed)

    @lru_cache(maxsize=100_000)
    def tokens(text: str, passages: tuple[str, ...], completion: str) -> tuple[Tokens, Tokens]:
        shown = [dataset.passages[passage] for passage in passages]
        return (
            chat.prompt(recipe.prompt, text, shown)[1],
            chat.completion(recipe.prompt, text, shown, completion),
        )

    def encode(rows: Sequence[TrainingRow]) -> list[tuning.TokenRow]:
        return [
            tuning.TokenRow(*tokens(row.text, tuple(passage.id for passage in row.passages), row.completion))
            for row in rows
        ]

    jobs, all_rows, all_dropped = [], {}, []
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
        for seed in recipe.seeds_of(arm):
            rows = contexts.training_rows(
                tuned.condition,
                trained,
                rules,
                epochs=optimization.epochs,
                seed=seed,
                abstention=recipe.prompt.abstention,
            )
            checks = contexts.validation_rows(tuned.condition, trained, rules, abstention=recipe.prompt.abstention)
            kept, dropped = tuning.select_rows(
                encode(rows),
                [f"question {row.question!r}, arm {arm}" for row in rows],
                limit,
                drop=optimization.too_long == "drop",
            )
            settings = TypeAdapter(type(optimization)).dump_python(optimization, mode="json")
            settings.pop("checkpoint_epochs")  # how often progress is saved changes nothing that is learnt
            made_from = [
                TUNING,
                source.fingerprint,
                recipe.base.dtype,
                [[row.prompt, row.completion] for row in kept],
                TypeAdapter(type(tuned.adapter)).dump_python(tuned.adapter, mode="json"),
                settings,
                seed,
            ]
            all_rows[arm, seed] = rows
            all_dropped += dropped
            jobs.append(
                tuning.Job(
                    arm=arm,
                    seed=seed,
                    condition=tuned.condition.name,
                    rows=kept,
                    epochs=optimization.epochs,
                    validation=tuning.select_rows(encode(checks), [""] * len(checks), limit, drop=True)[0],
                    adapter=tuned.adapter,
                    optimization=optimization,
                    fingerprint=digest(made_from),
                    directory=run.adapter(arm, seed) if run is not None else Path(arm) / f"seed-{seed}",
                )
            )
    return jobs, all_rows, all_dropped
