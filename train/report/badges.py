"""What weakens the decision, seen at a glance: one badge for each thing that a reviewer must know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from train.records import Findings, is_person
from train.report import figures, view
from train.report.forgetting import sentence
from train.report.summary import decisive, is_little

Level = Literal["alarm", "caution", "plain"]

SIGNS: Mapping[Level, str] = {"alarm": "✖", "caution": "⚠", "plain": "•"}
"""So that a badge's weight does not rest on its colour."""

MUCH_CUT = 0.2
"""Above this share of answers that stopped at the token limit, a cell says little about what its arm can do."""


@dataclass(frozen=True, slots=True)
class Badge:
    """A few words and, in `why`, what they mean for the decision."""

    level: Level
    text: str
    why: str

    @property
    def sign(self) -> str:
        """The badge's weight as a sign."""
        return SIGNS[self.level]


@view.once
def badges(findings: Findings) -> list[Badge]:
    """The badges in order of weight; counts are of the answers in the findings."""
    found = [
        *_plan(findings),
        *leakage(findings),
        *_power(findings),
        *_corrected(findings),
        *_forgotten(findings),
        *_cut_off(findings),
        *_grading(findings),
        *_judging(findings),
        *_evidence(findings),
    ]
    return sorted(found, key=lambda badge: list(SIGNS).index(badge.level))


def reasons(findings: Findings, said: Sequence[Badge]) -> list[str]:
    """What else the decision says of itself: its reasons without what a badge has said already."""
    known = {badge.text for badge in said}
    every = map(str, (findings.comparison.get("decision") or {}).get("reasons") or ())
    return [reason for reason in every if not any(reason.startswith(text) for text in known)]


def _plan(findings: Findings) -> list[Badge]:
    result = []
    recipe = findings.manifest.get("recipe") or {}
    if limit := (recipe.get("data") or {}).get("limit"):
        why = f"only the first {figures.plural(limit, 'question')} of each split: this tries the machinery out, no more"
        result.append(Badge("alarm", "smoke run", why))
    if changed := _listed(findings.comparison.get("plan_changed")):
        why = f"{', '.join(changed)} changed when answers were there already: p-values hold for plans made before"
        result.append(Badge("caution", "plan changed after answers", why))
    return result


def leakage(findings: Findings) -> list[Badge]:
    """What the leakage audit came to: one badge."""
    if "leaks" not in findings.audit:
        return [Badge("caution", "leakage not audited", "what was trained on is not known here")]
    leaks, warnings = (_listed(findings.audit.get(name)) for name in ("leaks", "warnings"))
    if leaks:
        return [Badge("alarm", "leakage found", "; ".join(leaks))]
    if warnings:
        return [Badge("caution", f"leakage audit: {figures.plural(len(warnings), 'warning')}", "; ".join(warnings))]
    return [Badge("plain", "no leakage found", "nothing of the test occurs in training that must not")]


def _listed(value: Any) -> list[str]:
    return [str(item) for item in value] if isinstance(value, (list, tuple)) else [str(value)] if value else []


def _grading(findings: Findings) -> list[Badge]:
    tested = findings.tested
    answers, names = len(tested), {answer.id for answer in tested}
    heads = [findings.headline.get(name) for name in names]
    provisional = sum(head is not None and head.grader.startswith("provisional") for head in heads)
    counted = (*findings.verdicts, *findings.headline.values())  # a person's may stand beside the one that counts
    people = len({verdict.id for verdict in counted if is_person(verdict.grader)} & names)
    unscored = sum(head is None or head.verdict == "unscored" for head in heads)
    result = []
    if provisional:
        share = f"{figures.count(provisional)} of {figures.plural(answers, 'answer')}"
        result.append(Badge("caution", "provisional grader", f"{share} graded by likeness to the reference: no rubric"))
    if unscored:
        share = f"{figures.count(unscored)} of {figures.plural(answers, 'answer')}"
        result.append(Badge("caution", f"{figures.count(unscored)} unscored", f"{share} unscored and left out"))
    if answers:
        result.append(_people(findings, people, answers))
    return result


def _judging(findings: Findings) -> list[Badge]:
    """Whether a judge has judged a part of what it is asked about."""
    done = findings.manifest.get("judging") or {}
    judged = int(done.get("judged") or 0)
    asked = int(done.get("asked") or judged)
    if judged == asked:
        return []
    why = (
        f"it has judged {figures.count(judged)} of the {figures.plural(asked, 'answer')} that it is asked about; the "
        "others keep other graders' verdicts, so arms may not be graded alike: have it judge the rest"
    )
    return [Badge("caution", "judge not finished", why)]


