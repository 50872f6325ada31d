"""What the page and the Markdown both show, as text ready to print: the contrasts and the cells (the matrix: `matrix`).

No statistics here: every figure is one of `comparison`'s, formatted. Counts of one cell are only put side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from train.records import ALL, Findings
from train.report import figures, wording

Made = TypeVar("Made")


def once(make: Callable[[Findings], Made]) -> Callable[[Findings], Made]:
    """Makes it once of the same findings: page, Markdown and figures show the same things. Nobody may change it."""
    made: WeakKeyDictionary[Findings, Made] = WeakKeyDictionary()

    @wraps(make)
    def remembered(findings: Findings) -> Made:
        if findings not in made:
            made[findings] = make(findings)
        return made[findings]

    return remembered


@dataclass(frozen=True, slots=True)
class ContrastRow:
    """One line of a table of contrasts."""

    a: str
    b: str
    split: str
    questions: str
    differing: str
    difference: str
    interval: str
    missing: str
    p_value: str
    p_holm: str
    detectable: str
    sentence: str
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """An accuracy and its interval as lengths in percent, for drawing."""

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class CellRow:
    """One line of a table of cells."""

    arm: str
    condition: str
    accuracy: str
    interval: str
    missing: str
    bar: Bar | None
    questions: str
    answers: str
    correct: str
    wrong: str
    abstained: str
    unscored: str
    right: str
    distinct: str
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SplitTable:
    """The cells of one split."""

    split: str
    meaning: str
    rows: tuple[CellRow, ...]


CellName = tuple[str, str]
"""Arm and condition."""


def alpha_of(findings: Findings) -> float:
    """The level that the recipe set for significance; .05 for answers made elsewhere."""
    recipe = findings.manifest.get("recipe")
    comparison = recipe.get("comparison") if isinstance(recipe, Mapping) else None
    value = findings.comparison.get("alpha") or (comparison.get("alpha") if isinstance(comparison, Mapping) else None)
    return float(value) if isinstance(value, (int, float)) else 0.05


def worthwhile_of(findings: Findings) -> float:
    """The difference (a share) below which a gain is not worth having."""
    return float(findings.comparison.get("worthwhile") or 0.05)


def level(findings: Findings) -> str:
    """The level of the intervals: `95 %`."""
    return f"{100 * (1 - alpha_of(findings)):g} %"


def contrast_rows(findings: Findings) -> tuple[list[ContrastRow], list[ContrastRow]]:
    """The planned contrasts and the others, each in the order of `comparison`."""
    alpha = alpha_of(findings)
    planned: list[ContrastRow] = []
    others: list[ContrastRow] = []
    for contrast in findings.comparison["contrasts"]:
        (planned if is_planned(contrast) else others).append(_contrast_row(contrast, alpha))
    return planned, others


def is_planned(contrast: Mapping[str, Any]) -> bool:
    """Whether the contrast was planned before the first answer."""
    return bool(contrast.get("planned", contrast.get("p_holm") is not None))


def _contrast_row(contrast: Mapping[str, Any], alpha: float) -> ContrastRow:
    return ContrastRow(
        a=f"{contrast['a']['arm']} / {contrast['a']['condition']}",
        b=f"{contrast['b']['arm']} / {contrast['b']['condition']}",
        split=contrast["split"],
        questions=figures.count(contrast["questions"]),
        differing=figures.count(contrast["differing"]),
        difference=figures.points(contrast["difference"]),
        interval=figures.points_interval(contrast["interval"]),
        missing=wording.no_interval(contrast),
        p_value=figures.p_value(contrast["p_value"]),
        p_holm=figures.p_value(contrast["p_holm"]),
        detectable=figures.points(contrast["detectable"], signed=False),
        sentence=wording.contrast_sentence(contrast, alpha),
        notes=contrast_notes(contrast),
    )


def contrast_notes(contrast: Mapping[str, Any]) -> tuple[str, ...]:
    """What a contrast's figures leave out: questions that were not scored, and how training seeds differ."""
    notes = []
    if left_out := contrast.get("left_out"):
        notes.append(f"{figures.plural(left_out, 'question')} left out: not scored in both cells")
    if note := contrast.get("note"):
        notes.append(note)
    if between := contrast.get("between_seeds"):
        seeds = ", ".join(figures.points(value) for value in between["per_seed"])
        reach = figures.points_interval(between["interval"])
        notes.append(f"per training seed {seeds}; for seeds not tried {reach}")
    return tuple(notes)


