"""Which answers are drawn to be labelled, and how likely each was to be."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest

from train.labelling.plan import BLOCK, Plan, draw, sequence
from train.records import AnswerId

Right = dict[AnswerId, bool | None]


def answers(**counts: tuple[int, int, int]) -> Right:
    """For each arm, so many answers that are right, that are not, and that no grader could score."""
    made: Right = {}
    for arm, numbers in counts.items():
        for word, number in zip((True, False, None), numbers, strict=True):
            made |= {AnswerId(arm, 0, "gold", f"{word}-{n}", 0): word for n in range(number)}
    return made


EVEN = answers(base=(50, 50, 0), tuned=(80, 20, 0))
LOPSIDED = answers(base=(3, 97, 0), tuned=(60, 5, 0), other=(1, 0, 4))
NO_GRADER = answers(base=(0, 0, 30))
ALL = [EVEN, LOPSIDED, NO_GRADER, answers(base=(40, 0, 0)), answers(base=(0, 1, 0))]


def strata(plan: Plan, right: Right) -> Counter[tuple[bool | None, str]]:
    return Counter((right[each], each.arm) for each in plan.answers)


@pytest.mark.parametrize("right", ALL)
@pytest.mark.parametrize("size", [1, 2, 7, 40, 1000])
def test_a_plan_draws_as_many_as_asked_for_and_none_twice(right: Right, size: int) -> None:
    plan = draw(right, "seed", size)
    assert len(plan.answers) == min(size, len(right))
    assert len(set(plan.answers)) == len(plan.answers)
    assert set(plan.answers) <= set(right)


def test_half_are_right_and_half_are_not_and_the_arms_share_alike() -> None:
    assert strata(draw(EVEN, "seed", 40), EVEN) == {
        (True, "base"): 10, (True, "tuned"): 10, (False, "base"): 10, (False, "tuned"): 10,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("size", "drawn"),
    [
        (20, {(True, "base"): 3, (True, "tuned"): 6, (True, "other"): 1, (False, "base"): 5, (False, "tuned"): 5}),
        # what a stratum lacks, the others of its half make up for
        (60, {(True, "base"): 3, (True, "tuned"): 26, (True, "other"): 1, (False, "base"): 25, (False, "tuned"): 5}),
        # and what a half lacks, the other half; the unscored come last
        (167, {(True, "base"): 3, (True, "tuned"): 60, (True, "other"): 1, (False, "base"): 97, (False, "tuned"): 5,
               (None, "other"): 1}),
    ],
)  # fmt: skip
def test_where_a_stratum_is_used_up_the_others_make_up_for_it(size: int, drawn: dict[object, int]) -> None:
    assert strata(draw(LOPSIDED, "seed", size), LOPSIDED) == drawn


@pytest.mark.parametrize("right", ALL)
@pytest.mark.parametrize("size", [5, 40, 1000])
def test_a_probability_is_the_share_drawn_of_the_stratum(right: Right, size: int) -> None:
    plan = draw(right, "seed", size)
    drawn, whole = strata(plan, right), Counter((word, each.arm) for each, word in right.items())
    assert set(plan.answers) <= set(plan.probability)
    for each, probability in plan.probability.items():
        stratum = (right[each], each.arm)
        assert probability == drawn[stratum] / whole[stratum] > 0
    # Weighed by it, the drawn answers stand for all of the strata that any were drawn from.
    assert sum(1 / plan.probability[each] for each in plan.answers) == pytest.approx(
        sum(whole[stratum] for stratum in drawn)
    )


def test_over_many_seeds_each_answer_is_drawn_as_often_as_its_probability_says() -> None:
    rounds, size = 2000, 30
    plans = [draw(LOPSIDED, f"seed {n}", size) for n in range(rounds)]
    assert all(plan.probability == plans[0].probability for plan in plans)
    often = Counter(each for plan in plans for each in plan.answers)
    for each, probability in plans[0].probability.items():
        error = (probability * (1 - probability) / rounds) ** 0.5
        assert abs(often[each] / rounds - probability) <= 4.5 * error, each


def test_weighing_by_the_probability_gives_the_true_share_where_counting_does_not() -> None:
    # 5 % of what the grader calls right is not, 40 % of the rest is right after all.
    right = answers(base=(200, 40, 0), tuned=(300, 60, 0))
    person = {each: word is (int(each.question.split("-")[1]) % 20 > 0) for each, word in right.items() if word}
    person |= {each: int(each.question.split("-")[1]) % 5 < 2 for each, word in right.items() if not word}
    truth = sum(person.values()) / len(person)
    plain, weighed = [], []
    for n in range(200):
        plan = draw(right, f"seed {n}", 80)
        weights = {each: 1 / plan.probability[each] for each in plan.answers}
        plain.append(sum(person[each] for each in weights) / len(weights))
        weighed.append(sum(weight for each, weight in weights.items() if person[each]) / sum(weights.values()))
    assert sum(weighed) / len(weighed) == pytest.approx(truth, abs=0.01)
    assert abs(sum(plain) / len(plain) - truth) > 0.1


def test_a_smaller_plan_is_the_beginning_of_a_larger_one() -> None:
    large = draw(LOPSIDED, "seed", 200)
    for size in range(1, 170, 13):
        assert draw(LOPSIDED, "seed", size).answers == large.answers[:size]


def test_another_seed_draws_others_and_the_order_of_the_answers_says_nothing() -> None:
    one = draw(EVEN, "seed", 40)
    assert draw(dict(reversed(EVEN.items())), "seed", 40) == one
    assert set(draw(EVEN, "other", 40).answers) != set(one.answers)


def test_an_answer_graded_anew_changes_few_others() -> None:
    before = draw(EVEN, "seed", 60)
    changed = EVEN | {before.answers[7]: not EVEN[before.answers[7]]}
    assert len(set(before.answers) - set(draw(changed, "seed", 60).answers)) <= 3


def test_everybody_gets_the_whole_plan_in_an_order_of_their_own_the_first_block_first() -> None:
    plan = draw(EVEN, "seed", 150)
    kim, lee = sequence(plan, "seed", "kim"), sequence(plan, "seed", "lee")
    assert sorted(kim) == sorted(lee) == sorted(plan.answers)
    assert kim != lee
    assert set(kim[:BLOCK]) == set(lee[:BLOCK])
    assert set(kim[BLOCK : 2 * BLOCK]) != set(lee[BLOCK : 2 * BLOCK])
    assert kim[:BLOCK] != lee[:BLOCK]
    assert sequence(plan, "seed", "kim") == kim


def test_wherever_one_stops_the_strata_are_in_the_proportions_of_the_plan() -> None:
    plan = draw(LOPSIDED, "seed", 160)
    whole = strata(plan, LOPSIDED)
    shown = sequence(plan, "seed", "kim")
    for stop in range(BLOCK, 161, BLOCK):
        part = Counter((LOPSIDED[each], each.arm) for each in shown[:stop])
        assert all(abs(part[stratum] - number * stop / 160) <= stop // BLOCK for stratum, number in whole.items())


def test_the_order_does_not_tell_what_the_grader_said() -> None:
    words = [EVEN[each] for each in sequence(draw(EVEN, "seed", 160), "seed", "kim")]
    alike = sum(one is other for one, other in pairwise(words))
    assert 55 <= alike <= 105  # 79.5 expected of a coin
