"""How good the graders are, against hand values, closed forms and simulated labels."""

from __future__ import annotations

import math
import random

import pytest
from scipy.stats import norm
from statsmodels.stats.inter_rater import cohens_kappa

from train.comparison import agreement, compare
from train.comparison.labels import Scored
from train.records import Verdict

from .builders import check, records

KINDS = {"base": "untouched", "tuned": "tuned"}


def wilson(hits, n):
    """In closed form."""
    z = norm.ppf(0.975)
    share = hits / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    reach = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return [centre - reach, centre + reach]


def fleiss_error(table):
    """The standard error of κ of a 2×2 table, as Fleiss, Cohen and Everitt (1969) write it."""
    n = sum(map(sum, table))
    p = [[cell / n for cell in row] for row in table]
    rows, columns = [sum(row) for row in p], [sum(column) for column in zip(*p, strict=True)]
    seen, chance = p[0][0] + p[1][1], sum(r * c for r, c in zip(rows, columns, strict=True))
    kappa = (seen - chance) / (1 - chance)
    a = sum(p[i][i] * (1 - (rows[i] + columns[i]) * (1 - kappa)) ** 2 for i in range(2))
    b = (1 - kappa) ** 2 * sum(p[i][j] * (columns[i] + rows[j]) ** 2 for i in range(2) for j in range(2) if i != j)
    c = (kappa - chance * (1 - kappa)) ** 2
    return kappa, math.sqrt((a + b - c) / n) / (1 - chance)


@pytest.mark.parametrize("alpha", [0.05, 0.2])
def test_kappa_and_its_interval_are_those_of_statsmodels_for_tables_of_any_size(alpha):
    generator = random.Random(2)
    for size in (2, 3, 4):
        for _ in range(20):
            table = [[generator.choice([0.0, 0.5, generator.uniform(1, 40)]) for _ in range(size)] for _ in range(size)]
            table[0][0] += 1
            table[1][1] += 1
            table[0][1] += 1
            wanted = cohens_kappa(table, return_results=True)
            reach = norm.ppf(1 - alpha / 2) * wanted.std_kappa
            kappa, interval = agreement.cohen_kappa(table, alpha)
            assert kappa == pytest.approx(wanted.kappa)
            assert interval == pytest.approx([max(-1, kappa - reach), min(1, kappa + reach)])


def judged(counts, *, probabilities=None, samples=1, expects=None, arms=("base",)):
    """A comparison of answers of which (grader's word, person's word) occurs so often, one to a question."""
    pairs = [pair for pair, count in counts.items() for _ in range(count)]
    column = [[word for _ in range(samples)] for word, _ in pairs]
    given = records({(arm, "none"): column for arm in arms}, expects=expects)
    people = {
        name: Verdict(name.arm, 0, "none", name.question, name.sample, "person:ann", said)
        for name in given["verdicts"]
        if (said := pairs[int(name.question[1:])][1])
    }
    drawn = {
        name: probabilities[given["verdicts"][name].verdict] for name in people
    } if probabilities else None  # fmt: skip
    result = compare(
        recipe="r", **given, people=people, side_by_side=[*given["verdicts"].values(), *people.values()],
        probabilities=drawn, kinds=KINDS, contrasts=[], split="all", context=None,
    )  # fmt: skip
    check(result)
    return result


def test_a_confusion_has_its_hand_values():
    counts = {("correct", "correct"): 20, ("correct", "wrong"): 5, ("wrong", "correct"): 10, ("wrong", "wrong"): 15}
    row, of_arm = judged(counts)["graders"]
    assert (row["arm"], of_arm["arm"]) == (None, "base")
    assert {**row, "arm": "base"} == of_arm
    assert [row[key] for key in ("grader", "against", "labels", "weighted")] == ["rubric", "person", 50, True]
    assert [row[key] for key in ("tp", "fp", "fn", "tn")] == [20, 5, 10, 15]
    assert (row["tpr"], row["tnr"], row["agreement"]) == pytest.approx((20 / 30, 15 / 20, 35 / 50))
    assert row["tpr_interval"] == pytest.approx(wilson(20, 30))
    assert row["tnr_interval"] == pytest.approx(wilson(15, 20))
    assert row["kappa"] == pytest.approx(0.4)  # (.7 − .5)/(1 − .5)
    kappa, error = fleiss_error([[15, 10], [5, 20]])
    assert kappa == pytest.approx(0.4)
    reach = norm.ppf(0.975) * error
    assert row["kappa_interval"] == pytest.approx([0.4 - reach, 0.4 + reach])


