"""The order of the stages: do what the plan says, and note in the manifest what was done."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from train import __version__, models, provenance, sampling, tuning
from train.assess import GradingRules, assess, plan_comparison
from train.dataset import load_dataset
from train.errors import UserError
from train.findings import read_answers
from train.plan import make_plan
from train.prepare import Prepared, contexts_made_from, prepare
from train.progress import Screen
from train.recipe import Recipe
from train.records import Answer, AnswerId, to_json
from train.store import Run, context_record, digest


def execute(recipe: Recipe, run: Run, stages: Sequence[str], screen: Screen, *, dry_run: bool = False) -> None:
    """Carries out these stages of the recipe in the run, each as far as it is not done already.

    Raises:
        UserError: bad input, or a stage was asked for whose own input is not there yet.
        RunFailed: training diverged.
    """
    rules = GradingRules(abstention=recipe.prompt.abstention, nearest_f1=recipe.grading.nearest_f1)
    if not {"train", "sample"} & set(stages):
        require_unchanged(recipe, run)
        run.amend({"recipe": recipe.to_json()})
        plan_comparison(recipe, run)
        assess(run, stages, screen, rules)
        return
    quiet_libraries()
    screen.say(f"openbook {__version__}: recipe {recipe.name} in {run.directory}")
    prepared = prepare(recipe, run, screen.say)
    for warning in prepared.dataset.warnings:
        screen.warn(warning)
    say_plan(prepared, run, screen)
    if dry_run:
        return
    begin(recipe, run)
    freeze(prepared, run)
    if "train" in stages:
        train_arms(prepared, run, screen)
    if "sample" in stages:
        sample_answers(prepared, run, screen)
    assess(run, stages, screen, rules)


def require_unchanged(recipe: Recipe, run: Run) -> None:
    """Raises `UserError` where more than grading and comparison differ from what the stored answers were made by."""
    manifest, now = run.manifest(), recipe.to_json()
    before = manifest["recipe"]
    for stored in (before, now):  # files are compared by what is in them
        stored["data"] = {key: value for key, value in stored["data"].items() if key not in ("questions", "corpus")}
    changed = [name for name in now if name not in ("grading", "comparison") and before.get(name) != now[name]]
    if load_dataset(recipe).made_from != manifest.get("hashes", {}).get("data"):
        changed.append("the questions or passages")
    if changed:
        raise UserError(
            f"{run.directory}: its answers were made from another recipe ({', '.join(changed)} changed since); give "
            "the --set that it was made with, or use `openbook run`, which redoes what depends on the change"
        )


def begin(recipe: Recipe, run: Run) -> None:
    """Creates or renews the manifest, before the first step and after all that bad input can stop."""
    manifest = run.manifest()
    run.amend(
        {
            "schema": 1,
            "openbook": __version__,
            "recipe": recipe.to_json(),
            "created": manifest.get("created") or time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            "versions": provenance.versions(),
            "source": provenance.source_revision(),
            "hardware": provenance.hardware(),
        }
    )


def say_plan(prepared: Prepared, run: Run, screen: Screen) -> None:
    """Says what will be done, what is reused and why, and the choices that could surprise."""
    recipe = prepared.recipe
    device = models.pick_device()
    screen.say(
        f"base {prepared.source.name} in {prepared.dtype} on {device}{why_dtype(recipe, prepared.dtype, device)}"
    )
    if prepared.dropped:
        screen.warn(f"{len(prepared.dropped)} rows are too long and left out, the first: {prepared.dropped[0]}")
    for leak in prepared.audit["leaks"]:
        screen.warn(f"leakage: {leak}")
    screen.say("plan:")
    for step in make_plan(prepared, run):
        screen.say(str(step))


def why_dtype(recipe: Recipe, dtype: str, device: str) -> str:
    """Why that precision was chosen, where it was chosen for the user."""
    if recipe.base.dtype != "auto":
        return ""
    return " (this accelerator computes in bfloat16)" if dtype == "bfloat16" else f" (no bfloat16 units on {device})"


def freeze(prepared: Prepared, run: Run) -> None:
    """Writes what is asked and what is trained on, and the planned contrasts, before the first step."""
    dataset = prepared.dataset
    contexts = [
        context_record(context, prepared.prompts[context.question, context.condition].text)
        for context in prepared.contexts
    ]
    rows = [
        {
            "arm": arm,
            "seed": seed,
            **{key: value for key, value in to_json(row).items() if key != "passages"},
            "passages": [passage.id for passage in row.passages],
        }
        for (arm, seed), rows in prepared.rows.items()
        for row in rows
    ]
    run.unstage("contexts")  # a kill in between must not leave a false mark
    run.write_records("questions.jsonl", [to_json(question) for question in dataset.questions])
    run.write_records("passages.jsonl", [to_json(passage) for passage in dataset.passages.values()])
    run.write_records("contexts.jsonl", contexts)
    run.write_records("training.jsonl", rows)
    plan_comparison(prepared.recipe, run)
    run.amend(
        {
            "base": {"name": prepared.source.name, "commit": prepared.source.commit, "dtype": prepared.dtype},
            "hashes": {
                "base": prepared.source.fingerprint,
                "data": dataset.made_from,
                "contexts": digest(contexts),
                "training": digest(rows),
                "tokenizer": digest(prepared.chat.tokenizer.get_vocab()),
                "chat_template": digest(prepared.chat.tokenizer.chat_template),
            },
            "audit": {**prepared.audit, "dropped_training_rows": list(prepared.dropped)},
        }
    )
    run.stage("contexts", contexts_made_from(prepared.recipe, dataset))


def train_arms(prepared: Prepared, run: Run, screen: Screen) -> None:
    """Trains the adapters that are not there yet."""
    todo = []
    for job in prepared.jobs:
        if tuning.finished(job.directory, job.fingerprint) is None:
            todo.append(job)
        else:
            tuning.tidy(job)
    if todo:
        run.unstage("sampling", "grading")
        begun = sum(tuning.unfinished_steps(job) for job in todo)
        with screen.stage("tuning", sum(job.steps for job in todo), begun) as advance:
            for adapter in tuning.tune(
                todo,
                lambda: models.load_model(prepared.source, prepared.recipe.base),
                prepared.chat.tokenizer,
                lambda job, step, loss: advance(1, f"{job.name}, loss {loss:.3f}"),
            ):
                run.stage(f"tuning {adapter.arm} seed {adapter.seed}", adapter.summary["fingerprint"])
    run.amend({"training": [dict(adapter.summary) for adapter in trained(prepared).values()]})


def trained(prepared: Prepared) -> dict[tuple[str, int], tuning.Adapter]:
    """The adapters, all of them; raises `UserError` where one is not trained yet."""
    adapters = {}
    for job in prepared.jobs:
        adapter = tuning.finished(job.directory, job.fingerprint)
        if adapter is None:
            raise UserError(
                f"arm {job.name} is not trained, or was on other data or settings; run `openbook train` first"
            )
        adapters[job.arm, job.seed] = adapter
    return adapters


def sample_answers(prepared: Prepared, run: Run, screen: Screen) -> None:
    """Draws the answers that are not there yet, and puts the answers file in order."""
    adapters = trained(prepared)
    wanted = prepared.wanted({identifier: adapter.digest for identifier, adapter in adapters.items()})
    run.mend("answers.jsonl")
    pool = {answer.key: answer for answer in (*read_answers(run, "superseded.jsonl"), *read_answers(run))}
    missing = {identifier: key for identifier, key in wanted.items() if key not in pool}
    if missing:
        run.unstage("sampling", "grading")
        model, names = load_adapters(prepared, adapters, {(each.arm, each.seed) for each in missing})

        def handover(answers: list[Answer]) -> None:
            run.append_records("answers.jsonl", [to_json(answer) for answer in answers])
            pool.update((answer.key, answer) for answer in answers)
            advance(len(answers), f"{answers[-1].arm} × {answers[-1].condition}")

        requests = make_requests(prepared, missing, names)
        total = sum(len(request.samples) for request in requests)
        with screen.stage("sampling", total) as advance:
            sampling.answer(
                requests,
                model,
                prepared.chat.tokenizer,
                prepared.settings,
                handover,
                batch_size=prepared.recipe.sampling.batch_size,
            )
    settle(run, wanted, pool)


def settle(run: Run, wanted: Mapping[AnswerId, str], pool: Mapping[str, Answer]) -> None:
    """Writes exactly the wanted answers, in order; others are kept apart, for the day their settings come back.

    The answers that change files are in both for a moment, so that a kill loses none.
    """
    keys = set(wanted.values())
    others = {key: to_json(answer) for key, answer in pool.items() if key not in keys}
    aside = {answer.key: to_json(answer) for answer in read_answers(run, "superseded.jsonl")}
    stored = [(answer.id, answer.key) for answer in read_answers(run)]
    made_from = digest(sorted(wanted.values()))
    if stored != list(wanted.items()):
        run.unstage("sampling", "grading")  # a kill in between must not leave a false mark
        if others.keys() - aside.keys():
            run.write_records("superseded.jsonl", (aside | others).values())
        answers = [
            replace(
                pool[key],
                arm=each.arm,
                seed=each.seed,
                condition=each.condition,
                question=each.question,
                sample=each.sample,
            )
            for each, key in wanted.items()
        ]
        run.write_records("answers.jsonl", [to_json(answer) for answer in answers])
    if others.keys() != (aside | others).keys():
        run.write_records("superseded.jsonl", others.values())
    if run.made_from("sampling") != made_from:
        run.stage("sampling", made_from, answers=len(wanted))


def make_requests(
    prepared: Prepared, missing: Mapping[AnswerId, str], names: Mapping[tuple[str, int], str]
) -> list[sampling.Request]:
    """One request for each question in each cell, with the samples that are missing. One key is asked for once."""
    groups: dict[tuple[str, int, str, str], list[tuple[int, str]]] = {}
    asked: set[str] = set()
    for each, key in missing.items():
        if key not in asked:
            asked.add(key)
            groups.setdefault((each.arm, each.seed, each.condition, each.question), []).append((each.sample, key))
    return [
        sampling.Request(
            arm=arm,
            seed=seed,
            prompt=prepared.prompts[question, condition],
            adapter=names.get((arm, seed)),
            samples=tuple(sample for sample, _ in samples),
            keys=tuple(key for _, key in samples),
        )
        for (arm, seed, condition, question), samples in groups.items()
    ]


def load_adapters(
    prepared: Prepared, adapters: Mapping[tuple[str, int], tuning.Adapter], needed: set[tuple[str, int]]
) -> tuple[Any, dict[tuple[str, int], str]]:
    """The base with the needed adapters loaded beside one another, and the name of each in the model."""
    model: Any = models.load_model(prepared.source, prepared.recipe.base)
    names: dict[tuple[str, int], str] = {}
    for identifier, adapter in adapters.items():
        if identifier not in needed:
            continue
        name = f"adapter{len(names)}"  # an arm's own name may hold what module names may not
        if names:
            model.load_adapter(adapter.directory, adapter_name=name)
        else:
            from peft import PeftModel

            model = PeftModel.from_pretrained(model, adapter.directory, adapter_name=name)
        names[identifier] = name
    model.eval()
    return model, names


def quiet_libraries() -> None:
    """Keeps the libraries' own bars and notices off the screen; ours say what matters."""
    import logging
    import os
    import warnings

    os.environ.setdefault("TQDM_DISABLE", "1")  # read when tqdm is first imported
    import datasets
    import transformers

    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    datasets.disable_progress_bars()
