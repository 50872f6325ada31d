"""Where a job's checkpoints are, which of them are whole, and the clock that goes on with them."""

from __future__ import annotations

import json
import math
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from train.errors import RunFailed
from train.models import forget_peak, peak_since
from train.processes import Processes
from train.tuning.jobs import Job, Progress

RECORD = "openbook.json"
"""In an adapter directory: how the adapter was made. In a checkpoint: its losses, seconds and peak memory so far."""

OWNER = "fingerprint"
"""Beside the checkpoints: whose they are."""


def tidy(job: Job) -> None:
    """Removes the checkpoints of a job whose adapter is there already (a kill can come between the two)."""
    partial = partial_directory(job)
    # Without an owner they are what a kill left of checkpoints that were being removed.
    if owns(job, partial) or not (partial / OWNER).exists():
        shutil.rmtree(partial, ignore_errors=True)


def partial_directory(job: Job) -> Path:
    """Where the job's checkpoints are while it is being trained."""
    return job.directory.with_name(job.directory.name + ".partial")


def unfinished_steps(job: Job) -> int:
    """The optimizer steps of that very job that a checkpoint holds."""
    checkpoint = last_checkpoint(job)
    return int(checkpoint.name.rpartition("-")[2]) if checkpoint else 0


def last_checkpoint(job: Job) -> Path | None:
    """The newest whole checkpoint of that very job."""
    partial = partial_directory(job)
    if not owns(job, partial):
        return None
    # The clock's record is written after everything else, so where it is, the checkpoint is whole.
    whole = [path for path in partial.glob("checkpoint-*") if (path / RECORD).is_file()]
    return max(whole, key=lambda path: int(path.name.rpartition("-")[2]), default=None)


def owns(job: Job, partial: Path) -> bool:
    """Whether the checkpoints there are that job's."""
    owner = partial / OWNER
    return owner.is_file() and owner.read_text(encoding="utf-8") == job.course


def claim(job: Job) -> Path:
    """The job's directory for checkpoints, without those of another job, and those that a kill left half-written."""
    partial = partial_directory(job)
    if not owns(job, partial):
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        (partial / OWNER).write_text(job.course, encoding="utf-8")
    for path in partial.glob("checkpoint-*"):
        if not (path / RECORD).is_file():
            shutil.rmtree(path)
    return partial


def make_clock(
    jobs: Sequence[Job], checkpoints: Sequence[Path | None], progress: Progress, processes: Processes
) -> Any:
    """A callback that reports steps, and keeps each job's losses, seconds and peak memory over interruptions.

    The peak is that of all jobs that are trained together, from here on. Seconds are shared out by the tokens of the
    jobs that are trained together. A job whose loss is no number stops the training, or is left out of the stack where
    others go on.
    """
    from transformers import TrainerCallback

    records = [json.loads((path / RECORD).read_text(encoding="utf-8")) if path else {} for path in checkpoints]
    tokens = [sum(map(len, job.rows)) for job in jobs]

    class Clock(TrainerCallback):  # type: ignore[misc, unused-ignore]
        trainer: Any

        def __init__(self) -> None:
            self.began = time.perf_counter() - sum(record.get("seconds", 0.0) for record in records)
            self.peak_before: int = max(record.get("peak_bytes", 0) for record in records)
            forget_peak()
            self.losses: list[list[list[float]]] = [record.get("loss", []) for record in records]
            self.validation: list[list[list[float]]] = [record.get("validation_loss", []) for record in records]

        def seconds(self, number: int) -> float:
            return float((time.perf_counter() - self.began) * tokens[number] / sum(tokens))

        def peak(self) -> int:
            return max(self.peak_before, peak_since())

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            stack = self.trainer.stack
            for name, words, curves, of_stack in (
                ("loss", "the training loss", self.losses, "losses"),
                ("eval_loss", "the validation loss", self.validation, "validation_losses"),
            ):
                if name not in (logs or {}):
                    continue
                found = [logs[name]] if stack is None else getattr(self.trainer, of_stack)
                for number in range(len(jobs)) if stack is None else stack.running:
                    if math.isfinite(found[number]):
                        curves[number].append([state.global_step, round(found[number], 6)])
                    elif name == "loss" or jobs[number].validation:
                        error = diverged(jobs[number], f"{words} of step {state.global_step}")
                        if stack is None or len(stack.running) == 1:
                            raise error
                        stack.leave_out(number, error)
                    if name == "loss":
                        progress(jobs[number], state.global_step, float(found[number]))

        def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if control.should_training_stop and state.global_step < state.max_steps:
                return  # stopped early: whoever went on from this checkpoint would train past the stop
            processes.wait()  # every process keeps the state of its random numbers there
            if processes.main:
                for number, job in enumerate(jobs):
                    record = {
                        "seconds": self.seconds(number),
                        "peak_bytes": self.peak(),
                        "loss": self.losses[number],
                        "validation_loss": self.validation[number],
                    }
                    target = partial_directory(job) / f"checkpoint-{state.global_step}" / RECORD
                    target.write_text(json.dumps(record), encoding="utf-8")

    return Clock()


def diverged(job: Job, what: str) -> RunFailed:
    """Training that went where no number is."""
    return RunFailed(
        f"arm {job.name}: {what} became infinite or not a number; lower optimization.learning_rate "
        f"(it is {job.optimization.learning_rate:g})"
    )
