"""Grading, comparison and report: what follows from the stored answers, without any model."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any

from train import comparison, grading, report
from train.errors import UserError
from train.findings import lasting, load_answered, stored_labels, stored_verdicts, uncollected, with_verdicts
from train.judging import JUDGEMENTS, Bench, is_judged, judge_answers, judge_rules, stored_judgements, summary
from train.progress import Screen
from train.recipe import Grading, Recipe
from train.records import Cell, Contrast, Findings, Verdict, is_person
from train.sealing import digest, file_digest, line
from train.serialising import flat, to_json
from train.store import Run

GRADING = "grading-3"
"""Raise it when the graders' rules change, so that stored answers are graded again."""

DEPTH = 4
"""comparison.json is indented so deep: down to a cell's `per_question`."""

_JSON = json.JSONEncoder(ensure_ascii=False)

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
    findings: Findings | None = None,
    redacted: bool = False,
) -> None:
    """Carries out those of the stages `grade` and `report` that are named; each needs what comes before it.

    `bench` is the judge that is asked about answers, if there is one; `findings`: see `grade_answers`; `redacted`: see
    `report_files`.
    """
    with uncollected() if bench is None else nullcontext():
        graded = None
        if "grade" in stages:
            graded = grade_answers(run, screen, rules, bench, findings)
        if "report" in stages:
            write_report(run, write_comparison(run, graded or graded_findings(run)), redacted=redacted)


def assess_again(run: Run, screen: Screen, findings: Findings | None = None) -> None:
    """Grades by the rules of the last time and reports anew, after people's labels were added."""
    rules = run.manifest().get("grading")
    if rules is None:
        raise UserError(f"{run.directory}: is not graded yet; run `openbook grade` first")
    assess(run, ("grade", "report"), screen, GradingRules(**rules), findings=findings)


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


def graded_from(run: Run) -> tuple[str, str]:
    """What graders' verdicts depend on, as it is now (the graders' rules, the questions, contexts and answers, what the
    judge said), and what all verdicts do (what people said, too)."""
    manifest = run.manifest()
    names = ["questions.jsonl", "answers.jsonl", *([JUDGEMENTS] if judge_rules(run) else [])]
    files = {name: file_digest(path) for name in names if (path := run.path(name)).exists()}
    labels = run.path("labels.jsonl")
    of_graders = digest([GRADING, manifest["grading"], manifest["hashes"]["contexts"], files])
    return of_graders, digest([of_graders, file_digest(labels) if labels.exists() else ""])


def stored_grading(run: Run, findings: Findings) -> tuple[Sequence[Verdict] | None, bool]:
    """The stored verdicts, where the graders' among them are those of the stored answers, all of them, else None; and
    whether people have said nothing since. Verdicts that the findings hold are not read again.
    """
    stage = run.manifest().get("stages", {}).get("grading")
    if not stage:
        return None, False
    of_graders, of_all = graded_from(run)
    if stage.get("graders_from") != of_graders:
        return None, False
    verdicts = findings.verdicts or stored_verdicts(run)
    return (verdicts, stage["made_from"] == of_all) if len(verdicts) == stage["verdicts"] else (None, False)


def graded_findings(run: Run) -> Findings:
    """What is stored, graded. Raises `UserError` where answers, or verdicts on them as they are now, are missing."""
    require_answers(run)
    findings = load_answered(run)
    verdicts, are_current = stored_grading(run, findings)
    if verdicts is None or not are_current:
        for name in ("labels.jsonl", JUDGEMENTS):  # a line that was edited is what is to be mended first
            run.records(name)
        raise UserError(f"{run.directory}: the answers, as they are now, are not graded; run `openbook grade` first")
    return with_verdicts(findings, verdicts)


def grade_answers(
    run: Run, screen: Screen, rules: GradingRules, bench: Bench | None = None, findings: Findings | None = None
) -> Findings:
    """Grades every stored answer with every grader that can; never samples anything again, nor asks a judge twice.

    Where only labels are new, the graders' verdicts stay. `findings` are what the run holds, if they were read already.
    """
    require_answers(run)
    findings = findings or load_answered(run)
    labels = stored_labels(run)
    set_rules(run, replace(rules, judge=bench.rules if bench else rules.judge))
    stored = None
    if bench is None or is_judged(run, bench.rules):
        stored, are_current = stored_grading(run, findings)
        if stored is not None and are_current:
            return with_verdicts(findings, stored)
    if stored is None:
        graders = ask_graders(run, findings, screen, bench)
    else:
        graders = [verdict for verdict in stored if not is_person(verdict.grader)]
    run.unstage("grading")  # a kill in between must not leave a false mark
    with uncollected():
        verdicts = grading.with_people(graders, findings.answers, labels)
        write_verdicts(run, verdicts, stored or ())
    of_graders, of_all = graded_from(run)
    run.stage("grading", of_all, graders_from=of_graders, verdicts=len(verdicts))
    return with_verdicts(replace(findings, manifest=lasting(run.manifest())), verdicts)


