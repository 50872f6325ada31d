"""A recipe: what a run is. Every part is typed, frozen and validated when it is made.

A recipe module holds one `RECIPE = Recipe(...)`. Another recipe derives from it with `RECIPE.replace(...)`, and
`train.settings` sets single fields from the command line. Checks of one field stand beside the field; checks across
fields are in `Recipe.__post_init__`.
"""

from __future__ import annotations

from dataclasses import field, replace
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter
from pydantic.dataclasses import dataclass

from train.arms import Arms, LoRA, Optimization, QLoRA, Tuned, Untuned
from train.conditions import (
    ABSTAIN,
    ANSWER,
    COUNTERFACTUAL,
    GOLD,
    NONE,
    Condition,
    Counterfactual,
    Distractors,
    Gold,
    GoldAmong,
    Mixed,
    Retrieved,
)
from train.errors import UserError, nearest
from train.fields import STRICT, Columns, File, NamedCondition, Positive, Share, Source, TrainingSeed
from train.judges import EndpointJudge, Judge, LocalJudge, check_not_under_test
from train.naming import check_distinct, check_slug, parse_contrast
from train.records import ALL, SPLITS, Cell, Contrast

__all__ = [
    "ABSTAIN", "ANSWER", "COUNTERFACTUAL", "GOLD", "NONE", "Base", "Comparison", "Condition", "Costs", "Data",
    "Distractors", "EndpointJudge", "Gold", "GoldAmong", "Grading", "LoRA", "LocalJudge", "Mixed", "Optimization",
    "PromptTemplate", "QLoRA", "Recipe", "Retrieved", "Sampling", "Splits", "Tuned", "Untuned",
]  # fmt: skip


@dataclass(frozen=True, config=STRICT)
class Base:
    """The model that every arm starts from."""

    model: str
    """A hub id, a directory, a `.gguf` file, or `package:NAME/FILE` for a file inside an installed Python package."""
    revision: str | None = None
    """The hub revision; None takes the newest and records the commit it resolved to."""
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """`auto`: bfloat16 where the accelerator computes in it, float32 on a CPU."""
    sha256: str | None = None
    """For a GGUF file: the checksum that it must have."""
    trust_remote_code: bool = False
    """Run Python code that comes with the model. Never on by default."""


@dataclass(frozen=True, config=STRICT)
class Splits:
    """How questions without a `split` column are divided; shares are of the groups (see `train.data`)."""

    unseen: Share = 0.3
    validation: Share = 0.1
    seed: int = 0


@dataclass(frozen=True, config=STRICT)
class Data:
    """The questions and the documents."""

    questions: Source
    """CSV, JSONL or Parquet; a directory that `datasets` wrote or reads, `DIRECTORY#SPLIT` where it has several splits;
    or `hub:ORG/NAME`, optionally with `@REVISION` and `#SPLIT`."""
    corpus: File | None = None
    """A folder of Markdown or text, or JSONL with `id` and `text`."""
    splits: Splits = field(default_factory=Splits)
    """Used only where the questions have no `split` column."""
    limit: Positive | None = None
    """Only the first so many questions of each split, for a smoke run; None takes all."""
    context_seed: int = 0
    """Draws the distractors and the order of passages."""
    columns: Columns = field(default_factory=lambda: MappingProxyType({}))
    """Our name of a column -> the file's name, where they differ: `{"question": "input", "answer": "output"}`."""
    general: Source | None = None
    """A small set of general questions, a file of the same kind, which every arm is asked without context: what does
    tuning forget? None asks none. They are never trained on, searched or decided on; the file's evidence, splits and
    paraphrases do not count, and its columns have our names. `recipes/data/general` is one to begin with."""


@dataclass(frozen=True, config=STRICT)
class PromptTemplate:
    """What is said to the model. `{question}` and `{context}` are replaced; other braces stay as they are."""

    system: str = "You answer questions about our documents. Answer in one short sentence."
    """The system message; empty for none."""
    with_context: str = "{context}\n\nAnswer from the passages above. Question: {question}"
    without_context: str = "Question: {question}"
    passage: str = "[{number}] {text}"
    """One passage; `{number}` counts from 1, `{id}` and `{source}` are there too."""
    abstention: str = "The documents do not say."
    """What the model should say when the answer is not to be had."""

    def __post_init__(self) -> None:
        for name, needed in (
            ("with_context", ("{context}", "{question}")),
            ("without_context", ("{question}",)),
            ("passage", ("{text}",)),
        ):
            for placeholder in needed:
                if placeholder not in getattr(self, name):
                    raise UserError(f"prompt.{name}: {getattr(self, name)!r} lacks {placeholder}; add it")


