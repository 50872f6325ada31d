"""Each statistic by itself, where the whole of `compare` does not pin it already."""

from __future__ import annotations

import itertools
import math
import random
from fractions import Fraction

import numpy
import pytest
from scipy.stats import beta, permutation_test, ttest_rel
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import ttost_paired

from train.comparison import power, statistics


def quarters(*numbers: int) -> list[Fraction]:
    return [Fraction(number, 4) for number in numbers]


@pytest.mark.parametrize(
    ("differences", "p"),
    [
        ([], 1.0),
        (quarters(0, 0, 0), 1.0),
        (quarters(4), 1.0),  # one pair says nothing
        (quarters(4, 0, 0), 1.0),
        (quarters(4, 4), 0.5),
        (quarters(4, -4), 1.0),
        (quarters(*[1] * 5), 2 / 32),  # five that differ: no p below .05 exists
        (quarters(*[1] * 6), 2 / 64),
        (quarters(1, 2, -3, 4), 10 / 16),  # sum 4 of 10: the minuses hold at most 3 in {}, 1, 2, 3, 1+2
        ([Fraction(1, 3), Fraction(1, 6), Fraction(1, 2)], 2 / 8),  # in floats 1/3 + 1/6 is not 1/2
        ([Fraction(1, 3), Fraction(1, 6), Fraction(-1, 2)], 1.0),
    ],
)
def test_sign_flip_p(differences, p):
    assert statistics.sign_flip_p(differences, 0) == p


def test_sign_flip_p_is_that_of_scipy():
    generator = random.Random(1)
    for _ in range(20):
        numbers = [generator.choice([-4, -3, -2, -1, 1, 2, 3, 4]) for _ in range(generator.randint(2, 12))]
        wanted = permutation_test(
            (numpy.array(numbers),),
            lambda x, axis: x.sum(axis=axis),
            permutation_type="samples",
            vectorized=True,
            n_resamples=2**12,
        )
        assert statistics.sign_flip_p(quarters(*numbers), 0) == wanted.pvalue


@pytest.mark.parametrize("size", [9, 60])
def test_sign_flip_p_on_a_grid_too_fine_to_count_is_scipys_and_seeded(size, monkeypatch):
    generator = random.Random(size)
    numbers = quarters(*(generator.choice([-2, -1, 1, 3]) for _ in range(size)))
    counted = statistics.sign_flip_p(numbers, 0)
    monkeypatch.setattr(statistics, "MOST_SUMS", 1)
    sampled = statistics.sign_flip_p(numbers, 0)
    assert sampled == statistics.sign_flip_p(numbers, 0)
    assert sampled == pytest.approx(counted, abs=0 if size <= 20 else 0.01)


def test_sign_flip_p_takes_differences_whose_common_denominator_is_huge():
    primes = [101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157]
    assert statistics.sign_flip_p([Fraction(prime - 1, prime) for prime in primes], 0) == 2 / 2 ** len(primes)


def test_sign_flip_never_rejects_more_often_than_alpha():
    # Over all sign assignments of given magnitudes, which are equally likely under the null.
    for magnitudes in ([1] * 8, [1, 1, 2, 2, 3, 4, 4, 4], [4, 4, 1, 1, 1, 1]):
        p_values = [
            statistics.sign_flip_p(quarters(*(s * m for s, m in zip(signs, magnitudes, strict=True))), 0)
            for signs in itertools.product((1, -1), repeat=len(magnitudes))
        ]
        for alpha in (0.01, 0.05, 0.1, 0.5):
            assert sum(p <= alpha for p in p_values) <= alpha * len(p_values)


def test_holm_is_that_of_statsmodels():
    generator = random.Random(4)
    for count in (0, 1, 2, 7, 30):
        given = [generator.choice([0.001, 0.02, 0.02, generator.random(), 1.0]) for _ in range(count)]
        wanted = multipletests(given, method="holm")[1] if given else []
        assert statistics.holm(given) == pytest.approx(list(wanted))


