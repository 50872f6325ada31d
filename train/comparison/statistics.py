"""The statistics of METHOD.md, one small pure function each. The unit is the question, never the sample.

Shares right (p_q) and differences (d_q) come as `Fraction`, so that means, ties and "nothing differs" are exact and
do not depend on the order of the questions. Results are plain floats; `None` says that the figure does not exist.
Quantiles come from `scipy.special`; formulas that scipy.stats or statsmodels has too are held to theirs by tests, since
importing those takes longer than most comparisons. Each function imports what it calls.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any

Interval = tuple[float, float]

FEWEST_QUESTIONS = 6
"""Below it a difference has no interval: with five questions no sign-flip p-value below .05 exists either."""

MOST_SUMS = 2**22
MOST_STEPS = 2**28
EXACT_ASSIGNMENTS = 2**20
RESAMPLES = 99_999


def mean(values: Sequence[Fraction]) -> float | None:
    """The mean of p_q or d_q, in their unit; None without values."""
    if not values:
        return None
    # By denominators first: there are few, and adding whole numbers is a tenth of the work of adding fractions.
    sums: dict[int, int] = {}
    for value in values:
        sums[value.denominator] = sums.get(value.denominator, 0) + value.numerator
    return float(sum((Fraction(top, bottom) for bottom, top in sums.items()), Fraction(0)) / len(values))


def standard_deviation(values: Sequence[Fraction] | Sequence[float]) -> float | None:
    """The sample standard deviation (ddof = 1): exactly 0 where all are equal, None for fewer than two."""
    import numpy

    if len(values) < 2:
        return None
    if all(
        value == values[0] for value in values
    ):  # in floats, three times 1/3 would deviate by 1e-17 and count as variation
        return 0.0
    return float(numpy.std(_floats(values), ddof=1))


def standard_error(shares: Sequence[Fraction] | Sequence[float], topics: Sequence[str] = ()) -> float | None:
    """The standard error of an accuracy: sd(p_q)/√Q, or the topic-clustered one where that is larger.

    `topics` names the topic of each share, "" for none; a question without a topic is a cluster of its own.
    That is √(G/(G−1) · Σ_g (Σ_{q∈g} (p_q − p̄))²)/Q for G clusters (Cameron and Miller 2015, for a constant
    alone). Clustering needs two topics. None for fewer than two shares.
    """
    deviation = standard_deviation(shares)
    if deviation is None:
        return None
    plain = deviation / math.sqrt(len(shares))
    if plain == 0 or len(set(topics) - {""}) < 2:
        return plain
    import numpy

    codes: dict[object, int] = {}
    groups = [codes.setdefault(topic or index, len(codes)) for index, topic in enumerate(topics)]
    values = _floats(shares)
    sums = numpy.bincount(groups, values - values.mean())
    clustered = math.sqrt(len(sums) / (len(sums) - 1) * float((sums**2).sum())) / len(values)
    return max(plain, clustered)


def cell_interval(shares: Sequence[Fraction], error: float | None, alpha: float) -> Interval | None:
    """Wilson's 1 − alpha interval of an accuracy m at the effective sample n = min(Q, m(1−m)/SE²); n = Q where SE = 0.

    n is what makes the binomial's variance that of the cell: samples of one question are no new questions, and
    questions of one topic are less than as many.
    """
    accuracy = mean(shares)
    if accuracy is None:
        return None
    n = float(len(shares))
    if error:
        n = min(n, accuracy * (1 - accuracy) / error**2)
    return wilson(accuracy, n, alpha)


def wilson(share: float, n: float, alpha: float) -> Interval:
    """Wilson's 1 − alpha interval of a share at a sample of n, which may be an effective one and no whole number.

    (p + z²/2n ± z·√(p(1−p)/n + z²/4n²))/(1 + z²/n) (Wilson 1927).
    """
    z = two_sided_z(alpha)
    middle, reach = share + z**2 / (2 * n), z * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    low, high = ((middle + side * reach) / (1 + z**2 / n) for side in (-1, 1))
    # At the ends Wilson's bounds are exactly 0 and 1, which rounding misses by 1e-17.
    return low if share > 0 else 0.0, high if share < 1 else 1.0


@lru_cache(maxsize=64)
def two_sided_z(alpha: float) -> float:
    """The z beyond which, on either side, alpha of the standard normal distribution lies."""
    from scipy.special import ndtri

    return -float(ndtri(alpha / 2))


@lru_cache(maxsize=4096)  # a table has thousands of entries and a handful of different ones
def entry_interval(right: int, scored: int, alpha: float) -> Interval:
    """The 1 − alpha interval of one table entry, `right` of `scored` samples: quantiles of Beta(1 + c, 1 + k − c)."""
    from scipy.special import betaincinv

    low, high = betaincinv(1 + right, 1 + scored - right, [alpha / 2, 1 - alpha / 2])
    return float(low), float(high)


def difference_interval(differences: Sequence[Fraction], alpha: float) -> Interval | None:
    """The 1 − alpha interval of a mean difference, mean d ± t(Q−1)·sd(d)/√Q; None where sd(d) = 0 or Q < 6.

    The paired t interval of two cells (scipy's `ttest_rel`) is by definition the one-sample interval of d_q.
    """
    from scipy.special import stdtrit

    deviation = standard_deviation(differences)
    if len(differences) < FEWEST_QUESTIONS or not deviation:
        return None
    middle, degrees = float(_floats(differences).mean()), len(differences) - 1
    reach = -float(stdtrit(degrees, alpha / 2)) * deviation / math.sqrt(len(differences))
    return middle - reach, middle + reach


def sign_flip_p(differences: Sequence[Fraction], seed: int) -> float:
    """The two-sided sign-flip permutation p-value of a mean difference: P(|Σ ±d_q| ≥ |Σ d_q|), each sign a fair coin.

    Questions with d_q = 0 say nothing and are left out; one differing question or none gives p = 1. The d_q are
    brought to whole samples (the least common denominator), so that ties are ties. The distribution of the sum is
    counted on that grid, which is exact for any number of questions; scipy's `permutation_test` would enumerate 2^20
    assignments in seconds and sample beyond. It takes over only where unscored samples make the grid too
    fine: exact up to 2^20 assignments, else Monte Carlo from `seed`.
    """
    import numpy

    differing = [difference for difference in differences if difference]
    if len(differing) < 2:
        return 1.0
    unit = math.lcm(*(difference.denominator for difference in differing))
    whole = [int(difference * unit) for difference in differing]
    step = math.gcd(*whole)
    whole = [number // step for number in whole]
    total, observed = sum(map(abs, whole)), abs(sum(whole))
    if observed == 0:
        return 1.0
    if total >= MOST_SUMS or total * len(whole) > MOST_STEPS:
        return _resampled_p(whole, total, seed)
    # chance[t]: probability that the differences with a plus sum to t; the signed sum is then 2t − total.
    chance = numpy.zeros(total + 1)
    chance[0] = 1.0
    reached = 0
    for number in map(abs, whole):
        reached += number
        shifted = chance[: reached + 1 - number].copy()
        chance[: reached + 1] *= 0.5
        chance[number : reached + 1] += 0.5 * shifted
    return min(1.0, 2 * float(chance[: (total - observed) // 2 + 1].sum()))


def _resampled_p(whole: Sequence[int], total: int, seed: int) -> float:
    import numpy
    from scipy.stats import permutation_test

    def total_of(values: Any, axis: int) -> Any:
        return numpy.sum(values, axis=axis)

    # Past int64, floats; scipy then allows for rounding when it looks for ties.
    values = numpy.array(whole, dtype=numpy.int64 if total < 2**62 else numpy.float64)
    exact = 2 ** len(whole) <= EXACT_ASSIGNMENTS
    result = permutation_test(
        (values,),
        total_of,
        permutation_type="samples",
        vectorized=True,
        n_resamples=EXACT_ASSIGNMENTS if exact else RESAMPLES,
        batch=4096,
        rng=numpy.random.default_rng(seed),
    )
    return float(result.pvalue)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values of one planned family, in the given order (Holm 1979).

    As statsmodels' `multipletests(method="holm")`, which collects garbage first: half a second in a large run.
    """
    adjusted, least = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=lambda place: p_values[place])):
        least = max(least, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = least
    return adjusted


def pass_at_k(right: int, scored: int, k: int) -> float:
    """The chance that at least one of k drawn answers is right: 1 − C(n−c, k)/C(n, k) (Chen et al. 2021)."""
    return 1 - math.comb(scored - right, k) / math.comb(scored, k)


def pass_hat_k(right: int, scored: int, k: int) -> float:
    """The chance that all of k drawn answers are right: C(c, k)/C(n, k) (pass^k, Yao et al. 2024)."""
    return math.comb(right, k) / math.comb(scored, k)


def equivalence_p(differences: Sequence[Fraction], margin: float) -> float | None:
    """The p-value of two one-sided paired t tests that |mean d| < margin: the larger of theirs (Schuirmann 1987).

    None where the difference has no interval (sd(d) = 0 or Q < 6).
    """
    from scipy.special import stdtr

    deviation = standard_deviation(differences)
    if len(differences) < FEWEST_QUESTIONS or not deviation:
        return None
    middle, error = float(_floats(differences).mean()), deviation / math.sqrt(len(differences))
    return float(stdtr(len(differences) - 1, (abs(middle) - margin) / error))


def between_seeds(table: Sequence[Sequence[Fraction]], alpha: float) -> dict[str, Any] | None:
    """How far a difference holds for training seeds not tried: `table[seed][question]` of d, crossed random effects.

    From the mean squares of seeds, questions and their interaction, the variance of the grand mean is
    (MS_Q + max(0, MS_S − MS_SQ))/(S·Q), with Satterthwaite's degrees of freedom for the t interval, kept between
    those of the fewer and those of the questions. Returns the
    per-seed differences, their standard deviation, `standard_error` and `interval`; None for fewer than two seeds
    or six questions, or where nothing varies.
    """
    import numpy
    from scipy.special import stdtrit

    seeds, questions = len(table), len(table[0]) if table else 0
    if seeds < 2 or questions < FEWEST_QUESTIONS:
        return None
    values = numpy.array([_floats(row) for row in table])
    of_seeds, of_questions, grand = values.mean(axis=1), values.mean(axis=0), values.mean()
    degrees_seed, degrees_question = seeds - 1, questions - 1
    degrees_rest = degrees_seed * degrees_question
    seed_square = questions * float(((of_seeds - grand) ** 2).sum()) / degrees_seed
    question_square = seeds * float(((of_questions - grand) ** 2).sum()) / degrees_question
    rest = values - of_seeds[:, None] - of_questions[None, :] + grand
    rest_square = float((rest**2).sum()) / degrees_rest
    extra = max(0.0, seed_square - rest_square)
    scale = question_square + extra
    if len({value for row in table for value in row}) == 1 or scale <= 0:
        return None
    degrees = float(degrees_question)
    if extra:
        spread = seed_square**2 / degrees_seed + question_square**2 / degrees_question + rest_square**2 / degrees_rest
        degrees = min(max(scale**2 / spread, min(degrees_seed, degrees_question)), degrees_question)
    error = math.sqrt(scale / (seeds * questions))
    reach = -float(stdtrit(degrees, alpha / 2)) * error
    return {
        "per_seed": [mean(row) for row in table],
        "standard_deviation": float(of_seeds.std(ddof=1)),
        "standard_error": error,
        "interval": [float(grand) - reach, float(grand) + reach],
    }


def _floats(values: Sequence[Fraction] | Sequence[float]) -> Any:
    import numpy

    return numpy.array([float(value) for value in values])
