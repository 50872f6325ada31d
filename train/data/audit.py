"""Leakage: does training show what the test asks (`audit`), do answers repeat what training showed (`audit_answers`)?

Both are pure and return JSON-ready data for the report: counts, and a few examples of each finding.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from train.data.similarity import similar_pairs
from train.data.text import verbatim
from train.records import GENERAL, TEST_SPLITS, Answer, Context, Question, TrainingRow

EXAMPLES = 20


def audit(
    questions: Sequence[Question],
    training: Sequence[TrainingRow],
    contexts: Sequence[Context] = (),
    *,
    threshold: float = 0.9,
    examples: int = EXAMPLES,
) -> dict[str, Any]:
    """What of the test occurs in training, before training.

    Args:
        questions: all questions; those of the test splits are looked at, and the wordings of the general ones.
        training: the rows of one arm, or of all arms together.
        contexts: the test contexts.
        threshold: from which similarity on two wordings count as near-identical (`similarity.similar_pairs`).
        examples: so many are listed of each finding; the counts are of all.

    Returns:
        `gold`: per test split, questions whose gold passage (by id, or by its text under another id) was shown in
        training; `contexts`: per condition and split, contexts all of whose passages one training row showed;
        `wordings`: near-identical pairs of a test (or general) and a training wording (a few of each); `references`:
        per test split, questions whose reference answer is a training target, word for word. Each has `found`, how
        many, and `examples`. `leaks` has a sentence where the gold of an `unseen` question was trained, which must
        not be; `warnings` one for what may be chance (two facts with the same short answer), for a person to look at.
    """
    test = [question for question in questions if question.split in TEST_SPLITS]
    gold = _gold(test, training, contexts, examples)
    general = [question for question in questions if question.split == GENERAL]
    wordings = _wordings([*test, *general], training, threshold, examples)
    references = _references(test, training, examples)
    leaked = gold["unseen"]["found"]
    leaks = [f"{leaked} unseen question(s) have a gold passage that occurs in training"] if leaked else []
    warnings = []
    drilled = wordings["by_split"].get(GENERAL, 0)
    for kind, found in (("test", wordings["found"] - drilled), ("general", drilled)):
        if found:
            warnings.append(f"{found} {kind} question(s) are near-identical to a training wording")
    if repeated := references["unseen"]["found"]:
        warnings.append(f"{repeated} unseen question(s) have a reference answer that is a training target")
    return {
        "training_rows": len(training),
        "test_questions": len(test),
        "gold": gold,
        "contexts": _contexts(test, training, contexts),
        "wordings": wordings,
        "references": references,
        "leaks": leaks,
        "warnings": warnings,
    }


def audit_answers(answers: Sequence[Answer], targets: Iterable[str]) -> list[dict[str, Any]]:
    """How much each cell's answers repeat training targets and one another, after sampling.

    Args:
        answers: of any cells.
        targets: the completions of all arms together, so that `base` shows what is chance.

    Returns:
        Per cell: `answers`; `verbatim`, those that are a training target word for word, and their share; `asked`,
        (question, seed) pairs with at least two samples; `alike`, those of them whose samples are all the same;
        `distinct`, the mean number of different answers to a question (None where none was asked twice).
    """
    trained = {verbatim(target) for target in targets}
    cells: dict[tuple[str, str], dict[tuple[str, int], list[str]]] = defaultdict(lambda: defaultdict(list))
    for answer in answers:
        cells[answer.arm, answer.condition][answer.question, answer.seed].append(verbatim(answer.text))
    rows = []
    for (arm, condition), by_question in sorted(cells.items()):
        texts = [text for samples in by_question.values() for text in samples]
        copied = sum(text in trained for text in texts)
        distinct = [len(set(samples)) for samples in by_question.values() if len(samples) > 1]
        rows.append(
            {
                "arm": arm,
                "condition": condition,
                "answers": len(texts),
                "verbatim": copied,
                "verbatim_share": copied / len(texts),
                "asked": len(distinct),
                "alike": distinct.count(1),
                "distinct": sum(distinct) / len(distinct) if distinct else None,
            }
        )
    return rows


def _gold(
    test: Sequence[Question], training: Sequence[TrainingRow], contexts: Sequence[Context], examples: int
) -> dict[str, Any]:
    trained: dict[str, tuple[str, str]] = {}  # a passage's id, or its text -> (training question, passage id)
    for row in training:
        for passage in row.passages:
            for key in (f"id\0{passage.id}", f"text\0{verbatim(passage.text)}"):
                trained.setdefault(key, (row.question, passage.id))
    keys: dict[str, dict[str, list[str]]] = {
        question.id: {passage: [f"id\0{passage}"] for passage in question.evidence} for question in test
    }
    for context in contexts:
        for passage in context.passages:
            if context.question in keys and passage.id in context.gold:
                ways = keys[context.question].setdefault(passage.id, [f"id\0{passage.id}"])
                ways.append(f"text\0{verbatim(passage.text)}")

    def findings(question: Question) -> Iterator[dict[str, Any]]:
        for passage, ways in keys[question.id].items():
            if (way := next((way for way in ways if way in trained), None)) is not None:
                by, shown_as = trained[way]
                yield {"question": question.id, "passage": passage, "training_question": by, "trained_as": shown_as}

    return _by_split([question for question in test if keys[question.id]], findings, examples)


def _references(test: Sequence[Question], training: Sequence[TrainingRow], examples: int) -> dict[str, Any]:
    targets: dict[str, str] = {}
    for row in training:
        targets.setdefault(verbatim(row.completion), row.question)

    def findings(question: Question) -> Iterator[dict[str, Any]]:
        if (by := targets.get(verbatim(question.answer))) is not None:
            yield {"question": question.id, "training_question": by, "answer": question.answer}

    return _by_split([question for question in test if question.answer.strip()], findings, examples)


def _by_split(
    questions: Sequence[Question], findings: Callable[[Question], Iterator[dict[str, Any]]], examples: int
) -> dict[str, Any]:
    """Per test split: how many questions there are, how many have a finding, and the first findings."""
    found = {question.id: list(findings(question)) for question in questions}
    of_split = {split: [q.id for q in questions if q.split == split] for split in TEST_SPLITS}
    return {
        split: {
            "questions": len(ids),
            "found": sum(bool(found[question]) for question in ids),
            "examples": [finding for question in ids for finding in found[question]][:examples],
        }
        for split, ids in of_split.items()
    }


def _wordings(
    test: Sequence[Question], training: Sequence[TrainingRow], threshold: float, examples: int
) -> dict[str, Any]:
    asked: dict[str, list[Question]] = defaultdict(list)
    for question in test:
        asked[question.text].append(question)
    trained: dict[str, str] = {}
    for row in training:
        trained.setdefault(row.text, row.question)
    pairs = [
        {
            "question": question.id,
            "split": question.split,
            "training_question": trained[other],
            "similarity": round(similarity, 4),
            "text": text,
            "training_text": other,
        }
        for text, other, similarity in similar_pairs(asked, trained, threshold)
        for question in asked[text]
    ]
    splits = (*TEST_SPLITS, *([GENERAL] if any(question.split == GENERAL for question in test) else []))
    by_split = {split: len({pair["question"] for pair in pairs if pair["split"] == split}) for split in splits}
    return {
        "threshold": threshold,
        "found": sum(by_split.values()),
        "pairs": len(pairs),
        "by_split": by_split,
        "examples": pairs[:examples],
    }


def _contexts(
    test: Sequence[Question], training: Sequence[TrainingRow], contexts: Sequence[Context]
) -> list[dict[str, Any]]:
    split_of = {question.id: question.split for question in test}
    rows_showing: dict[str, set[int]] = defaultdict(set)
    shown = {frozenset(verbatim(passage.text) for passage in row.passages) for row in training}
    for number, passages in enumerate(shown):
        for passage in passages:
            rows_showing[passage].add(number)
    counts: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for context in contexts:
        if context.passages and context.question in split_of:
            rows = [rows_showing.get(verbatim(passage.text), set()) for passage in context.passages]
            count = counts[context.condition, split_of[context.question]]
            count[0] += 1
            count[1] += bool(set.intersection(*sorted(rows, key=len)))
    return [
        {"condition": condition, "split": split, "contexts": all_of_them, "found": found}
        for (condition, split), (all_of_them, found) in sorted(counts.items())
    ]
