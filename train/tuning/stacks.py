"""Which jobs are trained together, which alone and why, and how much of a step is in memory at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from train.decoder.kinds import unsupported
from train.decoder.memory import Sizes, token_bytes
from train.tuning.checkpoints import unfinished_steps
from train.tuning.jobs import Job

SHARE_FOR_ADAPTERS = 0.4
"""Of the memory beside the base, the share that adapters and their optimizer may take, so that passes have the rest."""
SHARE_FOR_PASSES = 0.7
"""Of the memory that is left then, the share that one pass may take: estimates err."""
ENOUGH_ON_A_CPU = 1024
"""Tokens of a pass beyond which a CPU gains nothing: matrix products are as fast at a third of that."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Where training would happen: the kind of device, and its free bytes before anything is loaded."""

    device: str
    free: int


@dataclass(frozen=True, slots=True)
class Stacked:
    """Jobs that are trained together, or one alone, with passes of at most `room` tokens.

    `stock` says why transformers' and PEFT's own code trains it, None that the decoder does. `why` says in words how it
    is trained and why.
    """

    jobs: tuple[Job, ...]
    stock: str | None
    room: int
    checkpointing: bool
    why: str

    def words(self, job: Job) -> str:
        """How that job of the stack is trained."""
        others = ", ".join(other.name for other in self.jobs if other is not job)
        return f"together with {others}; {self.why}" if others else self.why


def plan_stacks(jobs: Sequence[Job], config: Any, dtype: str, memory: Memory) -> list[Stacked]:
    """The jobs in stacks, for a base of that configuration in that precision."""
    reason = unsupported(config) or ("float16 needs its loss scaled" if dtype == "float16" else None)
    sizes = reason or Sizes.of(config, 4 if dtype == "float32" else 2)
    return form_stacks(jobs, sizes, memory)


def form_stacks(jobs: Sequence[Job], sizes: Sizes | str, memory: Memory) -> list[Stacked]:
    """The jobs in stacks. `sizes` are the base's, or in words why the decoder does not compute it."""
    stacks: list[Stacked] = []
    joined: dict[tuple[object, ...], list[Job]] = {}
    for job in jobs:
        reason = sizes if isinstance(sizes, str) else unstackable(job)
        if reason is not None or isinstance(sizes, str):
            checkpointing = bool(job.optimization.gradient_checkpointing)
            stacks.append(Stacked((job,), reason, 0, checkpointing, f"alone, by transformers and PEFT: {reason}"))
        elif job.optimization.watched:
            why = "alone: its validation loss decides when it ends or what is kept"
            stacks.append(sized((job,), sizes, memory, why))
        else:
            joined.setdefault(shared_course(job), []).append(job)
    if isinstance(sizes, str):
        return stacks
    for group in joined.values():
        for together in fitting(group, sizes, memory):
            why = alone(together[0], jobs) if len(together) == 1 < len(jobs) else ""
            stacks.append(sized(tuple(together), sizes, memory, why))
    return sorted(stacks, key=lambda stack: jobs.index(stack.jobs[0]))


def unstackable(job: Job) -> str | None:
    """Why the decoder cannot train the job."""
    return "DoRA scales by the norms of whole weights" if job.adapter.dora else None


def shared_course(job: Job) -> tuple[object, ...]:
    """What jobs must have in common to be trained together: the base's precision, and when what happens."""
    optimization = job.optimization
    return (
        job.four_bit.precision if job.four_bit else "",
        job.steps,
        job.epochs,
        optimization.schedule,
        optimization.warmup,
        optimization.checkpoint_epochs,
        optimization.gradient_checkpointing,
        bool(job.validation),
        unfinished_steps(job),
    )


def alone(job: Job, jobs: Sequence[Job]) -> str:
    """Why a job that could be trained with others has none to be trained with."""
    names = ("precision of its base", "number of steps", "epochs", "schedule", "warm-up", "checkpoints",
             "gradient checkpointing", "validation rows", "step that it goes on from")  # fmt: skip
    own = shared_course(job)
    least: list[str] | None = None
    for other in jobs:
        if other is not job:
            found = [name for name, a, b in zip(names, own, shared_course(other), strict=True) if a != b]
            least = found if least is None or len(found) < len(least) else least
    return f"alone: no other has its {least[0]}" if least else "alone: memory does not hold another beside it"


def fitting(jobs: Sequence[Job], sizes: Sizes, memory: Memory) -> Iterator[list[Job]]:
    """The jobs in groups whose adapters fit into memory."""
    limit = SHARE_FOR_ADAPTERS * beside_base(jobs[0], sizes, memory)
    group: list[Job] = []
    for job in jobs:
        if group and sum(sizes.adapter_bytes(each.adapter.rank) for each in [*group, job]) > limit:
            yield group
            group = []
        group.append(job)
    yield group


def beside_base(job: Job, sizes: Sizes, memory: Memory) -> int:
    """The free bytes when the job's base is loaded."""
    return max(0, memory.free - sizes.base_bytes(four_bit=job.four_bit is not None))


def sized(jobs: tuple[Job, ...], sizes: Sizes, memory: Memory, why: str) -> Stacked:
    """The stack with as much of a step at a time as fits; nothing is computed twice unless a row does not fit else."""
    left = beside_base(jobs[0], sizes, memory) - sum(sizes.adapter_bytes(job.adapter.rank) for job in jobs)
    inner = max(sizes.inner(job.adapter.rank) for job in jobs)
    dropped = sizes.inputs if any(job.adapter.dropout for job in jobs) else ()
    longest = max(len(row) for job in jobs for row in job.rows)

    def room(*, checkpointing: bool) -> int:
        return int(SHARE_FOR_PASSES * left / token_bytes(sizes, inner, dropped, checkpointing=checkpointing))

    asked = jobs[0].optimization.gradient_checkpointing
    tight = room(checkpointing=False) < longest
    checkpointing = tight if asked is None else asked
    tokens = max(1, room(checkpointing=checkpointing))
    gib = token_bytes(sizes, inner, dropped) * longest / 2**30
    if checkpointing:
        reason = "as the recipe says" if asked else f"its longest row would keep {gib:.1f} GiB"
        words = f"activations are computed twice, {reason}"
    else:
        words = f"activations are kept, at most {gib:.1f} GiB for a row"
    tokens = min(tokens, ENOUGH_ON_A_CPU) if memory.device == "cpu" else tokens
    return Stacked(jobs, None, tokens, checkpointing, "; ".join(filter(None, (why, words))))
