"""What people's labels stand for: those of strata judged in full for themselves, drawn ones for others like them.

A sampling plan (`train.labelling.plan`) draws answers by the grader's own verdict, say half from those it passed. What
people find among the answers a grader passed is then estimated without bias, but the share of people's right answers
that it passed (TPR) is not: too many failed ones were looked at. So each label counts for as many answers as it stands
for (Horvitz and Thompson 1952; Begg and Greenes 1983 for TPR and TNR).

- Where people judged every answer of a cell to the questions of a split, each label stands for itself, and for no
  answer elsewhere: what is found there need not hold where the grader passes another share.
- Of all other answers, a label that was drawn stands for N/n: there are N answers of its arm of which every grader says
  the same, and n of them have such a label. The plan puts the answers of an arm that the grader calls right, and the
  others, into a random order and takes them from the front. However far people come, and if they make the plan larger
  on the way, the labelled are a simple random sample of each stratum, of which N/n are the weights; the chance that was
  planned when a label was drawn, which it keeps, knows neither. A grader that came later, such as a judge, divides the
  strata further, and what is drawn from a part is a random sample of it. Not so where the same grader says something
  else by now (its rules or facts were changed): the labels then count as if drawn by its new word.
- Any other label stands for nothing but its answer: nobody knows why that one was judged.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import NamedTuple

from train.comparison.counting import Counting
from train.records import AnswerId, Cell, Expectation, Question, Verdict, is_person, is_right

Expected = Mapping[tuple[str, str], Expectation]
"""(question, condition) -> what the context expects."""


@dataclass(frozen=True, slots=True)
class Labels:
    """People's word on each answer they judged, and how many answers each label stands for, where that is known.

    `full` are the answers of the strata that people judged in full.
    """

    people: Mapping[AnswerId, Verdict]
    weights: Mapping[AnswerId, float]
    full: Collection[AnswerId]


class Scored(NamedTuple):
    """An answer that a grader scored: is it right by the grader, and by people (None: they have not said)?

    `known`: people's word is all there is to know, since they judged its stratum in full or no grader could score it.
    """

    question: str
    right: bool
    person: bool | None
    weight: float | None
    known: bool = False


in_order = attrgetter("arm", "condition", "question", "seed", "sample")
"""A key of answers and verdicts by which sums do not depend on the order of the records."""
of_entry = attrgetter("arm", "condition", "question")
"""The beginning of that key: what the answers of one cell to one question share."""

Weighed = tuple[Scored, float]
"""A labelled answer and how many it stands for."""


ByGrader = Mapping[str, Mapping[AnswerId, Verdict]]
"""grader -> answer -> its verdict."""


def by_grader(side_by_side: Iterable[Verdict]) -> ByGrader:
    """The automatic graders' verdicts, in the order of their names; of two by one grader on an answer the last."""
    found: dict[str, dict[AnswerId, Verdict]] = defaultdict(dict)
    for verdict in side_by_side:
        found[verdict.grader][verdict.id] = verdict
    return {grader: found[grader] for grader in sorted(found) if not is_person(grader)}


def strata(
    answers: Iterable[AnswerId], automatic: Mapping[AnswerId, Verdict], graders: ByGrader, expected: Expected
) -> dict[AnswerId, Hashable]:
    """What decides how likely an answer is to be drawn: its arm, and whether it is right by each automatic grader."""

    def right(verdict: Verdict | None) -> bool | None:
        if verdict is None or verdict.verdict == "unscored":
            return None
        return is_right(verdict.verdict, expected[verdict.question, verdict.condition])

    said = list(graders.values())
    return {
        name: (name.arm, right(automatic.get(name)), *[right(own[name]) for own in said if name in own])
        for name in answers
    }


def weigh(
    people: Mapping[AnswerId, Verdict],
    drawn: Collection[AnswerId],
    places: Mapping[AnswerId, Hashable],
    counting: Counting,
    questions: Mapping[str, Question],
) -> Labels:
    """People's verdicts with their weights; `drawn` are the answers drawn by a plan, `places` the strata of all."""
    full = {
        name
        for name in (places if counting.full else ())
        if counting.is_full(Cell(name.arm, name.condition), questions[name.question].split)
    }
    sizes = Counter(place for name, place in places.items() if name not in full)
    labelled = [
        name
        for name, verdict in people.items()
        if name in drawn and name in places and name not in full and verdict.verdict != "unscored"
    ]
    counts = Counter(places[name] for name in labelled)
    weights = {name: sizes[places[name]] / counts[places[name]] for name in labelled}
    return Labels(people, weights | dict.fromkeys(full, 1.0), full)


def score(verdict: Verdict, labels: Labels, expects: Expectation) -> Scored | None:
    """The verdict beside people's; None where the grader could not say, or people who judged all could not agree.

    A person's verdict, which stands where no grader could score the answer, is known to be theirs.
    """
    if verdict.verdict == "unscored":
        return None
    name = verdict.id
    right = is_right(verdict.verdict, expects)
    if is_person(verdict.grader):
        return Scored(verdict.question, right, right, None, known=True)
    person = labels.people.get(name)
    said = None if person is None or person.verdict == "unscored" else is_right(person.verdict, expects)
    known = name in labels.full
    return None if known and said is None else Scored(verdict.question, right, said, labels.weights.get(name), known)


def weighed(scored: Iterable[Scored]) -> list[Weighed]:
    """The labelled answers of which it is known how many they stand for."""
    return [(each, each.weight) for each in scored if each.person is not None and each.weight is not None]


def represented(scored: Sequence[Scored]) -> Sequence[Scored]:
    """The answers of an arm that its labels stand for: those judged in full, and the others where labels can say.

    They can where drawn ones are among those graded right and among those that are not. Were one kind left out, the
    other would be held against the wrong share of all.
    """
    others = [each for each in scored if not each.known]
    if {each.right for each, _ in weighed(others)} == {each.right for each in others}:
        return scored
    return [each for each in scored if each.known]
