"""How many questions are answered together, from the memory that is free."""

from __future__ import annotations

from dataclasses import dataclass

SHARE_OF_MEMORY = 0.5
"""Of the memory that is free, the share that keys and values may take."""
SHARE_UNPACKED = 0.25
"""Of the memory that is free, the share that weights unpacked from 4 bits may take."""
MOST_ROWS = {"cpu": 128, "cuda": 512, "mps": 128}
"""Beyond so many answers at once a step takes so much longer that little is gained."""
SPARE = 2
"""Slots for so many times the questions that are answered at first: some have only one unfinished answer left."""
PIECE = {"cpu": 2048, "cuda": 16384, "mps": 4096}
"""Tokens of prompts computed together: enough to keep the device busy."""
SHARE_OF_WORK = 0.1
"""Of the memory that is free, the share that the work on prompts may take."""


@dataclass(frozen=True, slots=True)
class Room:
    """How many questions have a slot, how many answers are decoded together, and how many tokens of prompts computed
    together. A question's samples stay together, and so does a prompt, whatever their number.

    `cramped` says that memory allowed fewer questions than there was use for.
    """

    questions: int
    rows: int
    piece: int
    cramped: bool

    def halved(self) -> Room:
        """Half of everything, at least one of each."""
        return Room(max(1, self.questions // 2), max(1, self.rows // 2), max(1, self.piece // 2), True)


@dataclass(frozen=True, slots=True)
class Needs:
    """Bytes of one token's keys and values in all blocks; bytes of the work on one token of a prompt; tokens of the
    longest prompt and of the longest answer; samples of a question; how many questions there are."""

    token: int
    work: int
    prompt: int
    answer: int
    samples: int
    questions: int

    @property
    def slot(self) -> int:
        """Bytes of one question."""
        return self.token * (self.prompt + self.samples * self.answer)


def work_bytes(hidden: int, attended: int, intermediate: int, width: int) -> int:
    """Bytes of the work on one token of a prompt in one block: about 4 values of every width."""
    return 4 * width * (hidden + attended + intermediate)


def room_for(needs: Needs, free: float, device: str, rows: int | None, most: Room | None = None) -> Room:
    """What fits into that much free memory on a kind of device.

    Args:
        needs: what a question takes.
        free: bytes.
        device: cpu, cuda or mps.
        rows: answers at once; None takes as many as are worth while.
        most: the room beyond which memory did not suffice before.
    """
    wanted = rows or MOST_ROWS[device]
    useful = min(SPARE * -(-wanted // needs.samples), needs.questions)
    slots = max(1, min(useful, int(SHARE_OF_MEMORY * free / needs.slot)))
    piece = max(1, min(PIECE[device], int(SHARE_OF_WORK * free / needs.work)))
    if most:
        slots, wanted, piece = min(slots, most.questions), min(wanted, most.rows), min(piece, most.piece)
    return Room(slots, min(wanted, slots * needs.samples), piece, slots < useful)
