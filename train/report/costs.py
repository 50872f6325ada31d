"""What the answers and the adapters cost: tokens, seconds, sizes, and the shape of the loss."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from train.records import Answer, Findings
from train.report import figures, view

WIDTH, HEIGHT = 220.0, 60.0
"""The box of a loss curve, in SVG units."""

MOST_POINTS = 200
"""A curve longer than this is thinned evenly: more points than pixels only make the file larger."""


@dataclass(frozen=True, slots=True)
class CostRow:
    """Means over the answers of one cell."""

    arm: str
    condition: str
    answers: str
    prompt_tokens: str
    tokens: str
    seconds: str
    cut: str


@dataclass(frozen=True, slots=True)
class Curve:
    """A loss curve as SVG coordinates, and its bounds in words. The two lines share their axes."""

    training: str
    validation: str
    low: str
    high: str
    steps: str


@dataclass(frozen=True, slots=True)
class AdapterRow:
    """One trained adapter."""

    arm: str
    seed: str
    condition: str
    rows: str
    steps: str
    tokens: str
    seconds: str
    parameters: str
    size: str
    loss: str
    validation_loss: str
    notes: tuple[str, ...]
    curve: Curve | None


def cost_rows(findings: Findings) -> list[CostRow]:
    """One row for each cell; empty where no answer says what it cost (answers made elsewhere)."""
    by_cell: dict[view.CellName, list[Answer]] = {}
    for answer in findings.answers:
        by_cell.setdefault((answer.arm, answer.condition), []).append(answer)
    if not any(answer.tokens or answer.seconds for answer in findings.answers):
        return []
    return [_cost_row(name, by_cell[name]) for name in view.columns(findings) if name in by_cell]


def _cost_row(name: view.CellName, answers: Sequence[Answer]) -> CostRow:
    cut = sum(answer.finish == "length" for answer in answers)
    return CostRow(
        arm=name[0],
        condition=name[1],
        answers=figures.count(len(answers)),
        prompt_tokens=figures.count(_mean([answer.prompt_tokens for answer in answers])),
        tokens=figures.count(_mean([answer.tokens for answer in answers])),
        seconds=figures.duration(_mean([answer.seconds for answer in answers])),
        cut=f"{figures.count(cut)} of {figures.count(len(answers))}",
    )


def _mean(values: Sequence[float]) -> float:
    # fsum is exact, so the mean does not depend on the order in which answers were stored.
    return math.fsum(values) / len(values)


def adapter_rows(findings: Findings) -> list[AdapterRow]:
    """One row for each adapter, arms in the order of the cells, then by seed."""
    arms = [arm for arm, _ in view.columns(findings)]
    rank = {arm: place for place, arm in reversed(list(enumerate(arms)))}
    ordered = sorted(
        findings.training, key=lambda entry: (rank.get(entry["arm"], len(arms)), entry["arm"], entry.get("seed", 0))
    )
    return [_adapter_row(entry) for entry in ordered]


def _adapter_row(entry: Mapping[str, Any]) -> AdapterRow:
    training, broken = _points(entry.get("loss"))
    validation, broken_validation = _points(entry.get("validation_loss"))
    notes = []
    if broken:
        notes.append(f"loss was not a number at {figures.plural(broken, 'step')}")
    if broken_validation:
        notes.append(f"validation loss was not a number at {figures.plural(broken_validation, 'step')}")
    return AdapterRow(
        arm=str(entry["arm"]),
        seed=str(entry.get("seed", figures.DASH)),
        condition=str(entry.get("condition", figures.DASH)),
        rows=figures.count(entry.get("rows")),
        steps=figures.count(entry.get("steps")),
        tokens=figures.count(entry.get("tokens")),
        seconds=figures.duration(entry.get("seconds")),
        parameters=figures.count(entry.get("parameters")),
        size=figures.size(entry.get("bytes")),
        loss=figures.loss(training[-1][1] if training else None),
        validation_loss=figures.loss(validation[-1][1] if validation else None),
        notes=tuple(notes),
        curve=_curve(training, validation),
    )


def _points(values: Any) -> tuple[list[tuple[float, float]], int]:
    """The finite points in the order of their steps, and how many are not finite."""
    pairs = [(step, value) for step, value in values or [] if figures.finite(step)]
    good = sorted((float(step), float(value)) for step, value in pairs if figures.finite(value))
    return good, len(pairs) - len(good)


def _curve(training: Sequence[tuple[float, float]], validation: Sequence[tuple[float, float]]) -> Curve | None:
    both = [*training, *validation]
    if len(both) < 2:
        return None
    first, last = min(step for step, _ in both), max(step for step, _ in both)
    low, high = min(value for _, value in both), max(value for _, value in both)

    def line(points: Sequence[tuple[float, float]]) -> str:
        stride = max(1, math.ceil(len(points) / MOST_POINTS))
        kept = [*points[:-1:stride], *points[-1:]]
        return " ".join(
            f"{WIDTH * (step - first) / ((last - first) or 1):.1f},{HEIGHT * (high - value) / ((high - low) or 1):.1f}"
            for step, value in kept
        )

    return Curve(line(training), line(validation), figures.loss(low), figures.loss(high), f"{first:.0f} to {last:.0f}")
