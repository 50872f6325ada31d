"""The matrix: question × cell, each with a sign and k/n, in groups by split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from train.records import Findings, Question
from train.report import view, wording


@dataclass(frozen=True, slots=True)
class Entry:
    """One cell of the matrix: a sign, k/n, and the same in words.

    `counts` are right, scored and unscored answers, `disputed` those that people grade differently, `causes` why
    some were not right; `abstain` says that abstaining is right here.
    """

    mark: str
    share: str
    unscored: str
    words: str
    counts: tuple[int, int, int] = (0, 0, 0)
    disputed: int = 0
    causes: tuple[str, ...] = ()
    abstain: bool = False

    @property
    def text(self) -> str:
        """All of it, such as `⚠ 2/3 +1?`."""
        flag = wording.DISPUTED if self.disputed else ""
        return " ".join(part for part in (self.mark, self.share, self.unscored, flag) if part)


@dataclass(frozen=True, slots=True)
class QuestionRow:
    """One line of the matrix; `place` is the question's place in `findings.questions`."""

    place: int
    id: str
    text: str
    topic: str
    entries: tuple[Entry, ...]
    differs: bool


@dataclass(frozen=True, slots=True)
class MatrixGroup:
    """The lines of one split; `abstain` says for each column whether abstaining is right for all of them."""

    split: str
    meaning: str
    rows: tuple[QuestionRow, ...]
    abstain: tuple[bool, ...]


Key = tuple[str, str, str]
"""Arm, condition and question."""


@view.once
def matrix(findings: Findings) -> list[MatrixGroup]:
    """Question × cell, in groups by split."""
    names = view.columns(findings)
    rows: dict[Key, Mapping[str, Any]] = {}
    for cell in findings.comparison["cells"]:
        for row in cell["per_question"]:
            rows.setdefault((cell["arm"], cell["condition"], row["question"]), row)
    expects = {(context.question, context.condition): context.expects for context in findings.contexts}
    causes, disputed = _remarks(findings)
    groups: dict[str, list[QuestionRow]] = {}
    for place, question in enumerate(findings.questions):
        keys = [(*name, question.id) for name in names]
        if any(key in rows for key in keys):
            entries = tuple(
                _entry(
                    key,
                    rows.get(key),
                    expects.get((question.id, key[1]), "answer"),
                    disputed.get(key, 0),
                    tuple(wording.causes_in_order(causes.get(key, ()))),
                )
                for key in keys
            )
            groups.setdefault(question.split, []).append(_question_row(place, question, entries))
    ids = {split: {row.id for row in group} for split, group in groups.items()}
    return [
        MatrixGroup(
            split=split,
            meaning=view.split_meaning(findings, split),
            rows=tuple(groups[split]),
            abstain=tuple(
                all(expects.get((question, condition)) == "abstain" for question in ids[split])
                for _, condition in names
            ),
        )
        for split in wording.split_order(list(groups), view.decision_split(findings))
    ]


def causes_of(groups: Sequence[MatrixGroup]) -> list[str]:
    """The causes that occur in the matrix, in their order."""
    return wording.causes_in_order(
        cause for group in groups for row in group.rows for entry in row.entries for cause in entry.causes
    )


def _remarks(findings: Findings) -> tuple[dict[Key, set[str]], dict[Key, int]]:
    causes: dict[Key, set[str]] = {}
    disputed: dict[Key, int] = {}
    for answer, cause in findings.causes.items():
        causes.setdefault((answer.arm, answer.condition, answer.question), set()).add(cause)
    for answer in findings.disputed:
        key = (answer.arm, answer.condition, answer.question)
        disputed[key] = disputed.get(key, 0) + 1
    return causes, disputed


def _question_row(place: int, question: Question, entries: Sequence[Entry]) -> QuestionRow:
    shares = {Fraction(entry.counts[0], entry.counts[1]) for entry in entries if entry.counts[1]}
    return QuestionRow(
        place=place,
        id=question.id,
        text=question.text,
        topic=question.topic,
        entries=tuple(entries),
        differs=len(shares) > 1,
    )


def _entry(key: Key, row: Mapping[str, Any] | None, expects: str, disputed: int, causes: tuple[str, ...]) -> Entry:
    cell = f"{key[0]}, {key[1]}"
    if row is None:
        return Entry(wording.NOT_ASKED, "", "", f"{cell}: not asked")
    right, unscored = int(row["right"]), int(row["unscored"])
    scored = int(row["correct"] + row["wrong"] + row["abstained"])
    words = f"{cell}: {right} of {scored} right"
    if expects == "abstain":
        words += " (abstaining is right)"
    if unscored:
        words += f", {unscored} unscored"
    if disputed:
        words += f", {disputed} disputed"
    return Entry(
        mark=wording.mark(right, scored),
        share=f"{right}/{scored}",
        unscored=f"+{unscored}?" if unscored else "",
        words=words,
        counts=(right, scored, unscored),
        disputed=disputed,
        causes=causes,
        abstain=expects == "abstain",
    )
