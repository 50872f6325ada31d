"""What the material allows to compare, and settings of a size that suits it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from train import contexts, grading
from train.conditions import GOLD, NONE, Condition, Distractors, Gold, Retrieved
from train.errors import InputProblems
from train.recipe import Splits
from train.records import SPLITS, TEST_SPLITS
from train.scaffold.lengths import ESTIMATE, Room, Ruler, room_for
from train.scaffold.material import Material
from train.scaffold.wording import Wording, wording_of

FEW = 24
"""With fewer unseen questions than this most differences stay undetermined."""


@dataclass(frozen=True, slots=True)
class Choices:
    """The parts of a recipe that depend on the material."""

    arms: tuple[str, ...]
    conditions: tuple[Condition, ...]
    context: Condition | None
    contrasts: tuple[str, ...]
    split: str
    wording: Wording
    epochs: int
    rank: int
    room: Room
    splits: Splits | None


def choose(material: Material, *, four_bit: bool, ruler: Ruler = ESTIMATE) -> Choices:
    """Arms, conditions, contrasts, prompts and sizes; `four_bit` adds the last arm once more, tuned with QLoRA.

    `ruler` measures the references, in the tokens of the model if it can.
    """
    conditions = tuple(possible_conditions(material))
    arms = ["base"]
    if material.of("train"):
        arms.append("closed-book")
        if GOLD in conditions and all(question.evidence for question in material.of("train", "validation")):
            arms.append("open-book")
        if four_bit:
            arms.append(f"{arms[-1]}-4bit")
    retrieved = next((condition for condition in conditions if isinstance(condition, Retrieved)), None)
    wording = wording_of(material)
    epochs, rank = training_size(material.rows)
    return Choices(
        arms=tuple(arms),
        conditions=conditions,
        context=GOLD if GOLD in conditions else retrieved,
        contrasts=tuple(planned(arms, retrieved)),
        split=next(split for split in ("unseen", "seen", "unanswerable") if material.of(split)),
        wording=wording,
        epochs=epochs,
        rank=rank,
        room=room_for([question.answer for question in material.questions], wording.abstention, ruler),
        splits=Splits() if material.divided else None,
    )


def possible_conditions(material: Material) -> Iterator[Condition]:
    """`none`, and what every question asked can be given: `gold`, `gold+n` and `distractors@n` (n ≤ 3), `retrieved@n`.

    Where some name no evidence, a distractor may hold the answer: nothing but the question and a search remain.
    """
    asked = material.of(*TEST_SPLITS)
    rules = contexts.ContextRules(material.passages, tuple(material.passages), grading.rubric_passes, seed=0)

    def possible(*wanted: Condition) -> bool:
        try:
            return all(contexts.make_contexts(condition, asked, rules) for condition in wanted)
        except InputProblems:
            return False

    yield NONE
    if material.of("seen", "unseen") and possible(GOLD):
        yield GOLD
        for count in (3, 2, 1):
            if possible(Gold(count), Distractors(count)):
                yield from (Gold(count), Distractors(count))
                break
    if material.documents:
        yield Retrieved(min(3, material.documents))


def planned(arms: Sequence[str], retrieved: Retrieved | None) -> Iterator[str]:
    """The contrasts worth planning beside those that the decision brings itself."""
    if "open-book" in arms:
        yield "open-book/gold vs closed-book/gold"
        if retrieved is not None:
            yield f"open-book/{retrieved.name} vs base/{retrieved.name}"
    if "open-book-4bit" in arms:
        yield "open-book-4bit/gold vs open-book/gold"
    if "closed-book-4bit" in arms:
        yield "closed-book-4bit/none vs closed-book/none"


def training_size(rows: int) -> tuple[int, int]:
    """Epochs and rank for so many rows: few are shown more often, and to fewer weights. A start, not a result."""
    for least, epochs, rank in ((3000, 2, 64), (1000, 2, 32), (300, 3, 16), (100, 4, 16)):
        if rows >= least:
            return epochs, rank
    return 6, 16


def describe(material: Material, choices: Choices) -> Iterator[str]:
    """What was found and what was chosen for it, line by line."""
    counts = Counter(question.split for question in material.questions)
    splits = ", ".join(f"{counts[split]} {split}" for split in SPLITS if counts[split])
    facts = sum(bool(question.facts) for question in material.answerable)
    yield f"questions  {len(material.questions)}: {splits}"
    yield f"passages   {material.documents} of documents, {len(material.passages) - material.documents} of questions"
    yield f"rubrics    {facts} of {len(material.answerable)} questions have one" + (
        "; answers to the others are graded provisionally" if facts < len(material.answerable) else ""
    )
    yield f"prompts    {choices.wording.language}: {material.hangul:.0%} of the questions' letters are Hangul"
    yield f"arms       {', '.join(choices.arms)}"
    yield f"conditions {', '.join(condition.name for condition in choices.conditions)}"
    if material.rows:
        yield f"training   {choices.epochs} epochs at rank {choices.rank}, for {material.rows} rows"
    yield f"answers    {choices.room.reason()}"
    if choices.splits:
        yield (
            f"splits     there is no column 'split': {choices.splits.unseen:.0%} of the facts are unseen, "
            f"{choices.splits.validation:.0%} validation, the others trained; facts that share a passage stay together"
        )
    for warning in (*material.warnings, *concerns(material, choices)):
        yield f"warning    {warning}"


def concerns(material: Material, choices: Choices) -> Iterator[str]:
    """What weakens the comparison, and what would mend it."""
    bare = [question.id for question in material.answerable if not question.evidence]
    unseen = len(material.of("unseen"))
    if bare:
        yield (
            f"{len(bare)} of {len(material.answerable)} questions, such as {bare[0]!r}, name no evidence; "
            "fill the column 'evidence' or 'context' of all to compare with gold passages"
        )
    elif GOLD in choices.conditions and Gold(3) not in choices.conditions:
        yield "there are too few passages for three distractors; add documents"
    if not material.of("train"):
        yield "no question has the split 'train', so nothing is tuned; give some rows that split"
    if unseen < FEW:
        mend = "add questions or raise Splits(unseen=…)" if choices.splits else "add questions of that split"
        yield f"{unseen} unseen questions: with fewer than {FEW} most differences stay undetermined; {mend}"
    if choices.room.longer:
        yield (
            f"{choices.room.longer} of {choices.room.references} references are longer than {choices.room.tokens} "
            "tokens and could not be said whole; raise sampling.max_new_tokens"
        )
