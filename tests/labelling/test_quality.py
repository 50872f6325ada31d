"""When labels are enough: the intervals of the grader's rates against a person."""

from __future__ import annotations

import pytest
from statsmodels.stats.proportion import proportion_confint

from train.labelling.quality import BOUND, STEP, Pair, Quality, half_width, measure


def pairs(person: bool, agreed: int, others: int, probability: float = 0.5) -> list[Pair]:
    return [Pair(person, person, probability)] * agreed + [Pair(person, not person, probability)] * others


@pytest.mark.parametrize(("agreed", "others"), [(16, 0), (30, 3), (1, 0), (0, 5), (40, 40)])
@pytest.mark.parametrize("person", [True, False])
def test_with_equal_weights_it_is_wilson_s_interval(person: bool, agreed: int, others: int) -> None:
    low, high = proportion_confint(agreed, agreed + others, method="wilson")
    given = pairs(person, agreed, others) + pairs(not person, 7, 9)
    assert half_width(given, person) == pytest.approx((high - low) / 2)


def test_unequal_weights_are_worth_fewer_labels() -> None:
    even = pairs(True, 20, 0, 0.5)
    uneven = pairs(True, 10, 0, 1.0) + pairs(True, 10, 0, 0.05)
    assert (half_width(uneven, True) or 0) > 1.5 * (half_width(even, True) or 1)
    # 10 that weigh 1 and 10 that weigh 20: (10 + 200)² / (10 + 4000)
    low, high = proportion_confint(11.0, 11.0, method="wilson")
    assert half_width(uneven, True) == pytest.approx((high - low) / 2, rel=0.01)


def test_without_labels_nothing_is_known() -> None:
    assert measure([]) == Quality(0, None, None)
    assert half_width(pairs(True, 5, 5), False) is None
    assert not measure(pairs(True, 100, 0)).enough


def test_sixteen_labels_a_side_without_an_error_are_enough_and_ten_are_not() -> None:
    assert measure(pairs(True, 20, 0) + pairs(False, 20, 0)).enough
    assert not measure(pairs(True, 10, 0) + pairs(False, 10, 0)).enough
    assert not measure(pairs(True, 20, 0) + pairs(False, 10, 10)).enough
    assert BOUND == 0.1


def test_no_single_label_shows_whether_the_grader_agreed() -> None:
    given = pairs(True, 13, 2) + pairs(False, 12, 3)
    for number in range(len(given)):
        last = number // STEP * STEP
        assert measure(given[:number]) == measure(given[:last])
