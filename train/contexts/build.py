"""One context for each question under a condition.

Everything random comes from a generator seeded with (seed, question, occasion), never from the order of questions or
from the condition. So a context can be made again alone, adding a question changes no other, and a question meets the
same distractors under `gold+3` and `distractors@3`.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from train import records
from train.conditions import (
    ANSWER,
    Condition,
    Counterfactual,
    Distractors,
    Gold,
    Mixed,
    NoContext,
    Retrieved,
)
from train.errors import InputProblems
from train.records import Context, Fact, Passage, Question

Passes = Callable[[tuple[Fact, ...], tuple[Fact, ...], str], bool]
"""(facts, forbidden, text) → whether the text would be graded a right answer; the grading room's."""

Search = Callable[[str, int], Sequence[str]]
"""(query, n) → the ids of the n passages that fit it best, best first; the retrieval room's."""


@dataclass(frozen=True, slots=True)
class ContextRules:
    """What all contexts of a run have in common.

    `pool` names the passages that distractors are drawn from and `search` looks in; training's holds only evidence of
    training questions.
    """

    passages: Mapping[str, Passage]
    pool: Sequence[str]
    passes: Passes
    seed: int
    search: Search | None = None


def make_contexts(
    condition: Condition, questions: Sequence[Question], rules: ContextRules, occasion: str = ""
) -> list[Context]:
    """The context of every question under the condition; another `occasion` (an epoch) draws other distractors.

    Raises:
        InputProblems: questions without the evidence, or the pool without the distractors, that the condition needs.
    """
    contexts, problems = [], []
    for question in questions:
        try:
            contexts.append(make_context(condition, question, rules, occasion))
        except ValueError as error:
            problems.append(f"question {question.id!r} under condition {condition.name}: {error}")
    if problems:
        raise InputProblems(problems)
    return contexts


def make_context(condition: Condition, question: Question, rules: ContextRules, occasion: str = "") -> Context:
    """The question's context; raises `ValueError` where the condition cannot be met."""
    answerable = question.split != "unanswerable"
    rng = generator(rules.seed, question.id, occasion)
    plain = Context(question.id, condition.name, (), (), "answer", question.facts, question.forbidden)
    gold: tuple[str, ...] = ()
    match condition:
        case Mixed(gold_share=share, distractors=count, otherwise=otherwise):
            golden = generator(rules.seed, question.id, f"share {occasion}").random() < share
            others = Distractors(count + max(1, len(question.evidence)))  # as many as with gold
            context = make_context(Gold(count) if golden else others, question, rules, occasion)
            answers = answerable and (golden or otherwise == ANSWER)
            return replace(context, condition=condition.name, expects="answer" if answers else "abstain")
        case Counterfactual() if answerable:
            return counterfactual(question, plain)
        case Retrieved(count=count):
            shown = found(question, rules, count)
            gold = tuple(passage for passage in shown if answerable and passage in question.evidence)
        case NoContext():
            shown = []
        case Distractors(count=count):
            # For a question without an answer, its "evidence" is the passage that comes nearest to having one.
            near = [] if answerable else list(question.evidence[:count])
            shown = near + distractors(question, rules, rng, count - len(near))
        case Gold(distractors=count) if answerable:
            if not question.evidence:
                raise ValueError("it names no evidence; fill its column 'evidence' or drop the condition")
            gold = question.evidence
            shown = [*gold, *distractors(question, rules, rng, count)]
        case Gold() | Counterfactual():
            # As many passages as an answerable question gets, so that their number gives nothing away.
            count = condition.distractors if isinstance(condition, Gold) else 0
            near = list(question.evidence[:1])
            shown = near + distractors(question, rules, rng, count + 1 - len(near))
    if not isinstance(condition, Retrieved):
        # Drawn apart from the distractors, so that the order says nothing about which passage is gold.
        generator(rules.seed, question.id, f"order {occasion}").shuffle(shown)
    return replace(
        plain,
        passages=tuple(rules.passages[passage] for passage in shown),
        gold=gold,
        expects="answer" if answerable and not isinstance(condition, Distractors) else "abstain",
    )


def counterfactual(question: Question, plain: Context) -> Context:
    """The question with its counterfactual passage, by whose facts it is graded."""
    if question.counterfactual is None:
        raise ValueError("it has no counterfactual passage; fill its column 'counterfactual' or drop the condition")
    passage = counterfactual_passage(question, question.counterfactual)
    return replace(
        plain,
        passages=(passage,),
        gold=(passage.id,),
        facts=question.counterfactual.facts,
        forbidden=question.counterfactual.forbidden,
    )


def counterfactual_passage(question: Question, given: records.Counterfactual) -> Passage:
    """A passage of that question alone: no search finds it, and it is nobody's distractor."""
    return Passage(f"{question.id}#counterfactual", given.text, "counterfactual")


def found(question: Question, rules: ContextRules, count: int) -> list[str]:
    """What a search for the question finds."""
    if rules.search is None:
        raise ValueError("there is nothing to search in; give the recipe a corpus or drop the condition")
    shown = list(rules.search(question.text, count))
    if len(shown) < count:
        raise ValueError(f"needs {count} passages and there are {len(shown)}; add documents or ask for fewer")
    return shown


def distractors(question: Question, rules: ContextRules, rng: random.Random, count: int) -> list[str]:
    """`count` passages of the pool that are not the question's evidence and would not pass its rubric."""
    found: list[str] = []
    if count <= 0:
        return found
    for passage in permutation(rules.pool, rng):
        if passage in question.evidence:
            continue
        if question.facts and rules.passes(question.facts, (), rules.passages[passage].text):
            continue
        found.append(passage)
        if len(found) == count:
            return found
    raise ValueError(f"needs {count} distractors and the passages hold {len(found)}; add documents or ask for fewer")


def permutation(pool: Sequence[str], rng: random.Random) -> Iterator[str]:
    """The pool in random order, lazily: a few draws from a million passages cost a few steps (Fisher and Yates)."""
    moved: dict[int, int] = {}
    for last in range(len(pool) - 1, -1, -1):
        pick = rng.randint(0, last)
        yield pool[moved.get(pick, pick)]
        moved[pick] = moved.get(last, last)


def generator(seed: int, question: str, occasion: str) -> random.Random:
    """A generator that depends on these three alone, on every machine and Python."""
    digest = hashlib.sha256(f"{seed}\x1f{question}\x1f{occasion}".encode()).digest()
    return random.Random(int.from_bytes(digest[:8], "big"))
