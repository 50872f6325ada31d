"""Jobs that are trained together: one frozen base, an adapter for each, and every row through its own.

The sum of the jobs' losses has, for each adapter, the gradient of its own job's loss: nothing else depends on it. So
a job in a stack learns what it would learn alone. Each has its own rows, token counts, dropout, clipping and learning
rate; a job whose loss is no number any more is left out and harms no other.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch

from train import models
from train.decoder.adapters import Adapter, Route
from train.decoder.anatomy import Decoder
from train.decoder.flat import Flat, flatten
from train.decoder.training import Targets, loss_and_gradients, loss_only
from train.errors import RunFailed
from train.processes import Processes
from train.tuning.dropout import Dropout, Rows
from train.tuning.jobs import Job, TokenRow

Numbered = tuple[int, int, TokenRow]
"""A row of a step: the number of its job, its number among that job's rows of the step, and the row."""


class Stack:
    """The jobs on one decoder. `room` is how many tokens one pass may hold; `names` are the adapters' in the model."""

    def __init__(
        self,
        jobs: Sequence[Job],
        model: Any,
        decoder: Decoder,
        names: Sequence[str],
        processes: Processes,
        *,
        room: int,
        checkpointing: bool,
    ) -> None:
        self.jobs, self.decoder, self.processes = jobs, decoder, processes
        self.room, self.checkpointing = room, checkpointing
        self.adapters = [Adapter(model, decoder, name) for name in names]
        self.parameters = []
        for adapter in self.adapters:
            adapter.learn()
            parameter = torch.nn.Parameter(adapter.flat)
            parameter.grad = adapter.gradient
            self.parameters.append(parameter)
        self.diverged: dict[int, RunFailed] = {}

    @property
    def running(self) -> list[int]:
        """The numbers of the jobs that have not diverged."""
        return [number for number in range(len(self.jobs)) if number not in self.diverged]

    def groups(self) -> list[dict[str, Any]]:
        """The optimizer's parameter groups: one flat tensor for each job."""
        return [
            {
                "params": [parameter],
                "lr": job.optimization.learning_rate,
                "weight_decay": job.optimization.weight_decay,
            }
            for job, parameter in zip(self.jobs, self.parameters, strict=True)
        ]

    def step(self, number: int) -> list[float]:
        """The jobs' mean losses over the labelled tokens of that optimizer step, in nats; leaves their gradients.

        The gradients are of the means over the rows of all processes. Diverged jobs have a loss that is no number.
        """
        for adapter in self.adapters:
            adapter.refresh()
        rows: dict[int, list[tuple[int, TokenRow]]] = {}
        counts = []
        for job_number, job in enumerate(self.jobs):
            whole = job.rows[number * job.rows_per_step : (number + 1) * job.rows_per_step]
            counts.append(max(1, sum(len(row.completion) for row in whole)))
            if job_number not in self.diverged:
                rows[job_number] = shared_out(whole, job.optimization.batch_size, self.processes)
        sums = self.whole_step(number, rows, counts)
        self.sum_over_processes(
            [*(adapter.gradient for adapter in self.adapters if adapter.gradient is not None), sums]
        )
        return [
            total if job not in self.diverged else math.nan for job, total in enumerate(sums.double().cpu().tolist())
        ]

    def whole_step(
        self, number: int, rows: Mapping[int, Sequence[tuple[int, TokenRow]]], counts: Sequence[int]
    ) -> torch.Tensor:
        """The sums of weighted losses by job. Where memory is too small, the step begins again in smaller passes."""
        while True:
            sums = torch.zeros(len(self.jobs), device=self.decoder.device)
            for adapter in self.adapters:
                adapter.gradient.zero_()
            try:
                for batch in self.passes(rows):
                    flat, targets, routes = self.laid_out(batch, [1 / count for count in counts])
                    drop = Dropout(number, self.numbered(batch))
                    sums += loss_and_gradients(
                        self.decoder,
                        flat,
                        targets,
                        routes,
                        arms=len(self.jobs),
                        drop=drop,
                        checkpointing=self.checkpointing,
                    )
            except (RuntimeError, MemoryError) as error:
                if not models.out_of_memory(error):
                    raise
                if not self.make_smaller(rows):
                    raise RunFailed(
                        f"memory does not hold the longest row of a step, of {self.longest(rows)} tokens; "
                        "shorten the passages, or train on a base in 4 bits or in bfloat16"
                    ) from error
                continue
            return sums

    def make_smaller(self, rows: Mapping[int, Sequence[tuple[int, TokenRow]]]) -> bool:
        """Halves the tokens of a pass, or keeps less of it; False where it is one row already and keeps the least."""
        if self.decoder.device.type == "cuda":
            torch.cuda.empty_cache()
        largest = max(sum(len(row) for _, _, row in batch) for batch in self.passes(rows))
        if largest > self.longest(rows):
            self.room = largest // 2
            return True
        if not self.checkpointing:
            self.checkpointing = True
            return True
        return False

    @staticmethod
    def longest(rows: Mapping[int, Sequence[tuple[int, TokenRow]]]) -> int:
        """The tokens of a step's longest row."""
        return max(len(row) for each in rows.values() for _, row in each)

    def passes(self, rows: Mapping[int, Sequence[tuple[int, TokenRow]]]) -> Iterator[list[Numbered]]:
        """A step's rows in passes: at most `batch_size` rows of a job in each, and tokens as there is room for."""
        for batch in turns(self.jobs, rows):
            yield from fitting(batch, self.room)

    def laid_out(self, batch: Sequence[Numbered], weights: Sequence[float]) -> tuple[Flat, Targets, list[Route]]:
        """The rows as one stream, what is learnt of it, and which part goes through which adapter.

        Rows share their common beginnings unless there is dropout, which is drawn for each row.
        """
        by_job: dict[int, list[TokenRow]] = {}
        for job, _, row in batch:
            by_job.setdefault(job, []).append(row)
        flat = flatten(
            [[[*row.prompt, *row.completion] for row in rows] for rows in by_job.values()],
            [not self.adapters[job].dropout for job in by_job],
        )
        ordered = [(job, row) for job, rows in by_job.items() for row in rows]
        places = [path[len(row.prompt) - 1 : len(row) - 1] for (_, row), path in zip(ordered, flat.paths, strict=True)]
        arms = torch.tensor([job for job, row in ordered for _ in row.completion])
        device = self.decoder.device
        targets = Targets(
            torch.cat(places).to(device),
            torch.tensor([token for _, row in ordered for token in row.completion]).to(device),
            torch.tensor(weights)[arms].to(device),
            arms.to(device),
        )
        routes = [Route(*bounds, self.adapters[job]) for job, bounds in zip(by_job, flat.bounds, strict=True)]
        return flat.to(device), targets, routes

    def numbered(self, batch: Sequence[Numbered]) -> dict[Adapter, Rows]:
        """What dropout is drawn for."""
        return {
            self.adapters[job]: Rows(
                self.jobs[job].seed, [(number, len(row)) for each, number, row in batch if each == job]
            )
            for job in dict.fromkeys(job for job, _, _ in batch)
        }

    def validation(self) -> list[float]:
        """The jobs' mean losses over the labelled tokens of their validation rows; no number where there are none."""
        sums, counts = torch.zeros(len(self.jobs), device=self.decoder.device), [0] * len(self.jobs)
        for adapter in self.adapters:
            adapter.refresh()
        rows = {}
        for number in self.running:
            counts[number] = sum(len(row.completion) for row in self.jobs[number].validation)
            rows[number] = [(at, row) for at, row in enumerate(self.processes.share(self.jobs[number].validation))]
        for batch in self.passes(rows):
            sums += loss_only(self.decoder, *self.laid_out(batch, [1.0] * len(self.jobs)), arms=len(self.jobs))
        self.sum_over_processes([sums])
        return [total / count if count else math.nan for total, count in zip(sums.tolist(), counts, strict=True)]

    def clip(self) -> torch.Tensor:
        """Scales each job's gradient to its own `max_grad_norm` (Pascanu et al. 2013); the norms before that."""
        norms = [
            torch.nn.utils.clip_grad_norm_([parameter], job.optimization.max_grad_norm)
            for job, parameter in zip(self.jobs, self.parameters, strict=True)
        ]
        return torch.stack(norms)

    def leave_out(self, number: int, why: RunFailed) -> None:
        """A job that went where no number is takes no further part."""
        self.diverged[number] = why

    def sum_over_processes(self, tensors: Sequence[torch.Tensor]) -> None:
        """Adds the tensors up over all processes, in place."""
        if self.processes.count > 1:
            for tensor in tensors:
                torch.distributed.all_reduce(tensor)


