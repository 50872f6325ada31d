"""What the report calls things: conditions, splits, marks and contrasts in a reviewer's words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from train.records import ALL, CAUSES, GENERAL, SPLITS
from train.report import figures

SPLIT_MEANING: Mapping[str, str] = {
    "train": "training questions: what the tuned arms have seen word for word",
    "validation": "used to choose settings, so no evidence",
    "seen": "facts that were trained on, asked in new words",
    "unseen": "facts that no training row and no training passage holds",
    "unanswerable": "the documents do not hold the answer: abstaining is right",
    ALL: "seen and unseen together",
    GENERAL: "general questions, asked without context to see what tuning forgot; no evidence for the decision",
    "": "questions without a split",
}

AUDIT_MEANING: Mapping[str, str] = {
    "answers": "answers that repeat a training target word for word; the untouched arm shows how many do by chance",
    "contexts": "test contexts all of whose passages one training row showed",
    "gold": "questions whose gold passage was shown in training",
    "references": "questions whose reference answer is a training target, word for word",
    "wordings": "test questions worded nearly like a training question",
}

PROVENANCE_MEANING: Mapping[str, str] = {
    "comparison": "what was planned to be compared; `changed after answers` should be none",
    "hashes": "SHA-256 of what went in, the tokenizer and the chat template among it: equal hashes, equal input",
    "source": "openbook's own git commit, and whether its files were changed since",
    "starts": "each start that had training or answers left to do, and what it found of what the recipe wants",
    "training": "the adapters; digest and configuration are hashes of their files, fingerprint of what made them",
}

CAUSE_MEANING: Mapping[str, str] = {
    "retrieval missed": "the search did not bring the passage",
    "gold unused": "the passage was there and not used",
    "memory": "the model's own memory overrode the passage",
    "not known": "nothing was shown, and the model did not know",
    "refused": "refused though the answer was due",
    "unsupported": "answered though nothing shown supports it",
    "cut off": "stopped at the token limit",
    "ungraded": "no grader could say",
    "unexplained": "what was shown is not known here",
}

ALL_RIGHT, SOME_RIGHT, NONE_RIGHT, NOT_GRADED, NOT_ASKED = "✅", "⚠", "❌", "❔", "·"

DISPUTED = "⚑"
"""Beside an entry of the matrix: people grade some of its answers differently."""

MARKS = (
    (ALL_RIGHT, "all answers right"),
    (SOME_RIGHT, "some right"),
    (NONE_RIGHT, "none right"),
    (NOT_GRADED, "no answer graded"),
    (NOT_ASKED, "not asked"),
)


def split_order(splits: list[str], first: str = "") -> list[str]:
    """The splits in the order in which a reviewer needs them: the decision's own, then the other evidence."""
    order = [first, "unseen", "seen", "unanswerable", ALL, *SPLITS, GENERAL]
    rank = {name: place for place, name in reversed(list(enumerate(order)))}
    return sorted(set(splits), key=lambda split: (rank.get(split, len(order)), split))


def causes_in_order(causes: Iterable[str]) -> list[str]:
    """The causes in the order of precedence; those of a later openbook, unknown here, by name."""
    named = set(causes)
    return [*(cause for cause in CAUSES if cause in named), *sorted(named.difference(CAUSES))]


def condition_words(condition: str) -> str:
    """`gold+3` as `with the gold passage among 3 distractors`; an unknown name stays one."""
    if match := re.fullmatch(r"gold\+(\d+)", condition):
        return f"with the gold passage among {figures.plural(int(match[1]), 'distractor')}"
    if match := re.fullmatch(r"distractors@(\d+)", condition):
        return f"with {figures.plural(int(match[1]), 'distractor')} and no gold"
    if match := re.fullmatch(r"retrieved@(\d+)", condition):
        return f"with {figures.plural(int(match[1]), 'retrieved passage')}"
    known = {"none": "without context", "gold": "with the gold passage", "counterfactual": "with a changed passage"}
    return known.get(condition, f"under {condition}")


