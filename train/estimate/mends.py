"""What would lower the memory that a stage takes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from typing import NamedTuple

from train.estimate.machine import Machine
from train.estimate.sampling import Asked, rows_at_once, sampling_bytes
from train.estimate.shape import Shape, four_bits
from train.estimate.tuning import tuning_bytes
from train.prepare import Prepared
from train.recipe import LoRA, QLoRA, Sampling, Tuned
from train.tuning import Job


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


def tuning_mends(shape: Shape, prepared: Prepared, width: int, machine: Machine) -> list[Mend]:
    """What would lower the peak of the job that takes most."""

    def need(job: Job, width: int = width) -> float:
        return tuning_bytes(shape, job, width, machine.device)

    job = max(prepared.jobs, key=need)
    now, arm = job.optimization, prepared.recipe.arms[job.arm]
    place = f"arms.{job.arm}.optimization" if isinstance(arm, Tuned) and arm.optimization else "optimization"

    def smaller(count: int) -> Mend:
        times = now.accumulation * now.batch_size // count  # the same rows in a step, so the same adapter
        changed = replace(now, batch_size=count, accumulation=times)
        words = f"{place}.batch_size={count} and {place}.accumulation={times}"
        return Mend(words, need(replace(job, optimization=changed)))

    counts = [count for count in range(now.batch_size - 1, 0, -1) if now.batch_size % count == 0]
    mends = first_fitting(map(smaller, counts), machine.memory)
    if not now.gradient_checkpointing:
        changed = replace(job, optimization=replace(now, gradient_checkpointing=True))
        mends.append(Mend(f"{place}.gradient_checkpointing=true", need(changed)))
    if four_bits(job.adapter) is None and machine.device != "mps":
        settings = {field.name: getattr(job.adapter, field.name) for field in fields(LoRA)}
        mends.append(Mend(f"a QLoRA adapter for {job.arm}", need(replace(job, adapter=QLoRA(**settings)))))
    if width == 4:
        mends.append(Mend("base.dtype=bfloat16", need(job, 2)))
    return mends


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