def test_all_arms_together_and_each_apart():
    rows = judged({("correct", "correct"): 3, ("wrong", "correct"): 1}, arms=("tuned", "base"))["graders"]
    assert [(row["arm"], row["labels"], row["tp"]) for row in rows] == [(None, 8, 6), ("base", 4, 3), ("tuned", 4, 3)]


def test_right_is_what_the_context_expects():
    counts = {("abstained", "abstained"): 4, ("abstained", "correct"): 1, ("correct", "correct"): 2}
    expects = {("none", f"q{n:03}"): "abstain" for n in range(7)}
    row = judged(counts, expects=expects)["graders"][0]
    assert [row[key] for key in ("tp", "fp", "fn", "tn")] == [4, 1, 0, 2]


@pytest.mark.parametrize(
    ("counts", "missing"),
    [
        ({("correct", "correct"): 9}, ("tnr", "tnr_interval", "kappa", "kappa_interval")),
        ({("wrong", "wrong"): 9}, ("tpr", "tpr_interval", "kappa", "kappa_interval")),
        ({("correct", "correct"): 5, ("wrong", "wrong"): 4}, ("kappa_interval",)),
    ],
)
def test_what_the_labels_cannot_say_is_null(counts, missing):
    row = judged(counts)["graders"][0]
    assert [key for key, value in row.items() if value is None and key != "arm"] == list(missing)


def test_unscored_answers_and_those_nobody_judged_are_left_out():
    counts = {("correct", "correct"): 3, ("unscored", "wrong"): 2, ("wrong", ""): 4, ("wrong", "wrong"): 1}
    row = judged(counts)["graders"][0]
    assert (row["labels"], row["tp"], row["tn"], row["weighted"]) == (4, 3, 1, False)
    assert judged({("unscored", "wrong"): 2})["graders"] == []
    assert judged({("correct", ""): 2})["people"] is None


def test_a_label_counts_for_as_many_answers_as_it_stands_for():
    # Of 100 answers the rubric passes 80; of these 10 are drawn and 9 are right. Of the 20 others 10, 4 are right.
    counts = {
        ("correct", "correct"): 9, ("correct", "wrong"): 1, ("wrong", "correct"): 4, ("wrong", "wrong"): 6,
        ("correct", ""): 70, ("wrong", ""): 10,
    }  # fmt: skip
    row = judged(counts, probabilities={"correct": 1 / 8, "wrong": 1 / 2})["graders"][0]
    assert (row["labels"], row["weighted"]) == (20, True)
    assert row["tpr"] == pytest.approx(72 / (72 + 8))
    assert row["tnr"] == pytest.approx(12 / (12 + 8))
    assert row["agreement"] == pytest.approx((72 + 12) / 100)
    assert row["kappa"] == pytest.approx((0.84 - (0.8 * 0.8 + 0.2 * 0.2)) / (1 - 0.68))
    plain = judged(counts)["graders"][0]
    assert (plain["weighted"], plain["tpr"], plain["tnr"]) == (False, pytest.approx(9 / 13), pytest.approx(6 / 7))
    # Unequal weights are worth fewer answers than there are labels.
    assert row["tnr_interval"][1] - row["tnr_interval"][0] > wilson(4.2, 7)[1] - wilson(4.2, 7)[0]


def test_samples_of_one_question_that_are_graded_alike_are_worth_one():
    once = judged({("correct", "correct"): 8, ("wrong", "correct"): 2, ("wrong", "wrong"): 5})
    four = judged({("correct", "correct"): 8, ("wrong", "correct"): 2, ("wrong", "wrong"): 5}, samples=4)
    for key in ("tpr", "tpr_interval", "tnr_interval", "agreement", "kappa"):
        assert once["graders"][0][key] == pytest.approx(four["graders"][0][key])
    assert four["graders"][0]["tp"] == 4 * once["graders"][0]["tp"]


