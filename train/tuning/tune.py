"""Train adapters, one job after another, each going on from its last checkpoint."""

from __future__ import annotations

import json
import math
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from train.errors import RunFailed, UserError
from train.models.source import file_digest
from train.recipe import LoRA
from train.store import is_sealed, seal
from train.tuning.jobs import Adapter, Job, Progress

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase
    from trl import SFTConfig

RECORD = "openbook.json"
"""In an adapter directory: how the adapter was made. In a checkpoint: the seconds it took so far."""


def tune(
    jobs: Sequence[Job],
    load: Callable[[], PreTrainedModel],
    tokenizer: PreTrainedTokenizerBase,
    progress: Progress,
) -> Iterator[Adapter]:
    """Trains one adapter for each job and yields it once it is safely in its directory.

    `load` gives a fresh base. A job that was interrupted goes on from its last whole checkpoint and ends at the same
    weights as if it had not been.

    Raises:
        UserError: the adapter names modules that the base does not have.
        RunFailed: a loss or a weight became infinite or not a number.
    """
    for job in jobs:
        yield train_one(job, load(), tokenizer, progress)


def tidy(job: Job) -> None:
    """Removes the checkpoints of a job whose adapter is there already (a kill can come between the two)."""
    shutil.rmtree(partial_directory(job), ignore_errors=True)


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


def train_one(job: Job, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, progress: Progress) -> Adapter:
    """Trains the job's adapter; see `tune`."""
    import torch
    from datasets import Dataset
    from transformers import PrinterCallback

    from train.tuning.trainer import CompletionTrainer

    partial = partial_directory(job)
    claim(partial, job.fingerprint)
    checkpoint = last_checkpoint(partial, job.fingerprint)
    clock = make_clock(job, checkpoint, progress)
    try:
        trainer = CompletionTrainer(
            model=model,
            args=training_arguments(job, partial, model.device.type, model.dtype),
            train_dataset=Dataset.from_list([row.features() for row in job.rows]),
            eval_dataset=Dataset.from_list([row.features() for row in job.validation]) if job.validation else None,
            processing_class=tokenizer,
            peft_config=lora_config(job.adapter),
            callbacks=[clock],
        )
    except ValueError as error:
        if "arget modules" not in str(error):
            raise
        wanted = ", ".join(job.adapter.target_modules)
        raise UserError(f"arms.{job.arm}.adapter.target_modules = {wanted}: the model has no such modules") from error
    trainer.remove_callback(PrinterCallback)
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    if not all(torch.isfinite(weight).all() for weight in trainer.model.parameters() if weight.requires_grad):
        raise diverged(job, "the weights")
    summary = {
        "arm": job.arm,
        "seed": job.seed,
        "condition": job.condition,
        "fingerprint": job.fingerprint,
        "rows": len(job.rows) // job.epochs,
        "epochs": job.epochs,
        "steps": trainer.state.global_step,
        "tokens": sum(map(len, job.rows)),
        "completion_tokens": sum(len(row.completion) for row in job.rows),
        "seconds": round(clock.seconds, 1),
        "parameters": sum(weight.numel() for weight in trainer.model.parameters() if weight.requires_grad),
        "loss": curve(trainer.state.log_history, "loss"),
        "validation_loss": curve(trainer.state.log_history, "eval_loss"),
    }
    return publish(job, trainer.model, partial, summary)


def publish(job: Job, model: Any, partial: Path, summary: dict[str, Any]) -> Adapter:
    """Saves the adapter beside its checkpoints and puts it in its place in one step; the checkpoints go."""
    final = partial / "final"
    shutil.rmtree(final, ignore_errors=True)
    model.save_pretrained(final)
    weights = final / "adapter_model.safetensors"
    digest = file_digest(weights)
    configuration = file_digest(final / "adapter_config.json")
    record = seal({**summary, "bytes": weights.stat().st_size, "digest": digest, "configuration": configuration})
    (final / RECORD).write_text(json.dumps(record, indent=1), encoding="utf-8")
    shutil.rmtree(job.directory, ignore_errors=True)
    final.replace(job.directory)
    shutil.rmtree(partial)
    return Adapter(job.arm, job.seed, job.directory, digest, record)


