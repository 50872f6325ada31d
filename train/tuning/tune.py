"""Train adapters, in stacks where they can be, each going on from its last checkpoint."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from train.decoder.memory import keep_freed_memory
from train.errors import RunFailed, UserError
from train.models import memory_of
from train.processes import Processes
from train.recipe import QLoRA
from train.sealing import file_digest, is_sealed, seal
from train.tuning.arguments import dataset, first_step, lora_config, numbered_steps, training_arguments
from train.tuning.checkpoints import RECORD, claim, diverged, last_checkpoint, make_clock, partial_directory
from train.tuning.jobs import Adapter, Card, Job, Progress
from train.tuning.stacks import Memory, Stacked, plan_stacks

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

ALONE = Processes()


def tune(
    jobs: Sequence[Job],
    load: Callable[[QLoRA | None], PreTrainedModel],
    tokenizer: PreTrainedTokenizerBase,
    progress: Progress,
    card: Card | None = None,
    processes: Processes = ALONE,
    stacks: Sequence[Stacked] | None = None,
) -> Iterator[Adapter]:
    """Trains one adapter for each job and yields it once it is safely in its directory.

    All processes call it with the same jobs; the main one writes. `card` makes the adapter's README.md. `load` gives a
    fresh base, in 4 bits where the adapter says so. `stacks` says which jobs are trained together; None finds out.

    A job that was interrupted goes on from its last whole checkpoint and ends at the same weights as if it had not
    been. Of jobs that are trained together, those that diverge are reported when the others are done.

    Raises:
        UserError: an adapter names modules that the base does not have.
        RunFailed: a loss or a weight became infinite or not a number.
    """
    if stacks is None:
        base = load(jobs[0].four_bit)
        memory = Memory(base.device.type, memory_of(base.device.type)[1])
        stacks = plan_stacks(jobs, base.config, str(base.dtype).removeprefix("torch."), memory)
        del base
    failures: list[RunFailed] = []
    for stacked in stacks:
        yield from train_stack(stacked, load(stacked.jobs[0].four_bit), tokenizer, progress, card, processes, failures)
    if failures:
        raise failures[0]


def finished(directory: Path, fingerprint: str) -> Adapter | None:
    """The adapter in that directory, if it is whole and was made from what the fingerprint says."""
    try:
        record = json.loads((directory / RECORD).read_text(encoding="utf-8"))
        digest = file_digest(directory / "adapter_model.safetensors")
        configuration = file_digest(directory / "adapter_config.json")
    except (OSError, ValueError):
        return None
    made = (record.get("fingerprint"), record.get("digest"), record.get("configuration"))
    if not is_sealed(record) or made != (fingerprint, digest, configuration):
        return None
    return Adapter(record["arm"], record["seed"], directory, digest, record)


def train_stack(
    stacked: Stacked,
    base: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    progress: Progress,
    card: Card | None,
    processes: Processes,
    failures: list[RunFailed],
) -> Iterator[Adapter]:
    """Trains the jobs of a stack together; see `tune`. Jobs that diverge are added to `failures`."""
    import torch
    from transformers import EarlyStoppingCallback, PrinterCallback

    from train.decoder.anatomy import take_apart
    from train.tuning.stack import Stack
    from train.tuning.trainer import CompletionTrainer

    jobs = stacked.jobs
    if processes.main:
        for job in jobs:
            claim(job)
    processes.wait()
    checkpoints = [last_checkpoint(job) for job in jobs]
    clock = make_clock(jobs, checkpoints, progress, processes)
    stack = None
    if stacked.stock is None:
        keep_freed_memory()
        model, names = adapted(base, jobs)
        stack = Stack(
            jobs,
            model,
            take_apart(model),
            names,
            processes,
            room=stacked.room,
            checkpointing=stacked.checkpointing,
        )
        options: dict[str, Any] = {
            "stack": stack,
            "train_dataset": numbered_steps(jobs[0].steps * processes.count, processes.count),
            "eval_dataset": numbered_steps(processes.count, processes.count) if jobs[0].validation else None,
            "data_collator": first_step,
        }
    else:
        model = base
        options = {
            "train_dataset": dataset(jobs[0].rows, jobs[0], tokenizer),
            "eval_dataset": dataset(jobs[0].validation, jobs[0], tokenizer) if jobs[0].validation else None,
            "peft_config": lora_config(jobs[0].adapter),
        }
    patience = jobs[0].optimization.patience
    with names_missing_modules(jobs[0]):
        trainer = CompletionTrainer(
            model=model,
            args=training_arguments(jobs[0], base.device.type, base.dtype, stacked=stack is not None),
            processing_class=tokenizer,
            callbacks=[clock, *([EarlyStoppingCallback(patience)] if patience else [])],
            **options,
        )
    clock.trainer = trainer
    trainer.remove_callback(PrinterCallback)
    trainer.train(resume_from_checkpoint=str(checkpoints[0]) if checkpoints[0] else None)
    for number, job in enumerate(jobs):
        adapter = stack.adapters[number] if stack else None
        weights = [adapter.flat] if adapter else [each for each in trainer.model.parameters() if each.requires_grad]
        failure = stack.diverged.get(number) if stack else None
        if failure is None and not all(torch.isfinite(weight).all() for weight in weights):
            failure = diverged(job, "the weights")
        if failure is not None:
            failures.append(failure)
            continue
        steps = trainer.state.global_step
        summary = {
            **summary_of(job, steps, kept_step(job, trainer.state)),
            "together_with": [other.name for other in jobs if other is not job],
            "seconds": round(clock.seconds(number), 1),
            "peak_bytes": clock.peak(),
            "parameters": sum(weight.numel() for weight in weights),
            "loss": clock.losses[number],
            "validation_loss": clock.validation[number],
        }
        if processes.main:
            publish(job, trainer.model, adapter, summary, card)
        processes.wait()
        published = finished(job.directory, job.fingerprint)
        assert published is not None, f"{job.directory} was written and is not there"
        yield published


def adapted(base: PreTrainedModel, jobs: Sequence[Job]) -> tuple[Any, list[str]]:
    """The base with an adapter for each job, made from the job's own seed, and their names."""
    from peft import get_peft_model
    from transformers import set_seed

    names = [f"job{number}" for number in range(len(jobs))]
    model: Any = base
    for job, name in zip(jobs, names, strict=True):
        set_seed(job.seed)
        with names_missing_modules(job):
            if model is base:
                model = get_peft_model(base, lora_config(job.adapter), adapter_name=name)
            else:
                model.add_adapter(name, lora_config(job.adapter))
    return model, names


