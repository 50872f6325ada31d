"""The trainers that bench_training.py compares, their clock, and what this machine could reach at best."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmark import GIB, Measurement
from benchmark_material import make_rows

from train import models
from train.decoder.products import linear
from train.recipe import Base, LoRA, Optimization
from train.tuning import Job

LEARNING_RATE = 2e-4
TRIES = 20


@dataclass(frozen=True, slots=True)
class Sizes:
    """Inputs and outputs of every linear layer of the blocks, and the weights of the head."""

    layers: tuple[tuple[int, int], ...]
    head: int

    @classmethod
    def of(cls, base: Base) -> Sizes:
        """Those of the base, built without memory for its weights."""
        import torch
        from transformers import AutoModelForCausalLM

        with torch.device("meta"):
            model = AutoModelForCausalLM.from_config(models.load_config(models.resolve(base), base))
        head = model.get_output_embeddings()
        linear = [module for module in model.modules() if isinstance(module, torch.nn.Linear) and module is not head]
        return cls(tuple((each.in_features, each.out_features) for each in linear), head.weight.numel())

    def operations(self, rank: int, tokens: int, labelled: int) -> int:
        """What a step on such rows needs at least, as the docstring of bench_training.py counts."""
        blocks = sum(inputs * outputs for inputs, outputs in self.layers)
        adapters = sum(rank * (inputs + outputs) for inputs, outputs in self.layers)
        return (4 * blocks + 6 * adapters) * tokens + 4 * self.head * labelled


class Ticks:
    """The moments at which steps ended, of one training or of several that may go on side by side."""

    def __init__(self, warm_up: int) -> None:
        self.warm_up = warm_up
        self.last = time.perf_counter()
        self.seconds = 0.0
        self.losses: list[float] = []

    def __call__(self, step: int, loss: float | None = None) -> None:
        """A step ended; its time counts unless it is a training's first ones, before which there is loading."""
        import torch

        if torch.cuda.is_available():
            torch.cuda.synchronize()
        now = time.perf_counter()
        self.seconds += (now - self.last) * (step > self.warm_up)
        self.last = now
        if loss is not None:
            self.losses.append(loss)


def make_jobs(task: Measurement, base: Base, scratch: Path) -> list[Job]:
    """The trainings of the task: every arm with every seed, which changes the order of rows and the adapter's start."""
    optimization = Optimization(
        learning_rate=LEARNING_RATE, batch_size=task["batch"], schedule="linear", warmup=0.0, weight_decay=0.0
    )
    jobs = []
    first = task["warm_up"] * task["batch"]
    for arm in task["arms"]:
        rows = make_rows(
            base,
            random_tokens=task["random"],
            count=first + task["steps"] * task["batch"],
            length=task["length"],
            spread=task["spread"],
            context=arm == "open-book",
        )
        for seed in task["seeds"]:
            # Apart, so that the rows whose steps count are the same for every seed.
            warm, counted = rows[:first], rows[first:]
            random.Random(seed).shuffle(warm)
            random.Random(seed).shuffle(counted)
            # Memory grows to what the longest rows take before the clock starts, as it does early in a long training.
            warm[: task["batch"]] = sorted(rows, key=len, reverse=True)[: task["batch"]]
            jobs.append(
                Job(
                    arm=arm, seed=seed, condition="none", rows=[*warm, *counted], epochs=1, validation=(),
                    adapter=LoRA(rank=64, alpha=16.0, dropout=task["dropout"]), optimization=optimization,
                    fingerprint=f"{arm} {seed}", directory=scratch / f"{arm}-{seed}",
                )
            )  # fmt: skip
    return jobs


def with_openbook(jobs: Sequence[Job], load: Callable[..., Any], tokenizer: Any, ticks: Ticks) -> None:
    """All of the jobs in one call."""
    from train import tuning

    list(tuning.tune(jobs, load, tokenizer, lambda job, step, loss: ticks(step, loss)))


def with_trl(job: Job, load: Callable[..., Any], tokenizer: Any, ticks: Ticks, **settings: Any) -> None:
    """The same with SFTTrainer, each `settings` beside its defaults."""
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import PrinterCallback, TrainerCallback
    from trl import SFTConfig, SFTTrainer

    class Clock(TrainerCallback):  # type: ignore[misc, unused-ignore]
        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            ticks(state.global_step)

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            if "loss" in (logs or {}):
                ticks.losses.append(logs["loss"])

    cpu = not torch.cuda.is_available()
    trainer = SFTTrainer(
        model=load(None),
        args=SFTConfig(
            output_dir=str(job.directory),
            num_train_epochs=1,
            per_device_train_batch_size=job.optimization.batch_size,
            learning_rate=job.optimization.learning_rate,
            train_sampling_strategy="sequential",  # the same rows in a batch as openbook has
            dataset_kwargs={"skip_prepare_dataset": True},
            seed=job.seed,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            **({"use_cpu": True, "bf16": False} if cpu else {}),
            **settings,
        ),
        train_dataset=Dataset.from_list([row.features() for row in job.rows]),
        processing_class=tokenizer,
        peft_config=LoraConfig(
            r=job.adapter.rank,
            lora_alpha=job.adapter.alpha,
            lora_dropout=job.adapter.dropout,
            target_modules="all-linear",
            task_type="CAUSAL_LM",
        ),
        callbacks=[Clock()],
    )
    trainer.remove_callback(PrinterCallback)
    trainer.train()


def matmul_rate(sizes: Sizes, dtype: Any, tokens: int) -> Measurement:
    """Operations and seconds of the blocks' matrix products at so many rows, each the fastest of some tries.

    Each product is computed by PyTorch's own code and by that which openbook's training uses, and the faster counts;
    `own_seconds` are those of PyTorch's.
    """
    import torch

    device = models.pick_device()
    operations, seconds, own = 0, 0.0, 0.0
    for (inputs, outputs), count in Counter(sizes.layers).items():
        weight, x, back = (
            torch.randn(*size, dtype=dtype, device=device)
            for size in ((outputs, inputs), (tokens, inputs), (tokens, outputs))
        )
        forward, backward = torch.empty_like(back), torch.empty_like(x)
        for rows, matrix, out in ((x, weight.T, forward), (back, weight, backward)):
            products = partial(torch.mm, rows, matrix, out=out), partial(linear, rows, matrix.T)
            mine, ours = (min(several(product, device) for _ in range(TRIES)) for product in products)
            own += count * mine
            seconds += count * min(mine, ours)
        operations += count * 4 * tokens * inputs * outputs
    return {"seconds": seconds, "own_seconds": own, "units": operations / 1e9, "peak_gib": models.peak_bytes() / GIB}


def several(product: Callable[[], Any], device: str) -> float:
    """Seconds of one product; on a GPU, which has to be waited for, of one among several."""
    import torch

    count = TRIES if device == "cuda" else 1
    began = time.perf_counter()
    for _ in range(count):
        product()
    if device == "cuda":
        torch.cuda.synchronize()
    return (time.perf_counter() - began) / count