@dataclass(frozen=True, config=STRICT)
class Sampling:
    """How answers are drawn."""

    samples: Positive = 4
    """Answers to each question in each cell (k)."""
    temperature: Annotated[float, Field(ge=0)] = 0.6
    """0 takes the likeliest token always."""
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    max_new_tokens: Positive = 256
    seed: int = 0
    batch_size: Positive | None = None
    """Answers decoded together; None chooses by memory. It does not change the answers."""
    engine: Literal["auto", "openbook", "vllm"] = "auto"
    """Who draws the answers; `auto` takes vLLM on a GPU where it is installed and can. Engines draw other answers."""


@dataclass(frozen=True, config=STRICT)
class Grading:
    """How answers are graded where no rubric or person does."""

    nearest_f1: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Provisional grader: least character 2-gram F1 with the reference for `correct`."""
    judge: Judge | None = None
    """A model that grades, in words and not by likeness, what no rubric does: `EndpointJudge` or `LocalJudge`."""


@dataclass(frozen=True, config=STRICT)
class Comparison:
    """What was planned to be compared, before the first answer."""

    contrasts: tuple[str, ...] = ()
    """`ARM/CONDITION vs ARM/CONDITION`, optionally ` on SPLIT`. The decision's own contrasts are always added."""
    split: str = "unseen"
    """The split that the decision is made on."""
    context: NamedCondition | None = None
    """The condition that stands for having context in the decision; None takes the recipe's first that has gold."""
    alpha: Annotated[float, Field(gt=0, lt=0.5)] = 0.05
    worthwhile: Annotated[float, Field(gt=0, lt=1)] = 0.05
    """The smallest difference in accuracy worth having."""


@dataclass(frozen=True, config=STRICT)
class Costs:
    """What the machine costs, for prices on the report. It changes no answer: `openbook report` takes a new value."""

    price_per_hour: Annotated[float, Field(ge=0)] | None = None
    """For the whole machine, with all accelerators that the run uses; None reports time only."""
    currency: Annotated[str, Field(min_length=1, max_length=8, pattern=r"^[^\s\x00-\x1f\x7f]+$")] = "$"
    """A sign or an abbreviation: `$`, `€`, `₩`, `KRW`."""