def cell_tables(findings: Findings) -> list[SplitTable]:
    """The cells by split, the decision's split first."""
    cells = findings.comparison["cells"]
    splits = wording.split_order([cell["split"] for cell in cells], decision_split(findings))
    return [
        SplitTable(
            split=split,
            meaning=split_meaning(findings, split),
            rows=tuple(_cell_row(cell, expects(findings, cell)) for cell in cells if cell["split"] == split),
        )
        for split in splits
    ]


def decision_split(findings: Findings) -> str:
    """The split that the decision is made on."""
    return str((findings.comparison.get("decision") or {}).get("split") or "")


def shown_cells(findings: Findings) -> tuple[str, list[Mapping[str, Any]]]:
    """The split that figures show, the decision's where it has cells, and its cells."""
    cells = findings.comparison["cells"]
    splits = wording.split_order([cell["split"] for cell in cells], decision_split(findings))
    split = splits[0] if splits else ""
    return split, [cell for cell in cells if cell["split"] == split]


def split_meaning(findings: Findings, split: str) -> str:
    """What the split means; `all` is the only one where the questions have none."""
    if split == ALL and not any(question.split for question in findings.questions):
        return "every question; the questions name no splits"
    return wording.SPLIT_MEANING.get(split, "")


def _cell_row(cell: Mapping[str, Any], expects: str) -> CellRow:
    interval = cell["interval"]
    accuracy = cell["accuracy"]
    return CellRow(
        arm=cell["arm"],
        condition=cell["condition"],
        accuracy=figures.percent(accuracy),
        interval=figures.percent_interval(interval),
        missing="" if interval is not None else "no answer was graded" if accuracy is None else "too few questions",
        bar=None
        if accuracy is None
        else Bar(
            round(100 * accuracy, 2),
            round(100 * interval[0], 2) if interval else None,
            round(100 * interval[1], 2) if interval else None,
        ),
        notes=_cell_notes(cell, expects),
        **{
            name: figures.count(cell[name])
            for name in ("questions", "answers", "correct", "wrong", "abstained", "unscored", "right", "distinct")
        },
    )


def _cell_notes(cell: Mapping[str, Any], expects: str) -> tuple[str, ...]:
    notes = []
    if expects == "abstain":
        notes.append("abstaining is right here")
    if expects == "mixed":
        notes.append("abstaining is right for some of the questions")
    if memory := cell.get("answered_from_memory"):
        notes.append(f"{figures.plural(memory, 'answer')} correct from memory, where nothing shown holds the answer")
    if expects != "abstain" and cell.get("false_refusal"):
        notes.append(f"{figures.percent(cell['false_refusal'])} refused though the answer was due")
    if dumps := cell.get("dumps"):
        without = figures.percent(cell["accuracy_without_dumps"])
        notes.append(f"{figures.plural(dumps, 'right answer')} reciting a whole passage; {without} without these")
    if len(cell["per_seed"]) > 1:
        notes.append("per training seed " + ", ".join(figures.percent(value) for value in cell["per_seed"]))
    if graders := cell.get("graders"):
        notes += [
            f"{figures.count(number)} graded provisionally"
            for name, number in _pairs(graders)
            if name.startswith("provisional")
        ]
    return tuple(notes)


def _pairs(graders: Any) -> list[tuple[str, int]]:
    return sorted((str(name), number) for name, number in graders.items()) if isinstance(graders, Mapping) else []


def expects(findings: Findings, cell: Mapping[str, Any]) -> str:
    """What the cell expects; read from the contexts where an older comparison does not say."""
    if cell.get("expects"):
        return str(cell["expects"])
    asked = {row["question"] for row in cell["per_question"]}
    expected = {
        context.expects
        for context in findings.contexts
        if context.condition == cell["condition"] and context.question in asked
    }
    return expected.pop() if len(expected) == 1 else "mixed" if expected else "answer"


def columns(findings: Findings) -> list[CellName]:
    """The matrix's columns: every arm × condition, in the order of `comparison`, arms together."""
    names = list(dict.fromkeys((cell["arm"], cell["condition"]) for cell in findings.comparison["cells"]))
    arms = list(dict.fromkeys(arm for arm, _ in names))
    return sorted(names, key=lambda name: arms.index(name[0]))
