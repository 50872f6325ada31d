"""What flows from stage to stage: plain frozen records (their JSON form: `serialising`).

`Question`, `Passage`, `Context`, `Prompt`, `Answer` and `Verdict` are the whole vocabulary. A record
never refers to a model, a file or a stage, so that every stage can be called with records alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal, NamedTuple, get_args

Fact = str | tuple[str, ...]
"""Something that an answer must (or must not) say: a text, alternatives of which one suffices, or `/regex/`."""


def fact_label(fact: Fact) -> str:
    """The fact as people and messages call it."""
    return fact if isinstance(fact, str) else " | ".join(fact)


Split = Literal["train", "validation", "seen", "unseen", "unanswerable"]
SPLITS: tuple[str, ...] = ("train", "validation", "seen", "unseen", "unanswerable")
TEST_SPLITS: tuple[str, ...] = ("seen", "unseen", "unanswerable")
ALL = "all"
"""The split name under which `seen` and `unseen` are reported together."""
GENERAL = "general"
"""The split of a recipe's general questions (`data.general`), which show what tuning forgot. No file names it.
They stand apart from what is tested: nothing is trained on them, and nothing is decided on them."""

Expectation = Literal["answer", "abstain"]
Word = Literal["correct", "wrong", "abstained", "unscored"]
"""A grader's word on one answer."""
WORDS: tuple[Word, ...] = ("correct", "wrong", "abstained")
"""What a person may say, in any case. Who cannot tell says nothing."""

Cause = Literal[
    "retrieval missed", "gold unused", "memory", "not known", "refused", "unsupported", "cut off", "ungraded",
    "unexplained",
]  # fmt: skip
"""Why an answer was not right; what each means: `train.comparison.attribution`."""
CAUSES: tuple[Cause, ...] = get_args(Cause)
"""All causes, in the order in which they are listed."""


