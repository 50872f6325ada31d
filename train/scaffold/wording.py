"""The prompts that a new recipe begins with, in the language of its questions."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from train.scaffold.material import Material

KOREAN = 0.2
"""From this share of Hangul among the letters on questions count as Korean: technical ones are half English."""

ONE_SENTENCE = 40
"""References of up to so many (estimated) tokens, the median, ask for an answer in one sentence."""


@dataclass(frozen=True, slots=True)
class Wording:
    """The texts of a prompt template."""

    language: str
    system: str
    with_context: str
    without_context: str
    abstention: str


def tokens(text: str) -> float:
    """A rough upper estimate of the tokens in a text: one for three ASCII characters, one for any other character."""
    plain = sum(character.isascii() for character in text)
    return plain / 3 + len(text) - plain


def wording_of(material: Material) -> Wording:
    """Prompts for questions in Korean, or else in English, and for answers as long as the references are.

    Where all unanswerable questions have the same short answer, that is the sentence to abstain with.
    """
    said = {question.answer for question in material.of("unanswerable")} - {""}
    own = next((text for text in said if len(said) == 1 and tokens(text) <= ONE_SENTENCE), "")
    short = median([tokens(question.answer) for question in material.answerable] or [0]) <= ONE_SENTENCE
    return korean(own, short) if material.hangul >= KOREAN else english(own, short)


def english(abstention: str, short: bool) -> Wording:
    """English prompts; an empty abstention stands for ours."""
    abstention = abstention or "The documents do not say."
    style = "in one short sentence" if short else "briefly but completely"
    return Wording(
        language="English",
        system=f"Answer questions about our documents {style}. Where passages are given, rely on them alone. "
        f"If you cannot know the answer, say: {abstention}",
        with_context="Passages:\n\n{context}\n\nQuestion: {question}",
        without_context="Question: {question}",
        abstention=abstention,
    )


def korean(abstention: str, short: bool) -> Wording:
    """Korean prompts; an empty abstention stands for ours."""
    abstention = abstention or "자료에 나와 있지 않습니다."
    style = "짧은 한 문장으로" if short else "간결하면서도 빠짐없이"
    return Wording(
        language="Korean",
        system=f"우리 문서에 관한 질문에 {style} 답하십시오. 자료가 주어지면 자료만 근거로 삼으십시오. "
        f"답을 알 수 없으면 이렇게 답하십시오: {abstention}",
        with_context="자료:\n\n{context}\n\n질문: {question}",
        without_context="질문: {question}",
        abstention=abstention,
    )
