"""Several inputs in one report: runs with their labels, tables and logs, in any order."""

from __future__ import annotations

import json
import shutil
from itertools import permutations
from pathlib import Path

import pytest

from tests.foreign.material import (
    comparison_at,
    contrasts,
    inspect_samples,
    right,
    said,
    write_answers,
    write_harness,
    write_inspect,
    write_questions,
)
from train.records import AnswerId
from train.serialising import to_json
from train.store import Run


def test_tables_and_logs_stand_side_by_side_and_their_order_changes_nothing_else(tmp_path, openbook):
    questions = write_questions(tmp_path)
    inputs = [
        write_answers(tmp_path / "a.csv", {"mine/none": said(8), "mine/gold": said(3)}),
        write_harness(tmp_path, said(5)),
        write_inspect(tmp_path / "log.eval", inspect_samples(said(6))),
    ]
    results = []
    for order in permutations(inputs):
        code, out, _ = openbook("compare", *order, "--questions", questions)
        assert code == 0
        results.append((comparison_at(out), Path(out.splitlines()[-1]).parent))
        assert openbook("verify", results[-1][1])[0] == 0
    first = results[0][0]
    assert right(first) == {
        "mine/none": (16, 16),
        "mine/gold": (16, 6),
        "org/small/none": (16, 10),
        "ollama/small/none": (16, 12),
    }
    assert len(contrasts(first)) == 4
    for other, folder in results:
        for one in (other, first):
            one["cells"].sort(key=lambda cell: (cell["arm"], cell["condition"], cell["split"]))
        assert other["cells"] == first["cells"]
        assert contrasts(other) == contrasts(first)
        assert folder == results[0][1]


def test_each_input_says_what_it_was_taken_for(tmp_path, openbook):
    inputs = [
        write_answers(tmp_path / "a.csv", {"mine/none": said(8)}),
        write_harness(tmp_path, said(5)),
        write_inspect(tmp_path / "log.json", inspect_samples(said(6), ids=False)),
    ]
    _, _, err = openbook("compare", *inputs, "--questions", write_questions(tmp_path))
    for path, says in zip(
        inputs,
        (
            "a table of answers; 16 answers to 8 questions in mine/none",
            "a log of lm-evaluation-harness, questions found by text; 16 answers to 8 questions in org/small/none",
            "a log of inspect_ai, questions found by text; 16 answers to 8 questions in ollama/small/none",
        ),
        strict=True,
    ):
        assert f"{path}: {says}" in err


def test_logs_of_one_model_are_told_apart_by_their_files(tmp_path, openbook):
    for day in ("monday", "tuesday"):
        (tmp_path / day).mkdir()
    paths = [
        write_inspect(tmp_path / "monday" / "log.json", inspect_samples(said(8))),
        write_inspect(tmp_path / "tuesday" / "log.json", inspect_samples(said(4))),
        write_answers(tmp_path / "a.csv", {"ollama/small/gold": said(2)}),
    ]
    _, out, _ = openbook("compare", *paths, "--questions", write_questions(tmp_path))
    assert right(comparison_at(out)) == {
        "monday/log:ollama/small/none": (16, 16),
        "tuesday/log:ollama/small/none": (16, 8),
        "ollama/small/gold": (16, 4),
    }


def test_files_that_name_their_arms_are_put_together(tmp_path, openbook):
    paths = [
        write_answers(tmp_path / "one.csv", {"mine/none": said(8)}),
        write_answers(tmp_path / "two.jsonl", {"mine/gold": said(4)}),
        write_inspect(tmp_path / "log.json", inspect_samples(said(2))),
    ]
    _, out, _ = openbook("compare", *paths, "--questions", write_questions(tmp_path), "--name", "log.json=mine/gold+1")
    assert right(comparison_at(out)) == {"mine/none": (16, 16), "mine/gold": (16, 8), "mine/gold+1": (16, 4)}


def test_questions_that_some_inputs_lack_are_warned_of(tmp_path, openbook):
    few = {question: texts for question, texts in said(8).items() if question < "lamp5"}
    paths = [
        write_answers(tmp_path / "all.csv", {"all/none": said(8, samples=1)}),
        write_answers(tmp_path / "few.csv", {"few/none": few}),
    ]
    code, _, err = openbook("compare", *paths, "--questions", write_questions(tmp_path))
    assert code == 0
    assert "few.csv: arm 'few', condition 'none': 6 of 16 answers are missing (none for 3 question(s): lamp5" in err
    assert "all.csv: arm" not in err


# Runs


def label(run: Run, arm: str, question: str, word: str, who: str) -> dict[str, object]:
    answer = next(r for r in run.records("answers.jsonl") if (r["arm"], r["question"]) == (arm, question))
    identifier = AnswerId(**{key: answer[key] for key in ("arm", "seed", "condition", "question", "sample")})
    return {
        "answer": to_json(identifier), "verdict": word, "who": who, "when": "2026-01-01", "why": "",
        "key": answer["key"], "probability": None,
    }  # fmt: skip


@pytest.fixture
def two_runs(finished_run: Path, tmp_path: Path) -> list[Path]:
    """The finished run, and the same with people's labels."""
    runs = [tmp_path / "monday", tmp_path / "tuesday"]
    for path in runs:
        shutil.copytree(finished_run, path)
    run = Run.of(runs[1])
    run.write_records("labels.jsonl", [label(run, "open-book", "lamp2", "correct", "Kim")])
    return runs


