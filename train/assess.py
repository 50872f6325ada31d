"""Grading, comparison and report: what follows from the stored answers, without any model."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from train import comparison, grading, report
from train.errors import UserError
from train.findings import load_findings, stored_labels, uncollected
from train.judging import JUDGEMENTS, Bench, cases_of, judge_answers, judge_rules, stored_judgements, summary
from train.progress import Screen
from train.recipe import Grading, Recipe
from train.records import Cell, Contrast, Findings, Verdict, to_json
from train.store import Run, digest

GRADING = "grading-3"
"""Raise it when the graders' rules change, so that stored answers are graded again."""

CHANGED = "changed_after_answers"
"""In the manifest's plan: the parts of it that were changed when answers were there already."""


@dataclass(frozen=True, slots=True)
class GradingRules:
    """What the graders need to know beside the records; kept in the manifest, so that `verify` grades alike."""

    abstention: str = ""
    nearest_f1: float = Grading().nearest_f1
    judge: grading.JudgeRules | None = None


def assess(
    run: Run,
    stages: Sequence[str],
    screen: Screen,
    rules: GradingRules,
    bench: Bench | None = None,
    *,
    redacted: bool = False,
) -> None:
    """Carries out those of the stages `grade` and `report` that are named; each needs what comes before it.

    `bench` is the judge that is asked about answers, if there is one; `redacted`: see `report_files`.
    """
    if "grade" in stages:
        grade_answers(run, screen, rules, bench)
    if "report" in stages:
        write_comparison(run)
        write_report(run, redacted=redacted)


def assess_again(run: Run, screen: Screen) -> None:
    """Grades by the rules of the last time and reports anew, after people's labels were added."""
    rules = run.manifest().get("grading")
    if rules is None:
        raise UserError(f"{run.directory}: is not graded yet; run `openbook grade` first")
    assess(run, ("grade", "report"), screen, GradingRules(**rules))


def plan_comparison(recipe: Recipe, run: Run) -> None:
    """Notes what is to be compared. A plan that changes after answers were seen is noted as such."""
    kinds = {arm: each.kind for arm, each in recipe.arms.items()}
    conditions = {condition.name for condition in recipe.conditions}

    def asked(cell: Cell) -> bool:
        return cell.condition in conditions and recipe.asks(cell.arm, cell.condition)

    settings, context = recipe.comparison, recipe.decision_condition
    own = recipe.contrasts
    decisive = [
        contrast
        for contrast in comparison.decision_contrasts(kinds, context, settings.split)
        if contrast not in own and asked(contrast.a) and asked(contrast.b)
    ]
    plan = {
        "kinds": kinds,
        "contrasts": [to_json(contrast) for contrast in (*own, *decisive)],
        "split": settings.split,
        "context": context,
        "alpha": settings.alpha,
        "worthwhile": settings.worthwhile,
    }
    before = run.manifest().get("comparison", {})
    changed = set(before.get(CHANGED, ()))
    if before and run.path("answers.jsonl").exists():
        changed |= {name for name, value in plan.items() if before.get(name) != value}
    run.amend({"comparison": {**plan, CHANGED: sorted(changed)}})


def graded_from(run: Run, findings: Findings) -> str:
    """What the verdicts depend on, as it is now: the graders' rules, the questions, contexts and answers, what people
    and the judge said."""
    manifest = run.manifest()
    return digest(
        [
            GRADING,
            manifest["grading"],
            manifest["hashes"]["contexts"],
            [to_json(question) for question in findings.questions],
            [[answer.key, answer.text] for answer in findings.answers],
            run.records("labels.jsonl"),
            run.records(JUDGEMENTS) if judge_rules(run) else [],
        ]
    )


def is_graded(run: Run, findings: Findings) -> bool:
    """Whether the stored verdicts are those of the stored answers, all of them."""
    stage = run.manifest().get("stages", {}).get("grading", {})
    return bool(stage) and (stage["made_from"], stage.get("verdicts")) == (
        graded_from(run, findings),
        len(findings.verdicts),
    )


