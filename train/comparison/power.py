"""What so many questions could have shown, and how many would show it. Kinds of values are as in `statistics`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

from train.comparison import statistics

POWER = 0.8
"""The power for which sample sizes and detectable differences are given."""


def detectable(differences: Sequence[Fraction], alpha: float) -> float | None:
    """The smallest difference these questions could have shown with 80 % power: (z_(1−α/2) + z_.8)·sd(d)/√Q.

    sd(d) holds the sampling noise already. None where it is 0 or unknown: then nothing was learnt about noise.
    """
    deviation = statistics.standard_deviation(differences)
    return _z_sum(alpha) * deviation / math.sqrt(len(differences)) if deviation else None


def questions_needed(deviation: float, distance: float, alpha: float, family: int = 1) -> int | None:
    """What shows with 80 % power that a mean lies beyond a bar: n = ((z_(1−α/2m) + z_.8)·sd(d)/δ)².

    `distance` is δ, from what is true to the bar: d itself where a difference is to be shown (the bar is 0), worthwhile
    − d where the interval's upper end is to fall below `worthwhile`. `family` is m, the number of planned contrasts
    where p is adjusted for them (Bonferroni's first step of Holm). None where δ ≤ 0: no number of questions would.
    """
    return math.ceil((_z_sum(alpha / max(family, 1)) * deviation / distance) ** 2) if distance > 0 else None


def uniform_upper_bound(difference: float, questions: int, alpha: float) -> float | None:
    """The upper end of a mean difference where all Q questions differ by the same d, so that no interval exists.

    Questions with another difference may make up at most a share u = 1 − (α/2)^(1/Q) (Clopper and Pearson for 0 of Q,
    as in the "rule of three"), and none of them exceeds 1: d + u(1 − d). None where Q < 6.
    """
    if questions < statistics.FEWEST_QUESTIONS:
        return None
    unseen: float = 1 - (alpha / 2) ** (1 / questions)
    return difference + unseen * (1 - difference)


def uniform_questions_needed(
    difference: float, worthwhile: float, alpha: float, family: int, beats: bool
) -> int | None:
    """The questions needed where all differ by the same d: the fewest with 2^(1−n) ≤ α/m that show d > 0 (`beats`).

    m is `family`, as in `questions_needed`. Otherwise the fewest whose `uniform_upper_bound` falls below `worthwhile`;
    None where none does.
    """
    if beats:
        return math.ceil(1 + math.log2(max(family, 1) / alpha))
    if difference >= worthwhile:
        return None
    if worthwhile >= 1:
        return statistics.FEWEST_QUESTIONS
    return math.floor(math.log(alpha / 2) / math.log((1 - worthwhile) / (1 - difference))) + 1


def _z_sum(alpha: float) -> float:
    return statistics.two_sided_z(alpha) + statistics.two_sided_z(2 * (1 - POWER))
