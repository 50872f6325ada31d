"""Graders and people apart: whose verdicts may be mixed is the comparison's to say (`train.comparison.counting`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from train.grading.people import Label, standing
from train.grading.verdicts import headline
from train.records import Answer, AnswerId, Verdict, is_person


def sides(verdicts: Sequence[Verdict]) -> tuple[dict[AnswerId, Verdict], dict[AnswerId, Verdict]]:
    """The verdict of each answer that counts among the automatic graders' (a judge among them), and among people's."""
    automatic: list[Verdict] = []
    people: list[Verdict] = []
    for verdict in verdicts:
        (people if is_person(verdict.grader) else automatic).append(verdict)
    return headline(automatic), headline(people)


def drawn_with(labels: Iterable[Label], answers: Iterable[Answer]) -> dict[AnswerId, float]:
    """The probability with which each labelled answer was drawn, as far as it is known; labels in the order given.

    Labels that were withdrawn or are about an answer that has changed since do not count. Of several people's the
    greatest, which is that of the widest draw: who labels what others have labelled draws nothing anew.
    """
    found: dict[AnswerId, float] = {}
    for label in standing(answers, labels):
        if label.probability:
            found[label.answer] = max(label.probability, found.get(label.answer, 0.0))
    return found
