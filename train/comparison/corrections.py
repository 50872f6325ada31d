"""Accuracies corrected by people's labels, beside the raw ones: what people would have said of all answers.

The raw accuracy is a grader's. A cell that people judged in part gets two corrections, each refused with a reason
where the labels do not carry it; one that they judged in full needs none, and without any label there are none.
Both are about the answers that the raw accuracy is about, and leave as it is what people's word alone decides: the
answers to a split that they judged in full, and those that no grader could score.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from train.comparison import agreement, statistics
from train.comparison.labels import Expected, Labels, Scored, Weighed, in_order, of_entry, represented, score, weighed
from train.records import AnswerId, Cell, Verdict, is_person

FEWEST_LABELS = 5
"""Of each class: fewer answers say next to nothing about a rate."""

SMALL_CLASS = 0.1
"""A class with no more than this share of a cell may have fewer labels: it can hardly move the accuracy."""

LEAST_YOUDEN = 0.3
"""Below this TPR + TNR − 1 a grader says too little about the truth for dividing by it."""


@dataclass(frozen=True, slots=True)
class Rates:
    """How an arm's answers are graded: the share graded `right`, and what people find of these and of the others.

    `kept` is the share of those graded right that people find right, `missed` that of the others. `unseen` are the
    least variances of both (`_least_variance`); `moves` is by how much each question moves the three shares, which
    makes their variances. Where `refused` says why there are none, the figures mean nothing.
    """

    refused: str = ""
    labels: int = 0
    right: float = 0.0
    kept: float = 0.0
    missed: float = 0.0
    unseen: tuple[float, float] = (0.0, 0.0)
    moves: Mapping[str, Sequence[float]] = field(default_factory=dict)

    @property
    def tpr(self) -> float:
        """Of what people find right, the share graded right: Bayes' rule on what they find among either kind."""
        return self.right * self.kept / (self.right * self.kept + (1 - self.right) * self.missed)

    @property
    def tnr(self) -> float:
        """Of what people find not right, the share graded so."""
        wrong = self.right * (1 - self.kept) + (1 - self.right) * (1 - self.missed)
        return (1 - self.right) * (1 - self.missed) / wrong


UNRATED = Rates("no grader scored the arm's answers with this expectation")


def rates_of(scored: Sequence[Scored]) -> Rates:
    """The graders' rates on the answers that the labels stand for, their share graded right among them.

    What people find in one cell among those graded right does not hold in another, where the grader passes more or
    fewer; so an answer that no label stands for has no part in the rates.
    """
    scored = represented(scored) or scored
    given = sum(each.person is not None for each in scored)
    labelled = weighed(scored)
    if not given:
        return Rates("none of the arm's answers with this expectation is labelled")
    if not labelled:
        return Rates("the labels carry no sampling probability")
    found = [bool(each.person) for each, _ in labelled]
    for person in (True, False):
        if found.count(person) < FEWEST_LABELS:
            what = "right" if person else "not right"
            return Rates(f"people found {found.count(person)} of the arm's answers {what}; {FEWEST_LABELS} are needed")
    right = sum(each.right for each in scored) / len(scored)
    moves: dict[str, list[float]] = {each.question: [0.0, 0.0, 0.0] for each in scored}
    for each in scored:
        moves[each.question][0] += (each.right - right) / len(scored)
    shares, unseen = [0.0, 0.0], [0.0, 0.0]
    for place, (graded, what) in enumerate(((True, "right"), (False, "not right"))):
        own = [(each, weight) for each, weight in labelled if each.right == graded]
        count = sum(each.right == graded for each in scored)
        if len(own) < min(FEWEST_LABELS, count):
            return Rates(
                f"{len(own)} of the arm's {count} answers graded {what} are labelled; {FEWEST_LABELS} are needed"
            )
        if not own:
            continue
        total = sum(weight for _, weight in own)
        shares[place] = sum(weight for each, weight in own if each.person) / total
        for each, weight in own:
            moves[each.question][place + 1] += weight * (bool(each.person) - shares[place]) / total
        # Also where all are labelled: the rates are to hold of answers elsewhere.
        unseen[place] = _least_variance(shares[place], own)
    return Rates("", len(labelled), right, shares[0], shares[1], (unseen[0], unseen[1]), moves)


def _least_variance(share: float, own: Sequence[Weighed]) -> float:
    """The least variance of a share found by few labels: that with one more hit and one more miss.

    At as many questions as the labels are worth.
    """
    worth = agreement.questions_worth((each.question, weight) for each, weight in own)
    smoothed = (worth * share + 1) / (worth + 2)
    return smoothed * (1 - smoothed) / (worth + 2)


