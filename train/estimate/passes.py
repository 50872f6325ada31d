"""The passes in which jobs are trained, in numbers: nothing is computed, and of long jobs some steps are looked at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from train.decoder.memory import Pass
from train.tuning import Job, Stacked, TokenRow

MOST_STEPS = 40
"""So many steps are looked at, evenly spread."""


class Counted(NamedTuple):
    """A pass, and the sum over its rows of their squared lengths, which attention follows."""

    batch: Pass
    squares: int


def some_steps(stacked: Stacked) -> list[int]:
    """The numbers of the steps that stand for all."""
    steps = stacked.jobs[0].steps
    some = min(steps, MOST_STEPS)
    return [number * steps // some for number in range(some)]


def heavy_steps(stacked: Stacked) -> list[int]:
    """The steps with the most tokens and with the longest row, and those that stand for all."""
    lengths = [[len(row) for each in rows_of(stacked, step) for row in each] for step in range(stacked.jobs[0].steps)]
    steps = range(len(lengths))
    return [max(steps, key=lambda n: sum(lengths[n])), max(steps, key=lambda n: max(lengths[n])), *some_steps(stacked)]


def rows_of(stacked: Stacked, step: int) -> list[Sequence[TokenRow]]:
    """The rows of an optimizer step, job by job."""
    return [job.rows[step * job.rows_per_step : (step + 1) * job.rows_per_step] for job in stacked.jobs]


def passes(stacked: Stacked, rows: Sequence[Sequence[TokenRow]]) -> Iterator[Counted]:
    """The passes over such rows of the stack's jobs, as `train.tuning.stack` forms them, or the stock trainer."""
    from train.tuning.stack import fitting, turns

    for batch in turns(stacked.jobs, {number: list(enumerate(each)) for number, each in enumerate(rows)}):
        if stacked.stock is not None:
            yield padded([row for _, _, row in batch])
            continue
        for part in fitting(batch, stacked.room):
            yield streamed(stacked.jobs, [[row for each, _, row in part if each == n] for n in range(len(rows))])


def padded(rows: Sequence[TokenRow]) -> Counted:
    """Rows side by side, as long as the longest, scored in each column in which any of them has a label."""
    length = max(map(len, rows))
    labelled = {column for row in rows for column in range(len(row.prompt), len(row))}
    tokens = len(rows) * length
    return Counted(Pass(tokens, tokens, len(rows) * len(labelled)), tokens * length)


def streamed(jobs: Sequence[Job], rows: Sequence[Sequence[TokenRow]]) -> Counted:
    """Each job's rows, which share their common beginnings unless there is dropout, one after the other."""
    from train.decoder.flat import common

    every = [row for each in rows for row in each]
    shared = 0
    for job, each in zip(jobs, rows, strict=True):
        ordered = [] if job.adapter.dropout else sorted((*row.prompt, *row.completion) for row in each)
        shared += sum(map(common, ordered, ordered[1:]))
    laid, scored = sum(map(len, every)), sum(len(row.completion) for row in every)
    return Counted(Pass(laid - shared, laid, scored), sum(len(row) ** 2 for row in every))
