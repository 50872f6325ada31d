"""`openbook verify`: recompute every number of the report from the stored answers, and name what differs."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from itertools import zip_longest
from typing import Any, Final

from train import data, grading, report
from train.assess import comparison_text, grade_by_rule, recompute, report_files
from train.data.answers import answer_key
from train.data.problems import shown
from train.errors import UserError
from train.findings import load_findings, stored_labels, uncollected
from train.judging import differences as misjudged
from train.judging import judge_rules, stored_judgements
from train.records import AnswerId, Findings, Passage, TrainingRow, Verdict
from train.sealing import Record, digest, file_digest, is_sealed, numbered_records, unsealed
from train.serialising import revive
from train.store import Run, read_manifest

NAMING = ("id", "arm", "seed", "condition", "question", "sample", "grader", "who", "number", "epoch")
"""The fields that tell a person which record of a file is meant."""


class Nothing:
    """What stands where a key is not there, unlike a null."""

    def __repr__(self) -> str:
        return "nothing"


NOTHING: Final = Nothing()


@uncollected()
def verify(run: Run) -> list[str]:
    """Everything in the run that is not what it should be, one line each; empty for a run that is whole.

    Checked in this order, each resting on the ones before: that no stored record was edited, that none is missing or
    added, that the adapters are those that were trained, that the leakage audit follows from what was trained on and
    asked, that the judge's letters follow from its replies, that the graders still say what is stored, that the
    comparison follows from the verdicts, and that the reports follow from the comparison.

    Raises:
        UserError: the directory holds no run with a report.
    """
    manifest = read_manifest(run.directory)
    if not manifest:
        raise UserError(f"{run.directory}: holds no run")
    if not run.path("comparison.json").exists() and not run.path("report.html").exists():
        raise UserError(f"{run.directory}: holds no report yet; finish it with `openbook run`")
    try:
        differences = list(edited(run, manifest))
        if is_sealed(manifest):
            differences += [*missing(run, manifest), *adapters(run, manifest)]
        # What follows is computed from the records, so it can only be judged where these are sound.
        if differences:
            return differences
        findings = load_findings(run)
        return figures(run, manifest, findings) or list(reports(run, findings))
    except UserError as error:  # a file that cannot be read any more
        return [str(error)]
    except (LookupError, TypeError, ValueError, AttributeError) as error:  # sealed anew, but not as we write it
        return [f"a record or the manifest lacks a part or has one of another kind ({type(error).__name__}: {error})"]


def edited(run: Run, manifest: Record) -> Iterator[str]:
    """Records whose check does not fit."""
    if not is_sealed(manifest):
        yield "manifest.json: was edited"
    for path in sorted(run.directory.glob("*.jsonl")):
        for number, record in numbered_records(path):
            if not is_sealed(record):
                yield f"{path.name}:{number}: was edited ({naming(record)})"


def missing(run: Run, manifest: Record) -> Iterator[str]:
    """Record files that have lost or gained records since they were written."""
    stored = {
        name: [unsealed(record) for _, record in numbered_records(run.path(f"{name}.jsonl"))]
        for name in ("questions", "passages", "contexts", "training", "answers")
    }
    hashes = manifest.get("hashes", {})
    for name, now in (
        ("data", digest([*stored["questions"], *stored["passages"]])),
        ("contexts", digest(stored["contexts"])),
        ("training", digest(stored["training"])),
    ):
        if name in hashes and hashes[name] != now:
            files = "questions.jsonl or passages.jsonl" if name == "data" else f"{name}.jsonl"
            yield f"{files}: is not as it was when the run began"
    answers = [str(record.get("key")) for record in stored["answers"]]
    if digest(sorted(answers)) != run.made_from("sampling"):
        yield f"answers.jsonl: answers were removed, added or exchanged ({len(answers)} are there)"


def adapters(run: Run, manifest: Record) -> Iterator[str]:
    """Adapters that are gone or are not those that were trained."""
    for summary in manifest.get("training", []):
        folder = run.adapter(summary["arm"], summary["seed"])
        name = folder.relative_to(run.directory).as_posix()
        try:
            record = json.loads((folder / "openbook.json").read_text(encoding="utf-8"))
            weights = file_digest(folder / "adapter_model.safetensors")
            configuration = file_digest(folder / "adapter_config.json")
        except (OSError, ValueError) as error:
            yield f"{name}: cannot be read ({error})"
            continue
        if record != summary or not is_sealed(record):
            yield f"{name}/openbook.json: was edited"
        if weights != summary["digest"]:
            yield f"{name}/adapter_model.safetensors: is not the adapter that was trained"
        if configuration != summary["configuration"]:
            yield f"{name}/adapter_config.json: was edited"


def figures(run: Run, manifest: Record, findings: Findings) -> list[str]:
    """What does not follow from the records."""
    elsewhere = set(manifest["comparison"]["kinds"].values()) == {"given"}
    return [
        *(keys(findings) if elsewhere else ()),
        *leakage(run, findings, manifest, elsewhere=elsewhere),
        *verdicts(run, findings),
        *comparisons(run, findings),
    ]


def keys(findings: Findings) -> Iterator[str]:
    """Answers made elsewhere whose key is not that of their coordinates and text."""
    for answer in findings.answers:
        if (now := answer_key(answer)) != answer.key:
            yield f"answers.jsonl: {coordinates(answer.id)}: the key {answer.key!r} is stored, {now!r} recomputed"


def leakage(run: Run, findings: Findings, manifest: Record, *, elsewhere: bool) -> Iterator[str]:
    """Places of the manifest's leakage audit that do not follow from the questions, contexts and training rows.

    Of answers made elsewhere nobody knows what was trained on: they have no audit.
    """
    stored: Record = manifest.get("audit", {})
    now: Record = {}
    if not elsewhere:
        passages = {record["id"]: revive(Passage, record) for record in run.records("passages.jsonl")}
        rows = []
        for record in run.records("training.jsonl"):
            if unknown := set(record["passages"]) - passages.keys():
                yield f"training.jsonl: names the passage {min(unknown)!r}, which is not stored"
                return
            rows.append(revive(TrainingRow, {**record, "passages": [passages[each] for each in record["passages"]]}))
        # The rows that were too long are nowhere but in the audit.
        dropped = {key: stored[key] for key in ("dropped_training_rows",) if key in stored}
        now = {**data.audit(findings.questions, rows, findings.contexts), **dropped}
    for place, before, after in differing("", stored, now):
        yield f"manifest.json.audit{place}: {before!r} is stored, {after!r} recomputed"


def verdicts(run: Run, findings: Findings) -> Iterator[str]:
    """Judgements that the judge's replies do not bear out, and verdicts that the graders would not give again."""
    graded = grade_by_rule(run, findings)
    yield from misjudged(run, graded.cases)
    before = by_grader(findings.verdicts)
    graders = grading.with_judge(findings.answers, graded, judge_rules(run), stored_judgements(run))
    again = by_grader(grading.with_people(graders, findings.answers, stored_labels(run)))
    for identifier, grader in sorted(before.keys() | again.keys()):
        stored, now = before.get((identifier, grader), []), again.get((identifier, grader), [])
        if stored != now:
            yield f"verdicts.jsonl: {grader} on {coordinates(identifier)}: {difference(stored, now)}"


