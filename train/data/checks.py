"""What must hold between the rows of a questions file.

Either every row names its split or none does; `unanswerable` rows may name theirs all the same, because no rule could
find out which they are. A group, and a passage, of a `train` row is in no `unseen` or `validation` row; the group of a
`seen` row is in a `train` row, since only a trained fact can have been seen.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Sequence

from train.data.problems import Problems, did_you_mean, named
from train.data.text import normalise
from train.records import Counterfactual, Fact, Question, fact_label

Numbered = Sequence[tuple[int, Question]]
"""Questions with their rows."""

CheckRubric = Callable[[tuple[Fact, ...], tuple[Fact, ...], str], Sequence[str]]
"""(facts, forbidden, reference answer) -> what is wrong with the rubric, one text each. The grading room has one."""

_SUGGESTIONS = 10
"""Looking for the nearest of very many passage ids takes a second each."""


def group_of(question: Question) -> str:
    """The group of a row that names none: rows with the same evidence and the same answer ask for the same fact.

    The name comes from the content, not from the row, so that it stays when rows are added or moved. A row without
    evidence (or without an answer) is a group of its own, named by its id.
    """
    if not question.evidence or not normalise(question.answer):
        return question.id
    evidence = sorted(question.evidence)
    made_of = json.dumps([evidence, normalise(question.answer)], ensure_ascii=False)
    return f"{evidence[0]}~{hashlib.sha256(made_of.encode()).hexdigest()[:8]}"


def check_ids(rows: Numbered, problems: Problems) -> None:
    """Notes each id that an earlier row has too."""
    first: dict[str, int] = {}
    for number, question in rows:
        if question.id and (earlier := first.setdefault(question.id, number)) != number:
            problems.add(number, "id", f"{question.id!r} is the id of row {earlier} too", "give each question its own")


def check_rubrics(rows: Numbered, check: CheckRubric, problems: Problems) -> None:
    """Notes what is wrong with the questions' rubrics and with those of their counterfactual passages."""
    for number, question in rows:
        # Without its answer (a problem already) the rubric would only seem wrong too.
        if (question.facts or question.forbidden) and (question.answer or question.split == "unanswerable"):
            for problem in check(question.facts, question.forbidden, question.answer):
                problems.add(number, "facts", problem)
        if question.counterfactual is not None:
            for problem in _counterfactual_problems(question.counterfactual, question.answer, check):
                problems.add(number, "counterfactual", problem)


def _counterfactual_problems(given: Counterfactual, answer: str, check: CheckRubric) -> list[str]:
    """A rubric that is none, that its own passage fails, or that the true answer passes."""
    found = list(check(given.facts, given.forbidden, ""))
    if found or not given.facts:
        return found
    if check(given.facts, given.forbidden, given.text):
        lacking = [fact for fact in given.facts if check((fact,), (), given.text)]
        held = tuple(fact for fact in given.facts if fact not in lacking)
        # What is forbidden counts only beside a fact that holds.
        stated = [fact for fact in given.forbidden if held and check(held, (fact,), given.text)]
        mend = "reword the fact, add an alternative, or mend the text"
        found += [f"the text lacks its own fact '{fact_label(fact)}'; {mend}" for fact in lacking]
        mend = "narrow what is forbidden, or mend the text"
        found += [f"the text states '{fact_label(fact)}', which it forbids; {mend}" for fact in stated]
    if answer and not check(given.facts, given.forbidden, answer):
        labels = "', '".join(map(fact_label, given.facts))
        mend = "ask for what only the counterfactual text says, or forbid what is true"
        found.append(f"the reference answer passes the counterfactual rubric ('{labels}') too; {mend}")
    return found


def check_evidence(rows: Numbered, passages: Collection[str], problems: Problems) -> None:
    """Notes each evidence id that is no passage's, with the nearest that is."""
    ids = list(passages)
    suggestions: dict[str, str] = {}
    for number, question in rows:
        for missing in (passage for passage in question.evidence if passage not in passages):
            if missing not in suggestions and len(suggestions) < _SUGGESTIONS and not problems.full:
                suggestions[missing] = did_you_mean(missing, ids)
            mend = suggestions.get(missing) or "name a passage of the corpus"
            problems.add(number, "evidence", f"no passage of the corpus has the id {missing!r}", mend)


def check_splits(rows: Numbered, problems: Problems) -> None:
    """Notes rows without a split beside rows with one, and facts or passages on both sides of a split."""
    named_rows = [number for number, question in rows if question.split not in ("", "unanswerable")]
    unnamed = [number for number, question in rows if not question.split]
    if named_rows and unnamed:
        what = f"row(s) {named(unnamed)} have no split, row(s) {named(named_rows)} have one"
        problems.add(None, "split", what, "give every row a split, or none")
    trained = _first_rows(rows, "train", _groups)
    trained_passages = _first_rows(rows, "train", _evidence)
    for split in ("unseen", "validation"):
        for group, number in _first_rows(rows, split, _groups).items():
            if group in trained:
                what = f"group {group!r} is {split} here and trained in row {trained[group]}"
                problems.add(number, "group", what, "give both rows the same side, or different groups")
        for passage, number in _first_rows(rows, split, _evidence).items():
            if passage in trained_passages:
                what = f"passage {passage!r} is {split} here and trained in row {trained_passages[passage]}"
                problems.add(number, "evidence", what, "put all rows that need the passage on one side")
    for group, number in _first_rows(rows, "seen", _groups).items():
        if group not in trained:
            mend = "give the train row that teaches this fact the same group, or call this row unseen"
            problems.add(number, "group", f"a seen fact must be trained, but no train row has group {group!r}", mend)


def repeated_wordings(rows: Numbered, place: str) -> list[str]:
    """A warning where questions with different ids ask the same words."""
    first: dict[str, int] = {}
    pairs: dict[str, None] = {}
    for number, question in rows:
        earlier = first.setdefault(normalise(question.text), number)
        if earlier != number:
            pairs[f"{number} (as row {earlier})"] = None  # once, though a row may be two questions
    if not pairs:
        return []
    are = "row asks" if len(pairs) == 1 else "rows ask"
    return [f"{place}: {len(pairs)} {are} the same words as an earlier row: {named(pairs)}"]


def _first_rows(rows: Numbered, split: str, keys: Callable[[Question], Iterable[str]]) -> dict[str, int]:
    first: dict[str, int] = {}
    for number, question in rows:
        if question.split == split:
            for key in keys(question):
                first.setdefault(key, number)
    return first


def _groups(question: Question) -> tuple[str, ...]:
    return (question.group,) if question.group else ()


def _evidence(question: Question) -> tuple[str, ...]:
    return question.evidence