def _evidence(findings: Findings) -> list[Badge]:
    cells = findings.comparison["cells"]
    conditions = {cell["condition"] for cell in cells}
    seeds = {seed for cell in cells if cell.get("kind") == "tuned" for seed in cell["seeds"]}
    result = []
    if left_out := len(_listed(findings.audit.get("dropped_training_rows"))):
        why = "left out of training or validation, as the recipe asks for rows longer than its limit"
        result.append(Badge("caution", f"{figures.plural(left_out, 'row')} too long", why))
    if len(seeds) == 1:
        result.append(Badge("caution", "one training seed", "claims nothing beyond these checkpoints"))
    gold = any(name == "gold" or name.startswith("gold+") for name in conditions)
    if gold and not any(name.startswith("retrieved") for name in conditions):
        result.append(
            Badge("caution", "gold context only", "the right passage was handed over; no retriever was tested")
        )
    asked = {answer.question for answer in findings.answers}
    splits = {question.split for question in findings.questions if question.id in asked}
    if splits and not splits & {"unseen", ""}:
        result.append(Badge("caution", "no unseen facts", "nothing here says how new facts fare"))
    return result


def _power(findings: Findings) -> list[Badge]:
    """Whether the questions could have shown what would be worth having."""
    contrast = decisive(findings)
    if contrast is None or contrast.get("p_holm") is None or contrast["p_holm"] <= view.alpha_of(findings):
        return []
    worthwhile = view.worthwhile_of(findings)
    if is_little(contrast, findings):
        return []
    if contrast["detectable"] is None:
        why = f"none of {figures.plural(contrast['questions'], 'question')} differs: what they could show is not known"
        return [Badge("caution", "too few questions", why)]
    if contrast["detectable"] <= worthwhile:
        return []
    detectable, wanted = (figures.points(value, signed=False) for value in (contrast["detectable"], worthwhile))
    asked = figures.plural(contrast["questions"], "question")
    why = f"{asked} can show {detectable} points; {wanted} would be worth having"
    return [Badge("caution", "too few questions", why)]


def _corrected(findings: Findings) -> list[Badge]:
    """Cells whose raw accuracy is not what people's labels make of it."""
    split = view.decision_split(findings)
    worthwhile = view.worthwhile_of(findings)
    moved = []
    for cell in findings.comparison["cells"]:
        estimates = [found for found in (cell.get("corrected") or {}).values() if found and "accuracy" in found]
        if cell["split"] != split or cell["accuracy"] is None or not estimates:
            continue
        far = max(estimates, key=lambda found: abs(found["accuracy"] - cell["accuracy"]))
        if abs(far["accuracy"] - cell["accuracy"]) > worthwhile:
            raw, better = figures.percent(cell["accuracy"]), figures.percent(far["accuracy"])
            moved.append(f"{cell['arm']} / {cell['condition']}: {raw}, corrected {better}")
    return [Badge("caution", "people's labels correct the figures", "; ".join(moved))] if moved else []


def _forgotten(findings: Findings) -> list[Badge]:
    """Whether the arm that the decision recommends lost general knowledge by tuning, and not by chance."""
    recommended = (findings.comparison.get("decision") or {}).get("arm")
    return [
        Badge("caution", "the recommended arm forgot", sentence(row))
        for row in findings.comparison.get("forgetting") or ()
        if row["arm"] == recommended and row["shown"] == "loss"
    ]


def _cut_off(findings: Findings) -> list[Badge]:
    """Cells in which many answers stopped at the token limit."""
    tested = findings.tested
    answers = Counter((answer.arm, answer.condition) for answer in tested)
    cut = Counter((answer.arm, answer.condition) for answer in tested if answer.finish == "length")
    many = [
        f"{arm} / {condition} {figures.percent(cut[arm, condition] / answers[arm, condition])}"
        for arm, condition in view.columns(findings)
        if cut[arm, condition] > MUCH_CUT * answers[arm, condition]
    ]
    if not many:
        return []
    limit = ((findings.manifest.get("recipe") or {}).get("sampling") or {}).get("max_new_tokens")
    named = f"max_new_tokens ({limit}) is too small" if limit else "max_new_tokens is too small"
    return [Badge("caution", "answers cut off", f"{named}; stopped at the token limit: {', '.join(many)}")]


def _people(findings: Findings, checked: int, answers: int) -> Badge:
    words = f"{figures.count(checked)} of {figures.plural(answers, 'answer')} carry a person's verdict"
    told = findings.comparison.get("people") or {}
    disputed = told.get("disputed") or 0
    if disputed:
        words += f"; people grade {figures.plural(disputed, 'answer')} differently"
    share = figures.percent(checked / answers)
    if checked and share == figures.percent(0):
        share = "under 0.1 %"
    text = f"{share} checked by people" + (f", {disputed} disputed" if disputed else "")
    return Badge("plain" if checked and not disputed else "caution", text, words)
