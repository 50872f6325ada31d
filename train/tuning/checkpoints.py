"""Where a job's checkpoints are, which of them are whole, and the clock that goes on with them."""

from __future__ import annotations

import json
import math
import shutil
import time
from pathlib import Path
from typing import Any

from train.errors import RunFailed
from train.processes import Processes
from train.tuning.jobs import Job, Progress

RECORD = "openbook.json"
"""In an adapter directory: how the adapter was made. In a checkpoint: the seconds it took so far."""

OWNER = "fingerprint"
"""Beside the checkpoints: whose they are."""


def tidy(job: Job) -> None:
    """Removes the checkpoints of a job whose adapter is there already (a kill can come between the two)."""
    partial = partial_directory(job)
    if owns(job, partial):
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


def make_clock(job: Job, checkpoint: Path | None, progress: Progress, processes: Processes) -> Any:
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
            if control.should_training_stop and state.global_step < state.max_steps:
                return  # stopped early: whoever went on from this checkpoint would train past the stop
            processes.wait()  # every process keeps the state of its random numbers there
            if processes.main:
                target = Path(args.output_dir) / f"checkpoint-{state.global_step}" / RECORD
                target.write_text(json.dumps({"seconds": self.seconds}), encoding="utf-8")

    return Clock()


def diverged(job: Job, what: str) -> RunFailed:
    """Training that went where no number is."""
    return RunFailed(
        f"arm {job.name}: {what} became infinite or not a number; lower optimization.learning_rate "
        f"(it is {job.optimization.learning_rate:g})"
    )