def test_two_runs_in_one_report_have_their_cells_labels_contexts_and_splits(two_runs, finished_run, openbook):
    questions = finished_run.parent / "questions.jsonl"
    code, out, err = openbook("compare", *two_runs, "--questions", questions)
    assert code == 0
    result = comparison_at(out)
    folder = Path(out.splitlines()[-1]).parent
    assert openbook("verify", folder)[0] == 0
    own = json.loads((finished_run / "comparison.json").read_text(encoding="utf-8"))
    counted = ("questions", "answers", "distinct", "expects")

    def cells(comparison, prefix=""):
        return {
            (prefix + cell["arm"], cell["condition"], cell["split"]): [cell[key] for key in counted]
            for cell in comparison["cells"]
        }

    assert cells(result) == cells(own, "monday:") | cells(own, "tuesday:")
    for cell in result["cells"]:
        arm, _, plain = cell["arm"].partition(":")
        twin = next(
            each for each in own["cells"]
            if (each["arm"], each["condition"], each["split"]) == (plain, cell["condition"], cell["split"])
        )  # fmt: skip
        if not cell["labelled"]:
            assert cell["right"] == twin["right"], arm
    people = [cell for cell in result["cells"] if cell["labelled"]]
    assert {cell["arm"] for cell in people} == {"tuesday:open-book"}
    kept = Run.of(folder)
    assert [record["passages"] for record in kept.records("contexts.jsonl")].count([]) == sum(
        record["passages"] == [] for record in Run.of(finished_run).records("contexts.jsonl")
    )
    assert all(record["prompt"] for record in kept.records("contexts.jsonl"))
    assert len(kept.records("labels.jsonl")) == 1
    assert json.loads((folder / "manifest.json").read_text())["grading"]["abstention"] == "The documents do not say."
    assert "monday: a run of openbook, recipe 'tiny'; 312 answers" in err


def test_the_questions_can_be_a_run_s(two_runs, openbook):
    code, out, _ = openbook("compare", two_runs[0], "--questions", two_runs[1])
    assert code == 0
    assert {cell["arm"] for cell in comparison_at(out)["cells"]} == {"base", "closed-book", "open-book"}


def test_a_run_beside_answers_of_another_tool(two_runs, finished_run, tmp_path, openbook):
    rows = [json.loads(line) for line in (finished_run.parent / "questions.jsonl").read_text().splitlines()]
    answers = {row["id"]: [row["answer"] or "no idea"] * 2 for row in rows if row["split"] in ("seen", "unseen")}
    table = write_answers(tmp_path / "big.csv", {"big/none": answers, "base/gold": answers})
    _, out, err = openbook("compare", two_runs[0], table, "--questions", finished_run.parent / "questions.jsonl")
    found = right(comparison_at(out))
    assert {name for name in found if "base" in name} == {
        "base/gold", *(f"monday:base/{name}" for name in ("none", "gold", "gold+2", "distractors@2"))
    }  # fmt: skip
    assert found["big/none"] == (24, 24)
    assert "condition gold: for 12 question(s) the inputs do not all say" in err
    assert openbook("verify", Path(out.splitlines()[-1]).parent)[0] == 0


@pytest.mark.parametrize("given", ["v1", "kanana/v1"])
def test_a_name_for_a_run_stands_before_its_arms(given, two_runs, finished_run, openbook):
    _, out, _ = openbook(
        "compare",
        two_runs[0],
        "--questions",
        finished_run.parent / "questions.jsonl",
        "--name",
        f"{two_runs[0]}={given}",
    )
    assert {cell["arm"] for cell in comparison_at(out)["cells"]} == {
        f"{given}:{arm}" for arm in ("base", "closed-book", "open-book")
    }


def test_runs_under_other_ids_are_found_by_their_texts(two_runs, finished_run, tmp_path, openbook):
    rows = [json.loads(line) for line in (finished_run.parent / "questions.jsonl").read_text().splitlines()]
    renamed = [{**row, "id": f"n-{row['id']}", "evidence": []} for row in rows]
    _, out, _ = openbook("compare", *two_runs, "--questions", write_questions(tmp_path, renamed))
    result = comparison_at(out)
    assert {row["question"][:2] for cell in result["cells"] for row in cell["per_question"]} == {"n-"}
    kept = Run.of(Path(out.splitlines()[-1]).parent).records("labels.jsonl")
    assert [record["answer"]["question"] for record in kept] == ["n-lamp2"]


def test_of_one_person_s_labels_of_an_answer_the_latest_stands_wherever_it_was_given(two_runs, finished_run, openbook):
    given = ("compare", two_runs[1], "--questions", finished_run.parent / "questions.jsonl")
    _, out, _ = openbook(*given)
    compared = Run.of(Path(out.splitlines()[-1]).parent)
    (arm,) = {record["answer"]["arm"] for record in compared.records("labels.jsonl")}
    earlier = {**label(compared, arm, "lamp2", "wrong", "Kim"), "when": "2025-12-31"}
    compared.append_records("labels.jsonl", [earlier])
    assert openbook(*given)[0] == 0
    assert [record["verdict"] for record in compared.records("labels.jsonl")] == ["wrong", "correct"]
    assert [record["verdict"] for record in compared.records("verdicts.jsonl") if record["grader"] == "person:Kim"] == [
        "correct"
    ]