def by_grader(given: Iterable[Verdict]) -> dict[tuple[AnswerId, str], list[Verdict]]:
    """The verdicts of each grader on each answer; several people may have judged one."""
    found: dict[tuple[AnswerId, str], list[Verdict]] = defaultdict(list)
    for verdict in given:
        found[verdict.id, verdict.grader].append(verdict)
    return found


def difference(stored: Sequence[Verdict], now: Sequence[Verdict]) -> str:
    """What is said of verdicts that are not the same: their words, or where these are equal what differs beside."""
    if words(stored) != words(now):
        return f"{words(stored)} is stored, {words(now)} recomputed"
    return "; ".join(
        f"{field.name} {shown(old)} is stored, {shown(new)} recomputed"
        for one, other in zip(stored, now, strict=True)
        for field in fields(Verdict)
        if (old := getattr(one, field.name)) != (new := getattr(other, field.name))
    )


def words(given: Sequence[Verdict]) -> str:
    """The verdicts' words."""
    return ", ".join(verdict.verdict for verdict in given) or "nothing"


def comparisons(run: Run, findings: Findings) -> Iterator[str]:
    """Figures of comparison.json that do not follow from the answers and verdicts."""
    if not run.path("comparison.json").exists():
        yield "comparison.json: is gone"
        return
    text = run.path("comparison.json").read_bytes().decode("utf-8")
    expected = recompute(run, findings)
    if text != comparison_text(expected):
        found = list(differing("", json.loads(text), json.loads(comparison_text(expected))))
        yield from (f"comparison.json{place}: {stored!r} is stored, {now!r} recomputed" for place, stored, now in found)
        if not found:
            yield "comparison.json: was reformatted"


def reports(run: Run, findings: Findings) -> Iterator[str]:
    """Report files that are not what the comparison and the records give."""
    files = report_files(run, findings)
    for name, expected in files.items():
        try:
            stored = run.path(name).read_bytes().decode("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            yield f"{name}: cannot be read ({error})"
            continue
        if stored != expected and report.unpacked(stored) != report.unpacked(expected):
            lines = zip_longest(stored.split("\n"), expected.split("\n"), fillvalue="(end of the file)")
            number, (old, new) = next((n, pair) for n, pair in enumerate(lines, start=1) if pair[0] != pair[1])
            yield f"{name}:{number}: {excerpt(old, new)!r} is stored, {excerpt(new, old)!r} recomputed"
    for name in report.FIGURE_FILES:
        if name not in files and run.path(name).exists():
            yield f"{name}: is of another report"


def differing(place: str, stored: Any, now: Any) -> Iterator[tuple[str, Any, Any]]:
    """The places at which two pieces of JSON differ, with what stands there."""
    if isinstance(stored, dict) and isinstance(now, dict):
        for key in sorted(stored.keys() | now.keys()):
            yield from differing(f"{place}.{key}", stored.get(key, NOTHING), now.get(key, NOTHING))
    elif isinstance(stored, list) and isinstance(now, list) and len(stored) == len(now):
        for index, (one, other) in enumerate(zip(stored, now, strict=True)):
            yield from differing(f"{place}[{index}]", one, other)
    elif stored != now or type(stored) is not type(now):
        yield place, stored, now


def excerpt(text: str, other: str) -> str:
    """Thirty characters around where the text begins to differ from the other."""
    start = next((index for index, (a, b) in enumerate(zip(text, other, strict=False)) if a != b), 0)
    return text[max(0, start - 15) : start + 15]


def naming(record: Record) -> str:
    """What a person needs to find the record."""
    of = record.get("answer")  # a label names its answer by its coordinates
    named = {**record, **of} if isinstance(of, dict) else record
    return ", ".join(f"{key} {named[key]}" for key in NAMING if key in named)


def coordinates(identifier: AnswerId) -> str:
    """An answer's cell, question and sample."""
    return (
        f"{identifier.arm}/{identifier.condition} seed {identifier.seed}, question {identifier.question}, "
        f"sample {identifier.sample}"
    )
