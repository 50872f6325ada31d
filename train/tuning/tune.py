"""Train adapters, one job after another, each going on from its last checkpoint."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from train.errors import UserError
from train.models.source import file_digest
from train.processes import Processes
from train.recipe import LoRA, QLoRA
from train.store import is_sealed, seal
from train.tuning.checkpoints import RECORD, claim, diverged, last_checkpoint, make_clock, partial_directory
from train.tuning.jobs import Adapter, Card, Job, Progress, TokenRow

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase
    from trl import SFTConfig

ALONE = Processes()


def tune(
    jobs: Sequence[Job],
    load: Callable[[QLoRA | None], PreTrainedModel],
    tokenizer: PreTrainedTokenizerBase,
    progress: Progress,
    card: Card | None = None,
    processes: Processes = ALONE,
) -> Iterator[Adapter]:
    """Trains one adapter for each job and yields it once it is safely in its directory.

    All processes call it with the same jobs; the main one writes. `card` makes the adapter's README.md.

    `load` gives a fresh base, in 4 bits where the adapter says so. A job that was interrupted goes on from its last
    whole checkpoint and ends at the same weights as if it had not been.

    Raises:
        UserError: the adapter names modules that the base does not have.
        RunFailed: a loss or a weight became infinite or not a number.
    """
    for job in jobs:
        four_bit = job.adapter if isinstance(job.adapter, QLoRA) else None
        yield train_one(job, load(four_bit), tokenizer, progress, card, processes)


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


def train_one(
    job: Job,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    progress: Progress,
    card: Card | None,
    processes: Processes,
) -> Adapter:
    """Trains the job's adapter; see `tune`."""
    import torch
    from transformers import EarlyStoppingCallback, PrinterCallback

    from train.tuning.trainer import CompletionTrainer

    partial = partial_directory(job)
    if processes.main:
        claim(job)
    processes.wait()
    checkpoint = last_checkpoint(job)
    clock = make_clock(job, checkpoint, progress, processes)
    patience = job.optimization.patience
    try:
        trainer = CompletionTrainer(
            model=model,
            args=training_arguments(job, partial, model.device.type, model.dtype),
            train_dataset=dataset(job.rows, job, tokenizer),
            eval_dataset=dataset(job.validation, job, tokenizer) if job.validation else None,
            processing_class=tokenizer,
            peft_config=lora_config(job.adapter),
            callbacks=[clock, *([EarlyStoppingCallback(patience)] if patience else [])],
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
    steps = trainer.state.global_step
    seen = job.rows[: steps * job.rows_per_step]
    summary = {
        "arm": job.arm,
        "seed": job.seed,
        "condition": job.condition,
        "fingerprint": job.fingerprint,
        "rows": len(job.rows) // job.epochs,
        "epochs": job.epochs,
        "rows_per_step": job.rows_per_step,
        "steps": steps,
        "kept_step": kept_step(job, trainer.state),
        "tokens": sum(map(len, seen)),
        "completion_tokens": sum(len(row.completion) for row in seen),
        "seconds": round(clock.seconds, 1),
        "parameters": sum(weight.numel() for weight in trainer.model.parameters() if weight.requires_grad),
        "loss": curve(trainer.state.log_history, "loss"),
        "validation_loss": curve(trainer.state.log_history, "eval_loss"),
    }
    if processes.main:
        publish(job, trainer.model, partial, summary, card)
    processes.wait()
    adapter = finished(job.directory, job.fingerprint)
    assert adapter is not None, f"{job.directory} was written and is not there"
    return adapter


def dataset(rows: Sequence[TokenRow], job: Job, tokenizer: PreTrainedTokenizerBase) -> Any:
    """The rows for the trainer, in their order.

    Processes get batches in turn. So that the last of them has something to do too, the rows are filled up with empty
    ones, which no loss counts; accelerate would repeat real ones.
    """
    from datasets import Dataset

    together = job.optimization.batch_size * job.processes
    empty = TokenRow((int(tokenizer.pad_token_id),) * 2, ())
    missing = -len(rows) % together if job.processes > 1 else 0
    return Dataset.from_list([row.features() for row in [*rows, *[empty] * missing]])


def kept_step(job: Job, state: Any) -> int:
    """The step whose weights are kept."""
    return int(state.best_global_step if job.optimization.keep == "best" else state.global_step)


def publish(job: Job, model: Any, partial: Path, summary: dict[str, Any], card: Card | None) -> None:
    """Saves the adapter beside its checkpoints and puts it in its place in one step; the checkpoints go."""
    final = partial / "final"
    shutil.rmtree(final, ignore_errors=True)
    model.save_pretrained(final)
    weights = final / "adapter_model.safetensors"
    files = {"digest": file_digest(weights), "configuration": file_digest(final / "adapter_config.json")}
    record = seal({**summary, "bytes": weights.stat().st_size, **files})
    (final / RECORD).write_text(json.dumps(record, indent=1), encoding="utf-8")
    if card is not None:
        (final / "README.md").write_text(card(record), encoding="utf-8")
    shutil.rmtree(job.directory, ignore_errors=True)
    final.replace(job.directory)
    shutil.rmtree(partial)


def training_arguments(job: Job, directory: Path, device: str, dtype: torch.dtype) -> SFTConfig:
    """The trainer's settings. The rows of all epochs are one pass in the order given, so its one epoch is all ours."""
    import torch
    from trl import SFTConfig

    optimization = job.optimization
    epoch_steps = max(1, job.steps // job.epochs)
    save_steps = epoch_steps * optimization.checkpoint_epochs
    config = SFTConfig(
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
        eval_steps=save_steps if optimization.watched else epoch_steps,
        save_strategy="steps",
        save_steps=save_steps,
        save_total_limit=2,
        load_best_model_at_end=optimization.keep == "best",
        metric_for_best_model="eval_loss" if optimization.watched else None,
        restore_callback_states_from_checkpoint=optimization.patience is not None,
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
    # One process works on one GPU; several are the launcher's business, and DataParallel would make larger batches.
    config._n_gpu = min(config._n_gpu, 1)
    return config


def lora_config(adapter: LoRA) -> Any:
    """PEFT's configuration of the adapter."""
    from peft import LoraConfig

    everywhere = adapter.target_modules == ("all-linear",)
    return LoraConfig(
        r=adapter.rank,
        lora_alpha=adapter.alpha,
        lora_dropout=adapter.dropout,
        use_dora=adapter.dora,
        use_rslora=adapter.rslora,
        target_modules="all-linear" if everywhere else list(adapter.target_modules),
        task_type="CAUSAL_LM",
    )


def curve(history: list[dict[str, float]], name: str) -> list[list[float]]:
    """The logged values of that name as [step, value]."""
    return [[entry["step"], round(entry[name], 6)] for entry in history if name in entry]
