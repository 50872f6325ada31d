"""People's verdicts: what they said about answers, as verdicts that override every other grader's."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from train.errors import UserError, nearest
from train.records import WORDS, Answer, AnswerId, Verdict, Word, is_person, person_word

PERSON = "person"
WITHDRAWN: Word = "unscored"
"""The verdict of a label that takes back what the same person said of the answer before."""


@dataclass(frozen=True, slots=True)
class Label:
    """One person's word on one answer, with who, when (ISO 8601) and why as far as they are known.

    `key` is the labelled answer's key: the label then holds only while the answer stays as it was. `probability` is
    that with which the answer was drawn to be labelled; None for a label outside a sampling plan.
    """

    answer: AnswerId
    verdict: Word
    who: str = ""
    when: str = ""
    why: str = ""
    key: str = ""
    probability: float | None = None

    @property
    def grader(self) -> str:
        """`person:WHO`, or `person` where nobody is named.

        A label without a time came with a file of answers: `who` is then the file's name and nobody's.
        """
        return f"{PERSON}:{self.who}" if self.who and self.when else PERSON


def read_word(value: str, place: str) -> Word | None:
    """The verdict that a person wrote, in any case; `None` for an empty value.

    Raises `UserError`, beginning with `place`, for a word that is none of `WORDS`.
    """
    word = person_word(value)
    if word is None and value.strip():
        hint = nearest(value.strip().casefold(), WORDS)
        raise UserError(f"{place}: verdict {value!r} is not one of {', '.join(WORDS)}{hint}")
    return word


def read_labels(given: Mapping[AnswerId, str], *, who: str = "", when: str = "", why: str = "") -> list[Label]:
    """Labels from the verdicts that came with answers; an empty verdict gives none.

    Raises `UserError` naming the answer for a word that is none of `WORDS`.
    """
    labels = []
    for answer, value in given.items():
        word = read_word(value, f"answer {describe(answer)}")
        if word is not None:
            labels.append(Label(answer, word, who, when, why))
    return labels


def standing(answers: Iterable[Answer], labels: Iterable[Label]) -> list[Label]:
    """The labels that hold, in the order in which they were given: of each person and answer the last.

    A label for an answer that is not there, or that has another key by now, does not hold, nor does one withdrawn.
    """
    labels = list(labels)
    labelled = _labelled(answers, labels)
    last: dict[tuple[str, AnswerId], Label] = {}
    for label in labels:
        if label.answer in labelled and label.key in ("", labelled[label.answer].key):
            last.pop((label.who, label.answer), None)  # so that the order is that of the last labels
            last[label.who, label.answer] = label
    return [label for label in last.values() if label.verdict != WITHDRAWN]


def _labelled(answers: Iterable[Answer], labels: Iterable[Label]) -> dict[AnswerId, Answer]:
    names = {label.answer for label in labels}
    return {answer.id: answer for answer in answers if answer.id in names}


def by_people(answers: Iterable[Answer], labels: Iterable[Label]) -> dict[AnswerId, list[Verdict]]:
    """The verdicts that people's standing labels give, by answer, in the order of `when`, then of names."""
    labels = list(labels)
    labelled = _labelled(answers, labels)
    verdicts: dict[AnswerId, list[Verdict]] = {}
    for label in sorted(standing(labelled.values(), labels), key=lambda label: (label.when, label.who)):
        answer = labelled[label.answer]
        said = ", ".join(filter(None, (label.who, label.when)))
        verdicts.setdefault(answer.id, []).append(
            Verdict.on(answer, label.grader, label.verdict, why=": ".join(filter(None, (said, label.why))))
        )
    return verdicts


def disputed(verdicts: Iterable[Verdict]) -> set[AnswerId]:
    """The answers of which people said different things; verdicts of other graders are looked past."""
    said: defaultdict[AnswerId, set[Word]] = defaultdict(set)
    for verdict in verdicts:
        if is_person(verdict.grader) and verdict.verdict != WITHDRAWN:
            said[verdict.id].add(verdict.verdict)
    return {answer for answer, words in said.items() if len(words) > 1}


def majority(verdicts: Sequence[Verdict]) -> Verdict:
    """What people's verdicts on one answer, at least one, come to: the last of those with the word most of them say.

    Where no word is said most often, nobody is right by being the last: unscored, with what was said.
    """
    counts = Counter(verdict.verdict for verdict in verdicts).most_common(2)
    if len(counts) == 1 or counts[0][1] > counts[1][1]:
        return next(verdict for verdict in reversed(verdicts) if verdict.verdict == counts[0][0])
    said = ", ".join(f"{verdict.grader.partition(':')[2] or 'one'} says {verdict.verdict}" for verdict in verdicts)
    return replace(verdicts[-1], grader=PERSON, verdict=WITHDRAWN, why=f"people disagree: {said}")


def describe(answer: AnswerId) -> str:
    """The answer's coordinates for a message."""
    return f"{answer.arm}/{answer.condition}, question {answer.question!r}, seed {answer.seed}, sample {answer.sample}"
