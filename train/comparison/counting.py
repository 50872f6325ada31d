"""Whose verdicts count: people's where they judged everything, the graders' where people judged a part.

Labels are drawn with an eye on the graders' verdicts (half from what passed, half from what failed), or by what caught
somebody's eye. Were they put in the place of the graders' verdicts one by one, the rarer kind would be set right more
often than the other, and the mean would move for no other reason. So labels count by the stratum: the answers of one
cell to the questions of one split.

- Where people judged every answer of a stratum, their verdicts count: in accuracies, causes and on the page. Where
  they disagree without a majority, the answer is unscored.
- Where they judged a part, the automatic verdicts count, and people's enter the corrected accuracies that stand beside
  (`train.comparison.corrections`). Only an answer that no grader could score counts by a person's verdict even there:
  it takes nothing's place.
- A contrast compares like with like: people's verdicts count in it where both cells are judged in full on a split, and
  the automatic ones on both sides otherwise, even where one of the cells counts by people's in its own row.

A file given to `openbook compare` follows the same rule: a verdict in it is a person's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from train.records import Answer, AnswerId, Cell, Question, Verdict

Stratum = tuple[str, str, str]
"""Arm, condition and the questions' own split ("" where they have none)."""


@dataclass(frozen=True, slots=True)
class Counting:
    """The verdict of each answer that counts (`headline`), and the one that would if people judged nothing in full.

    `full` are the strata that people judged in full.
    """

    headline: Mapping[AnswerId, Verdict]
    graders: Mapping[AnswerId, Verdict]
    full: frozenset[Stratum]

    def is_full(self, cell: Cell, split: str) -> bool:
        """Whether people judged everything of the cell on the questions of this split."""
        return (cell.arm, cell.condition, split) in self.full


def count_verdicts(
    questions: Sequence[Question],
    answers: Sequence[Answer],
    automatic: Mapping[AnswerId, Verdict],
    people: Mapping[AnswerId, Verdict],
) -> Counting:
    """Applies the rule above; `automatic` and `people` hold the one verdict of each answer that counts on that side."""
    if not people:
        return Counting(automatic, automatic, frozenset())
    splits = {question.id: question.split for question in questions}
    strata: dict[Stratum, bool] = {}
    places: dict[AnswerId, Stratum] = {}
    for answer in answers:
        name = answer.id
        place = answer.arm, answer.condition, splits.get(answer.question, "")
        places[name] = place
        strata[place] = strata.get(place, True) and name in people
    full = frozenset(place for place, judged in strata.items() if judged)
    graders: dict[AnswerId, Verdict] = {}
    headline: dict[AnswerId, Verdict] = {}
    for name, place in places.items():
        person, grader = people.get(name), automatic.get(name)
        if person is not None and (grader is None or grader.verdict == "unscored"):
            grader = person
        if grader is not None:
            graders[name] = headline[name] = grader
        if person is not None and place in full:
            headline[name] = person
    return Counting(headline, graders, full)
