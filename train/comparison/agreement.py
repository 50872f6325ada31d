"""How good the graders are: each one against people's labels, and people against one another.

The positive class is *right*, what the context expects, and not *correct*: the accuracies that are corrected are shares
of right answers, and a grader that takes an abstention for an answer errs under `distractors@3` just the same.

Labels count for as many answers as they stand for (`train.comparison.labels`). `weighted` says that together they
stand for all of a row's answers. Where some carry no weight, or no label stands for some of the answers, the figures
are those of the answers that the others stand for; where none does, those of the labelled answers alone.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from train.comparison import statistics
from train.comparison.labels import ByGrader, Expected, Labels, Scored, Weighed, in_order, represented, score, weighed
from train.records import WORDS, AnswerId, Verdict, Word


@dataclass(frozen=True, slots=True)
class Share:
    """A share and the number of independent answers that it is worth, which is seldom a whole one."""

    value: float
    n: float


def share(hits: Sequence[tuple[str, float, bool]]) -> Share | None:
    """The weighted share of hits among (question, weight, hit); None without any.

    Its variance is that of a ratio, linearised and clustered by question: samples of one question are no new
    questions. `n` gives a binomial share the same variance, and is at most what the questions are worth, also where
    hits and misses of one question cancel. With equal weights and one answer to a question n is their number, and
    Wilson's interval the usual one.
    """
    total = sum(weight for _, weight, _ in hits)
    if not total:
        return None
    heads = {hit for _, _, hit in hits}
    value = float(heads.pop()) if len(heads) == 1 else sum(weight for _, weight, hit in hits if hit) / total
    most = questions_worth((question, weight) for question, weight, _ in hits)
    if value in (0.0, 1.0):
        return Share(value, most)
    residuals: dict[str, float] = defaultdict(float)
    for question, weight, hit in hits:
        residuals[question] += weight * (hit - value)
    variance = sum(residual**2 for residual in residuals.values()) / total**2
    n = value * (1 - value) / variance if variance > 1e-15 else math.inf
    return Share(value, min(n, most))


def questions_worth(weights: Iterable[tuple[str, float]]) -> float:
    """Kish's effective number of questions, (Σw)²/Σw² over what each question weighs in all (Kish 1965)."""
    by_question: dict[str, float] = defaultdict(float)
    for question, weight in weights:
        by_question[question] += weight
    total = sum(by_question.values())
    return total**2 / sum(weight**2 for weight in by_question.values()) if total else 0.0


def rates(labelled: Sequence[Weighed]) -> tuple[Share | None, Share | None]:
    """TPR: of what people find right, the share the grader does; TNR: likewise of what they find not right."""
    return (
        share([(each.question, weight, each.right) for each, weight in labelled if each.person]),
        share([(each.question, weight, not each.right) for each, weight in labelled if not each.person]),
    )


def grader_rows(
    graders: ByGrader, labels: Labels, expected: Expected, arms: Sequence[str], alpha: float
) -> list[dict[str, Any]]:
    """The `graders` of comparison.json: each grader against people, over all arms (`arm` null) and in each.

    tp, fp, fn and tn count labels; the other figures are estimates for all answers.
    """
    rows = []
    for grader, given in graders.items():
        scored: dict[str, list[Scored]] = {arm: [] for arm in arms}
        labelled = sorted((verdict for name, verdict in given.items() if name in labels.people), key=in_order)
        # Of the others it only counts whether there are any that the grader calls right, and any that it does not.
        others = {
            (verdict.arm, verdict.verdict, expected[verdict.question, verdict.condition]): verdict
            for name, verdict in given.items()
            if name not in labels.people
        }
        for verdict in (*labelled, *others.values()):
            expects = expected[verdict.question, verdict.condition]
            if (each := score(verdict, labels, expects)) is not None:
                scored.setdefault(verdict.arm, []).append(each)
        rows.append(_row(grader, None, list(scored.values()), alpha))
        rows += [_row(grader, arm, [own], alpha) for arm, own in scored.items()]
    return [row for row in rows if row["labels"]]