def test_the_difference_interval_is_that_of_the_paired_t_test():
    a, b = quarters(4, 3, 2, 4, 0, 1, 4), quarters(1, 3, 0, 2, 1, 0, 4)
    wanted = ttest_rel([float(x) for x in a], [float(x) for x in b]).confidence_interval()
    differences = [x - y for x, y in zip(a, b, strict=True)]
    assert statistics.difference_interval(differences, 0.05) == pytest.approx(tuple(wanted))


def test_the_standard_error_clustered_by_topics_is_that_of_statsmodels():
    generator = random.Random(5)
    for _ in range(40):
        shares = quarters(*(generator.randint(0, 4) for _ in range(generator.randint(2, 60))))
        topics = [generator.choice(["", "a", "b", "c", "d"]) for _ in shares]
        groups = [topic or str(place) for place, topic in enumerate(topics)]
        codes = numpy.array([sorted(set(groups)).index(group) for group in groups])
        clustered = 0.0
        if len(set(topics) - {""}) > 1 and len(set(shares)) > 1:
            model = OLS([float(share) for share in shares], numpy.ones(len(shares)))
            clustered = model.fit(cov_type="cluster", cov_kwds={"groups": codes}).bse[0]
        plain = numpy.std([float(share) for share in shares], ddof=1) / math.sqrt(len(shares))
        assert statistics.standard_error(shares, topics) == pytest.approx(max(plain, clustered), abs=1e-15)


def test_wilson_s_interval_is_that_of_statsmodels_for_any_share_and_sample():
    shares, sizes, alphas = (0.0, 1e-9, 0.02, 0.5, 0.987, 1.0), (0.4, 1, 7.3, 30, 1e6), (0.01, 0.05, 0.5)
    for share, n, alpha in itertools.product(shares, sizes, alphas):
        wanted = proportion_confint(share * n, n, alpha=alpha, method="wilson")
        assert statistics.wilson(share, n, alpha) == pytest.approx(tuple(wanted), abs=1e-12)