def mark(right: int, scored: int) -> str:
    """The sign of one matrix entry."""
    if not scored:
        return NOT_GRADED
    return ALL_RIGHT if right == scored else SOME_RIGHT if right else NONE_RIGHT


def no_interval(contrast: Mapping[str, Any]) -> str:
    """Why a contrast has no interval; empty where it has one."""
    if contrast.get("interval") is not None:
        return ""
    if contrast.get("difference") is None:
        return str(contrast.get("reason") or "no question was scored in both cells")
    if contrast["questions"] < 6:
        return "too few questions (fewer than 6)"
    if not contrast["differing"]:
        return "no question differs"
    return "every question differs by the same amount"


def contrast_sentence(contrast: Mapping[str, Any], alpha: float) -> str:
    """One planned or further contrast as a sentence that needs no statistics to read."""
    left, right = (f"{side['arm']} {condition_words(side['condition'])}" for side in (contrast["a"], contrast["b"]))
    if contrast["difference"] is None:
        return f"{left} against {right}: not comparable; {no_interval(contrast)}."
    if contrast["difference"] == 0:
        said = f"{left} and {right} were right equally often"
    else:
        size = figures.points(abs(contrast["difference"]), signed=False)
        more = "more" if contrast["difference"] > 0 else "less"
        said = f"{left} was right {size} points {more} often than {right}"
    return f"{said}: {_chance(contrast, alpha)}."


def little_sentence(contrast: Mapping[str, Any], worthwhile: float, *, settled: bool) -> str:
    """That the first of both adds less to the second than would be worth having, or that this is open."""
    left, right = (f"{side['arm']} {condition_words(side['condition'])}" for side in (contrast["a"], contrast["b"]))
    worth = f"{figures.points(worthwhile, signed=False)} points"
    most = contrast["interval"][1] if contrast["interval"] else contrast["difference"]
    if not settled:
        return f"{left} may be right {worth} more often than {right}, which would be worth having."
    if most <= 0:
        return f"{left} is not right more often than {right}."
    more = figures.points(most, signed=False)
    return f"{left} is right at most {more} points more often than {right}: less than the {worth} worth having."


def _chance(contrast: Mapping[str, Any], alpha: float) -> str:
    if not contrast["differing"]:
        return "no question came out differently"
    if contrast.get("p_holm") is None:
        return "not among the planned contrasts, so a lead and no evidence"
    if contrast["p_holm"] <= alpha:
        return f"more than chance explains (corrected p ≤ {alpha:g})"
    few = ", and with five or fewer questions that differ no test could tell" if contrast["differing"] <= 5 else ""
    return f"chance could explain it{few}"


def contrast_line(contrast: Mapping[str, Any]) -> str:
    """A contrast as one line for a terminal: `difference .200, interval [.054, .346], p .0156`."""
    where = f"{contrast['split'] or ALL}, {figures.plural(contrast['questions'], 'question')}"
    cells = " − ".join(f"{contrast[side]['arm']}/{contrast[side]['condition']}" for side in ("a", "b"))
    if contrast["difference"] is None:
        return f"{cells} ({where}): {contrast.get('reason') or 'not to be had'}"
    bounds = contrast["interval"]
    interval = f"[{bare(bounds[0], 3)}, {bare(bounds[1], 3)}]" if bounds else "none"
    holm = contrast["p_holm"]
    adjusted = f", {chance(holm)} adjusted for the family" if holm is not None and holm != contrast["p_value"] else ""
    return (
        f"{cells} ({where}): difference {bare(contrast['difference'], 3)}, interval {interval}, "
        f"p {chance(contrast['p_value'])}{adjusted}"
    )


def chance(p_value: float) -> str:
    """A p-value with four digits; one that is smaller than they can show is said to be."""
    return bare(p_value, 4) if p_value >= 0.0001 else "< .0001"


def bare(value: float, digits: int) -> str:
    """A share without the zero before its point, as statistics are written: `.054`, `−.200`, `1.000`."""
    text = f"{abs(value):.{digits}f}".removeprefix("0")
    return f"−{text}" if round(value, digits) < 0 else text
