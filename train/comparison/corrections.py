"""Accuracies corrected by people's labels, beside the raw ones: what people would have said of all answers.

The raw accuracy is a grader's. A cell that people judged in part gets two corrections, each refused with a reason
where the labels do not carry it; one that they judged in full needs none, and without any label there are none.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from train.comparison import agreement, statistics
from train.comparison.agreement import Expected, Labels, Scored, Share, score
from train.records import AnswerId, Cell, Verdict

FEWEST_LABELS = 5
"""Of each class: fewer answers say next to nothing about a rate."""

SMALL_CLASS = 0.1
"""A class with no more than this share of a cell may have fewer labels: it can hardly move the accuracy."""

LEAST_YOUDEN = 0.3
"""Below this TPR + TNR − 1 a grader says too little about the truth for dividing by it."""


@dataclass(frozen=True, slots=True)
class Rates:
    """How well an arm's answers are graded, with the labels that say so."""

    tpr: Share | None
    tnr: Share | None
    right: int
    not_right: int
    weighted: bool


def rates_of(scored: Sequence[Scored]) -> Rates:
    """The graders' error rates on these answers."""
    labelled, weighted = agreement.usable(scored)
    tpr, tnr = agreement.rates(labelled)
    right = sum(bool(each.person) for each, _ in labelled)
    return Rates(tpr, tnr, right, len(labelled) - right, weighted)


@dataclass(frozen=True, slots=True)
class Evidence:
    """The answers that a grader scored, by cell and question, and how well each arm's are graded.

    `rates` are by arm and expectation ("mixed": both), since a rubric finds facts and refusals unequally well.
    """

    scored: Mapping[Cell, Mapping[str, Sequence[Scored]]]
    rates: Mapping[tuple[str, str], Rates]


def gather(automatic: Mapping[AnswerId, Verdict], labels: Labels, expected: Expected) -> Evidence:
    """The graders' verdicts that count beside people's labels; the same for any order of the records."""
    scored: dict[Cell, dict[str, list[Scored]]] = {}
    pools: dict[tuple[str, str], list[Scored]] = defaultdict(list)
    for name in sorted(automatic, key=lambda name: (name.arm, name.condition, name.question, name.seed, name.sample)):
        each = score(automatic[name], labels, expected)
        if each is not None:
            scored.setdefault(Cell(name.arm, name.condition), {}).setdefault(name.question, []).append(each)
            for expects in (expected[name.question, name.condition], "mixed"):
                pools[name.arm, expects].append(each)
    return Evidence(scored, {place: rates_of(pool) for place, pool in pools.items()})


def corrected(
    evidence: Evidence, cell: Cell, asked: Collection[str], expects: str, topics: Mapping[str, str], alpha: float
) -> dict[str, Any]:
    """Both corrections of a cell on the questions asked: `accuracy` and `interval`, or why it is `refused`."""
    own = {name: found for name, found in evidence.scored.get(cell, {}).items() if name in asked}
    if not own:
        reason = {"refused": "no grader scored its answers"}
        return {"rogan_gladen": reason, "prediction_powered": reason}
    return {
        "rogan_gladen": rogan_gladen(own, evidence.rates[cell.arm, expects], topics, alpha),

        "prediction_powered": prediction_powered(own, topics, alpha),
    }


def rogan_gladen(
    cell: Mapping[str, Sequence[Scored]], rates: Rates, topics: Mapping[str, str], alpha: float
) -> dict[str, Any]:
    """(p + TNR − 1)/(TPR + TNR − 1), clipped to [0, 1], with p the graders' accuracy (Rogan and Gladen 1978).

    It supposes that graders err in this cell as in all of the arm's answers with the same expectation, where TPR and
    TNR come from. The interval is that of Lang and Reiczigel (2014), a delta method with pseudo-counts: it holds the
    uncertainty of p, TPR and TNR, each at the number of independent answers it is worth, and takes no grader for
    perfect because it erred on none of a few.
    """
    if not rates.right + rates.not_right:
        return {"refused": "none of the arm's answers with this expectation is labelled"}
    if not rates.weighted:
        return {"refused": "the labels carry no sampling probability"}
    for count, what in ((rates.right, "right"), (rates.not_right, "not right")):
        if count < FEWEST_LABELS:
            return {"refused": f"people found {count} of the arm's answers {what}; {FEWEST_LABELS} are needed"}
    tpr, tnr = rates.tpr, rates.tnr
    assert tpr is not None and tnr is not None  # there are labels of both classes
    youden = tpr.value + tnr.value - 1
    if youden < LEAST_YOUDEN:
        return {"refused": f"TPR + TNR − 1 = {youden:.2f} is below {LEAST_YOUDEN:g}: the grader says too little"}
    shares = [Fraction(sum(each.right for each in own), len(own)) for own in cell.values()]
    error = statistics.standard_error(shares, [topics[question] for question in cell])
    raw = float(sum(shares, Fraction(0)) / len(shares))
    accuracy = min(1.0, max(0.0, (raw + tnr.value - 1) / youden))
    bounds = _lang_reiczigel(Share(raw, _worth(raw, error, len(shares))), tpr, tnr, alpha)
    return {
        "accuracy": accuracy,
        "interval": [max(0.0, min(bounds[0], accuracy)), min(1.0, max(bounds[1], accuracy))],
        "tpr": tpr.value,
        "tnr": tnr.value,
        "labels": rates.right + rates.not_right,
    }