def test_an_entry_s_interval_is_that_of_the_beta_distribution():
    for scored, alpha in itertools.product((1, 4, 16, 100), (0.01, 0.05)):
        for right in {0, 1, scored // 2, scored}:
            wanted = beta.ppf([alpha / 2, 1 - alpha / 2], 1 + right, 1 + scored - right)
            assert statistics.entry_interval(right, scored, alpha) == pytest.approx(tuple(wanted))


def test_equivalence_is_that_of_statsmodels():
    generator = random.Random(6)
    for margin in (0.05, 0.1, 0.3):
        differences = quarters(*(generator.randint(-2, 2) for _ in range(30)))
        wanted = ttost_paired([float(each) for each in differences], numpy.zeros(30), -margin, margin)[0]
        assert statistics.equivalence_p(differences, margin) == pytest.approx(wanted)
        assert statistics.equivalence_p([-each for each in differences], margin) == pytest.approx(wanted)


def test_equal_thirds_do_not_vary():
    thirds = [Fraction(1, 3)] * 9
    assert statistics.standard_error(thirds) == 0
    assert statistics.difference_interval(thirds, 0.05) is None
    assert statistics.cell_interval(thirds, 0.0, 0.05) == pytest.approx((0.1206, 0.6458), abs=1e-4)


def test_topics_widen_the_standard_error_and_never_narrow_it():
    alike = quarters(4, 4, 4, 0, 0, 0)
    plain = statistics.standard_error(alike)
    assert statistics.standard_error(alike, ["a"] * 3 + ["b"] * 3) > plain
    assert statistics.standard_error(alike, ["a", "b", "c", "a", "b", "c"]) == plain
    assert statistics.standard_error(alike, ["a"] * 6) == plain  # one topic is no cluster
    assert statistics.standard_error(alike, [""] * 6) == plain
    assert statistics.standard_error(alike, list("abcdef")) == pytest.approx(plain)  # the correction G/(G − 1) cancels
    low, high = statistics.cell_interval(alike, statistics.standard_error(alike, ["a"] * 3 + ["b"] * 3), 0.05)
    assert low < 0.1 and high > 0.9  # two topics are hardly more than two questions


@pytest.mark.parametrize(("c", "n", "k"), [(c, n, k) for n in (1, 4) for c in range(n + 1) for k in range(1, n + 1)])
def test_pass_at_k_and_pass_hat_k_count_draws(c, n, k):
    draws = list(itertools.combinations([True] * c + [False] * (n - c), k))
    assert statistics.pass_at_k(c, n, k) == pytest.approx(sum(map(any, draws)) / len(draws))
    assert statistics.pass_hat_k(c, n, k) == pytest.approx(sum(map(all, draws)) / len(draws))


def test_detectable_is_what_the_t_test_has_eighty_percent_power_for():
    differences = quarters(*([4] * 5 + [3, 1] + [0] * 93))
    effect = power.detectable(differences, 0.05) / statistics.standard_deviation(differences)
    assert TTestPower().power(effect, 100, 0.05) == pytest.approx(0.8, abs=0.01)


def test_questions_needed_would_make_the_difference_detectable():
    differences = quarters(*([4] * 5 + [3, 1] + [0] * 23))
    deviation = statistics.standard_deviation(differences)
    assert power.questions_needed(deviation, 0.2, 0.05) == 30  # the published test had just enough
    assert power.questions_needed(deviation, 0.1, 0.05) == 120
    assert power.questions_needed(deviation, 0.2, 0.05, 4) > 30
    assert power.questions_needed(deviation, 0.0, 0.05) is None


def test_questions_that_all_differ_alike_still_bound_the_difference():
    assert power.uniform_upper_bound(0.0, 5, 0.05) is None
    assert power.uniform_upper_bound(0.0, 30, 0.05) == pytest.approx(0.1157, abs=1e-4)  # Clopper-Pearson, 0 of 30
    for difference, worthwhile in ((0.0, 0.05), (0.02, 0.05), (-0.5, 0.05), (0.0, 0.2)):
        needed = power.uniform_questions_needed(difference, worthwhile, 0.05, 4, beats=False)
        assert (power.uniform_upper_bound(difference, max(needed, 6), 0.05)) < worthwhile
        assert needed <= 6 or power.uniform_upper_bound(difference, needed - 1, 0.05) >= worthwhile
    assert power.uniform_questions_needed(0.1, 0.05, 0.05, 4, beats=False) is None
    assert power.uniform_questions_needed(0.25, 0.05, 0.05, 1, beats=True) == 6


def test_equivalence_needs_a_narrow_difference():
    nearly = quarters(*([1, -1] * 5 + [0] * 90))
    assert statistics.equivalence_p(nearly, 0.05) < 0.001
    assert statistics.equivalence_p(quarters(*[4, 4, 0, 0, 0, 0, 0]), 0.05) > 0.5
    assert statistics.equivalence_p(quarters(0, 0, 0, 0, 0, 0, 0), 0.05) is None


def test_seeds_that_disagree_widen_the_claim_beyond_them():
    generator = random.Random(0)
    calm = [quarters(*(generator.randint(0, 4) for _ in range(20))) for _ in range(3)]
    apart = [[share + shift for share in row] for row, shift in zip(calm, (-1, 0, 1), strict=True)]
    narrow, wide = statistics.between_seeds(calm, 0.05), statistics.between_seeds(apart, 0.05)
    assert wide["standard_error"] > 2 * narrow["standard_error"]
    assert wide["interval"][1] - wide["interval"][0] > 4 * (narrow["interval"][1] - narrow["interval"][0])
    assert statistics.between_seeds(calm[:1], 0.05) is None
    # Identical seeds add nothing: the questions' own standard error remains.
    same = statistics.between_seeds([calm[0]] * 3, 0.05)
    assert same["standard_error"] == pytest.approx(statistics.standard_deviation(calm[0]) / math.sqrt(20))
