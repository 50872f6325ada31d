"""What a recipe means here, before the first step: its data, contexts, prompts and training jobs, all checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import TemplateError

from train import contexts, data, models, tuning
from train.conditions import NONE
from train.dataset import Dataset, context_rules, load_dataset
from train.errors import InputProblems, UserError, nearest
from train.jobs import training_jobs
from train.prompts import ChatFormat
from train.recipe import Recipe, Tuned
from train.records import AnswerId, Context, Prompt, Question, TrainingRow
from train.sampling import Settings, answer_key, pick_engine
from train.sealing import digest, unsealed
from train.serialising import revive_context
from train.store import Run

BLOCK = 64
"""The weights that bitsandbytes holds in 4 bits with one common scale."""


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
    config: Any
    dtype: str
    engine_chosen: str

    @property
    def answers(self) -> int:
        """How many answers the recipe asks for."""
        recipe = self.recipe
        asked = sum(
            len(recipe.seeds_of(arm)) * self.asks(arm, context) for arm in recipe.arms for context in self.contexts
        )
        return asked * recipe.sampling.samples

    def asks(self, arm: str, asked: Context | Prompt) -> bool:
        """Whether the arm is asked that question under that condition; every arm is asked the general questions."""
        return asked.question in self.dataset.general or self.recipe.asks(arm, asked.condition)

    def weights(self, arm: str, adapter: str | None) -> str:
        """What identifies the weights that answer: the base, its precision, and the adapter's hash."""
        four_bit = self.recipe.arms[arm].quantization
        precision = f"{four_bit.precision} in {self.dtype}" if four_bit else self.dtype
        return f"{self.source.fingerprint} {precision} {adapter or 'untouched'}"

    def wanted(self, digests: Mapping[tuple[str, int], str]) -> dict[AnswerId, str]:
        """Every answer that the recipe asks for, with its key; arms whose adapter is not there yet are left out."""
        recipe, wanted = self.recipe, {}
        for arm, kind in recipe.arms.items():
            for seed in recipe.seeds_of(arm):
                adapter = digests.get((arm, seed))
                if isinstance(kind, Tuned) and adapter is None:
                    continue
                weights = self.weights(arm, adapter)
                for context in self.contexts:
                    if not self.asks(arm, context):
                        continue
                    prompt = self.prompts[context.question, context.condition]
                    for sample in range(recipe.sampling.samples):
                        key = answer_key(weights, prompt, self.settings, context.question, sample)
                        wanted[AnswerId(arm, seed, context.condition, context.question, sample)] = key
        return wanted


def prepare(recipe: Recipe, run: Run | None = None, say: models.Say = models.silent, processes: int = 1) -> Prepared:
    """Everything up to the first step of training, by so many processes. A run's frozen contexts are taken as they are.

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
    made = asked_contexts(recipe, dataset, asked, run)
    source = models.resolve(recipe.base, say)
    tokenizer = models.load_tokenizer(source, recipe.base)
    config = models.load_config(source, recipe.base)
    chat = chat_format(recipe, source, tokenizer)
    layers = models.linear_layers(config, recipe.base)
    check_modules(recipe, list(layers))
    if models.pick_device() == "cpu":
        check_blocks(recipe, layers)
    window = models.window(config)
    texts = {question.id: question.text for question in dataset.questions}
    prompts = {}
    for context in made:
        text, tokens = chat.prompt(recipe.prompt, texts[context.question], context.passages)
        prompts[context.question, context.condition] = Prompt(context.question, context.condition, text, tokens)
    check_window(prompts.values(), recipe.sampling.max_new_tokens, window)
    engine, why_engine = pick_engine(recipe, models.pick_device(), processes)
    dtype = str(models.pick_dtype(recipe.base, models.pick_device())).removeprefix("torch.")
    folder = run.adapter if run is not None else lambda arm, seed: Path(arm, f"seed-{seed}")
    jobs, rows, dropped = training_jobs(
        recipe,
        dataset,
        chat,
        weights=f"{source.fingerprint} {dtype}",
        window=window,
        folder=folder,
        processes=processes,
    )
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
            engine=engine,
        ),
        engine_chosen=why_engine,
        config=config,
        dtype=dtype,
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
                        f"arms.{arm}.adapter.target_modules: the model has no linear layer {module!r} that an adapter "
                        f"could be on{nearest(module, kinds)}"
                    )


def check_blocks(recipe: Recipe, layers: Mapping[str, int]) -> None:
    """Raises `UserError` for an arm in 4 bits on layers whose rows are no whole blocks of weights.

    On a CPU with AVX-512, bitsandbytes 0.50 unpacks rows of 96 weights, for one, into wrong numbers and says nothing.
    """
    uneven = {layer: inputs for layer, inputs in layers.items() if inputs % BLOCK}
    for arm, tuned in recipe.arms.items():
        if uneven and tuned.quantization is not None:
            layer, inputs = next(iter(uneven.items()))
            raise UserError(
                f"arms.{arm}.adapter: QLoRA on a CPU needs layers whose inputs are a multiple of {BLOCK}, and "
                f"{layer.rpartition('.')[2]} has {inputs}; use LoRA, or a GPU"
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


def frozen_contexts(recipe: Recipe, dataset: Dataset, run: Run) -> list[Context]:
    """The test contexts that the run froze, if they were made from the same and are all there; else none."""
    if run.made_from("contexts") != contexts_made_from(recipe, dataset):
        return []
    stored = run.records("contexts.jsonl")
    if digest([unsealed(record) for record in stored]) != run.manifest()["hashes"]["contexts"]:
        return []
    return [revive_context(record, dataset.shown) for record in stored]


def asked_contexts(recipe: Recipe, dataset: Dataset, asked: Sequence[Question], run: Run | None) -> list[Context]:
    """The contexts of the questions asked and of the general ones, which have none: those that the run froze, else
    made now."""
    if run is not None and (frozen := frozen_contexts(recipe, dataset, run)):
        return frozen
    rules = context_rules(recipe, dataset, tuple(dataset.passages), recipe.conditions)
    problems: list[str] = []
    made: list[Context] = []
    for condition in recipe.conditions:
        try:
            made += contexts.make_contexts(condition, asked, rules)
        except InputProblems as error:
            problems += error.problems
    if problems:
        raise InputProblems(problems[:20] + ([f"… and {len(problems) - 20} more"] if len(problems) > 20 else []))
    general = [question for question in dataset.questions if question.id in dataset.general]
    return made + contexts.make_contexts(NONE, general, rules)


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