@contextmanager
def names_missing_modules(job: Job) -> Iterator[None]:
    """Turns PEFT's complaint about target modules into one that names the recipe's field."""
    try:
        yield
    except ValueError as error:
        if "arget modules" not in str(error):
            raise
        wanted = ", ".join(job.adapter.target_modules)
        raise UserError(f"arms.{job.arm}.adapter.target_modules = {wanted}: the model has no such modules") from error


def summary_of(job: Job, steps: int, kept: int) -> dict[str, Any]:
    """What is known of a job after so many steps, whatever computed them."""
    seen = job.rows[: steps * job.rows_per_step]
    return {
        "arm": job.arm,
        "seed": job.seed,
        "condition": job.condition,
        "fingerprint": job.fingerprint,
        "rows": len(job.rows) // job.epochs,
        "epochs": job.epochs,
        "rows_per_step": job.rows_per_step,
        "steps": steps,
        "kept_step": kept,
        "tokens": sum(map(len, seen)),
        "completion_tokens": sum(len(row.completion) for row in seen),
    }


def kept_step(job: Job, state: Any) -> int:
    """The step whose weights are kept."""
    return int(state.best_global_step if job.optimization.keep == "best" else state.global_step)


def publish(job: Job, model: Any, adapter: Any, summary: dict[str, Any], card: Card | None) -> None:
    """Saves the adapter beside its checkpoints and puts it in its place in one step; the checkpoints go."""
    from train.tuning.states import save_adapter

    partial = partial_directory(job)
    final = partial / "final"
    shutil.rmtree(final, ignore_errors=True)
    save_adapter(model, adapter, final)
    weights = final / "adapter_model.safetensors"
    files = {"digest": file_digest(weights), "configuration": file_digest(final / "adapter_config.json")}
    record = seal({**summary, "bytes": weights.stat().st_size, **files})
    (final / RECORD).write_text(json.dumps(record, indent=1), encoding="utf-8")
    if card is not None:
        (final / "README.md").write_text(card(record), encoding="utf-8")
    shutil.rmtree(job.directory, ignore_errors=True)
    final.replace(job.directory)
    shutil.rmtree(partial)