def grade_answers(run: Run, screen: Screen, rules: GradingRules, bench: Bench | None = None) -> None:
    """Grades every stored answer with every grader that can; never samples anything again, nor asks a judge twice."""
    require_answers(run)
    judge = bench.rules if bench else rules.judge
    run.amend({"grading": to_json(replace(rules, judge=judge))})
    findings = load_findings(run)
    if is_graded(run, findings):
        return
    cases = cases_of(run, findings)
    if bench:
        judge_answers(run, cases, bench, screen)
    with screen.stage("grading", len(findings.answers)) as advance:
        run.unstage("grading")  # a kill in between must not leave a false mark
        verdicts = regrade(run, findings)
        run.write_records("verdicts.jsonl", [to_json(verdict) for verdict in verdicts])
        if judge or "judging" in run.manifest():
            run.amend({"judging": summary(run, cases)})
        run.stage("grading", graded_from(run, findings), verdicts=len(verdicts))
        advance(len(findings.answers), "")


def require_answers(run: Run) -> None:
    """Raises `UserError` where the answers are not all there."""
    if run.made_from("sampling") is None:
        raise UserError(f"{run.directory}: the answers are not all there; run `openbook sample` first")


@uncollected()
def regrade(run: Run, findings: Findings) -> list[Verdict]:
    """Every grader's verdict on every answer, made anew; people's come from labels, a judge's from its replies."""
    rules = {key: value for key, value in run.manifest()["grading"].items() if key != "judge"}
    return grading.grade(
        findings.questions,
        findings.contexts,
        findings.answers,
        labels=stored_labels(run),
        judge=judge_rules(run),
        judgements=stored_judgements(run),
        **rules,
    )


def write_comparison(run: Run) -> None:
    """Compares the cells as planned and writes comparison.json."""
    require_answers(run)
    findings = load_findings(run)
    if not is_graded(run, findings):
        raise UserError(f"{run.directory}: the answers, as they are now, are not graded; run `openbook grade` first")
    run.write("comparison.json", comparison_text(recompute(run, findings)))


@uncollected()
def recompute(run: Run, findings: Findings) -> dict[str, Any]:
    """The comparison, from the stored records and the plan in the manifest."""
    plan = run.manifest()["comparison"]
    automatic, people = grading.sides(findings.verdicts)
    return comparison.compare(
        recipe=run.recipe,
        questions=findings.questions,
        contexts=findings.contexts,
        answers=findings.answers,
        verdicts=automatic,
        people=people,
        side_by_side=findings.verdicts,
        probabilities=grading.drawn_with(stored_labels(run), findings.answers),
        kinds=plan["kinds"],
        contrasts=[
            Contrast(Cell(**contrast["a"]), Cell(**contrast["b"]), contrast["split"]) for contrast in plan["contrasts"]
        ],
        split=plan["split"],
        context=plan["context"],
        alpha=plan["alpha"],
        worthwhile=plan["worthwhile"],
        changed=plan.get(CHANGED, ()),
    )


def comparison_text(result: Mapping[str, Any]) -> str:
    """comparison.json as it is written."""
    return json.dumps(result, indent=1, ensure_ascii=False) + "\n"


@uncollected()
def report_files(run: Run, *, redacted: bool = False) -> dict[str, str]:
    """The files of the report: name -> content; the redacted ones too where they are wanted or there already."""
    findings = load_findings(run)
    files = report.render(findings)
    if redacted or any(run.path(name).exists() for name in report.REDACTED_FILES):
        files |= report.render_redacted(findings)
    return files


def write_report(run: Run, *, redacted: bool = False) -> None:
    """Writes the report, its tables and its figures; figures of an earlier report that this one has not are removed."""
    files = report_files(run, redacted=redacted)
    for name, text in files.items():
        run.write(name, text)
    for name in report.FIGURE_FILES:
        if name not in files:
            run.path(name).unlink(missing_ok=True)
