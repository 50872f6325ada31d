"""The names of conditions: what a recipe lists and a file or the command line spells.

A condition's name carries its parameters (`gold+3`, `distractors@3`), so that two of a kind never collide. What a
condition does to a question is the business of `train.contexts`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

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


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """The question's counterfactual passage, whose facts differ from the truth: who reads, answers with those."""

    @property
    def name(self) -> str:
        return "counterfactual"


@dataclass(frozen=True, slots=True)
class Retrieved:
    """The `count` passages that a search of the corpus for the question finds, best first, whatever they hold.

    The right thing to do is to answer all the same: what retrieval misses counts against the pair of both.
    """

    count: int

    def __post_init__(self) -> None:
        if self.count < 1:
            raise ValueError(f"retrieved@{self.count}: needs at least one passage")

    @property
    def name(self) -> str:
        return f"retrieved@{self.count}"


Otherwise = Literal["answer", "abstain"]
ANSWER: Otherwise = "answer"
ABSTAIN: Otherwise = "abstain"


@dataclass(frozen=True, slots=True)
class Mixed:
    """For training only: a share of the rows sees the gold passage among distractors, the others only distractors.

    What these others are to say is the answer (`otherwise=ANSWER`, as in RAFT, Zhang et al. 2024, whose P is
    `gold_share`) or the abstention (`ABSTAIN`). All rows show equally many passages. Each row's kind is drawn anew in
    every epoch.
    """

    gold_share: float
    otherwise: Otherwise = ABSTAIN
    distractors: int = 3

    def __post_init__(self) -> None:
        if not 0 <= self.gold_share <= 1:
            raise ValueError(f"mixed@{self.gold_share:g}: the share must lie between 0 and 1")
        if self.otherwise not in (ANSWER, ABSTAIN):
            raise ValueError(f"mixed: otherwise = {self.otherwise!r}: should be {ANSWER!r} or {ABSTAIN!r}")
        if self.distractors < 0:
            raise ValueError(f"mixed+{self.distractors}: the number of distractors cannot be negative")

    @property
    def name(self) -> str:
        return f"mixed@{self.gold_share:g}+{self.distractors}-{self.otherwise}"


Condition = NoContext | Gold | Distractors | Counterfactual | Retrieved | Mixed

NONE = NoContext()
GOLD = Gold()
COUNTERFACTUAL = Counterfactual()


def GoldAmong(distractors: int) -> Gold:
    """`gold+n`: the gold passages among `distractors` others."""
    return Gold(distractors)


def parse_condition(name: str) -> Condition:
    """The condition of that name; raises `UserError` for a name there is not."""
    plain: dict[str, Condition] = {each.name: each for each in (NONE, GOLD, COUNTERFACTUAL)}
    try:
        if name in plain:
            return plain[name]
        if match := re.fullmatch(r"gold\+(\d+)", name):
            return Gold(int(match[1]))
        if match := re.fullmatch(r"distractors@(\d+)", name):
            return Distractors(int(match[1]))
        if match := re.fullmatch(r"retrieved@(\d+)", name):
            return Retrieved(int(match[1]))
        if match := re.fullmatch(r"mixed@(\d+(?:\.\d+)?)\+(\d+)-(answer|abstain)", name):
            return Mixed(float(match[1]), ABSTAIN if match[3] == ABSTAIN else ANSWER, int(match[2]))
    except ValueError as error:
        raise UserError(str(error)) from None
    raise UserError(
        f"condition {name!r}: not one of none, gold, gold+N, distractors@N, counterfactual, retrieved@N, or for "
        "training mixed@SHARE+N-answer and mixed@SHARE+N-abstain (N a whole number)"
    )
