"""What a run says rests on what is stored in it: nothing stale, lost or edited is taken for good."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from train.sealing import numbered_records
from train.store import read_manifest

Openbook = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(finished_run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished_run, tmp_path / "run"))


@pytest.fixture
def command(finished_run: Path, run: Path) -> tuple[object, ...]:
    return (finished_run.parent / "recipe.py", "--out", run)


def records(run: Path, name: str) -> list[dict[str, object]]:
    return [record for _, record in numbered_records(run / name)]


def stable(run: Path) -> dict[str, bytes]:
    """Every file but the manifest, which says when each stage was finished."""
    return {
        path.relative_to(run).as_posix(): path.read_bytes()
        for path in sorted(run.rglob("*"))
        if path.is_file() and path.name not in ("manifest.json", ".lock")
    }


def test_a_report_on_new_answers_needs_their_own_verdicts(run, command, openbook: Openbook):
    assert openbook("sample", *command, "--set", "sampling.seed=77")[0] == 0
    before = stable(run)
    code, out, err = openbook("report", *command, "--set", "sampling.seed=77")
    assert (code, out) == (2, "")
    assert f"{run}: the answers, as they are now, are not graded; run `openbook grade` first" in err
    assert stable(run) == before


@pytest.mark.parametrize("verb", ["grade", "report"])
@pytest.mark.parametrize("setting", ["sampling.seed=77", "arms.open-book.adapter.rank=8", "prompt.system=Hello."])
def test_grading_and_reporting_are_refused_under_another_recipe(verb, setting, run, command, openbook: Openbook):
    before = stable(run)
    code, out, err = openbook(verb, *command, "--set", setting)
    assert (code, out) == (2, "")
    assert f"made from another recipe ({setting.partition('.')[0]} changed since)" in err
    assert stable(run) == before


def test_grading_is_refused_where_the_questions_changed_and_run_does_what_is_needed(
    run, project, finished_run, openbook: Openbook
):
    """A better rubric: the answers stay, the verdicts change."""
    shutil.rmtree(project / "corpus")
    shutil.copytree(finished_run.parent / "corpus", project / "corpus")
    rows = [json.loads(line) for line in (project / "questions.jsonl").read_text(encoding="utf-8").splitlines()]
    rows = [row | {"forbidden": ["e"]} if row["id"] == "lamp2" else row for row in rows]
    rows = [row | {"answer": "It is BLUE.", "forbidden": ["gray"]} if row["id"] == "lamp2" else row for row in rows]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (project / "questions.jsonl").write_text(lines, encoding="utf-8")
    command = (project / "recipe.py", "--out", run)
    code, _, err = openbook("grade", *command)
    assert code == 2
    assert "(the questions or passages changed since)" in err
    answers = (run / "answers.jsonl").read_bytes()
    assert openbook("run", *command)[0] == 0
    assert (run / "answers.jsonl").read_bytes() == answers
    assert openbook("verify", run)[0] == 0


def test_only_grading_and_comparison_may_change_under_stored_answers(run, command, openbook: Openbook):
    answers = (run / "answers.jsonl").read_bytes()
    for verb in ("grade", "report"):
        assert openbook(verb, *command, "--set", "comparison.alpha=0.1", "--set", "grading.nearest_f1=0.4")[0] == 0
    assert (run / "answers.jsonl").read_bytes() == answers
    manifest = read_manifest(run)
    assert manifest["recipe"]["comparison"]["alpha"] == 0.1
    assert manifest["comparison"]["changed_after_answers"] == ["alpha"]
    comparison = json.loads((run / "comparison.json").read_text(encoding="utf-8"))
    assert comparison["plan_changed"] == ["alpha"]
    for name in ("report.md", "report.html"):
        assert "plan changed after answers" in (run / name).read_text(encoding="utf-8")
    assert openbook("verify", run)[0] == 0


def test_a_plan_made_before_the_answers_carries_no_note(run):
    assert json.loads((run / "comparison.json").read_text(encoding="utf-8"))["plan_changed"] == []
    assert "plan changed" not in (run / "report.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["answers.jsonl", "contexts.jsonl", "labels.jsonl", "manifest.json"])
@pytest.mark.parametrize("verb", ["run", "sample", "grade", "report"])
def test_an_edited_record_is_refused_and_not_sealed_anew(name, verb, run, command, openbook: Openbook):
    path = run / name
    if name == "labels.jsonl":
        path.write_text('{"answer": {}, "verdict": "correct", "check": "0123"}\n', encoding="utf-8")
    elif name == "manifest.json":
        path.write_text(path.read_text(encoding="utf-8").replace('"schema": 1', '"schema": 2'), encoding="utf-8")
    else:
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        lines[2] = lines[2].replace('"question":"', '"question":"x', 1)
        path.write_text("".join(lines), encoding="utf-8")
    before = path.read_bytes()
    code, _, err = openbook(verb, *command)
    if (name, verb) == ("labels.jsonl", "sample"):  # which has no business with labels
        assert code == 0
    else:
        assert code == 2
        assert f"{name}{'' if name == 'manifest.json' else ':1' if name == 'labels.jsonl' else ':3'}: was edited" in err
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", ["contexts.jsonl", "verdicts.jsonl", "answers.jsonl", "questions.jsonl"])
@pytest.mark.parametrize("loss", ["all", "a line"])
def test_what_was_lost_is_made_again(name, loss, run, command, finished_run, openbook: Openbook):
    path = run / name
    lines = path.read_bytes().splitlines(keepends=True)
    if loss == "all":
        path.unlink()
    else:
        path.write_bytes(b"".join(lines[1:]))
    assert openbook("run", *command)[0] == 0
    again = [{**record, "seconds": 0, "check": ""} for record in records(run, name)]
    assert again == [{**record, "seconds": 0, "check": ""} for record in records(finished_run, name)]
    assert (run / "comparison.json").read_bytes() == (finished_run / "comparison.json").read_bytes()
    assert openbook("verify", run)[0] == 0


def test_a_lost_verdict_stops_the_report(run, command, openbook: Openbook):
    path = run / "verdicts.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[1:]))
    code, _, err = openbook("report", *command)
    assert code == 2
    assert "are not graded; run `openbook grade` first" in err


def test_an_arm_under_another_name_keeps_its_answers(run, project, finished_run, openbook: Openbook):
    """Keys say what made an answer, not what the arm is called; the stored arm follows the recipe."""
    text = (finished_run.parent / "recipe.py").read_text(encoding="utf-8")
    (finished_run.parent / "renamed.py").write_text(text.replace('"base": Untuned', '"plain": Untuned'))
    code, _, said = openbook("run", finished_run.parent / "renamed.py", "--out", run)
    assert code == 0, said
    assert "0 of 312 answers" in said
    assert {record["arm"] for record in records(run, "answers.jsonl")} == {"plain", "closed-book", "open-book"}
    assert openbook("verify", run)[0] == 0
