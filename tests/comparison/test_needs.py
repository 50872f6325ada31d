"""How many questions a need would take, held against the bar that it is to reach."""

from __future__ import annotations

import math

import numpy
import pytest
from scipy.stats import norm

from train.comparison.needs import Bar, Need, find
from train.records import Cell

BAR = Bar(alpha=0.05, worthwhile=0.05, family=4)


def needed(difference: float, deviation: float, **need: bool) -> int | None:
    """What `find` asks for where 40 questions showed this difference."""
    a, b = Cell("tuned", "gold"), Cell("base", "gold")
    reach = 1.96 * deviation / math.sqrt(40)
    row = {
        "a": {"arm": "tuned", "condition": "gold"}, "b": {"arm": "base", "condition": "gold"}, "split": "all",
        "planned": True, "questions": 40, "difference": difference, "standard_deviation": deviation, "p_value": 0.5,
        "p_holm": 1.0, "interval": [difference - reach, difference + reach],
    }  # fmt: skip
    return find(Need(a, b, **need), [row], "all", BAR).questions


@pytest.mark.parametrize(
    ("difference", "deviation", "need"),
    [
        (0.03, 0.3, {"planned": True}),
        (-0.02, 0.5, {}),
        (0.03, 0.3, {"beats": True, "planned": True}),
        (0.1, 0.5, {"beats": True}),
    ],
)
def test_so_many_questions_as_are_asked_for_meet_the_need_in_four_of_five_cases(difference, deviation, need):
    asked = needed(difference, deviation, **need)
    generator = numpy.random.default_rng(3)
    means = generator.normal(difference, deviation / math.sqrt(asked), 4000)
    error = deviation / math.sqrt(asked)
    # The bars of `find`: the upper end of the unadjusted interval, or the p-value, Holm's at its first step if planned.
    level = 0.05 / (BAR.family if need.get("planned") else 1)
    met = means / error > norm.ppf(1 - level / 2) if need.get("beats") else means + 1.96 * error < BAR.worthwhile
    assert float(met.mean()) == pytest.approx(0.8, abs=0.03)


def test_the_upper_end_falls_below_what_is_worthwhile_only_with_many_questions():
    assert needed(0.03, 0.3, planned=True) == 1766
