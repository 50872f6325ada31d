"""What a reviewer reads first: what to do, and the figures of the contrast that the decision hangs on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from train.records import Findings
from train.report import figures, view, wording


@dataclass(frozen=True, slots=True)
class Figure:
    """One key figure: what it is, its value, and a note that keeps it from being misread."""

    name: str
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Summary:
    """`advice` is the decision in a few words, `contrast` names what the figures are about."""

    advice: str
    contrast: str
    figures: tuple[Figure, ...]


def summary(findings: Findings) -> Summary:
    """The summary; without a contrast, the figures are those of the run alone."""
    contrast = decisive(findings)
    of_contrast = _of_contrast(contrast, findings) if contrast else ()
    name = f"{_name(contrast['a'])} − {_name(contrast['b'])}, {contrast['split']} questions" if contrast else ""
    return Summary(advice(findings), name, (*of_contrast, *_of_run(findings, contrast)))


def advice(findings: Findings) -> str:
    """What to do, in a few words."""
    decision = findings.comparison.get("decision") or {}
    arm, condition = str(decision.get("arm") or ""), str(decision.get("condition") or "")
    verdict = decision.get("verdict")
    if verdict == "context":
        return f"Give the untouched model context, {wording.condition_words(condition)}. No tuning."
    if verdict == "tuning":
        return f"Tune ({arm}). Context is not needed."
    if verdict == "both":
        return f"Tune ({arm}) and give it context, {wording.condition_words(condition)}."
    if verdict == "neither":
        return "Neither context nor tuning: the model as it is."
    if verdict == "undetermined":
        more = decision.get("more_questions")
        return f"Not decided: about {figures.plural(more, 'more question')} would tell." if more else "Not decided."
    return "No decision was made."


def decisive(findings: Findings) -> Mapping[str, Any] | None:
    """The contrast that the decision hangs on: the one whose figures its sentence gives.

    That is the first one of a verdict, and the last one, which is still open, where it is undetermined. A sentence
    that gives none (it may come from another version) leaves the first planned contrast on the decision's split.
    """
    decision = findings.comparison.get("decision") or {}
    sentence = str(decision.get("sentence") or "")
    there = [contrast for contrast in findings.comparison["contrasts"] if contrast["difference"] is not None]
    places = [(place, contrast) for contrast in there if (place := sentence.find(_statement(contrast))) >= 0]
    if places:
        choose = max if decision.get("verdict") == "undetermined" else min
        found: Mapping[str, Any] = choose(places, key=lambda pair: pair[0])[1]
        return found
    split = decision.get("split")
    planned = [contrast for contrast in there if contrast.get("planned", contrast.get("p_holm") is not None)]
    return next((contrast for contrast in planned if contrast["split"] == split), planned[0] if planned else None)


def _statement(contrast: Mapping[str, Any]) -> str:
    """The beginning of what a decision's sentence says of the contrast."""
    a, b = (f"{contrast[side]['arm']} with {contrast[side]['condition']}" for side in ("a", "b"))
    difference = contrast["difference"]
    if difference == 0:
        return f"{a} is as often right as {b}"
    how = "better" if difference > 0 else "worse"
    return f"{a} is {figures.points(abs(difference), signed=False)} points {how} than {b}"


def _name(side: Mapping[str, Any]) -> str:
    return f"{side['arm']} / {side['condition']}"


def _of_contrast(contrast: Mapping[str, Any], findings: Findings) -> tuple[Figure, ...]:
    alpha = view.alpha_of(findings)
    planned = contrast.get("p_holm") is not None
    p_value = contrast["p_holm"] if planned else contrast["p_value"]
    shown = planned and p_value <= alpha
    level = f"{view.level(findings)} interval"
    return (
        Figure("difference", f"{figures.points(contrast['difference'])} points", "a − b, in percentage points"),
        Figure(level, figures.points_interval(contrast["interval"]), wording.no_interval(contrast) or "points"),
        Figure(
            "p, corrected" if planned else "p, not planned",
            figures.p_value(p_value),
            f"≤ {alpha:g}: more than chance" if shown else f"> {alpha:g}: may be chance" if planned else "a lead only",
        ),
        Figure(
            "smallest detectable",
            f"{figures.points(contrast['detectable'], signed=False)} points"
            if contrast["detectable"] is not None
            else figures.DASH,
            "what these questions would show 4 times in 5",
        ),
    )


def _of_run(findings: Findings, contrast: Mapping[str, Any] | None) -> tuple[Figure, ...]:
    comparison = findings.comparison
    questions = contrast["questions"] if contrast else comparison["questions"]
    differing = f"of which {figures.count(contrast['differing'])} differ; " if contrast else ""
    seeds = comparison["seeds"]
    return (
        Figure(
            "questions × samples",
            f"{figures.count(questions)} × {figures.count(comparison['samples'])}",
            f"{differing}{figures.count(comparison['questions'])} asked in all",
        ),
        Figure("training seeds", figures.count(len(seeds)), ", ".join(map(str, seeds))),
    )
