"""How well the labels so far tell how good the automatic grader is: the width of an interval, and when it will do.

The rates themselves are not for the person who labels: after each label they would show what the grader had said.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from train.comparison.agreement import interval, share

BOUND = 0.1
"""Half an interval's width at which there are labels enough."""

STEP = 10
"""Widths are measured after every so many labels, so that no single one shows whether the grader agreed."""


Sizes = Mapping[tuple[str, bool | None], int]
"""How many answers there are of each arm that the automatic grader calls right, or not."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Whether a person and the automatic grader call one drawn answer right, its question and its arm."""

    question: str
    arm: str
    person: bool
    grader: bool


@dataclass(frozen=True, slots=True)
class Quality:
    """Half the widths of the 95 % intervals of the grader's TPR (`right`) and TNR (`other`) against one person.

    TPR is the share of what people call right that the grader calls right, TNR the same of what they do not. `after`
    is the number of labels that were looked at. None where no label tells.
    """

    after: int
    right: float | None
    other: float | None

    @property
    def enough(self) -> bool:
        """Whether both are known well enough."""
        return all(width is not None and width <= BOUND for width in (self.right, self.other))


def measure(pairs: Sequence[Pair], sizes: Sizes) -> Quality:
    """The quality at the last full `STEP` of the labels, which come in the order in which they were given."""
    seen = pairs[: len(pairs) // STEP * STEP]
    return Quality(len(seen), half_width(seen, sizes, True), half_width(seen, sizes, False))


def half_width(pairs: Sequence[Pair], sizes: Sizes, person: bool) -> float | None:
    """Half of the 95 % interval of the share of answers of which the grader says what the person says (`person`).

    It is the interval that the report gives: a label counts for the answers it stands for, of the same arm and the same
    word of the grader's, and samples of one question for no more than they are worth. None without labels.
    """
    drawn = Counter((pair.arm, pair.grader) for pair in pairs)
    hits = [
        (pair.question, sizes[pair.arm, pair.grader] / drawn[pair.arm, pair.grader], pair.grader is person)
        for pair in pairs
        if pair.person is person
    ]
    found = interval(share(hits), 0.05)
    return (found[1] - found[0]) / 2 if found else None
