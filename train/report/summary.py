"""What a reviewer reads first: what to do, and the figures of the contrast that the decision hangs on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from train.comparison.needs import turned
from train.records import Findings
from train.report import figures, view, wording


@dataclass(frozen=True, slots=True)
class Figure:
    """One key figure: what it is, its value, and a note that keeps it from being misread."""

    name: str
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Point:
    """One thing that the decision's sentence tells: whether it is settled, and what it is, without statistics."""

    settled: bool
    said: str

    @property
    def sign(self) -> str:
        """So that it does not rest on colour whether the point is settled."""
        return "✓" if self.settled else "?"

    @property
    def word(self) -> str:
        """The same as a word."""
        return "Settled" if self.settled else "Open"


@dataclass(frozen=True, slots=True)
class Summary:
    """`advice` is the decision in a few words, `arms` says what each is, `contrast` what the figures are about."""

    advice: str
    points: tuple[Point, ...]
    arms: tuple[tuple[str, str], ...]
    contrast: str
    figures: tuple[Figure, ...]


def summary(findings: Findings) -> Summary:
    """The summary; without a contrast, the figures are those of the run alone."""
    contrast = decisive(findings)
    of_contrast = _of_contrast(contrast, findings) if contrast else ()
    name = f"{_name(contrast['a'])} − {_name(contrast['b'])}, {contrast['split']} questions" if contrast else ""
    shown = (*of_contrast, *_of_run(findings, contrast))
    return Summary(advice(findings), points(findings), arms(findings), name, shown)


def advice(findings: Findings) -> str:
    """What to do, in a few words."""
    decision = _decision(findings)
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
        return _ahead(findings) if not arms(findings) else _open(findings)
    return "No decision was made."


def _open(findings: Findings) -> str:
    """What to do where it is not decided: that context helps may stand all the same."""
    more = _decision(findings).get("more_questions")
    would = f"about {figures.plural(more, 'more question')} would tell." if more else ""
    open_point = decisive(findings)
    if len(_told(findings)) < 2 or open_point is None:
        return f"Not decided: {would}" if would else "Not decided."
    tuning = open_point["a"]["condition"] == open_point["b"]["condition"] != "none"
    rest = "Tuning on top: not decided" if tuning else "The rest: not decided"
    return f"Context helps. {rest}; {would}" if would else f"Context helps. {rest}."


def _ahead(findings: Findings) -> str:
    """What the main contrast of arms that were made elsewhere shows, which no decision weighs."""
    contrast = decisive(findings)
    if contrast is None:
        return "Nothing to compare."
    ahead, behind = (contrast["a"], contrast["b"]) if contrast["difference"] > 0 else (contrast["b"], contrast["a"])
    if contrast.get("p_holm") is None or contrast["p_holm"] > view.alpha_of(findings):
        return f"No difference is shown between {_name(ahead)} and {_name(behind)}."
    return f"{_name(ahead)} is better than {_name(behind)}."


def points(findings: Findings) -> tuple[Point, ...]:
    """What the decision's sentence tells, contrast by contrast: that one is better, or adds little, or may do so."""
    alpha, worthwhile = view.alpha_of(findings), view.worthwhile_of(findings)
    return tuple(
        Point(
            told["settled"],
            wording.little_sentence(contrast, worthwhile, settled=told["settled"])
            if told["claim"] == "little"
            else wording.contrast_sentence(contrast, alpha),
        )
        for told, contrast in _told(findings)
    )


def arms(findings: Findings) -> tuple[tuple[str, str], ...]:
    """Each arm with what it is, as far as the run knows; empty where all were made elsewhere."""
    kinds = {cell["arm"]: cell.get("kind") for cell in findings.comparison["cells"]}
    conditions = {str(entry["arm"]): str(entry["condition"]) for entry in findings.training if entry.get("condition")}
    found = {
        arm: f"tuned {wording.condition_words(conditions[arm])}"
        if arm in conditions
        else {"untouched": "the model untouched", "tuned": "tuned"}.get(str(kind), "made elsewhere")
        for arm, kind in kinds.items()
    }
    return tuple(found.items()) if set(found.values()) != {"made elsewhere"} else ()


def decisive(findings: Findings) -> Mapping[str, Any] | None:
    """The contrast that the decision hangs on; without one, the first planned contrast on the decision's split."""
    decision, there = _decision(findings), _there(findings)
    if named := [contrast for contrast in there if _key(contrast) == decision.get("hangs_on")]:
        return named[0]
    split = decision.get("split")
    planned = [contrast for contrast in there if contrast.get("planned", contrast.get("p_holm") is not None)]
    return next((contrast for contrast in planned if contrast["split"] == split), planned[0] if planned else None)


def _decision(findings: Findings) -> Mapping[str, Any]:
    return findings.comparison.get("decision") or {}


def _there(findings: Findings) -> list[Mapping[str, Any]]:
    return [contrast for contrast in findings.comparison["contrasts"] if contrast["difference"] is not None]


def _told(findings: Findings) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """What the decision's sentence tells, in its order, each with its contrast in the direction of the sentence."""
    there = _there(findings)
    return [
        (told, contrast if contrast["a"] == told["a"] else turned(contrast))
        for told in _decision(findings).get("told") or ()
        for contrast in there
        if _key(contrast) == _key(told)
    ]


def _key(contrast: Mapping[str, Any]) -> dict[str, Any]:
    """What the decision names a contrast by."""
    return {"name": contrast.get("name"), "split": contrast["split"]}


def is_little(contrast: Mapping[str, Any], findings: Findings) -> bool:
    """Whether the decision says that the one adds little to the other, and that this is settled."""
    return any(
        told["claim"] == "little" and told["settled"] for told, _ in _told(findings) if _key(contrast) == _key(told)
    )


def _name(side: Mapping[str, Any]) -> str:
    return f"{side['arm']} / {side['condition']}"


def _of_contrast(contrast: Mapping[str, Any], findings: Findings) -> tuple[Figure, ...]:
    alpha = view.alpha_of(findings)
    planned = contrast.get("p_holm") is not None
    p_value = contrast["p_holm"] if planned else contrast["p_value"]
    level = f"{view.level(findings)} interval"
    within = wording.no_interval(contrast) or "unadjusted"
    chance = "a lead only" if not planned else f"≤ {alpha:g}: more than chance"
    if planned and p_value > alpha:
        chance = f"> {alpha:g}: may be chance"
    if is_little(contrast, findings):  # that little differs the interval shows: a p-value cannot
        worth = figures.points(view.worthwhile_of(findings), signed=False)
        within = wording.no_interval(contrast) or f"ends below the {worth} points worth having"
        chance = "not what this rests on"
    return (
        Figure("difference", f"{figures.points(contrast['difference'])} points", "percentage points"),
        Figure(level, figures.points_interval(contrast["interval"]), within),
        Figure("p, corrected" if planned else "p, not planned", figures.p_value(p_value), chance),
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
        Figure("training seeds", figures.count(len(seeds)), f"seed {', '.join(map(str, seeds))}"),
    )
