"""Corrected accuracies: hand values, refusals, and simulations in which the truth is known."""

from __future__ import annotations

import random
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import pytest

from train.comparison import compare, statistics
from train.comparison.corrections import prediction_powered, rates_of, rogan_gladen
from train.comparison.labels import Scored
from train.records import Verdict

from .builders import cell_of, check, records

TOPICS = dict.fromkeys((f"q{n:03}" for n in range(200)), "")


def cell(*answers: Scored) -> dict[str, list[Scored]]:
    found: dict[str, list[Scored]] = {}
    for answer in answers:
        found.setdefault(answer.question, []).append(answer)
    return found


def half_labelled() -> dict[str, list[Scored]]:
    """20 questions of one answer: 12 graded right, 10 of them judged (8 right), and 8 others, all judged (2 right)."""
    kinds = [(True, True, 1.2)] * 8 + [(True, False, 1.2)] * 2 + [(True, None, None)] * 2
    kinds += [(False, True, 1.0)] * 2 + [(False, False, 1.0)] * 6
    return cell(*(Scored(f"q{n:03}", *kind) for n, kind in enumerate(kinds)))


def everything(of: dict[str, list[Scored]]) -> list[Scored]:
    return [answer for answers in of.values() for answer in answers]


def test_both_corrections_have_their_hand_values():
    of = half_labelled()
    # .6 graded right, of which 8/10 are; of the .4 others 2/8 are: .48 + .10.
    powered = prediction_powered(of, TOPICS, 0.05)
    assert (powered["accuracy"], powered["labels"]) == (pytest.approx(0.58), 18)
    found = rogan_gladen(of, rates_of(everything(of)), TOPICS, 0.05)
    tpr, tnr = 9.6 / 11.6, 6 / 8.4
    assert (found["tpr"], found["tnr"], found["labels"]) == (pytest.approx(tpr), pytest.approx(tnr), 18)
    assert found["accuracy"] == pytest.approx((0.6 + tnr - 1) / (tpr + tnr - 1)) == pytest.approx(0.58)
    for each in (powered, found):
        low, high = each["interval"]
        assert 0 <= low < each["accuracy"] < high <= 1
    # A correction is less certain than 20 people's verdicts would be.
    plain = statistics.wilson(0.58, 20, 0.05)
    assert all(each["interval"][1] - each["interval"][0] >= plain[1] - plain[0] for each in (powered, found))


def test_a_grader_that_never_erred_leaves_the_accuracy_and_says_that_few_labels_prove_little():
    def perfect(weight: float) -> dict[str, list[Scored]]:
        return cell(
            *(
                Scored(
                    f"q{n:03}",
                    n < 60,
                    n < 60 if n % 10 < 10 / weight else None,
                    weight if n % 10 < 10 / weight else None,
                )
                for n in range(100)
            )
        )

    widths = []
    for weight in (1.0, 2.0, 5.0):
        found = prediction_powered(perfect(weight), TOPICS, 0.05)
        assert found["accuracy"] == pytest.approx(0.6)
        widths.append(found["interval"][1] - found["interval"][0])
    shares = [Fraction(n < 60) for n in range(100)]
    low, high = statistics.cell_interval(shares, statistics.standard_error(shares), 0.05)
    assert widths[0] == pytest.approx(high - low)
    assert widths[0] < widths[1] < widths[2]


def test_with_everything_judged_it_is_people_s_own_accuracy():
    generator = random.Random(2)
    of = cell(
        *(
            Scored(f"q{question:03}", generator.random() < 0.6, generator.random() < 0.5, 1.0)
            for question in range(40)
            for _ in range(3)
        )
    )
    shares = [Fraction(sum(bool(each.person) for each in answers), 3) for answers in of.values()]
    found = prediction_powered(of, TOPICS, 0.05)
    assert found["accuracy"] == pytest.approx(float(sum(shares)) / 40)
    wanted = statistics.cell_interval(shares, statistics.standard_error(shares), 0.05)
    assert found["interval"] == pytest.approx(wanted, abs=0.02)


def without_probability(of):
    return {
        name: [Scored(each.question, each.right, each.person, None) for each in own] for name, own in of.items()
    }  # fmt: skip


def labels_only(of, keep):
    return {
        name: [each if keep(each) else Scored(each.question, each.right, None, None) for each in own]
        for name, own in of.items()
    }


