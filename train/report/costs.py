"""What answers and adapters cost: tokens, seconds, sizes, money where the recipe names a rate, and the loss by step."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from train.records import GENERAL, Answer, Findings
from train.report import figures, view

MOST_POINTS = 200
"""A curve longer than this is thinned evenly: more points than pixels only make the file larger."""

SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Rate:
    """What a second costs: of the machine, and of one of the processes that answer on it side by side."""

    price_per_hour: float
    currency: str
    processes: int = 1

    @property
    def per_second(self) -> float:
        """The price of a second that an answer took: the processes share the machine."""
        return self.price_per_hour / SECONDS / self.processes

    def training(self, seconds: Any) -> str:
        """What that time of the whole machine costs."""
        return figures.price(
            self.price_per_hour / SECONDS * seconds if figures.finite(seconds) else None, self.currency
        )


@dataclass(frozen=True, slots=True)
class CellCost:
    """Means over the answers of one cell, and its accuracy on the split that figures show (None: nothing graded).

    What no answer of the cell says (answers made elsewhere) is None.
    """

    arm: str
    condition: str
    kind: str
    expects: str
    answers: int
    prompt_tokens: float | None
    tokens: float | None
    seconds: float | None
    cut: int | None
    accuracy: float | None


@dataclass(frozen=True, slots=True)
class CostRow:
    """The same as texts; `per_thousand` is the price of 1,000 answers, a dash without a rate."""

    arm: str
    condition: str
    accuracy: str
    answers: str
    prompt_tokens: str
    tokens: str
    seconds: str
    per_thousand: str
    cut: str


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
    speed: str
    peak: str
    price: str
    parameters: str
    size: str
    loss: str
    validation_loss: str
    notes: tuple[str, ...]


def rate(findings: Findings) -> Rate | None:
    """What the recipe says that the machine costs; None where it says nothing."""
    recipe, hardware = (findings.manifest.get(name) for name in ("recipe", "hardware"))
    costs = recipe.get("costs") if isinstance(recipe, Mapping) else None
    if not isinstance(costs, Mapping) or not figures.finite(costs.get("price_per_hour")):
        return None
    processes = hardware.get("processes") if isinstance(hardware, Mapping) else None
    return Rate(float(costs["price_per_hour"]), str(costs.get("currency") or "$"), int(processes or 1))


@view.once
def cell_costs(findings: Findings) -> list[CellCost]:
    """Each cell in the order of the columns; empty where no answer says what it cost (answers made elsewhere)."""
    tested = findings.tested
    if not any(answer.tokens or answer.seconds for answer in tested):
        return []
    by_cell: dict[view.CellName, list[Answer]] = {}
    for answer in tested:
        by_cell.setdefault((answer.arm, answer.condition), []).append(answer)
    every = [cell for cell in findings.comparison["cells"] if cell["split"] != GENERAL]
    shown = view.shown_cells(findings)[1]
    cells = {(cell["arm"], cell["condition"]): cell for cell in (*every, *shown)}
    known = {(cell["arm"], cell["condition"]) for cell in shown}
    return [
        CellCost(
            arm=name[0],
            condition=name[1],
            kind=str(cells[name].get("kind", "")),
            expects=view.expects(findings, cells[name]),
            answers=len(answers),
            prompt_tokens=_mean([answer.prompt_tokens for answer in answers]),
            tokens=_mean([answer.tokens for answer in answers]),
            seconds=_mean([answer.seconds for answer in answers]),
            cut=sum(answer.finish == "length" for answer in answers) if any(each.finish for each in answers) else None,
            accuracy=cells[name]["accuracy"] if name in known else None,
        )
        for name in view.columns(findings)
        if (answers := by_cell.get(name))
    ]


def cost_rows(findings: Findings) -> list[CostRow]:
    """One row for each cell whose cost is known."""
    price = rate(findings)
    return [
        CostRow(
            arm=cell.arm,
            condition=cell.condition,
            accuracy=figures.percent(cell.accuracy),
            answers=figures.count(cell.answers),
            prompt_tokens=figures.count(cell.prompt_tokens),
            tokens=figures.count(cell.tokens),
            seconds=figures.duration(cell.seconds),
            per_thousand=figures.price(1000 * cell.seconds * price.per_second, price.currency)
            if price and cell.seconds is not None
            else figures.DASH,
            cut=f"{figures.count(cell.cut)} of {figures.count(cell.answers)}" if cell.cut is not None else figures.DASH,
        )
        for cell in cell_costs(findings)
    ]


def rate_line(findings: Findings) -> str:
    """The rate in words; empty without one."""
    if (price := rate(findings)) is None:
        return ""
    shared = f", shared by the {price.processes} processes that answered" if price.processes > 1 else ""
    return f"Prices: {figures.price(price.price_per_hour, price.currency)} for an hour of the machine{shared}."


def _mean(values: Sequence[float]) -> float | None:
    """The mean; None where all are 0, which is what an answer has that does not say."""
    # fsum is exact, so the mean does not depend on the order in which answers were stored.
    return math.fsum(values) / len(values) if any(values) else None


def trained(findings: Findings) -> list[Mapping[str, Any]]:
    """The adapters, arms in the order of the cells, then by seed."""
    arms = [arm for arm, _ in view.columns(findings)]
    rank = {arm: place for place, arm in reversed(list(enumerate(arms)))}
    return sorted(
        findings.training, key=lambda entry: (rank.get(entry["arm"], len(arms)), entry["arm"], entry.get("seed", 0))
    )


def training_seconds(findings: Findings) -> dict[str, list[float]]:
    """What the training of each arm took, seed by seed, as far as it is known."""
    by_arm: dict[str, list[float]] = {}
    for entry in trained(findings):
        if figures.finite(entry.get("seconds")):
            by_arm.setdefault(str(entry["arm"]), []).append(float(entry["seconds"]))
    return by_arm


def training_lines(findings: Findings) -> list[str]:
    """What the training of each arm took, all its seeds together; nothing where no time is known."""
    price = rate(findings)
    return [
        f"{arm}: {figures.duration(math.fsum(seconds))}"
        + (f" over {figures.plural(len(seconds), 'seed')}" if len(seconds) > 1 else "")
        + (f", {price.training(math.fsum(seconds))}" if price else "")
        for arm, seconds in training_seconds(findings).items()
    ]


def together(findings: Findings) -> list[str]:
    """The adapters that were trained at once, each group in words."""
    groups = [
        frozenset([f"{entry['arm']} seed {entry.get('seed', 0)}", *map(str, others)])
        for entry in trained(findings)
        if (others := entry.get("together_with"))
    ]
    return [", ".join(sorted(group)) for group in dict.fromkeys(groups)]


def adapter_rows(findings: Findings) -> list[AdapterRow]:
    """One row for each adapter, arms in the order of the cells, then by seed."""
    price = rate(findings)
    return [_adapter_row(entry, price) for entry in trained(findings)]


def _adapter_row(entry: Mapping[str, Any], price: Rate | None) -> AdapterRow:
    training, broken = points(entry.get("loss"))
    validation, broken_validation = points(entry.get("validation_loss"))
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
        speed=figures.count(_per_second(entry.get("tokens"), entry.get("seconds"))),
        peak=figures.memory(entry.get("peak_bytes")),
        price=price.training(entry.get("seconds")) if price else figures.DASH,
        parameters=figures.count(entry.get("parameters")),
        size=figures.size(entry.get("bytes")),
        loss=figures.loss(training[-1][1] if training else None),
        validation_loss=figures.loss(validation[-1][1] if validation else None),
        notes=tuple(notes),
    )


def _per_second(tokens: Any, seconds: Any) -> int | None:
    return round(tokens / seconds) if figures.finite(tokens) and figures.finite(seconds) and seconds > 0 else None


def points(values: Any) -> tuple[list[tuple[float, float]], int]:
    """The finite points in the order of their steps, and how many are not finite."""
    pairs = [(step, value) for step, value in values or [] if figures.finite(step)]
    good = sorted((float(step), float(value)) for step, value in pairs if figures.finite(value))
    return good, len(pairs) - len(good)


def thinned(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """As many points as can be seen, the last among them."""
    stride = max(1, math.ceil(len(points) / MOST_POINTS))
    return [*points[:-1:stride], *points[-1:]]