def _row(grader: str, arm: str | None, by_arm: Sequence[Sequence[Scored]], alpha: float) -> dict[str, Any]:
    scored = [each for own in by_arm for each in own]
    given = [(each, 1.0) for each in scored if each.person is not None]
    stood_for = [each for own in by_arm for each in represented(own)]
    labelled = weighed(stood_for) or given
    weighted = len(stood_for) == len(scored) and len(labelled) == len(given)
    pairs = [(each.right, bool(each.person)) for each, _ in labelled]
    tpr, tnr = rates(labelled)
    agreement = share([(each.question, weight, each.right == each.person) for each, weight in labelled])
    kappa, kappa_interval = _grader_kappa(labelled, agreement, alpha)
    return {
        "grader": grader,
        "against": "person",
        "arm": arm,
        "labels": len(labelled),
        "weighted": weighted,
        "tp": pairs.count((True, True)),
        "fp": pairs.count((True, False)),
        "fn": pairs.count((False, True)),
        "tn": pairs.count((False, False)),
        "tpr": tpr.value if tpr else None,
        "tpr_interval": interval(tpr, alpha),
        "tnr": tnr.value if tnr else None,
        "tnr_interval": interval(tnr, alpha),
        "agreement": agreement.value if agreement else None,
        "kappa": kappa,
        "kappa_interval": kappa_interval,
    }


def interval(of: Share | None, alpha: float) -> list[float] | None:
    """Wilson's interval of a share at what it is worth."""
    return list(statistics.wilson(of.value, of.n, alpha)) if of else None


def _grader_kappa(
    labelled: Sequence[Weighed], agreement: Share | None, alpha: float
) -> tuple[float | None, list[float] | None]:
    """Cohen's κ of the weighted table, and its interval at as many answers as the agreement is worth."""
    if agreement is None:
        return None, None
    scale = agreement.n / sum(weight for _, weight in labelled)
    table = [[0.0, 0.0], [0.0, 0.0]]
    for each, weight in labelled:
        table[each.right][bool(each.person)] += weight * scale
    return cohen_kappa(table, alpha)


def cohen_kappa(table: Sequence[Sequence[float]], alpha: float) -> tuple[float | None, list[float] | None]:
    """Cohen's κ (1960) of a square table and its interval, κ ± z·SE (Fleiss, Cohen and Everitt 1969).

    No κ where only one class occurs, so that agreement by chance is 1; no interval where nothing disagrees or the
    errors leave the standard error 0.
    """
    total = sum(map(sum, table))
    rows = [sum(row) / total for row in table]
    columns = [sum(column) / total for column in zip(*table, strict=True)]
    chance = sum(row * column for row, column in zip(rows, columns, strict=True))
    if 1 - chance < 1e-12:
        return None, None
    places = range(len(table))
    kappa = (sum(table[i][i] for i in places) / total - chance) / (1 - chance)
    spread = sum(
        table[i][j] / total * ((i == j) - (rows[j] + columns[i]) * (1 - kappa)) ** 2 for i in places for j in places
    )
    variance = (spread - (kappa - chance * (1 - kappa)) ** 2) / total
    if not variance > (1e-6 * (1 - chance)) ** 2:  # also where rounding makes it negative
        return kappa, None
    reach = statistics.two_sided_z(alpha) * math.sqrt(variance) / (1 - chance)
    return kappa, [max(-1.0, kappa - reach), min(1.0, kappa + reach)]


def people_row(verdicts: Iterable[Verdict], alpha: float) -> dict[str, Any] | None:
    """The `people` of comparison.json, from people's verdicts: how many they judged, and how far they agree.

    κ is over their words (correct, wrong, abstained) on answers that two judged; with more than two people the mean of
    the pairs' (Light 1971), each pair with the number of answers it shares as its weight. None without a label.
    """
    said: dict[AnswerId, dict[str, Word]] = defaultdict(dict)
    for verdict in verdicts:
        if verdict.verdict in WORDS:
            said[verdict.id][verdict.grader] = verdict.verdict
    if not said:
        return None
    names = sorted({name for words in said.values() for name in words})
    kappas: list[tuple[float, int]] = []
    for one, other in combinations(names, 2):
        common = [(words[one], words[other]) for words in said.values() if one in words and other in words]
        if not common:
            continue
        table = [[float(common.count((row, column))) for column in WORDS] for row in WORDS]
        kappa, _ = cohen_kappa(table, alpha)
        if kappa is not None:
            kappas.append((kappa, len(common)))
    return {
        "labelled": len(said),
        "labellers": len(names),
        "judged_twice": sum(len(words) > 1 for words in said.values()),
        "disputed": sum(len(set(words.values())) > 1 for words in said.values()),
        "kappa": sum(kappa * count for kappa, count in kappas) / sum(count for _, count in kappas) if kappas else None,
    }
