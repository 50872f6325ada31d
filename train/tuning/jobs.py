"""What tuning takes and gives: token rows, jobs and adapters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from train.errors import InputProblems
from train.recipe import LoRA, Optimization, QLoRA

IGNORED = -100
"""The label of a position that the loss does not count."""


@dataclass(frozen=True, slots=True)
class TokenRow:
    """One training row in tokens. Only the completion is learnt; it ends with the model's turn-end token."""

    prompt: tuple[int, ...]
    completion: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.prompt) + len(self.completion)

    def features(self) -> dict[str, list[int]]:
        """`input_ids` and `labels` as the trainer takes them."""
        return {
            "input_ids": [*self.prompt, *self.completion],
            "labels": [*[IGNORED] * len(self.prompt), *self.completion],
        }


@dataclass(frozen=True, slots=True)
class Job:
    """One adapter to be trained: `rows` are those of all epochs, in the order in which they are trained on.

    `processes` train it together, each with a batch of its own. `fingerprint` is the hash of all that makes the
    adapter what it is; `condition` is only for the record.
    """

    arm: str
    seed: int
    condition: str
    rows: Sequence[TokenRow]
    epochs: int
    validation: Sequence[TokenRow]
    adapter: LoRA
    optimization: Optimization
    fingerprint: str
    directory: Path
    processes: int = 1

    @property
    def name(self) -> str:
        return f"{self.arm} seed {self.seed}"

    @property
    def four_bit(self) -> QLoRA | None:
        """How the base is held in 4 bits; None in full precision."""
        return self.adapter if isinstance(self.adapter, QLoRA) else None

    @property
    def rows_per_step(self) -> int:
        """The rows of one optimizer step, over all processes."""
        return self.optimization.batch_size * self.optimization.accumulation * self.processes

    @property
    def course(self) -> str:
        """What a checkpoint must share with the job to go on from: steps of other sizes are other steps."""
        return f"{self.fingerprint} {self.rows_per_step}"

    @property
    def steps(self) -> int:
        """Optimizer steps."""
        return -(-len(self.rows) // self.rows_per_step)


@dataclass(frozen=True, slots=True)
class Adapter:
    """A trained adapter: a plain PEFT directory, the hash of its weights, and how training went."""

    arm: str
    seed: int
    directory: Path
    digest: str
    summary: Mapping[str, Any]


Progress = Callable[[Job, int, float], None]
"""Called after each optimizer step with the job, the steps done and the last loss."""

Card = Callable[[Mapping[str, Any]], str]
"""From an adapter's summary to the text of its model card."""


def select_rows(
    rows: Sequence[TokenRow], names: Sequence[str], limit: int | None, *, drop: bool
) -> tuple[list[int], list[str]]:
    """Which rows fit into `limit` tokens, and a line on each of the others. No row is ever cut.

    Rows of the same name (the same row in several epochs, with other distractors) share a line, on the longest.

    Raises:
        InputProblems: a row is too long and `drop` is false.
    """
    longest: dict[str, int] = {}
    kept = []
    for index, (row, name) in enumerate(zip(rows, names, strict=True)):
        if limit is None or len(row) <= limit:
            kept.append(index)
        else:
            longest[name] = max(longest.get(name, 0), len(row))
    lines = [f"{name}: {length} tokens, more than {limit}" for name, length in longest.items()]
    if lines and not drop:
        raise InputProblems(
            [
                *lines[:20],
                f"too long: {len(lines)} in all; shorten the passages, raise optimization.max_length, "
                "or set optimization.too_long=drop to leave them out",
            ]
        )
    return kept, lines
