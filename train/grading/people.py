"""People's verdicts: what they said about answers, as verdicts that override every other grader's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import get_args

from train.errors import UserError, nearest
from train.records import Answer, AnswerId, Verdict, Word

PERSON = "person"
WORDS: tuple[Word, ...] = tuple(word for word in get_args(Word) if word != "unscored")
"""What a person may say. Who cannot tell gives no label."""


@dataclass(frozen=True, slots=True)
class Label:
    """One person's word on one answer, with who, when (ISO 8601) and why as far as they are known.

    `key` is the labelled answer's key: the label then holds only while the answer stays as it was. `probability` is
    that with which the answer was drawn to be labelled, None outside a sampling plan.
    """

    answer: AnswerId
    verdict: Word
    who: str = ""
    when: str = ""
    why: str = ""
    key: str = ""
    probability: float | None = None


def read_word(value: str, place: str) -> Word | None:
    """The verdict that a person wrote, in any case; `None` for an empty value.

    Raises `UserError`, beginning with `place`, for a word that is none of `WORDS`.
    """
    written = value.strip().casefold()
    if not written:
        return None
    for word in WORDS:
        if written == word:
            return word
    raise UserError(f"{place}: verdict {value!r} is not one of {', '.join(WORDS)}{nearest(written, WORDS)}")


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


def by_people(answers: Iterable[Answer], labels: Iterable[Label]) -> dict[AnswerId, list[Verdict]]:
    """The verdicts that people's labels give, by answer, in the order of `when`, then of the labels.

    A label for an answer that is not there, or that has another key by now, gives none.
    """
    by_id = {answer.id: answer for answer in answers}
    verdicts: dict[AnswerId, list[Verdict]] = {}
    for label in sorted(labels, key=lambda label: label.when):
        answer = by_id.get(label.answer)
        if answer is None or (label.key and label.key != answer.key):
            continue
        said = ", ".join(filter(None, (label.who, label.when)))
        verdicts.setdefault(answer.id, []).append(
            Verdict(
                arm=answer.arm,
                seed=answer.seed,
                condition=answer.condition,
                question=answer.question,
                sample=answer.sample,
                grader=PERSON,
                verdict=label.verdict,
                answer=answer.key,
                why=": ".join(filter(None, (said, label.why))),
            )
        )
    return verdicts


def describe(answer: AnswerId) -> str:
    """The answer's coordinates for a message."""
    return f"{answer.arm}/{answer.condition}, question {answer.question!r}, seed {answer.seed}, sample {answer.sample}"