@dataclass(frozen=True, slots=True)
class Passage:
    """One retrievable piece of the corpus."""

    id: str
    text: str
    source: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """A passage like a question's evidence in which the asked fact is another, and the rubric for that other fact."""

    text: str
    facts: tuple[Fact, ...] = ()
    forbidden: tuple[Fact, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """One item. `text` is the column `question` of a questions file."""

    id: str
    text: str
    answer: str
    facts: tuple[Fact, ...] = ()
    forbidden: tuple[Fact, ...] = ()
    evidence: tuple[str, ...] = ()
    group: str = ""
    split: str = ""
    topic: str = ""
    paraphrases: tuple[str, ...] = ()
    counterfactual: Counterfactual | None = None


@dataclass(frozen=True, slots=True)
class Context:
    """What a condition made for one question.

    `passages` are in the order in which they are shown; `gold` holds the ids of those that are evidence. `facts`
    and `forbidden` are the rubric that counts under this context.
    """

    question: str
    condition: str
    passages: tuple[Passage, ...]
    gold: tuple[str, ...]
    expects: Expectation
    facts: tuple[Fact, ...] = ()
    forbidden: tuple[Fact, ...] = ()

    @property
    def is_counterfactual(self) -> bool:
        """Whether the condition shows passages that say something untrue, where the question has an answer."""
        return self.condition.startswith("counterfactual")


@dataclass(frozen=True, slots=True)
class TrainingRow:
    """One row that a model is trained on: a question in some wording, what it is shown, and what it is to say.

    `question` is the question's id, `number` says which of its wordings this is, `epoch` counts from 0.
    """

    question: str
    text: str
    completion: str
    passages: tuple[Passage, ...] = ()
    gold: tuple[str, ...] = ()
    number: int = 0
    epoch: int = 0


@dataclass(frozen=True, slots=True)
class Prompt:
    """A question with its context as the model gets it: the rendered text and its token ids."""

    question: str
    condition: str
    text: str
    tokens: tuple[int, ...]


class AnswerId(NamedTuple):
    """Which answer of which cell: the coordinates shared by an answer and its verdicts."""

    arm: str
    seed: int
    condition: str
    question: str
    sample: int


@lru_cache(maxsize=2**18)
def _answer_id(arm: str, seed: int, condition: str, question: str, sample: int) -> AnswerId:
    # One object for an answer and its verdicts: made once, and found in a mapping without comparing its parts.
    return AnswerId(arm, seed, condition, question, sample)


def _identify(it: Answer | Verdict) -> None:
    object.__setattr__(it, "id", _answer_id(it.arm, it.seed, it.condition, it.question, it.sample))


@dataclass(frozen=True, slots=True)
class Answer:
    """One sampled text. `key` is the hash of all that made it; `seed` is the training seed.

    `finish` is `stop` (the model ended its turn), `length` (it hit `max_new_tokens`) or empty for an answer made
    elsewhere. `seconds` is this answer's share of the time its batch took.
    """

    arm: str
    seed: int
    condition: str
    question: str
    sample: int
    text: str
    key: str = ""
    finish: str = ""
    prompt_tokens: int = 0
    tokens: int = 0
    seconds: float = 0.0
    id: AnswerId = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        _identify(self)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A grader's word on one answer and its reasons; `answer` is the graded answer's key.

    `overlap` is the share of a shown passage that the answer repeats, of the passage it repeats most. `remembered`: the
    answer is what the model says without its context (`train.grading.memory`), whether that is right or wrong.
    """

    arm: str
    seed: int
    condition: str
    question: str
    sample: int
    grader: str
    verdict: Word
    answer: str = ""
    why: str = ""
    found: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    violated: tuple[str, ...] = ()
    overlap: float = 0.0
    remembered: bool = False
    id: AnswerId = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        _identify(self)

    @classmethod
    def on(cls, answer: Answer, grader: str, verdict: Word, **told: Any) -> Verdict:
        """The grader's word on that answer; `told` are the reasons."""
        return cls(
            answer.arm,
            answer.seed,
            answer.condition,
            answer.question,
            answer.sample,
            grader,
            verdict,
            answer.key,
            **told,
        )


class Cell(NamedTuple):
    """Arm × condition, by name."""

    arm: str
    condition: str


@dataclass(frozen=True, slots=True)
class Contrast:
    """The planned paired difference of two cells, a − b, over the questions of one split."""

    a: Cell
    b: Cell
    split: str


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Findings:
    """All that a report shows. Reports are a pure function of it, so that they can be made again and compared.

    Whoever changes a part of it makes another one (`replace`): what was made of it may be kept for as long as it lives.

    `prompts` maps (question, condition) to the rendered prompt, empty for answers made elsewhere. `headline` has the
    one verdict that counts for each answer (`train.comparison.counting`). `audit` is the leakage audit's result.
    `training` has one entry for each adapter: arm, seed, condition, rows, steps, tokens, seconds, peak_bytes,
    parameters, bytes, `loss` and `validation_loss` as lists of [step, value]. `manifest` says what made the run.
    `causes` says why answers were not right, `disputed` of which ones people said different things.
    """

    comparison: Mapping[str, Any]
    questions: Sequence[Question]
    contexts: Sequence[Context]
    answers: Sequence[Answer]
    verdicts: Sequence[Verdict]
    headline: Mapping[AnswerId, Verdict]
    prompts: Mapping[tuple[str, str], str]
    audit: Mapping[str, Any]
    training: Sequence[Mapping[str, Any]]
    manifest: Mapping[str, Any]
    causes: Mapping[AnswerId, Cause] = field(default_factory=dict)
    disputed: frozenset[AnswerId] = frozenset()

    @property
    def tested(self) -> Sequence[Answer]:
        """The answers that the decision can rest on: all but those to general questions."""
        general = general_ids(self.questions)
        return [answer for answer in self.answers if answer.question not in general] if general else self.answers


DUMP = 0.8
"""From this overlap on an answer recites its context rather than answering from it."""


def general_ids(questions: Iterable[Question]) -> frozenset[str]:
    """The ids of the general questions."""
    return frozenset(question.id for question in questions if question.split == GENERAL)


def is_right(verdict: Word, expects: Expectation) -> bool:
    """Whether the verdict is what the context expects."""
    return verdict == ("correct" if expects == "answer" else "abstained")


@lru_cache(maxsize=1024)
def is_person(grader: str) -> bool:
    """Whether the grader is a person: `person`, or `person:WHO`."""
    return grader.partition(":")[0] == "person"


def person_word(written: str) -> Word | None:
    """The word that a person wrote, in any case and between blanks; None for a text that is none of `WORDS`."""
    folded = written.strip().casefold()
    return next((word for word in WORDS if word == folded), None)
