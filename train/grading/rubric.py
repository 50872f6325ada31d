"""The rubric: an answer must state every fact and nothing that is forbidden."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

from train.errors import UserError
from train.grading.facts import Statement, compile_fact, fact_problems
from train.grading.normalise import Normalised, normalise
from train.records import Fact, Question


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a rubric found in one answer: facts as the answer states them, facts it lacks, forbidden ones it states."""

    found: tuple[str, ...]
    missing: tuple[str, ...]
    violated: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether a fact was asked for, all are there, and nothing forbidden is."""
        return bool(self.found) and not self.missing and not self.violated

    @property
    def why(self) -> str:
        """The outcome in words."""
        reasons = []
        if self.missing:
            reasons.append("missing: " + "; ".join(self.missing))
        if self.violated:
            reasons.append("forbidden: " + "; ".join(self.violated))
        return ". ".join(reasons) or "states: " + "; ".join(self.found)


@dataclass(frozen=True, slots=True)
class Rubric:
    """A question's compiled facts and forbidden statements."""

    facts: tuple[Statement, ...]
    forbidden: tuple[Statement, ...]

    def judge(self, answer: Normalised) -> Outcome:
        """What of this rubric the answer states."""
        ungrouped = answer.ungrouped
        stated: list[str] = []
        missing: list[str] = []
        for fact in self.facts:
            found = fact.found_in(answer, ungrouped)
            if found is None:
                missing.append(fact.label)
            else:
                stated.append(found)
        violations = [statement.found_in(answer, ungrouped) for statement in self.forbidden]
        return Outcome(tuple(stated), tuple(missing), tuple([found for found in violations if found is not None]))


@lru_cache(maxsize=65536)
def compile_rubric(facts: tuple[Fact, ...], forbidden: tuple[Fact, ...] = ()) -> Rubric:
    """The rubric ready for matching; made once for each distinct one.

    Raises `UserError` for a fact that `check_rubric` objects to.
    """
    for fact in (*facts, *forbidden):
        if problems := fact_problems(fact):
            raise UserError(f"fact {problems[0]}")
    return Rubric(tuple(map(compile_fact, facts)), tuple(map(compile_fact, forbidden)))


def rubric_passes(facts: tuple[Fact, ...], forbidden: tuple[Fact, ...], text: str) -> bool:
    """Whether the text states every fact and nothing forbidden.

    Without facts there is nothing to pass, so nothing does. Raises `UserError` for a fact that cannot be compiled.
    """
    return compile_rubric(tuple(facts), tuple(forbidden)).judge(normalise(text)).passed


def check_rubric(facts: Sequence[Fact], forbidden: Sequence[Fact] = (), reference: str = "") -> list[str]:
    """Every problem of one question's rubric, in words that name the fact; empty where there is none.

    A fact that is empty, a regex that does not compile, matches anything or could never match normalised text; and,
    where a reference is given and there are facts, a reference that lacks a fact or states a forbidden one.
    """
    problems = [
        f"{column}[{number}]: {problem}"
        for column, listed in (("facts", facts), ("forbidden", forbidden))
        for number, fact in enumerate(listed)
        for problem in fact_problems(fact)
    ]
    if problems or not facts or not reference.strip():
        return problems
    outcome = compile_rubric(tuple(facts), tuple(forbidden)).judge(normalise(reference))
    problems += [
        f"the reference answer lacks the fact '{label}'; reword the fact, add an alternative, or mend the answer"
        for label in outcome.missing
    ]
    problems += [
        f"the reference answer states '{found}', which is forbidden; narrow what is forbidden, or mend the answer"
        for found in outcome.violated
    ]
    return problems


@dataclass(frozen=True, slots=True)
class Crossings:
    """Rubrics that another question's reference passes.

    `others` maps a question's id to the ids of up to three questions whose reference passes its rubric. `complete` is
    false where the search ended at its limit.
    """

    others: dict[str, tuple[str, ...]]
    complete: bool


def find_crossings(questions: Sequence[Question], limit: int = 1_000_000) -> Crossings:
    """Which rubrics cannot tell their own reference from another question's: worth a warning each.

    Questions of one group ask for the same fact and are not compared. At most `limit` references are looked at in full,
    over all questions. Raises `UserError` for a rubric that `check_rubric` objects to.
    """
    references = [normalise(question.answer) for question in questions]
    haystack = _Haystack([reference.ungrouped.text for reference in references])
    others: dict[str, tuple[str, ...]] = {}
    for question in questions:
        if not question.facts:
            continue
        rubric = compile_rubric(question.facts, question.forbidden)
        passed: list[str] = []
        for number in haystack.candidates(rubric):
            other = questions[number]
            if other.id == question.id or (question.group and other.group == question.group):
                continue
            if limit <= 0:
                return Crossings(others, complete=False)
            limit -= 1
            if rubric.judge(references[number]).passed:
                passed.append(other.id)
                others[question.id] = tuple(passed)
                if len(passed) == 3:
                    break
    return Crossings(others, complete=True)


class _Haystack:
    """All references as one text, so that one fast search for a plain fact leaves few references to look at."""

    def __init__(self, texts: list[str]) -> None:
        self.everything = "\n".join(texts)
        self.starts = [0, *accumulate(len(text) + 1 for text in texts)][:-1]
        self.holders: dict[str, frozenset[int]] = {}

    def candidates(self, rubric: Rubric) -> Iterable[int]:
        """Numbers of the references that hold every plain fact in some form; of all where there is no plain fact."""
        held = [
            frozenset().union(*(self._holding(alternative.plain) for alternative in fact.alternatives))
            for fact in rubric.facts
            if all(alternative.regex is None for alternative in fact.alternatives)
        ]
        return sorted(frozenset.intersection(*held)) if held else range(len(self.starts))

    def _holding(self, text: str) -> frozenset[int]:
        if text not in self.holders:
            self.holders[text] = frozenset(self._search(text))
        return self.holders[text]

    def _search(self, text: str) -> Iterator[int]:
        position = self.everything.find(text)
        while position >= 0:
            number = bisect_right(self.starts, position) - 1
            yield number
            if number + 1 == len(self.starts):
                return
            position = self.everything.find(text, self.starts[number + 1])
