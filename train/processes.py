"""The processes that `accelerate launch` started: which of them this one is, and waiting for one another.

Everything that is written once is written by the main process. Training is data-parallel; questions are shared out.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

T = TypeVar("T")

PATIENCE = timedelta(hours=24)
"""How long processes wait for one another: the main one may grade, or one share of the questions may take longer."""


@dataclass(frozen=True, slots=True)
class Processes:
    """This process's place among those that work on the same run."""

    rank: int = 0
    count: int = 1

    @property
    def main(self) -> bool:
        """Whether this is the process that writes what is single."""
        return self.rank == 0

    def share(self, items: Sequence[T]) -> list[T]:
        """This process's items: every one goes to exactly one process, neighbours to different ones."""
        return list(items[self.rank :: self.count])

    def agree(self, number: int) -> int:
        """The main process's number, in all of them."""
        if self.count == 1:
            return number
        from accelerate.utils import broadcast_object_list

        return int(broadcast_object_list([number])[0])

    def wait(self) -> None:
        """Returns when all processes have come here."""
        if self.count > 1:
            from accelerate import PartialState

            PartialState().wait_for_everyone()


def join() -> Processes:
    """Joins the processes that the launcher's environment speaks of; alone where there was no launcher."""
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        return Processes()
    import torch
    from accelerate import PartialState

    state = PartialState(cpu=not torch.cuda.is_available(), timeout=PATIENCE)
    return Processes(state.process_index, state.num_processes)


def rank() -> int:
    """This process's number, known before the processes have met."""
    return int(os.environ.get("RANK", "0"))