def _lang_reiczigel(raw: Share, tpr: Share, tnr: Share, alpha: float) -> tuple[float, float]:
    """Equations 16 and 17 of Lang and Reiczigel (2014), before clipping: z² pseudo-answers to p, 2 to TPR and TNR."""
    from scipy.stats import norm

    z = float(norm.ppf(1 - alpha / 2))
    n, n_tpr, n_tnr = raw.n + z**2, tpr.n + 2, tnr.n + 2
    p = (raw.n * raw.value + z**2 / 2) / n
    sensitivity, specificity = (tpr.n * tpr.value + 1) / n_tpr, (tnr.n * tnr.value + 1) / n_tnr
    # Pseudo-counts draw both towards a half; where they meet it, the labels leave everything open.
    youden = sensitivity + specificity - 1
    if youden <= 0:
        return 0.0, 1.0
    accuracy = (p + specificity - 1) / youden
    of_tpr = sensitivity * (1 - sensitivity) / n_tpr
    of_tnr = specificity * (1 - specificity) / n_tnr
    variance = (p * (1 - p) / n + accuracy**2 * of_tpr + (1 - accuracy) ** 2 * of_tnr) / youden**2
    centre = accuracy + 2 * z**2 * (accuracy * of_tpr - (1 - accuracy) * of_tnr)
    return centre - z * math.sqrt(variance), centre + z * math.sqrt(variance)


def prediction_powered(
    cell: Mapping[str, Sequence[Scored]], topics: Mapping[str, str], alpha: float
) -> dict[str, Any]:
    """The graders' accuracy plus what people's labels of this cell's answers say it is off by (Angelopoulos et al. 2023).

    On per-question means: mean of f plus the inverse-probability-weighted mean of (y − f) over the labelled, f the
    grader's word (1 right, 0 not) and y the person's. The second mean is taken apart for the answers graded right and
    the others, each with the share that it has of all (stratified: Fisch et al. 2024), since that is how labels are
    drawn; so weights need not be scaled, and a draw that happens to hold many of one kind does no harm.

    The standard error is that of per-question terms, linearised: question by question f and the weighted errors found
    in it, so that both variances and their covariance are in it, clustered by topic as in `standard_error`. It is no
    smaller than with one more error and one more hit in each class, for few labels without an error prove little. The
    interval is Wilson's at the effective sample, as for a raw accuracy.
    """
    labelled, weighted = agreement.usable([each for own in cell.values() for each in own])
    if not labelled:
        return {"refused": "none of its answers is labelled"}
    if not weighted:
        return {"refused": "the labels carry no sampling probability"}
    questions = list(cell)
    means = dict.fromkeys(questions, 0.0)  # per question: what its answers would be by people, at the classes' means
    errors = dict.fromkeys(questions, 0.0)  # and by how much its labels differ from these
    unseen = 0.0
    for right, what in ((True, "right"), (False, "not right")):
        shares = {question: sum(each.right == right for each in cell[question]) / len(cell[question]) for question in cell}
        size = sum(shares.values()) / len(cell)
        if not size:
            continue
        own = [(each, weight / len(cell[each.question])) for each, weight in labelled if each.right == right]
        count = sum(each.right == right for answers in cell.values() for each in answers)
        least = min(FEWEST_LABELS, count)
        if len(own) < least and size > SMALL_CLASS:
            return {"refused": f"{len(own)} of the {count} answers graded {what} are labelled; {least} are needed"}
        total = sum(weight for _, weight in own)
        # A small class without a label keeps the grader's word.
        mean = sum(weight for each, weight in own if each.person) / total if own else float(right)
        for question in questions:
            means[question] += shares[question] * mean
        for each, weight in own:
            errors[each.question] += len(cell) * size * weight / total * (bool(each.person) - mean)
        worth = total**2 / sum(weight**2 for _, weight in own) if own else 0.0
        smoothed = (worth * mean + 1) / (worth + 2)
        unseen += size**2 * smoothed * (1 - smoothed) / (worth + 2) * (1 - len(own) / count)
    names = [topics[question] for question in questions]
    terms = [Fraction(means[question] + errors[question]) for question in questions]
    accuracy = min(1.0, max(0.0, statistics.mean(terms) or 0.0))
    error = statistics.standard_error(terms, names)
    if error is not None:
        of_questions = statistics.standard_error([Fraction(means[question]) for question in questions], names) or 0.0
        error = max(error, math.sqrt(of_questions**2 + unseen))
    n = _worth((len(cell) * accuracy + 1) / (len(cell) + 2) if accuracy in (0.0, 1.0) else accuracy, error, len(cell))
    return {
        "accuracy": accuracy,
        "interval": list(statistics.wilson(accuracy, n, alpha)),
        "labels": len(labelled),
    }


def _worth(share: float, error: float | None, questions: int) -> float:
    """The number of independent questions at which a binomial share has this standard error; at most all."""
    return min(float(questions), share * (1 - share) / error**2) if error else float(questions)
