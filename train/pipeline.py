"""The order of the stages: do what the plan says, and note in the manifest what was done."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from train import __version__, models, provenance, sampling, serving, tuning
from train.asking import sample_answers
from train.assess import GradingRules, assess, plan_comparison
from train.dataset import load_dataset
from train.errors import UserError
from train.judges import LocalJudge
from train.judging import Bench
from train.judging.ready import make_ready
from train.judging.under_test import UnderTest
from train.judging.workload import check_if_needed, judging_step
from train.plan import Step, make_plan
from train.prepare import Prepared, contexts_made_from, prepare
from train.processes import Processes, join, rank
from train.progress import Screen
from train.recipe import Recipe
from train.sealing import digest
from train.serialising import context_record, to_json
from train.store import Run


def execute(
    recipe: Recipe,
    run: Run,
    stages: Sequence[str],
    screen: Screen,
    *,
    dry_run: bool = False,
    redacted: bool = False,
) -> None:
    """Carries out these stages of the recipe in the run, each as far as it is not done already.

    `redacted`: the report is also written without any text of the data.

    Raises:
        UserError: bad input, or a stage was asked for whose own input is not there yet.
        RunFailed: training diverged, or the judge could not be reached.
    """
    rules = GradingRules(abstention=recipe.prompt.abstention, nearest_f1=recipe.grading.nearest_f1)
    bench: Bench | None = None
    if not {"train", "sample"} & set(stages):
        if rank():
            return  # nothing here is worth sharing out
        require_unchanged(recipe, run)
        if "grade" in stages:
            if isinstance(recipe.grading.judge, LocalJudge):
                quiet_libraries()
            bench = make_ready(recipe, UnderTest.of_run(run), screen.say)
        run.amend({"recipe": recipe.to_json()})
        plan_comparison(recipe, run)
        assess(run, stages, screen, rules, bench, redacted=redacted)
        return
    quiet_libraries()
    processes = join()
    if not processes.main:
        processes.wait()  # what has to be downloaded or converted, the main process has
    screen.say(f"openbook {__version__}: recipe {recipe.name} in {run.directory}")
    prepared = prepare(recipe, run, screen.say, processes.count)
    if processes.main:
        processes.wait()
    processes.wait()
    device = models.pick_device()
    memory = tuning.Memory(device, processes.agree(models.memory_of(device)[1]))
    if processes.main:
        for warning in prepared.dataset.warnings:
            screen.warn(warning)
        if "grade" in stages:
            bench = make_ready(recipe, UnderTest.of(prepared.source), screen.say)
        steps = make_plan(prepared, run, memory)
        say_plan(prepared, steps, run, screen, processes, memory, bench)
        if not dry_run:
            if bench:
                check_if_needed(prepared, run, bench, answered=not steps[-1].to_do)
            begin(recipe, run, processes, start_of(steps, stages))
            freeze(prepared, run)
    if dry_run:
        return
    processes.wait()
    if "train" in stages:
        train_arms(prepared, run, screen, processes, memory)
    adapters = trained(prepared)
    if "train" in stages and processes.main:
        run.amend({"training": [dict(adapter.summary) for adapter in adapters.values()]})
    if "sample" in stages:
        sample_answers(prepared, adapters, run, screen, processes)
    if processes.main:
        assess(run, stages, screen, rules, bench, redacted=redacted)


def require_unchanged(recipe: Recipe, run: Run) -> None:
    """Raises `UserError` where more than grading, comparison and costs differ from what made the stored answers."""
    manifest, now = run.manifest(), recipe.to_json()
    before = manifest["recipe"]
    for stored in (before, now):  # files are compared by what is in them
        files = ("questions", "corpus", "general")
        stored["data"] = {key: value for key, value in stored["data"].items() if key not in files}
    changed = [name for name in now if name not in ("grading", "comparison", "costs") and before.get(name) != now[name]]
    if load_dataset(recipe).made_from != manifest.get("hashes", {}).get("data"):
        changed.append("the questions or passages")
    if changed:
        raise UserError(
            f"{run.directory}: its answers were made from another recipe ({', '.join(changed)} changed since); give "
            "the --set that it was made with, or use `openbook run`, which redoes what depends on the change"
        )


def start_of(steps: Sequence[Step], stages: Sequence[str]) -> dict[str, Any] | None:
    """This start for the manifest's `starts`: when, which openbook, what it found of what the recipe wants.

    Steps are those of adapters that are trained in part. None where these stages have nothing left to do.
    """
    tuned = [step for step in steps if step.stage == "tuning"]
    answers = next(step for step in steps if step.stage == "sampling")
    left = ("train" in stages and any(step.to_do for step in tuned)) or ("sample" in stages and answers.to_do)
    if not left:
        return None
    return {
        "when": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "openbook": __version__,
        "adapters": sum(not step.to_do for step in tuned),
        "of_adapters": len(tuned),
        "steps": sum(step.there for step in tuned if step.to_do),
        "answers": answers.there,
        "of_answers": answers.there + answers.to_do,
    }


def begin(recipe: Recipe, run: Run, processes: Processes, start: dict[str, Any] | None) -> None:
    """Creates or renews the manifest, before the first step and after all that bad input can stop."""
    manifest = run.manifest()
    # A run that an earlier version began has no list: what is not known is not made up.
    starts = manifest.get("starts", None if manifest else [])
    if start is not None and starts is not None:
        starts = [*starts, start]
    run.amend(
        {
            "schema": 1,
            "openbook": __version__,
            "recipe": recipe.to_json(),
            "created": manifest.get("created") or time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            "versions": provenance.versions(),
            "source": provenance.source_revision(),
            "hardware": {**provenance.hardware(), "processes": processes.count},
            **({"starts": starts} if starts is not None else {}),
        }
    )


def say_plan(
    prepared: Prepared,
    steps: Sequence[Step],
    run: Run,
    screen: Screen,
    processes: Processes,
    memory: tuning.Memory,
    bench: Bench | None,
) -> None:
    """Says what will be done, what is reused and why, and the choices that could surprise."""
    recipe = prepared.recipe
    device = memory.device
    screen.say(
        f"base {prepared.source.name} in {prepared.dtype} on {device}{why_dtype(recipe, prepared.dtype, device)}"
    )
    if prepared.settings.engine != sampling.ENGINE or "not vLLM" in prepared.engine_chosen:
        screen.say(f"answers by {prepared.settings.engine} ({prepared.engine_chosen})")
    if processes.count > 1:
        rows = sorted({job.rows_per_step for job in prepared.jobs})
        screen.say(f"{processes.count} processes: {', '.join(map(str, rows)) or 'no'} rows in one optimizer step")
    if prepared.dropped:
        screen.warn(f"{len(prepared.dropped)} rows are too long and left out, the first: {prepared.dropped[0]}")
    for leak in prepared.audit["leaks"]:
        screen.warn(f"leakage: {leak}")
    screen.say("plan:")
    *before, last = steps
    judged = [judging_step(prepared, run, bench, answered=not last.to_do)] if bench else []
    for step in (*before, *judged, last):
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
    run.write_records("passages.jsonl", [to_json(passage) for passage in dataset.shown.values()])
    run.write_records("contexts.jsonl", contexts)
    run.write_records("training.jsonl", rows)
    plan_comparison(prepared.recipe, run)
    run.amend(
        {
            "base": {"name": prepared.source.name, "commit": prepared.source.commit, "dtype": prepared.dtype},
            "hashes": {
                "base": prepared.source.fingerprint,
                "weights": prepared.source.weights,
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


def train_arms(prepared: Prepared, run: Run, screen: Screen, processes: Processes, memory: tuning.Memory) -> None:
    """Trains the adapters that are not there yet, all processes at one stack of them."""
    todo = [job for job in prepared.jobs if tuning.finished(job.directory, job.fingerprint) is None]
    processes.wait()  # nobody writes before everybody has looked
    if processes.main:
        for job in prepared.jobs:
            if job not in todo:
                tuning.tidy(job)
    if todo:
        if processes.main:
            run.unstage("sampling", "grading")
        stacks = tuning.plan_stacks(todo, prepared.config, prepared.dtype, memory)
        processes.wait()  # nobody writes before everybody knows what goes on from where
        begun = sum(tuning.unfinished_steps(job) for job in todo)
        with screen.stage("tuning", sum(job.steps for job in todo), begun) as advance:
            for adapter in tuning.tune(
                todo,
                lambda four_bit: models.load_model(prepared.source, prepared.recipe.base, four_bit),
                prepared.chat.tokenizer,
                lambda job, step, loss: advance(1, f"{job.name}, loss {loss:.3f}"),
                lambda summary: serving.card(summary, run.manifest()),
                processes,
                stacks,
            ):
                if processes.main:
                    run.stage(f"tuning {adapter.arm} seed {adapter.seed}", adapter.summary["fingerprint"])


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
