"""What would lower the memory that a stage takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields, replace
from typing import NamedTuple

from train.estimate.machine import Machine
from train.estimate.sampling import Asked, rows_at_once, sampling_bytes
from train.estimate.shape import Shape
from train.estimate.tuning import tuning_bytes
from train.prepare import Prepared
from train.recipe import LoRA, Optimization, QLoRA, Sampling, Tuned
from train.tuning import Job, Memory, plan_stacks

HELPS = 0.9
"""A change that leaves more than this share of the peak is not worth offering."""
LEAST_RANK = 4
KEPT = (0.9, 0.75, 0.5)
"""The shares of a job's rows that stay where the longest are dropped."""

Change = Callable[[Job], Job]
"""A job as a change of the recipe makes it; the same where there is nothing to change."""


class Mend(NamedTuple):
    """A change in words, and the bytes that the stage then takes."""

    words: str
    peak: float


def first_fitting(mends: Iterable[Mend], memory: int) -> list[Mend]:
    """The first that fits, else the last; as a list, since there may be none at all."""
    last = []
    for mend in mends:
        last = [mend]
        if mend.peak <= memory:
            break
    return last


def tuning_mends(shape: Shape, prepared: Prepared, machine: Machine) -> list[Mend]:
    """What would lower the peak of training, for all arms alike; which of them train together is planned anew."""
    jobs = prepared.jobs

    def peak(jobs: Sequence[Job], dtype: str = prepared.dtype) -> float:
        stacks = plan_stacks(jobs, prepared.config, dtype, Memory(machine.device, machine.free))
        width = 4 if dtype == "float32" else 2
        return max(tuning_bytes(shape, stacked, width, machine.device) for stacked in stacks)

    def offered() -> Iterator[Mend]:
        for changes in tuning_changes(jobs, machine.device):
            changed = [[change(job) for job in jobs] for change in changes]
            yield from first_fitting((Mend(in_words(prepared, each), peak(each)) for each in changed), machine.memory)
        if prepared.dtype == "float32":
            yield Mend("base.dtype=bfloat16", peak(jobs, "bfloat16"))

    worth = HELPS * peak(jobs)
    return [mend for mend in offered() if mend.peak < worth]


def tuning_changes(jobs: Sequence[Job], device: str) -> Iterator[list[Change]]:
    """The kinds of changes that can be made, each ever larger; the first leave the adapters as they would have been."""
    most = max(job.optimization.batch_size for job in jobs)
    yield [smaller_batch(count) for count in range(most - 1, 0, -1) if most % count == 0]
    yield [checkpointed]
    if device != "mps":
        yield [quantized]
    rank = max(job.adapter.rank for job in jobs)
    yield [lower_rank(rank // 2**times) for times in range(1, 10) if rank // 2**times >= LEAST_RANK]
    lengths = [sorted(map(len, job.rows)) for job in jobs]
    yield [shorter_rows(max(each[int(share * (len(each) - 1))] for each in lengths)) for share in KEPT]


def smaller_batch(count: int) -> Change:
    """The same rows in a step, that many in a batch."""

    def change(job: Job) -> Job:
        now = job.optimization
        times = now.accumulation * now.batch_size // count
        fits = now.batch_size > count and now.batch_size % count == 0
        return replace(job, optimization=replace(now, batch_size=count, accumulation=times)) if fits else job

    return change


def checkpointed(job: Job) -> Job:
    """Activations computed twice."""
    return replace(job, optimization=replace(job.optimization, gradient_checkpointing=True))


def quantized(job: Job) -> Job:
    """The base in 4 bits."""
    settings = {field.name: getattr(job.adapter, field.name) for field in fields(LoRA)}
    return job if job.four_bit else replace(job, adapter=QLoRA(**settings))


def lower_rank(rank: int) -> Change:
    """A smaller adapter."""
    return lambda job: replace(job, adapter=replace(job.adapter, rank=min(rank, job.adapter.rank)))


def shorter_rows(limit: int) -> Change:
    """The rows that are no longer than that."""

    def change(job: Job) -> Job:
        rows = [row for row in job.rows if len(row) <= limit]
        settings = replace(job.optimization, max_length=limit, too_long="drop")
        return replace(job, rows=rows, optimization=settings) if len(rows) < len(job.rows) else job

    return change


def in_words(prepared: Prepared, changed: Sequence[Job]) -> str:
    """What of the recipe the changed jobs differ in."""
    said: dict[str, None] = {}
    arms: dict[str, None] = {}
    for job, other in zip(prepared.jobs, changed, strict=True):
        arm = prepared.recipe.arms[job.arm]
        place = f"arms.{job.arm}.optimization" if isinstance(arm, Tuned) and arm.optimization else "optimization"
        for field in fields(Optimization):
            value = getattr(other.optimization, field.name)
            if value != getattr(job.optimization, field.name):
                said[f"{place}.{field.name}={str(value).lower()}"] = None
        if other.adapter.rank != job.adapter.rank:
            said[f"arms.{job.arm}.adapter.rank={other.adapter.rank}"] = None
        if other.four_bit and not job.four_bit:
            arms[job.arm] = None
    adapter = [f"a QLoRA adapter for {' and '.join(arms)}"] if arms else []
    return " and ".join([*said, *adapter])


def sampling_mends(shape: Shape, arms: Sequence[Asked], sampling: Sampling, width: int, machine: Machine) -> list[Mend]:
    """What would lower the peak of answering: half as many rows at once, or a half of that, and so on; fewer bytes."""
    rows = max(rows_at_once(shape, arm.prompts[0], sampling, width, machine.free) for arm in arms)
    counts = []
    while rows > sampling.samples:
        rows = max(rows // 2, sampling.samples)
        counts.append(rows)

    def smaller(count: int) -> Mend:
        changed = replace(sampling, batch_size=count)
        return Mend(f"sampling.batch_size={count}", sampling_bytes(shape, arms, changed, width, machine))

    mends = first_fitting(map(smaller, counts), machine.memory)
    if width == 4:
        mends.append(Mend("base.dtype=bfloat16", sampling_bytes(shape, arms, sampling, 2, machine)))
    return mends