@pytest.mark.parametrize(
    ("change", "powered", "rogan"),
    [
        (lambda of: labels_only(of, lambda each: False), "none of its answers", "none of the arm's answers"),
        (without_probability, "no sampling probability", "no sampling probability"),
        (lambda of: labels_only(of, lambda each: not each.right), "0 of the 12 answers graded right", None),
        (lambda of: labels_only(of, lambda each: each.person), "2 of the 8 answers graded not right", "found 0"),
        (lambda of: labels_only(of, lambda each: each.person is False), "2 of the 12", "found 0"),
    ],
)
def test_what_the_labels_do_not_carry_is_refused_with_a_reason(change, powered, rogan):
    of = change(half_labelled())
    found = prediction_powered(of, TOPICS, 0.05), rogan_gladen(of, rates_of(everything(of)), TOPICS, 0.05)
    for each, reason in zip(found, (powered, rogan), strict=True):
        assert reason is None or (set(each) == {"refused"} and reason in each["refused"]), each


def test_a_grader_that_tells_little_is_refused():
    kinds = [(True, True)] * 6 + [(False, True)] * 4 + [(True, False)] * 4 + [(False, False)] * 6
    of = cell(*(Scored(f"q{n:03}", *kind, 1.0) for n, kind in enumerate(kinds)))
    found = rogan_gladen(of, rates_of(everything(of)), TOPICS, 0.05)
    assert found == {"refused": "TPR + TNR − 1 = 0.20 is below 0.3: the grader says too little"}
    assert "accuracy" in prediction_powered(of, TOPICS, 0.05)


def test_an_accuracy_cannot_leave_0_and_1():
    # The cell is worse than the arm's false positives alone would make it.
    arm = [
        Scored(f"q{n:03}", *kind, 1.0)
        for n, kind in enumerate([(True, True)] * 20 + [(True, False), (False, False)] * 10)
    ]
    low = cell(*(Scored(f"q{n:03}", n < 2, None, None) for n in range(20)))
    found = rogan_gladen(low, rates_of(arm), TOPICS, 0.05)
    assert (found["accuracy"], found["interval"][0]) == (0.0, 0.0)
    assert found["interval"][1] > 0


class World(NamedTuple):
    """How answers come about: `ease` are the parameters of a question's chance of a right answer (beta)."""

    questions: int
    samples: int
    ease: tuple[float, float]
    tpr: float
    tnr: float
    labels: int
    alike: bool = False

    @property
    def accuracy(self) -> float:
        return self.ease[0] / sum(self.ease)


WORLDS = {
    "a usual cell": World(60, 4, (2, 1), 0.9, 0.7, 120),
    "a good cell": World(60, 4, (9, 1), 0.95, 0.7, 100),
    "a poor cell": World(60, 4, (1, 6), 0.8, 0.95, 100),
    "one answer a question": World(100, 1, (1, 1), 0.85, 0.85, 60),
    "few labels": World(60, 4, (2, 1), 0.9, 0.7, 40),
    "a nearly perfect grader": World(60, 4, (2, 1), 0.99, 0.99, 40),
    "a grader that errs by the question": World(100, 4, (2, 1), 0.9, 0.8, 120, alike=True),
}


def live(generator: random.Random, world: World) -> dict[str, list[Scored]]:
    """Answers with the truth in `person`, graded; labels are yet to be drawn."""
    found = []
    for number in range(world.questions):
        ease = generator.betavariate(*world.ease)
        luck = {True: generator.random(), False: generator.random()}
        for _ in range(world.samples):
            truth = generator.random() < ease
            chance = luck[truth] if world.alike else generator.random()
            found.append(Scored(f"q{number:03}", (chance < world.tpr) if truth else (chance >= world.tnr), truth, None))
    return cell(*found)


