"""Which answers people are asked to label, how likely each was to be drawn, and in which order one person meets them.

Half of them the automatic grader calls right, half it does not, because a grader's errors are rare on either side; and
of either half equally many come from each arm. Drawn so, labels say nothing about the whole by their mean: each keeps
the probability with which it was drawn, by which it is known to be drawn, and counts for as many answers as it stands
for among those labelled in the end (`train.comparison.labels`).
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest

from train.records import AnswerId
from train.sealing import digest

BLOCK = 40
"""The first so many answers are the same for all labellers, so that their agreement can be measured."""

Right = Mapping[AnswerId, bool | None]
"""For each answer, whether the automatic grader calls it right; None where it could not say."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A sample of the answers. `answers` are in the order drawn; a smaller plan of the same seed is its beginning.

    `strata` are the same answers by stratum. `probability` has the chance of being drawn of every answer that could
    have been, drawn or not.
    """

    answers: tuple[AnswerId, ...]
    strata: tuple[tuple[AnswerId, ...], ...]
    probability: Mapping[AnswerId, float]


def draw(right: Right, seed: str, size: int) -> Plan:
    """Draws `size` answers, or all where there are fewer, without replacement.

    Strata are what the grader says × arm; in each, a simple random sample. So the probability of an answer is
    (drawn of its stratum)/(answers in its stratum). Right and other answers take turns, and so do the arms among them,
    until they are used up; answers that the grader could not score come last. Which of a stratum's answers come first
    depends on `seed` and the answer alone, so that few answers change where a few are graded anew.
    """
    strata = _strata(right, seed)
    turns = {
        word: list(_by_turns([ids for (said, _), ids in sorted(strata.items(), key=_arm) if said is word]))
        for word in (True, False, None)
    }
    answers = tuple(chain(_by_turns([turns[True], turns[False]]), turns[None]))[:size]
    drawn = Counter((right[each], each.arm) for each in answers)
    return Plan(
        answers,
        tuple(tuple(ids[: drawn[stratum]]) for stratum, ids in strata.items() if drawn[stratum]),
        {each: drawn[stratum] / len(ids) for stratum, ids in strata.items() if drawn[stratum] for each in ids},
    )


def sequence(plan: Plan, seed: str, who: str) -> list[AnswerId]:
    """The plan's answers in the order in which `who` gets them: block by block, shuffled in each.

    A block holds every stratum in the plan's proportion, so that a part of the plan, too, has labels of every kind. The
    first block comes first for everybody, the others in an order of each person's own.
    """
    generator = random.Random(f"{seed}\n{who}")
    places = sorted(((rank + 0.5) / len(drawn), each) for drawn in plan.strata for rank, each in enumerate(drawn))
    blocks = [[each for _, each in places[start : start + BLOCK]] for start in range(0, len(places), BLOCK)]
    for block in blocks:
        generator.shuffle(block)
    others = blocks[1:]
    generator.shuffle(others)
    return [*chain(*blocks[:1], *others)]


def _strata(right: Right, seed: str) -> dict[tuple[bool | None, str], list[AnswerId]]:
    """The answers of each stratum, in an order that is random but for `seed`."""
    strata: dict[tuple[bool | None, str], list[AnswerId]] = {}
    for each in sorted(right, key=lambda each: digest([seed, each._asdict()])):
        strata.setdefault((right[each], each.arm), []).append(each)
    return strata


def _arm(stratum: tuple[tuple[bool | None, str], list[AnswerId]]) -> str:
    return stratum[0][1]


def _by_turns(lists: Sequence[Sequence[AnswerId]]) -> Iterable[AnswerId]:
    """The first of each list, then the second of each …"""
    return (each for row in zip_longest(*lists) for each in row if each is not None)