def training_arguments(job: Job, directory: Path, device: str, dtype: torch.dtype) -> SFTConfig:
    """The trainer's settings. The rows of all epochs are one pass in the order given, so its one epoch is all ours."""
    import torch
    from trl import SFTConfig

    optimization = job.optimization
    epoch_steps = max(1, job.steps // job.epochs)
    return SFTConfig(
        output_dir=str(directory),
        num_train_epochs=1,
        train_sampling_strategy="sequential",
        per_device_train_batch_size=optimization.batch_size,
        per_device_eval_batch_size=optimization.batch_size,
        gradient_accumulation_steps=optimization.accumulation,
        learning_rate=optimization.learning_rate,
        lr_scheduler_type=optimization.schedule,
        warmup_steps=round(optimization.warmup * job.steps),
        weight_decay=optimization.weight_decay,
        max_grad_norm=optimization.max_grad_norm,
        gradient_checkpointing=optimization.gradient_checkpointing,
        max_length=None,
        dataset_kwargs={"skip_prepare_dataset": True},
        eval_strategy="steps" if job.validation else "no",
        eval_steps=epoch_steps,
        save_strategy="steps",
        save_steps=epoch_steps * optimization.checkpoint_epochs,
        save_total_limit=2,
        logging_steps=1,
        # The default logs a loss that is not a number as 0, and divergence would go unnoticed.
        logging_nan_inf_filter=False,
        seed=job.seed,
        data_seed=job.seed,
        use_cpu=device == "cpu",
        # As the base is computed: the default asks for bf16 always, even where it is emulated and slow.
        bf16=device == "cuda" and dtype == torch.bfloat16,
        fp16=device == "cuda" and dtype == torch.float16,
        dataloader_pin_memory=device == "cuda",
        report_to="none",
        disable_tqdm=True,
    )


def lora_config(adapter: LoRA) -> Any:
    """PEFT's configuration of the adapter."""
    from peft import LoraConfig

    everywhere = adapter.target_modules == ("all-linear",)
    return LoraConfig(
        r=adapter.rank,
        lora_alpha=adapter.alpha,
        lora_dropout=adapter.dropout,
        target_modules="all-linear" if everywhere else list(adapter.target_modules),
        task_type="CAUSAL_LM",
    )


def partial_directory(job: Job) -> Path:
    """Where the job's checkpoints are while it is being trained."""
    return job.directory.with_name(job.directory.name + ".partial")


def unfinished_steps(job: Job) -> int:
    """The optimizer steps of that very job that a checkpoint holds."""
    checkpoint = last_checkpoint(partial_directory(job), job.fingerprint)
    return int(checkpoint.name.rpartition("-")[2]) if checkpoint else 0


def last_checkpoint(partial: Path, fingerprint: str) -> Path | None:
    """The newest whole checkpoint of the job with that fingerprint."""
    owner = partial / "fingerprint"
    if not owner.is_file() or owner.read_text(encoding="utf-8") != fingerprint:
        return None
    # The clock's record is written after everything else, so where it is, the checkpoint is whole.
    whole = [path for path in partial.glob("checkpoint-*") if (path / RECORD).is_file()]
    return max(whole, key=lambda path: int(path.name.rpartition("-")[2]), default=None)


def claim(partial: Path, fingerprint: str) -> None:
    """Makes the directory this job's: removes another one's checkpoints, and those that a kill left half-written."""
    owner = partial / "fingerprint"
    if not owner.is_file() or owner.read_text(encoding="utf-8") != fingerprint:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        owner.write_text(fingerprint, encoding="utf-8")
    for path in partial.glob("checkpoint-*"):
        if not (path / RECORD).is_file():
            shutil.rmtree(path)


def make_clock(job: Job, checkpoint: Path | None, progress: Progress) -> Any:
    """A callback that reports steps and keeps the training seconds over interruptions."""
    from transformers import TrainerCallback

    class Clock(TrainerCallback):  # type: ignore[misc, unused-ignore]
        def __init__(self) -> None:
            before = json.loads((checkpoint / RECORD).read_text(encoding="utf-8"))["seconds"] if checkpoint else 0.0
            self.began = time.perf_counter() - before

        @property
        def seconds(self) -> float:
            return time.perf_counter() - self.began

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            for name, words in (("loss", "the training loss"), ("eval_loss", "the validation loss")):
                if not math.isfinite((logs or {}).get(name, 0.0)):
                    raise diverged(job, f"{words} of step {state.global_step}")
            if logs and "loss" in logs:
                progress(job, state.global_step, float(logs["loss"]))

        def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            target = Path(args.output_dir) / f"checkpoint-{state.global_step}" / RECORD
            target.write_text(json.dumps({"seconds": self.seconds}), encoding="utf-8")

    return Clock()


def diverged(job: Job, what: str) -> RunFailed:
    """Training that went where no number is."""
    return RunFailed(
        f"arm {job.name}: {what} became infinite or not a number; lower optimization.learning_rate "
        f"(it is {job.optimization.learning_rate:g})"
    )


def curve(history: list[dict[str, float]], name: str) -> list[list[float]]:
    """The logged values of that name as [step, value]."""
    return [[entry["step"], round(entry[name], 6)] for entry in history if name in entry]