def label(generator: random.Random, of: dict[str, list[Scored]], count: int) -> dict[str, list[Scored]]:
    """People judge half of them among what the grader passed and half among the rest."""
    places = [(name, index) for name, own in of.items() for index in range(len(own))]
    weights: dict[tuple[str, int], float] = {}
    for right in (True, False):
        kind = [place for place in places if of[place[0]][place[1]].right == right]
        chosen = generator.sample(kind, min(count // 2, len(kind)))
        weights |= dict.fromkeys(chosen, len(kind) / len(chosen) if chosen else 1.0)
    return {
        name: [
            Scored(name, each.right, each.person if (name, index) in weights else None, weights.get((name, index)))
            for index, each in enumerate(own)
        ]
        for name, own in of.items()
    }


def average(values: Sequence[float]) -> float:
    return sum(values) / len(values)


@pytest.mark.parametrize("world", [pytest.param(world, id=name) for name, world in WORLDS.items()])
def test_corrections_are_unbiased_and_their_intervals_cover_the_truth(world):
    generator = random.Random(7)
    naive, raw, found = [], [], {"powered": [], "rogan": []}
    for _ in range(300):
        whole = live(generator, world)
        of = label(generator, whole, world.labels)
        judged = [each for each in everything(of) if each.person is not None]
        naive.append(average([float(bool(each.person)) for each in judged]))
        raw.append(average([float(each.right) for each in everything(of)]))
        found["powered"].append(prediction_powered(of, TOPICS, 0.05))
        found["rogan"].append(rogan_gladen(of, rates_of(everything(of)), TOPICS, 0.05))
    truth = world.accuracy
    for name, results in found.items():
        given = [each for each in results if "accuracy" in each]
        assert len(given) >= 0.9 * len(results), name
        assert average([each["accuracy"] for each in given]) == pytest.approx(truth, abs=0.015), name
        coverage = average([float(each["interval"][0] <= truth <= each["interval"][1]) for each in given])
        assert coverage >= 0.92, f"{name}: {coverage:.3f}"
    # What the corrections are for: the mean of the labels themselves is off where accuracy is not one half,
    # and so is the grader's own wherever it errs more often on one side.
    if world.ease[0] != world.ease[1]:
        assert abs(average(naive) - truth) > 0.04
    graded_right = world.tpr * truth + (1 - world.tnr) * (1 - truth)
    if abs(graded_right - truth) > 0.04:
        assert abs(average(raw) - truth) > 0.03


def test_an_arm_s_rates_correct_each_of_its_cells():
    generator = random.Random(3)
    cells = {name: World(40, 3, ease, 0.9, 0.75, 0) for name, ease in {"gold": (5, 1), "none": (1, 2)}.items()}
    hits, estimates = dict.fromkeys(cells, 0), {name: [] for name in cells}
    for _ in range(300):
        # Both cells ask the same questions; their answers are drawn for labelling together, as an arm's are.
        whole = {name: live(generator, world) for name, world in cells.items()}
        together = {question: [*whole["gold"][question], *whole["none"][question]] for question in whole["gold"]}
        arm = label(generator, together, 100)
        rates = rates_of(everything(arm))
        for name, world in cells.items():
            own = {question: answers[:3] if name == "gold" else answers[3:] for question, answers in arm.items()}
            found = rogan_gladen(own, rates, TOPICS, 0.05)
            estimates[name].append(found["accuracy"])
            hits[name] += found["interval"][0] <= world.accuracy <= found["interval"][1]
    for name, world in cells.items():
        assert average(estimates[name]) == pytest.approx(world.accuracy, abs=0.015)
        assert hits[name] / 300 >= 0.92, hits


def test_a_comparison_holds_them_beside_the_raw_accuracy():
    column = [["correct"]] * 60 + [["wrong"]] * 40
    given = records({("base", "none"): column}, topics=["a", "b", "c", "d"] * 25)
    people, drawn = {}, {}
    for name, verdict in given["verdicts"].items():
        number = int(name.question[1:])
        if number < 20 or 60 <= number < 80:
            word = verdict.verdict if number % 5 else {"correct": "wrong", "wrong": "correct"}[verdict.verdict]
            people[name] = Verdict(name.arm, 0, "none", name.question, 0, "person:ann", word)
            drawn[name] = 20 / 60 if number < 60 else 20 / 40
    result = compare(
        recipe="r", **given, people=people, side_by_side=[*given["verdicts"].values(), *people.values()],
        probabilities=drawn, kinds={"base": "untouched"}, contrasts=[], split="all", context=None,
    )  # fmt: skip
    check(result)
    row = cell_of(result, "base/none")
    # One in five of either kind is the other: .6 · .8 + .4 · .2.
    assert (row["accuracy"], row["labelled"]) == (0.6, 40)
    assert row["corrected"]["prediction_powered"]["accuracy"] == pytest.approx(0.56)
    assert row["corrected"]["rogan_gladen"]["accuracy"] == pytest.approx(0.56)
    assert row["corrected"]["rogan_gladen"]["tpr"] == pytest.approx(48 / 56)
    assert result["graders"][0]["tpr"] == pytest.approx(48 / 56)
    refused = compare(
        recipe="r", **given, people=people, side_by_side=[*given["verdicts"].values(), *people.values()],
        kinds={"base": "untouched"}, contrasts=[], split="all", context=None,
    )  # fmt: skip
    check(refused)
    for each in cell_of(refused, "base/none")["corrected"].values():
        assert each == {"refused": "the labels carry no sampling probability"}


def test_topics_are_told_apart():
    given = records({("base", "none"): [["correct"], ["wrong"], ["correct"], ["unscored"]]}, topics=["b", "b", "a", ""])
    result = compare(recipe="r", **given, kinds={}, contrasts=[], split="all", context=None)
    check(result)
    topics = cell_of(result, "base/none")["topics"]
    assert [(each["topic"], each["questions"], each["accuracy"]) for each in topics] == [("a", 1, 1.0), ("b", 2, 0.5)]
    assert topics[1]["interval"] == pytest.approx(statistics.cell_interval([Fraction(0), Fraction(1)], 0.5, 0.05))