def write_verdicts(run: Run, verdicts: Iterable[Verdict], stored: Sequence[Verdict]) -> None:
    """Writes verdicts.jsonl. Graders' verdicts are those `stored` there, if any are: their lines stay as they are."""
    written = run.lines("verdicts.jsonl") if stored else []
    if len(written) != len(stored) or not stored:
        run.write_records("verdicts.jsonl", map(flat, verdicts))
        return
    kept = (text for text, verdict in zip(written, stored, strict=True) if not is_person(verdict.grader))
    lines = (line(flat(verdict)) if is_person(verdict.grader) else next(kept) for verdict in verdicts)
    run.write_lines("verdicts.jsonl", lines)


def set_rules(run: Run, rules: GradingRules) -> None:
    """Notes by what rules is graded from now on; what a judge has done by others is no longer said to be done."""
    manifest, now = run.manifest(), to_json(rules)
    if manifest.get("grading") != now:
        run.amend({"grading": now, **({"judging": None} if "judging" in manifest else {})})


def ask_graders(run: Run, findings: Findings, screen: Screen, bench: Bench | None) -> list[Verdict]:
    """The verdicts of all graders but people; the judge is asked what it was not asked before, if it can be."""
    with screen.stage("grading", len(findings.answers)) as advance:
        graded = grade_by_rule(run, findings)
        advance(len(findings.answers), "")
    judgements = judge_answers(run, graded.cases, bench, screen) if bench else stored_judgements(run)
    if judge_rules(run) or "judging" in run.manifest():
        run.amend({"judging": summary(run, graded.cases, judgements)})
    with uncollected():
        return grading.with_judge(findings.answers, graded, judge_rules(run), judgements)


def require_answers(run: Run) -> None:
    """Raises `UserError` where the answers are not all there."""
    if run.made_from("sampling") is None:
        raise UserError(f"{run.directory}: the answers are not all there; run `openbook sample` first")


@uncollected()
def grade_by_rule(run: Run, findings: Findings) -> grading.Graded:
    """The verdicts of rubric or provisional grader by the manifest's rules, and what its judge is to be shown."""
    rules = {**run.manifest()["grading"], "judge": judge_rules(run)}
    return grading.grade_by_rule(findings.questions, findings.contexts, findings.answers, **rules)


def write_comparison(run: Run, findings: Findings) -> Findings:
    """Compares the cells as planned, writes comparison.json and adds it to the findings."""
    text = comparison_text(recompute(run, findings))
    run.write("comparison.json", text)
    return replace(findings, comparison=json.loads(text))


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
    """comparison.json as it is written: a question's row of a cell, like all that is as deep or deeper, is one line."""
    return laid_out(result, DEPTH) + "\n"


def laid_out(value: Any, depth: int, margin: str = "\n") -> str:
    """JSON, indented down to so many levels. Python's own `indent` takes a dozen times as long, however deep."""
    if not depth or not value or not isinstance(value, (Mapping, list)):
        return _JSON.encode(value)
    inner = margin + " "
    if isinstance(value, list):
        lines = [laid_out(each, depth - 1, inner) for each in value]
    else:
        lines = [f"{_JSON.encode(key)}: {laid_out(each, depth - 1, inner)}" for key, each in value.items()]
    begin, end = "[]" if isinstance(value, list) else "{}"
    return f"{begin}{inner}{f',{inner}'.join(lines)}{margin}{end}"


@uncollected()
def report_files(run: Run, findings: Findings, *, redacted: bool = False) -> dict[str, str]:
    """The files of the report: name -> content; the redacted ones too where they are wanted or there already."""
    files = report.render(findings)
    if redacted or any(run.path(name).exists() for name in report.REDACTED_FILES):
        files |= report.render_redacted(findings)
    return files


def write_report(run: Run, findings: Findings, *, redacted: bool = False) -> None:
    """Writes the report, its tables and its figures; figures of an earlier report that this one has not are removed."""
    files = report_files(run, findings, redacted=redacted)
    for name, text in files.items():
        run.write(name, text)
    for name in report.FIGURE_FILES:
        if name not in files:
            run.path(name).unlink(missing_ok=True)
