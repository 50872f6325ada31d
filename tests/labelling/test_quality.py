"""When labels are enough: the intervals of the grader's rates against a person."""

from __future__ import annotations

import pytest
from statsmodels.stats.proportion import proportion_confint

from train.comparison.agreement import interval, rates
from train.comparison.labels import Scored
from train.labelling.quality import BOUND, STEP, Pair, Quality, half_width, measure

SIZES = {("base", True): 1000, ("base", False): 1000}


def pairs(person: bool, agreed: int, others: int, samples: int = 1) -> list[Pair]:
    """Labels of so many answers, `samples` to a question."""
    words = [person] * agreed + [not person] * others
    return [Pair(f"{person}-{number // samples}", "base", person, word) for number, word in enumerate(words)]


def width(agreed: float, count: float) -> float:
    low, high = proportion_confint(agreed, count, method="wilson")
    return (high - low) / 2


@pytest.mark.parametrize(("agreed", "others"), [(16, 0), (30, 3), (1, 0), (0, 5), (40, 40)])
@pytest.mark.parametrize("person", [True, False])
def test_with_equal_weights_it_is_wilson_s_interval(person: bool, agreed: int, others: int) -> None:
    given = pairs(person, agreed, others)
    drawn = {word: sum(pair.grader is word for pair in given) for word in (True, False)}
    sizes = {("base", word): 3 * count for word, count in drawn.items()}
    assert half_width(given, sizes, person) == pytest.approx(width(agreed, agreed + others))


def test_unequal_weights_are_worth_fewer_labels() -> None:
    given = pairs(True, 20, 0)
    uneven = [Pair(pair.question, "ab"[n % 2], True, True) for n, pair in enumerate(given)]
    # 10 that weigh 1 and 10 that weigh 20: (10 + 200)² / (10 + 4000)
    worth = half_width(uneven, {("a", True): 10, ("b", True): 200}, True)
    assert worth == pytest.approx(width(210**2 / 4010, 210**2 / 4010))
    assert worth > 1.4 * (half_width(given, SIZES, True) or 1)


def test_samples_of_one_question_that_are_alike_are_worth_one() -> None:
    four = pairs(True, 68, 12, samples=4) + pairs(False, 72, 8, samples=4)
    once = pairs(True, 17, 3) + pairs(False, 18, 2)
    for person in (True, False):
        assert half_width(four, SIZES, person) == pytest.approx(half_width(once, SIZES, person))
    assert measure(pairs(True, 80, 0) + pairs(False, 80, 0), SIZES).enough
    assert not measure(four, SIZES).enough


def test_it_is_the_interval_that_the_report_gives() -> None:
    given = pairs(True, 30, 4, samples=3) + pairs(False, 41, 9, samples=2)
    drawn = {word: sum(pair.grader is word for pair in given) for word in (True, False)}
    labelled = [
        (Scored(pair.question, pair.grader, pair.person, None), SIZES["base", pair.grader] / drawn[pair.grader])
        for pair in given
    ]
    for person, rate in zip((True, False), rates(labelled), strict=True):
        low, high = interval(rate, 0.05) or (0.0, 0.0)
        assert half_width(given, SIZES, person) == pytest.approx((high - low) / 2)


def test_without_labels_nothing_is_known() -> None:
    assert measure([], SIZES) == Quality(0, None, None)
    assert half_width(pairs(True, 5, 5), SIZES, False) is None
    assert not measure(pairs(True, 100, 0), SIZES).enough


def test_sixteen_labels_a_side_without_an_error_are_enough_and_ten_are_not() -> None:
    assert measure(pairs(True, 20, 0) + pairs(False, 20, 0), SIZES).enough
    assert not measure(pairs(True, 10, 0) + pairs(False, 10, 0), SIZES).enough
    assert not measure(pairs(True, 20, 0) + pairs(False, 10, 10), SIZES).enough
    assert BOUND == 0.1


def test_no_single_label_shows_whether_the_grader_agreed() -> None:
    given = pairs(True, 13, 2) + pairs(False, 12, 3)
    for number in range(len(given)):
        last = number // STEP * STEP
        assert measure(given[:number], SIZES) == measure(given[:last], SIZES)