@dataclass(frozen=True, slots=True)
class Evidence:
    """The answers that count in the raw accuracies, by cell and question, and how well each arm's are graded.

    `rates` are by arm and expectation ("mixed": both), since a rubric finds facts and refusals unequally well.
    """

    scored: Mapping[Cell, Mapping[str, Sequence[Scored]]]
    rates: Mapping[tuple[str, str], Rates]


def gather(verdicts: Mapping[AnswerId, Verdict], labels: Labels, expected: Expected) -> Evidence:
    """The verdicts that count where people judged a part, beside people's labels; the same for any order of records.

    That is a grader's verdict, or a person's on an answer that no grader could score.
    """
    scored: dict[Cell, dict[str, list[Scored]]] = defaultdict(dict)
    pools: dict[tuple[str, str], list[Scored]] = defaultdict(list)
    for (arm, condition, question), names in groupby(sorted(verdicts, key=in_order), key=of_entry):
        expects = expected[question, condition]
        every = [(verdicts[name], score(verdicts[name], labels, expects)) for name in names]
        if own := [each for _, each in every if each is not None]:
            scored[Cell(arm, condition)][question] = own
        graded = [each for verdict, each in every if each is not None and not is_person(verdict.grader)]
        for pool in (expects, "mixed") if graded else ():
            pools[arm, pool] += graded
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
        "rogan_gladen": rogan_gladen(own, evidence.rates.get((cell.arm, expects), UNRATED), topics, alpha),
        "prediction_powered": prediction_powered(own, topics, alpha),
    }


def rogan_gladen(
    cell: Mapping[str, Sequence[Scored]], rates: Rates, topics: Mapping[str, str], alpha: float
) -> dict[str, Any]:
    """(p + TNR − 1)/(TPR + TNR − 1), clipped to [0, 1], with p the graders' accuracy (Rogan and Gladen 1978).

    It supposes that graders err in this cell as in all of the arm's answers with the same expectation that labels stand
    for, where TPR and TNR come from; these are taken from what people find among the answers graded right and among the
    others, which a draw by the grader's word leaves unbiased. Answers whose truth is known keep it: of each question's
    share only the part of the others is corrected, and p and 1 are their parts. The standard error is Rogan and
    Gladen's, by the delta method, but with the covariances: p, TPR and TNR come from the same questions, so that they
    are linearised together, question by question. The least of the labels' part and the interval are as in
    `prediction_powered`.
    """
    if rates.refused:
        return {"refused": rates.refused}
    tpr, tnr = rates.tpr, rates.tnr
    youden = tpr + tnr - 1
    if youden < LEAST_YOUDEN:
        return {"refused": f"TPR + TNR − 1 = {youden:.2f} is below {LEAST_YOUDEN:g}: the grader says too little"}
    sure = _known(cell)
    open_part = {name: sum(not each.known for each in own) / len(own) for name, own in cell.items()}
    graded = {name: sum(each.right and not each.known for each in own) / len(own) for name, own in cell.items()}
    part = sum(open_part.values()) / len(cell)
    raw = sum(graded.values()) / len(cell)
    rest = min(part, max(0.0, (raw + part * (tnr - 1)) / youden))
    fixed = sum(sure.values()) / len(cell)
    accuracy = min(1.0, fixed + rest)
    # What one more of `right`, `kept` and `missed` does to TPR and to 1 − TNR, and these to the accuracy.
    right, kept, missed = rates.right, rates.kept, rates.missed
    true = right * kept + (1 - right) * missed
    both = right * (1 - right)
    of_tpr = (kept * missed / true**2, both * missed / true**2, -both * kept / true**2)
    false = 1 - true
    of_fpr = ((1 - kept) * (1 - missed) / false**2, -both * (1 - missed) / false**2, both * (1 - kept) / false**2)
    slopes = [-(rest * up + (part - rest) * fp) / youden for up, fp in zip(of_tpr, of_fpr, strict=True)]
    own = {
        name: (sure[name] - fixed + (graded[name] - raw + (open_part[name] - part) * (tnr - 1)) / youden) / len(cell)
        for name in cell
    }
    # The rates may come from other questions than the cell's.
    questions = list(dict.fromkeys([*rates.moves, *cell]))
    moves = [rates.moves.get(name, (0.0, 0.0, 0.0)) for name in questions]
    of_questions = [own.get(name, 0.0) + slopes[0] * move[0] for name, move in zip(questions, moves, strict=True)]
    whole = [
        so_far + slopes[1] * move[1] + slopes[2] * move[2] for so_far, move in zip(of_questions, moves, strict=True)
    ]
    unseen = slopes[1] ** 2 * rates.unseen[0] + slopes[2] ** 2 * rates.unseen[1]
    names = [topics[question] for question in questions]
    errors = [_error([len(questions) * term for term in terms], names) for terms in (whole, of_questions)]
    return {
        "accuracy": accuracy,
        "interval": _interval(accuracy, errors[0], errors[1], unseen, len(cell), alpha),
        "tpr": tpr,
        "tnr": tnr,
        "labels": rates.labels,
    }


