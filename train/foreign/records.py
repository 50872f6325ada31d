"""What a reader of answers made elsewhere finds in one input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from train.grading import JudgeRules
from train.records import Answer, Context, Question
from train.sealing import Record


@dataclass(frozen=True, slots=True)
class Said:
    """One response of a model, with what is known of how it ended and what it cost."""

    text: str
    finish: str = ""
    prompt_tokens: int = 0
    tokens: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Item:
    """What a tool asked and the responses it got, in their order.

    `place` names it in errors. `ids` are the names that it goes by, each under the way in which the tool writes it
    (`doc.id`, `doc_id`, `id`); `texts` are those of which one may be the question's.
    """

    place: str
    ids: Mapping[str, str]
    texts: tuple[str, ...]
    said: tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class ToolLog:
    """What another tool has logged: its name, the model that answered (empty if it does not say), the items.

    `scored` says that the tool graded them, too: its scores are left alone.
    """

    tool: str
    model: str
    items: tuple[Item, ...]
    scored: bool = False
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What a run knows beside its answers: its questions, what they were asked with, how to abstain.

    `contexts` and `prompts` are by (question, condition), the ids being those of the questions file.
    """

    questions: Mapping[str, Question]
    contexts: Mapping[tuple[str, str], Context]
    prompts: Mapping[tuple[str, str], str]
    abstention: str = ""


@dataclass(frozen=True, slots=True)
class Given:
    """One input, read: its answers, people's labels on some of them as records of `labels.jsonl`, and where a judge has
    graded them the judge, with what it said as records of `judgements.jsonl`.

    `named` says that the arms' names are the user's own words, which no other name may replace.
    """

    path: Path
    what: str
    answers: tuple[Answer, ...]
    labels: tuple[Record, ...] = ()
    warnings: tuple[str, ...] = ()
    named: bool = False
    facts: RunFacts | None = field(default=None, repr=False)
    judge: JudgeRules | None = None
    judgements: tuple[Record, ...] = field(default=(), repr=False)
