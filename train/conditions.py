"""The names of conditions: what a recipe lists and a file or the command line spells.

A condition's name carries its parameters (`gold+3`, `distractors@3`), so that two of a kind never collide. What a
condition does to a question is the business of `train.contexts`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from train.errors import UserError


@dataclass(frozen=True, slots=True)
class NoContext:
    """The question alone."""

    @property
    def name(self) -> str:
        return "none"


@dataclass(frozen=True, slots=True)
class Gold:
    """The passages that hold the answer, among `distractors` that do not, in an order drawn from the seed."""

    distractors: int = 0

    def __post_init__(self) -> None:
        if self.distractors < 0:
            raise ValueError(f"gold+{self.distractors}: the number of distractors cannot be negative")

    @property
    def name(self) -> str:
        return f"gold+{self.distractors}" if self.distractors else "gold"


@dataclass(frozen=True, slots=True)
class Distractors:
    """Only passages that do not hold the answer: the right thing to do is to abstain."""

    count: int

    def __post_init__(self) -> None:
        if self.count < 1:
            raise ValueError(f"distractors@{self.count}: needs at least one distractor")

    @property
    def name(self) -> str:
        return f"distractors@{self.count}"


Condition = NoContext | Gold | Distractors

NONE = NoContext()
GOLD = Gold()


def GoldAmong(distractors: int) -> Gold:
    """`gold+n`: the gold passages among `distractors` others."""
    return Gold(distractors)


def parse_condition(name: str) -> Condition:
    """The condition of that name; raises `UserError` for a name there is not."""
    try:
        if name == "none":
            return NONE
        if name == "gold":
            return GOLD
        if match := re.fullmatch(r"gold\+(\d+)", name):
            return Gold(int(match[1]))
        if match := re.fullmatch(r"distractors@(\d+)", name):
            return Distractors(int(match[1]))
    except ValueError as error:
        raise UserError(str(error)) from None
    raise UserError(f"condition {name!r}: not one of none, gold, gold+N, distractors@N (N a whole number)")