@dataclass(frozen=True, config=STRICT)
class Recipe:
    """A run: base, data, arms and conditions, and how they are trained, asked, graded and compared."""

    name: str
    base: Base
    data: Data
    arms: Arms
    conditions: tuple[NamedCondition, ...] = (NONE, GOLD, GoldAmong(3), Distractors(3))
    prompt: PromptTemplate = field(default_factory=PromptTemplate)
    optimization: Optimization = field(default_factory=Optimization)
    sampling: Sampling = field(default_factory=Sampling)
    grading: Grading = field(default_factory=Grading)
    comparison: Comparison = field(default_factory=Comparison)
    costs: Costs = field(default_factory=Costs)
    training_seeds: tuple[TrainingSeed, ...] = (0,)
    """Every tuned arm is trained once with each."""
    ask: tuple[Literal["validation", "seen", "unseen", "unanswerable"], ...] = ("seen", "unseen", "unanswerable")
    """The splits whose questions are asked. Settle settings on `validation`, then ask the test questions once."""
    cells: Literal["all", "as-trained"] = "all"
    """Ask every arm under every condition, or a tuned arm only under the one that it was trained under."""

    def __post_init__(self) -> None:
        check_slug("name", self.name)
        if not self.arms:
            raise UserError("arms: there are none; add at least one, such as 'base': Untuned()")
        for arm in self.arms:
            check_slug("arms", arm)
        check_distinct("conditions", [condition.name for condition in self.conditions])
        check_distinct("training_seeds", list(self.training_seeds))
        check_distinct("ask", list(self.ask))
        if self.grading.judge is not None:
            check_not_under_test(self.grading.judge, self.base.model, self.arms)
        if self.sampling.temperature == 0 and self.sampling.samples > 1:
            raise UserError(
                f"sampling.samples = {self.sampling.samples} with sampling.temperature = 0: all samples would be the "
                "same answer; set sampling.samples=1 or a temperature above 0"
            )
        if self.comparison.split not in (*SPLITS, ALL):
            raise UserError(
                f"comparison.split = {self.comparison.split!r}: no such split{nearest(self.comparison.split, SPLITS)}"
            )
        named = [condition.name for condition in self.conditions]
        if self.comparison.context is not None and self.comparison.context.name not in named:
            context = self.comparison.context.name
            raise UserError(f"comparison.context = {context!r}: is not among conditions{nearest(context, named)}")
        for condition in self.conditions:
            if isinstance(condition, Mixed):
                raise UserError(f"conditions: {condition.name!r} is for training only; ask with gold or distractors@N")
        for arm, tuned in self.arms.items():
            if isinstance(tuned, Tuned) and isinstance(tuned.condition, Counterfactual):
                raise UserError(f"arms.{arm}.condition: counterfactual is for asking only; train under gold or a mix")
            if self.cells == "as-trained" and isinstance(tuned, Tuned) and isinstance(tuned.condition, Mixed):
                raise UserError(
                    f"cells = 'as-trained': arm {arm!r} is trained under a mix, which nothing can be asked under; "
                    "set cells='all' or leave the arm out"
                )
            if self.cells == "as-trained" and isinstance(tuned, Tuned) and tuned.condition.name not in named:
                raise UserError(
                    f"cells = 'as-trained': arm {arm!r} is trained under {tuned.condition.name!r}, which is not among "
                    "the conditions; add it"
                )
        for contrast in self.contrasts:
            for cell in (contrast.a, contrast.b):
                known_cell(cell, self)

    @property
    def contrasts(self) -> tuple[Contrast, ...]:
        """The planned contrasts, parsed."""
        return tuple(parse_contrast(text, self.comparison.split) for text in self.comparison.contrasts)

    @property
    def decision_condition(self) -> str | None:
        """The name of the condition that stands for having context in the decision, None if no condition has gold."""
        if self.comparison.context is not None:
            return self.comparison.context.name
        return next((condition.name for condition in self.conditions if isinstance(condition, Gold)), None)

    def asks(self, arm: str, condition: str) -> bool:
        """Whether the arm is asked under the condition."""
        tuned = self.arms[arm]
        return self.cells == "all" or not isinstance(tuned, Tuned) or tuned.condition.name == condition

    def optimization_of(self, arm: str) -> Optimization:
        """How that arm is trained; raises `KeyError` for no such arm and `TypeError` for an untuned one."""
        tuned = self.arms[arm]
        if not isinstance(tuned, Tuned):
            raise TypeError(f"arm {arm} is not tuned")
        return tuned.optimization or self.optimization

    def seeds_of(self, arm: str) -> tuple[int, ...]:
        """The training seeds of the arm; an untuned arm has none to vary and stands under the first."""
        return self.training_seeds if isinstance(self.arms[arm], Tuned) else self.training_seeds[:1]

    def replace(self, **changes: Any) -> Recipe:
        """This recipe with other values in some fields, validated anew."""
        return replace(self, **changes)

    def to_json(self) -> dict[str, Any]:
        """The recipe as JSON-ready data; a shipped data set's path is written from its folder `recipes` on."""
        dumped: dict[str, Any] = TypeAdapter(Recipe).dump_python(self, mode="json")
        return dumped


def known_cell(cell: Cell, recipe: Recipe) -> None:
    """Raises `UserError` unless the recipe has the cell's arm and condition."""
    conditions = [condition.name for condition in recipe.conditions]
    if cell.arm not in recipe.arms:
        raise UserError(f"comparison.contrasts: no arm {cell.arm!r}{nearest(cell.arm, recipe.arms)}")
    if cell.condition not in conditions:
        raise UserError(f"comparison.contrasts: no condition {cell.condition!r}{nearest(cell.condition, conditions)}")
    if not recipe.asks(cell.arm, cell.condition):
        raise UserError(
            f"comparison.contrasts: {cell.arm}/{cell.condition} is not asked with cells = 'as-trained'; set cells='all'"
        )