def prediction_powered(cell: Mapping[str, Sequence[Scored]], topics: Mapping[str, str], alpha: float) -> dict[str, Any]:
    """The graders' accuracy plus what people's labels of this cell say it is off by (Angelopoulos et al. 2023).

    On per-question means: mean of f plus the inverse-probability-weighted mean of (y − f) over the labelled, f the
    grader's word (1 right, 0 not) and y the person's. The second mean is taken apart for the answers graded right and
    the others, each with the share that it has of all (stratified: Fisch et al. 2024), since that is how labels are
    drawn; so weights need not be scaled, and a draw that happens to hold many of one kind does no harm. Answers whose
    truth is known are a kind of their own: their labels say nothing about the others.

    The standard error is that of per-question terms, linearised: question by question f and the weighted errors found
    in it, so that both variances and their covariance are in it, clustered by topic as in `standard_error`. It is no
    smaller than with one more error and one more hit in each class, for few labels without an error prove little. The
    interval is Wilson's at the effective sample, as for a raw accuracy.
    """
    others = [each for own in cell.values() for each in own if not each.known]
    labelled = weighed(others)
    if others and not any(each.person is not None for each in others):
        some = any(each.known for own in cell.values() for each in own)
        return {"refused": f"none of its answers{' that are not judged in full' if some else ''} is labelled"}
    if others and not labelled:
        return {"refused": "the labels carry no sampling probability"}
    questions = list(cell)
    means = _known(cell)  # per question: what its answers would be by people, at the classes' means
    errors = dict.fromkeys(questions, 0.0)  # and by how much its labels differ from these
    unseen = 0.0
    for right, what in ((True, "right"), (False, "not right")):
        shares = {
            question: sum(each.right == right and not each.known for each in own) / len(own)
            for question, own in cell.items()
        }
        size = sum(shares.values()) / len(cell)
        if not size:
            continue
        own = [(each, weight / len(cell[each.question])) for each, weight in labelled if each.right == right]
        count = sum(each.right == right for each in others)
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
        unseen += size**2 * _least_variance(mean, own) * (1 - len(own) / count)
    names = [topics[question] for question in questions]
    terms = [means[question] + errors[question] for question in questions]
    accuracy = min(1.0, max(0.0, sum(terms) / len(terms)))
    of_questions = _error([means[question] for question in questions], names)
    return {
        "accuracy": accuracy,
        "interval": _interval(accuracy, _error(terms, names), of_questions, unseen, len(cell), alpha),
        "labels": sum(each.known for own in cell.values() for each in own) + len(labelled),
    }


def _known(cell: Mapping[str, Sequence[Scored]]) -> dict[str, float]:
    """Per question the share of its answers that are known to be right."""
    return {name: sum(bool(each.person) for each in own if each.known) / len(own) for name, own in cell.items()}


def _error(terms: Sequence[float], topics: Sequence[str]) -> float | None:
    return statistics.standard_error(terms, topics)


def _interval(
    accuracy: float, error: float | None, of_questions: float | None, unseen: float, questions: int, alpha: float
) -> list[float]:
    """Wilson's interval at the number of questions at which a binomial share has this standard error, at most all.

    The error is at least that of the questions and the labels' least variance, `unseen`, together.
    """
    n = float(questions)
    if error is not None:
        error = max(error, math.sqrt((of_questions or 0.0) ** 2 + unseen))
    if error:
        # At 0 and 1 the binomial's variance is 0; one more of each kind keeps an uncertain accuracy uncertain there.
        inside = accuracy if 0 < accuracy < 1 else (questions * accuracy + 1) / (questions + 2)
        n = min(n, inside * (1 - inside) / error**2)
    return list(statistics.wilson(accuracy, n, alpha))
