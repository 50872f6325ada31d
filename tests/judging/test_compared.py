"""Judged runs set side by side by `openbook compare`: what the judge said counts again where the case is the same."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.foreign.material import write_answers, write_questions
from tests.judging.project import ARMS, grade, judge, provisional
from train.records import AnswerId
from train.serialising import to_json
from train.store import Run


@pytest.fixture
def monday(judged: Path, tmp_path: Path) -> Path:
    """A judged run, this test's own, with its recipe beside it."""
    shutil.copytree(judged.parent, tmp_path / "one")
    return Path(shutil.move(tmp_path / "one/run", tmp_path / "one/monday"))


@pytest.fixture
def questions(judged: Path) -> Path:
    return judged.parent / "questions.jsonl"


def compared(openbook, *arguments: object) -> tuple[Run, str]:
    """The run of a comparison that `verify` finds whole, and what was said."""
    code, out, err = openbook("compare", *arguments)
    assert code == 0, err
    folder = Path(out.splitlines()[-1]).parent
    assert openbook("verify", folder)[:2] == (0, "every number follows from the stored answers\n")
    return Run.of(folder), err


def by_judge(run: Run, arm: str = "") -> dict[tuple[Any, ...], str]:
    """The judge's verdicts by cell, question and sample."""
    return {
        tuple(each[name] for name in ("arm", "condition", "question", "sample")): each["verdict"]
        for each in run.records("verdicts.jsonl")
        if each["grader"].startswith("judge:") and each["arm"].startswith(arm)
    }


def label_cell(run: Run, arm: str, condition: str, verdict: str) -> None:
    """A person has given every answer of the cell this verdict."""
    labels = [
        {
            "answer": to_json(AnswerId(arm, each["seed"], condition, each["question"], each["sample"])),
            "verdict": verdict, "who": "Kim", "when": "2026-01-01", "why": "", "key": each["key"],
        }
        for each in run.records("answers.jsonl")
        if (each["arm"], each["condition"]) == (arm, condition)
    ]  # fmt: skip
    run.write_records("labels.jsonl", labels)


def test_a_judged_run_is_judged_as_before_without_asking_anybody(monday, questions, openbook):
    run, err = compared(openbook, monday, "--questions", questions)
    assert by_judge(run) == by_judge(Run.of(monday))
    assert len(by_judge(run)) > 50
    assert "has not judged" not in err
    assert run.manifest()["judging"] == Run.of(monday).manifest()["judging"]


def test_the_cells_are_right_as_often_as_in_the_run(monday, questions, openbook):
    run, _ = compared(openbook, monday, "--questions", questions)

    def right(directory: Path) -> dict[tuple[str, str, str], int]:
        cells = json.loads((directory / "comparison.json").read_text(encoding="utf-8"))["cells"]
        return {(cell["arm"], cell["condition"], cell["split"]): cell["right"] for cell in cells}

    assert right(run.directory) == right(monday)


def test_the_same_answers_in_a_run_that_was_not_judged_are_judged_too(monday, sampled, tmp_path, questions, openbook):
    tuesday = Path(shutil.copytree(sampled / "run", tmp_path / "tuesday"))
    run, err = compared(openbook, monday, tuesday, "--questions", questions)
    assert len(run.records("judgements.jsonl")) == len(Run.of(monday).records("judgements.jsonl"))
    one, other = ({key[0].partition(":")[2:] + key[1:]: word for key, word in by_judge(run, day).items()}
                  for day in ("monday:", "tuesday:"))  # fmt: skip
    assert one == other
    assert len(one) == len(provisional(sampled))
    assert "has not judged" not in err


def test_answers_that_the_judge_never_saw_keep_their_verdicts_and_are_named(monday, questions, tmp_path, openbook):
    rows = [json.loads(line) for line in questions.read_text(encoding="utf-8").splitlines()]
    said = {row["id"]: ["Some answer of another tool."] for row in rows if row["split"] == "unseen"}
    table = write_answers(tmp_path / "big.csv", {"big/none": said})
    run, err = compared(openbook, monday, table, "--questions", questions)
    assert by_judge(run) == by_judge(Run.of(monday))
    (warning,) = [line for line in err.splitlines() if "has not judged" in line]
    total = len(by_judge(run)) + 4
    assert f"judge:judge-x has not judged 4 of the {total} answers that it would be asked about (big 4 of 4)" in warning
    report = run.path("report.md").read_text(encoding="utf-8")
    assert f"judge not finished: it has judged {total - 4} of the {total} answers that it is asked about" in report