def shared_out(rows: Sequence[TokenRow], size: int, processes: Processes) -> list[tuple[int, TokenRow]]:
    """This process's rows of a step with their numbers: batches of that size go to the processes in turn."""
    return [(number, row) for number, row in enumerate(rows) if number // size % processes.count == processes.rank]


def turns(jobs: Sequence[Job], rows: Mapping[int, Sequence[tuple[int, TokenRow]]]) -> Iterator[list[Numbered]]:
    """The rows of a step by job, each with its number, in turns: at most `batch_size` rows of a job in each."""
    sizes = {job: jobs[job].optimization.batch_size for job in rows}
    for turn in range(max((-(-len(each) // sizes[job]) for job, each in rows.items()), default=0)):
        yield [
            (job, number, row)
            for job, each in rows.items()
            for number, row in each[turn * sizes[job] : (turn + 1) * sizes[job]]
        ]


def fitting(batch: Sequence[Numbered], room: int) -> Iterator[list[Numbered]]:
    """The batch in halves, and those in halves, until each holds no more tokens than there is room, or one row."""
    if not batch:
        return
    if len(batch) == 1 or sum(len(row) for _, _, row in batch) <= room:
        yield list(batch)
        return
    middle = len(batch) // 2
    yield from fitting(batch[:middle], room)
    yield from fitting(batch[middle:], room)
