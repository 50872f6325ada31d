"""How well the labels so far tell how good the automatic grader is: the width of an interval, and when it will do.

The rates themselves are not for the person who labels: after each label they would show what the grader had said.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

BOUND = 0.1
"""Half an interval's width at which there are labels enough."""

STEP = 10
"""Widths are measured after every so many labels, so that no single one shows whether the grader agreed."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Whether a person and the automatic grader call one answer right, and the probability with which it was drawn."""

    person: bool
    grader: bool
    probability: float


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


def measure(pairs: Sequence[Pair]) -> Quality:
    """The quality at the last full `STEP` of the labels, which come in the order in which they were given."""
    seen = pairs[: len(pairs) // STEP * STEP]
    return Quality(len(seen), half_width(seen, True), half_width(seen, False))


def half_width(pairs: Sequence[Pair], person: bool) -> float | None:
    """Half of Wilson's 95 % interval of the share of answers of which the grader says what the person says (`person`).

    Labels weigh 1/probability; the interval is that of as many equal ones, n = (Σw)²/Σw² (Kish 1965), so it reaches
    z·√(p(1−p)/n + z²/4n²)/(1 + z²/n) to either side of its middle (Wilson 1927). None without labels.
    """
    weighed = [(1 / pair.probability, pair.grader is person) for pair in pairs if pair.person is person]
    if not weighed:
        return None
    total = sum(weight for weight, _ in weighed)
    agreed = sum(weight for weight, agrees in weighed if agrees) / total
    effective = total**2 / sum(weight**2 for weight, _ in weighed)
    z = NormalDist().inv_cdf(0.975)
    return z * math.sqrt(agreed * (1 - agreed) / effective + (z / effective / 2) ** 2) / (1 + z**2 / effective)
