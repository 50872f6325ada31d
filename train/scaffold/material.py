"""What the user's files hold, read as a run reads them."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from train import data, grading
from train.errors import InputProblems, UserError
from train.records import TEST_SPLITS, Passage, Question

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Material:
    """The questions, each with its split, and the passages of the documents and of the questions.

    `documents` counts the passages of the documents; `divided` says that the splits are not the file's but ours.
    """

    questions: tuple[Question, ...]
    passages: Mapping[str, Passage]
    documents: int
    divided: bool
    warnings: tuple[str, ...] = ()

    def of(self, *splits: str) -> list[Question]:
        """The questions of these splits."""
        return [question for question in self.questions if question.split in splits]

    @property
    def answerable(self) -> list[Question]:
        """The questions that have an answer."""
        return [question for question in self.questions if question.split != "unanswerable"]

    @property
    def rows(self) -> int:
        """Training rows in an epoch: every wording of every training question."""
        return sum(1 + len(question.paraphrases) for question in self.of("train"))

    @property
    def hangul(self) -> float:
        """The share of Hangul among the letters of the questions."""
        text = unicodedata.normalize("NFC", "".join(question.text for question in self.questions))
        letters = [letter for letter in text if letter.isalpha()]
        return sum("가" <= letter <= "힣" for letter in letters) / max(1, len(letters))


def attempt(action: Callable[[], T], problems: list[str]) -> T | None:
    """What the action returns, or None where it raises a `UserError`, whose lines are then added to `problems`."""
    try:
        return action()
    except InputProblems as error:
        problems += error.problems
    except UserError as error:
        problems.append(str(error))
    return None


def read(questions: Path, documents: Path | None) -> Material:
    """The material in these files; raises `InputProblems` with every problem in all of them."""
    problems: list[str] = []
    corpus = attempt(lambda: data.load_corpus(documents), problems) if documents is not None else None
    own = corpus.passages if corpus else ()
    found = attempt(
        # Where there are no passages to look in, evidence that names them is one problem, not one a row.
        lambda: data.load_questions(questions, corpus=own or None, check_rubric=grading.check_rubric),
        problems,
    )
    if found is None:
        raise InputProblems(problems)
    if documents is None:
        attached = {passage.id for passage in found.passages}
        if named := [question.id for question in found.questions if not attached.issuperset(question.evidence)]:
            problems.append(
                f"{questions}: column 'evidence' of {len(named)} question(s), such as {named[0]!r}, names passages and "
                "there are no documents; give --documents, or empty the column"
            )
    divided = attempt(lambda: data.assign_splits(found.questions), problems)
    if divided is not None and not any(question.split in TEST_SPLITS for question in divided):
        problems.append(
            f"{questions}: no question has a split {', '.join(TEST_SPLITS)}, so there is nothing to ask; "
            "give some rows one of these splits"
        )
    if problems or divided is None:
        raise InputProblems(problems)
    return Material(
        questions=divided,
        passages={passage.id: passage for passage in (*own, *found.passages)},
        documents=len(own),
        divided=any(not question.split for question in found.questions),
        warnings=(*(corpus.warnings if corpus else ()), *found.warnings),
    )
