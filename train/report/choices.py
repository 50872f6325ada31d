"""What each choice that the decision weighs costs, in words: tokens and seconds, training, how fresh its facts stay."""

from __future__ import annotations

from train.records import Findings
from train.report import costs, figures, wording


def choices(findings: Findings) -> tuple[tuple[str, str], ...]:
    """Each cell that the decision rests on, with its means over answers; empty where no answer says what it cost."""
    rests_on = (findings.comparison.get("decision") or {}).get("rests_on") or {}
    weighed = {(cell["arm"], cell["condition"]) for cell in rests_on.get("cells") or ()}
    times = costs.training_seconds(findings)
    return tuple(
        (
            f"{each.arm} {wording.condition_words(each.condition)}",
            f"{_answer(each)}; {_training(each, times.get(each.arm, []))}",
        )
        for each in costs.cell_costs(findings)
        if (each.arm, each.condition) in weighed and each.kind in ("untouched", "tuned")
    )


def _answer(cell: costs.CellCost) -> str:
    tokens = f"{figures.count(cell.prompt_tokens)} tokens read and {figures.count(cell.tokens)} written an answer"
    return tokens + (f", {figures.duration(cell.seconds)}" if cell.seconds is not None else "")


def _training(cell: costs.CellCost, times: list[float]) -> str:
    """What was trained, and what that means when the facts change."""
    if cell.kind == "untouched":
        shown = "follows the documents as they change" if cell.condition != "none" else "knows what it knew before"
        return f"no training; {shown}"
    spent = f"{figures.duration(sum(times) / len(times))} of training" if times else "training"
    if cell.condition == "none":
        return f"{spent}; knows the facts as they were then, and has to be tuned again when they change"
    return f"{spent}; follows the documents as they change"
