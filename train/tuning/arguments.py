"""What TRL's trainer and PEFT are told of a job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from train.recipe import LoRA
from train.tuning.checkpoints import partial_directory
from train.tuning.jobs import Job, TokenRow

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerBase
    from trl import SFTConfig


def training_arguments(job: Job, device: str, dtype: torch.dtype, *, stacked: bool) -> SFTConfig:
    """The trainer's settings. The rows of all epochs are one pass in the order given, so its one epoch is all ours.

    A `stacked` job's steps are counted by the trainer and computed by the stack, accumulation and checkpointing too.
    """
    import torch
    from trl import SFTConfig

    optimization = job.optimization
    epoch_steps = max(1, job.steps // job.epochs)
    save_steps = epoch_steps * optimization.checkpoint_epochs
    config = SFTConfig(
        output_dir=str(partial_directory(job)),
        num_train_epochs=1,
        train_sampling_strategy="sequential",
        per_device_train_batch_size=1 if stacked else optimization.batch_size,
        per_device_eval_batch_size=1 if stacked else optimization.batch_size,
        gradient_accumulation_steps=1 if stacked else optimization.accumulation,
        learning_rate=optimization.learning_rate,
        lr_scheduler_type=optimization.schedule,
        warmup_steps=round(optimization.warmup * job.steps),
        weight_decay=optimization.weight_decay,
        max_grad_norm=optimization.max_grad_norm,
        gradient_checkpointing=bool(optimization.gradient_checkpointing) and not stacked,
        max_length=None,
        remove_unused_columns=False,
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
        bf16=not stacked and device == "cuda" and dtype == torch.bfloat16,
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


def numbered_steps(count: int, processes: int) -> Any:
    """What the trainer takes for a dataset: the number of an optimizer step, once for each process."""
    from datasets import Dataset

    return Dataset.from_dict({"step": [number // processes for number in range(count)]})


def first_step(items: Sequence[Mapping[str, int]]) -> dict[str, Any]:
    """A batch of one step."""
    import torch

    return {"step": torch.tensor(items[0]["step"])}


def dataset(rows: Sequence[TokenRow], job: Job, tokenizer: PreTrainedTokenizerBase) -> Any:
    """The rows for the trainer, in their order, for a job that the decoder does not train.

    Processes get batches in turn. So that the last of them has something to do too, the rows are filled up with empty
    ones, which no loss counts; accelerate would repeat real ones.
    """
    from datasets import Dataset

    together = job.optimization.batch_size * job.processes
    empty = TokenRow((int(tokenizer.pad_token_id),) * 2, ())
    missing = -len(rows) % together if job.processes > 1 else 0
    return Dataset.from_list([row.features() for row in [*rows, *[empty] * missing]])
