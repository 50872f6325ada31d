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
    """One cell of the matrix: a sign, k/n, and the same in words."""

    mark: str
    share: str
    unscored: str
    words: str

    @property
    def text(self) -> str:
        """All of it, such as `⚠ 2/3 +1?`."""
        return " ".join(part for part in (self.mark, self.share, self.unscored) if part)


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


def matrix(findings: Findings) -> list[MatrixGroup]:
    """Question × cell, in groups by split."""
    names = view.columns(findings)
    rows: dict[tuple[view.CellName, str], Mapping[str, Any]] = {}
    for cell in findings.comparison["cells"]:
        for row in cell["per_question"]:
            rows.setdefault(((cell["arm"], cell["condition"]), row["question"]), row)
    expects = {(context.question, context.condition): context.expects for context in findings.contexts}
    groups: dict[str, list[QuestionRow]] = {}
    for place, question in enumerate(findings.questions):
        found = [rows.get((name, question.id)) for name in names]
        if any(found):
            expected = [expects.get((question.id, name[1]), "answer") for name in names]
            groups.setdefault(question.split, []).append(_question_row(place, question, names, found, expected))
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


def _question_row(
    place: int,
    question: Question,
    names: Sequence[view.CellName],
    found: Sequence[Mapping[str, Any] | None],
    expected: Sequence[str],
) -> QuestionRow:
    shares = {Fraction(row["right"], scored) for row in found if row and (scored := _scored(row))}
    return QuestionRow(
        place=place,
        id=question.id,
        text=question.text,
        topic=question.topic,
        entries=tuple(_entry(*each) for each in zip(names, found, expected, strict=True)),
        differs=len(shares) > 1,
    )


def _scored(row: Mapping[str, Any]) -> int:
    return int(row["correct"] + row["wrong"] + row["abstained"])


def _entry(name: view.CellName, row: Mapping[str, Any] | None, expects: str) -> Entry:
    cell = f"{name[0]}, {name[1]}"
    if row is None:
        return Entry(wording.NOT_ASKED, "", "", f"{cell}: not asked")
    scored, unscored = _scored(row), row["unscored"]
    words = f"{cell}: {row['right']} of {scored} right"
    if expects == "abstain":
        words += " (abstaining is right)"
    if unscored:
        words += f", {unscored} unscored"
    share = f"{row['right']}/{scored}"
    return Entry(wording.mark(row["right"], scored), share, f"+{unscored}?" if unscored else "", words)
