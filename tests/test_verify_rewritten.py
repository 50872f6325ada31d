"""`openbook verify` finds out, too, who knows how checks and hashes are made and writes the report anew."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from train.assess import comparison_text, write_report
from train.findings import load_findings
from train.sealing import digest, seal
from train.store import Run

from .foreign.material import said, write_answers, write_harness, write_questions

WHOLE = (0, "every number follows from the stored answers\n", "")


@pytest.fixture
def run(finished_run, tmp_path) -> Path:
    """A finished run of this test's own."""
    return Path(shutil.copytree(finished_run, tmp_path / "run"))


@pytest.fixture
def compared(openbook, tmp_path) -> Path:
    """A comparison of a table with two logs of models of one name."""
    table = write_answers(tmp_path / "a.csv", {"big/gold": said(8)})
    logs = [write_harness(tmp_path / day, said(right)) for day, right in (("monday", 4), ("friday", 6))]
    code, _, err = openbook(
        "compare", table, *logs, "--questions", write_questions(tmp_path), "--out", tmp_path / "compared"
    )
    assert code == 0, err
    return tmp_path / "compared"


def amended(folder: Path, **entries: Any) -> None:
    """The manifest has these entries, and the report is written anew."""
    with Run.of(folder) as run:
        run.amend(entries)
        write_report(run, load_findings(run))


def resealed(folder: Path, name: str, number: int, **cells: Any) -> None:
    """A record, counted from 0, has other cells and a new check."""
    lines = (folder / name).read_text(encoding="utf-8").split("\n")
    lines[number] = json.dumps(seal(json.loads(lines[number]) | cells), ensure_ascii=False)
    (folder / name).write_text("\n".join(lines), encoding="utf-8")


def found(openbook: Any, folder: Path) -> str:
    code, out, err = openbook("verify", folder)
    assert (code, err) == (1, "")
    return str(out)


def test_a_comparison_cannot_say_that_training_showed_nothing(openbook, compared):
    assert openbook("verify", compared) == WHOLE
    amended(compared, audit={"leaks": [], "warnings": [], "gold": {"unseen": {"questions": 8, "found": 0}}})
    lines = found(openbook, compared).splitlines()
    assert "manifest.json.audit.leaks: [] is stored, nothing recomputed" in lines
    assert any(line.startswith("manifest.json.audit.gold: {'unseen'") for line in lines)


@pytest.mark.parametrize(
    ("place", "value", "named"),
    [
        (("gold", "seen", "found"), 0, "manifest.json.audit.gold.seen.found: 0 is stored, 6 recomputed"),
        (("training_rows",), 1, "manifest.json.audit.training_rows: 1 is stored, "),
        (("wordings", "examples"), [], "manifest.json.audit.wordings.examples: [] is stored, [{"),
        (("warnings",), [], "manifest.json.audit.warnings: [] is stored, ["),
        (("leaks",), ["all"], "manifest.json.audit.leaks: ['all'] is stored, [] recomputed"),
    ],
)
def test_the_leakage_audit_is_recomputed(place, value, named, openbook, run):
    audit = Run.of(run).manifest()["audit"]
    inner = audit
    for step in place[:-1]:
        inner = inner[step]
    assert inner[place[-1]] != value
    inner[place[-1]] = value
    amended(run, audit=audit)
    assert named in found(openbook, run)


def test_the_key_of_an_answer_made_elsewhere_is_that_of_its_text(openbook, compared):
    answers = Run.of(compared).records("answers.jsonl")
    resealed(compared, "answers.jsonl", 3, key="0" * 64)
    keys = sorted([answer["key"] for answer in answers[:3] + answers[4:]] + ["0" * 64])
    with Run.of(compared) as run:
        run.stage("sampling", digest(keys), answers=len(keys))
    answer = answers[3]
    cell = f"{answer['arm']}/{answer['condition']} seed 0, question {answer['question']}, sample {answer['sample']}"
    named = f"answers.jsonl: {cell}: the key '{'0' * 64}' is stored, '{answer['key']}' recomputed"
    assert named in found(openbook, compared).splitlines()


@pytest.mark.parametrize(
    ("cells", "named"),
    [
        ({"why": "Because."}, "why 'Because.' is stored, '"),
        ({"overlap": 0.25}, "overlap 0.25 is stored, 0.0 recomputed"),
        (
            {"found": ["plum"], "remembered": True},
            "found ('plum',) is stored, () recomputed; remembered True is stored",
        ),
        ({"verdict": "abstained", "why": ""}, "abstained is stored, wrong recomputed"),
    ],
)
def test_what_differs_in_a_verdict_is_named(cells, named, openbook, run):
    resealed(run, "verdicts.jsonl", 4, **cells)
    assert f"verdicts.jsonl: rubric on base/none seed 0, question lamp2, sample 0: {named}" in found(openbook, run)


def test_a_null_that_was_taken_out_is_named(openbook, run):
    content = json.loads((run / "comparison.json").read_text(encoding="utf-8"))
    cell = next(number for number, cell in enumerate(content["cells"]) if cell.get("corrected", 0) is None)
    del content["cells"][cell]["corrected"]
    (run / "comparison.json").write_text(comparison_text(content), encoding="utf-8")
    named = f"comparison.json.cells[{cell}].corrected: nothing is stored, None recomputed\n"
    assert named in found(openbook, run)


def test_a_manifest_without_a_part_that_figures_need_is_a_difference_and_no_failure(openbook, run):
    with Run.of(run) as held:
        plan = held.manifest()["comparison"]
        held.amend({"comparison": {key: value for key, value in plan.items() if key != "contrasts"}})
    assert "lacks a part or has one of another kind (KeyError: 'contrasts')" in found(openbook, run)
