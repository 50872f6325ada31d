"""The estimate of a run, stage by stage, as `openbook check` prints it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from train.estimate.judging import Judging, judging_bytes, judging_mends, judging_seconds, measured
from train.estimate.machine import Machine, measure
from train.estimate.mends import Mend, sampling_mends, tuning_mends
from train.estimate.sampling import asked, reference_tokens, sampling_bytes, sampling_seconds
from train.estimate.shape import shape_of
from train.estimate.tuning import tuning_bytes, tuning_seconds
from train.estimate.words import gib, span, two_digits
from train.prepare import Prepared
from train.tuning import Job, Memory, plan_stacks


@dataclass(frozen=True, slots=True)
class Stage:
    """The most memory in bytes that a stage takes, its seconds, and what it works on, in words."""

    peak: float
    seconds: float
    work: str


@dataclass(frozen=True, slots=True)
class Estimate:
    """What each stage with a model takes, what was assumed, and what does not fit, with its mend."""

    stages: Mapping[str, Stage]
    machine: Machine
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...]

    def lines(self) -> Iterator[str]:
        """As `openbook check` prints it."""
        peaks = ", ".join(f"{name} about {gib(stage.peak)}" for name, stage in self.stages.items())
        times = ", ".join(f"{name} about {span(each.seconds)} ({each.work})" for name, each in self.stages.items())
        yield f"memory     {peaks} (of {self.machine.has})"
        yield f"time       {times}"
        for name, lines in (("assumed", self.assumptions), ("warning", self.warnings)):
            for line in lines:
                yield f"{name:<10} {line}"


def estimate(prepared: Prepared, machine: Machine | None = None, judging: Judging | None = None) -> Estimate:
    """About what the run takes on the machine; None measures this one. Nothing that is already done is taken off.

    `judging` is what a judge on the same machine is asked at most.

    Raises:
        UserError: the base's configuration cannot be read, or it is of no kind that can be estimated.
    """
    jobs, sampling = prepared.jobs, prepared.recipe.sampling
    shape = shape_of(prepared.config, prepared.recipe.base)
    width = 4 if prepared.dtype == "float32" else 2
    by_judge = machine or (measured(judging) if judging else None)
    machine = machine or measure(shape, prepared.dtype, usual_tokens(jobs))
    reference = reference_tokens(prepared)
    stages: dict[str, Stage] = {}
    warnings: list[str] = []
    if jobs:
        stacks = plan_stacks(jobs, prepared.config, prepared.dtype, Memory(machine.device, machine.free))
        stages["tuning"] = tuning = Stage(
            peak=max(tuning_bytes(shape, stacked, width, machine.device) for stacked in stacks),
            seconds=sum(tuning_seconds(shape, stacked, machine) for stacked in stacks),
            work=f"{sum(len(job.rows) for job in jobs):,} rows, "
            f"{sum(len(row) for job in jobs for row in job.rows):,} tokens",
        )
        if tuning.peak > machine.memory:
            warnings.append(too_much("tuning", tuning, machine, tuning_mends(shape, prepared, machine)))
    arms = asked(prepared, reference)
    stages["sampling"] = answering = Stage(
        peak=sampling_bytes(shape, arms, sampling, width, machine),
        seconds=sampling_seconds(shape, arms, sampling, width, machine),
        work=f"{prepared.answers:,} answers",
    )
    if answering.peak > machine.memory:
        mends = sampling_mends(shape, arms, sampling, width, machine)
        warnings.append(too_much("sampling", answering, machine, mends))
    if judging and by_judge:
        stages["judging"] = replying = Stage(
            peak=judging_bytes(judging, by_judge),
            seconds=judging_seconds(judging, by_judge),
            work=f"at most {len(judging.prompts):,} replies of {judging.reply} tokens",
        )
        if replying.peak > machine.memory:
            mends = judging_mends(judging, by_judge)
            warnings.append(too_much("judging", replying, machine, mends, "a smaller judge"))
    assumptions = (
        "one process and nothing else running; right within a factor of about two",
        f"{two_digits(machine.rate / 1e9)} billion operations a second in {prepared.dtype} and "
        f"{two_digits(machine.bandwidth / 1e9)} GB/s from memory, as measured now",
        f"tuned arms answer as long as the references (about {reference:.0f} tokens), an untouched base longer",
    )
    return Estimate(stages, machine, assumptions, tuple(warnings))


def usual_tokens(jobs: Sequence[Job]) -> int:
    """The mean number of tokens in a batch of one job; a middling number where nothing is trained."""
    rows = [len(row) * job.optimization.batch_size for job in jobs for row in job.rows]
    return sum(rows) // len(rows) if rows else 256


def too_much(name: str, stage: Stage, machine: Machine, mends: Sequence[Mend], last: str = "a smaller base") -> str:
    """That the stage does not fit, and what would lower it; `last` does in any case."""
    offered = [f"{mend.words} (to about {gib(mend.peak)})" for mend in mends]
    ways = ", ".join([*offered, f"or {last}" if offered else last])
    return f"{name} takes about {gib(stage.peak)}, more than the {machine.has}; lower it with {ways}"
