"""What a test can show: the smallest difference with these questions, and the questions for a difference."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

from train.comparison.statistics import FEWEST_QUESTIONS, standard_deviation

POWER = 0.8
"""The power for which sample sizes and detectable differences are given."""


def detectable(differences: Sequence[Fraction], alpha: float) -> float | None:
    """The smallest difference these questions could have shown with 80 % power: (z_(1−α/2) + z_.8)·sd(d)/√Q.

    sd(d) holds the sampling noise already. None where it is 0 or unknown: then nothing was learnt about noise.
    """
    deviation = standard_deviation(differences)
    return _z_sum(alpha) * deviation / math.sqrt(len(differences)) if deviation else None


def questions_needed(deviation: float, difference: float, worthwhile: float, alpha: float, family: int) -> int | None:
    """What shows a difference with 80 % power: n = ((z_(1−α/2m) + z_.8)·sd(d)/δ)², δ = max(|d|, worthwhile).

    `family` is m, the number of planned contrasts (Bonferroni's first step of Holm). None where δ = 0.
    """
    size = max(abs(difference), worthwhile)
    return math.ceil((_z_sum(alpha / max(family, 1)) * deviation / size) ** 2) if size else None


def uniform_questions_needed(
    difference: float, worthwhile: float, alpha: float, family: int, beats: bool
) -> int | None:
    """The questions needed where all differ by the same d: the fewest with 2^(1−n) ≤ α/m that show d > 0 (`beats`).

    Otherwise the fewest whose `uniform_upper_bound` falls below `worthwhile`; None where none does.
    """
    if beats:
        return math.ceil(1 + math.log2(max(family, 1) / alpha))
    if difference >= worthwhile:
        return None
    if worthwhile >= 1:
        return FEWEST_QUESTIONS
    return math.floor(math.log(alpha / 2) / math.log((1 - worthwhile) / (1 - difference))) + 1


def _z_sum(alpha: float) -> float:
    from scipy.stats import norm

    return float(norm.ppf(1 - alpha / 2) + norm.ppf(POWER))