def test_people_go_before_the_judge(monday, questions, openbook, tmp_path):
    arm = ARMS[0]
    for verdict, right in (("correct", 1.0), ("wrong", 0.0)):
        label_cell(Run.of(monday), arm, "none", verdict)
        run, _ = compared(openbook, monday, "--questions", questions, "--out", tmp_path / verdict)
        assert any(key[:2] == (arm, "none") for key in by_judge(run))
        cells = json.loads(run.path("comparison.json").read_text(encoding="utf-8"))["cells"]
        found = {cell["accuracy"] for cell in cells if (cell["arm"], cell["condition"], cell["split"])
                 == (arm, "none", "unseen")}  # fmt: skip
        assert found == {right}


def test_two_judges_are_two_measures_and_neither_counts(monday, folder, server, questions, openbook):
    assert grade(openbook, folder, judge(server, model="other"))[0] == 0
    run, err = compared(openbook, monday, folder / "run", "--questions", questions)
    assert not by_judge(run)
    assert not run.path("judgements.jsonl").exists()
    assert "(monday by judge:judge-x, run by judge:other), and so judges do not count here" in err


@pytest.mark.parametrize(("arm", "counts"), [("Judge-X", False), ("judge-x-gguf", False), ("judge-y", True)])
def test_a_judge_whose_own_answers_are_compared_does_not_count(
    monday, questions, tmp_path, openbook, arm, counts
) -> None:
    rows = [json.loads(line) for line in questions.read_text(encoding="utf-8").splitlines()]
    said = {row["id"]: ["Some answer of another tool."] for row in rows if row["split"] == "unseen"}
    table = write_answers(tmp_path / "own.csv", {f"{arm}/none": said})
    run, err = compared(openbook, monday, table, "--questions", questions)
    assert bool(by_judge(run)) == counts
    assert ("no model may judge itself" in " ".join(err.split())) != counts


def test_of_two_scopes_the_narrower_one_holds(monday, folder, server, questions, openbook, judged):
    # The same judge under another address would be another one.
    shutil.copytree(judged, folder / "all")
    manifest = Run.of(folder / "all").manifest()
    grading = {**manifest["grading"], "judge": {**manifest["grading"]["judge"], "scope": "all"}}
    Run.of(folder / "all").amend({"grading": grading})
    run, _ = compared(openbook, folder / "all", monday, "--questions", questions)
    assert run.manifest()["grading"]["judge"]["scope"] == "provisional"
    assert len(by_judge(run)) == 2 * len(by_judge(Run.of(monday)))


def test_under_other_ids_the_judge_still_counts_and_under_another_reference_not(monday, questions, tmp_path, openbook):
    rows = [json.loads(line) for line in questions.read_text(encoding="utf-8").splitlines()]
    renamed = [{**row, "id": f"n-{row['id']}", "evidence": []} for row in rows]
    run, _ = compared(openbook, monday, "--questions", write_questions(tmp_path, renamed), "--out", tmp_path / "x")
    before = by_judge(Run.of(monday))
    assert by_judge(run) == {(arm, name, f"n-{id}", number): word for (arm, name, id, number), word in before.items()}
    assert {record["question"][:2] for record in run.records("judgements.jsonl")} == {"n-"}

    changed = [{**row, "answer": f"{row['answer']} Surely."} if row["id"] == "lamp2" else row for row in rows]
    run, err = compared(openbook, monday, "--questions", write_questions(tmp_path, changed), "--out", tmp_path / "y")
    assert by_judge(run) == {key: word for key, word in before.items() if key[2] != "lamp2"}
    assert "has not judged" in err


def test_when_no_input_is_judged_any_more_an_earlier_judge_leaves_nothing(monday, questions, openbook, tmp_path):
    out = tmp_path / "out"
    run, _ = compared(openbook, monday, "--questions", questions, "--out", out)
    assert by_judge(run)
    settings = ("--out", monday, "--set", "grading.judge=null")
    assert openbook("grade", monday.parent / "recipe.py", *settings)[0] == 0
    run, _ = compared(openbook, monday, "--questions", questions, "--out", out)
    assert not by_judge(run)
    assert run.records("judgements.jsonl") == []
    assert run.manifest()["judging"] is None


def test_labelling_a_comparison_leaves_the_judge_in_place(monday, questions, openbook, tmp_path):
    run, _ = compared(openbook, monday, "--questions", questions, "--out", tmp_path / "out")
    before, sheet = by_judge(run), tmp_path / "sheet.csv"
    assert openbook("label", run.directory, "--export", sheet, "--as", "kim", "--answers", "4")[0] == 0
    rows = list(csv.DictReader(io.StringIO(sheet.read_text(encoding="utf-8-sig"))))
    filled = io.StringIO(newline="")
    writer = csv.DictWriter(filled, list(rows[0]))
    writer.writeheader()
    writer.writerows({**row, "verdict": "wrong"} for row in rows)
    sheet.write_text(filled.getvalue(), encoding="utf-8")
    assert openbook("label", run.directory, "--import", sheet, "--as", "kim")[0] == 0
    assert len(run.records("labels.jsonl")) == 4
    assert by_judge(run) == before
    assert openbook("verify", run.directory)[0] == 0