def test_hits_and_misses_of_one_question_that_cancel_do_not_make_it_many():
    assert agreement.share([("q1", 1.0, number < 4) for number in range(8)]) == agreement.Share(0.5, 1.0)
    two = [(f"q{number % 2}", 1.0, number < 4) for number in range(8)]
    assert agreement.share(two) == agreement.Share(0.5, 2.0)


def draw(generator, population, each):
    """Labels drawn half from what the grader passed, half from what it failed, with their weights."""
    found = []
    for right in (True, False):
        kind = [one for one in population if one[1] == right]
        chosen = generator.sample(kind, min(each, len(kind)))
        found += [(Scored(q, f, y, len(kind) / len(chosen)), len(kind) / len(chosen)) for q, f, y in chosen]
    return found


def test_rates_from_labels_drawn_half_and_half_are_unbiased_and_their_intervals_cover():
    generator = random.Random(1)
    covered = {"tpr": 0, "tnr": 0}
    means, naive, rounds = {"tpr": 0.0, "tnr": 0.0}, 0.0, 400
    truth = {"tpr": 0.9, "tnr": 0.8}
    for _ in range(rounds):
        population = []
        for question in range(100):
            ease = generator.betavariate(2, 1)
            for _ in range(4):
                y = generator.random() < ease
                f = generator.random() < (truth["tpr"] if y else 1 - truth["tnr"])
                population.append((f"q{question}", f, y))
        labelled = draw(generator, population, 60)
        naive += sum(each.right for each, _ in labelled if each.person) / sum(bool(each.person) for each, _ in labelled)
        for name, share in zip(truth, agreement.rates(labelled), strict=True):
            means[name] += share.value / rounds
            low, high = agreement.interval(share, 0.05)
            covered[name] += low <= truth[name] <= high
    assert means == pytest.approx(truth, abs=0.01)
    assert naive / rounds < truth["tpr"] - 0.05
    assert all(count / rounds >= 0.92 for count in covered.values()), covered


def said(number, grader, word):
    return Verdict("base", 0, "none", f"q{number}", 0, grader, word)


def test_two_people_s_agreement_is_cohen_s_kappa():
    # Cohen's classic: 20 and 15 alike, 5 and 10 apart.
    cases = [("correct", "correct")] * 20 + [("wrong", "wrong")] * 15
    cases += [("correct", "wrong")] * 5 + [("wrong", "correct")] * 10
    verdicts = [
        said(number, f"person:{who}", word)
        for number, words in enumerate(cases)
        for who, word in zip(("ann", "bob"), words, strict=True)
    ]
    row = agreement.people_row([*verdicts, said(99, "person:ann", "wrong")], 0.05)
    assert row == {"labelled": 51, "labellers": 2, "judged_twice": 50, "disputed": 15, "kappa": pytest.approx(0.4)}


def test_three_people_s_is_the_mean_of_the_pairs():
    given = {"ann": "ccww", "bob": "ccww", "cyd": "cwcw"}
    names = {"c": "correct", "w": "wrong"}
    verdicts = [
        said(number, f"person:{who}", names[letter]) for who, row in given.items() for number, letter in enumerate(row)
    ]
    row = agreement.people_row(verdicts, 0.05)
    assert row["kappa"] == pytest.approx((1 + 0 + 0) / 3)
    assert (row["labellers"], row["disputed"]) == (3, 2)


def test_people_who_share_no_answer_or_one_word_have_no_kappa():
    assert agreement.people_row([said(0, "person:ann", "wrong"), said(1, "person:bob", "wrong")], 0.05)["kappa"] is None
    both = [said(number, f"person:{who}", "wrong") for number in range(3) for who in ("ann", "bob")]
    assert agreement.people_row(both, 0.05)["kappa"] is None
    assert agreement.people_row([], 0.05) is None


def test_a_withdrawn_word_is_no_label():
    assert agreement.people_row([said(0, "person:ann", "unscored")], 0.05) is None
