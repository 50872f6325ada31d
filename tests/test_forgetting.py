"""General questions (`data.general`): asked of every arm without context, and nothing else about a run changes."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from train.assess import comparison_text
from train.cli import main
from train.dataset import load_dataset
from train.errors import InputProblems
from train.findings import load_findings
from train.labelling.items import graded_right
from train.loading import load_recipe
from train.prepare import Prepared, prepare
from train.records import GENERAL, Question
from train.sealing import numbered_records, seal
from train.store import Run

ROWS: list[dict[str, Any]] = [
    {"id": f"g{n}", "question": f"Which letter is number {n}?", "answer": f"It is {letter}.", "facts": [f"/{letter}/"]}
    for n, letter in enumerate("etaoinsh", start=1)
]
"""A random model hits some of them by chance."""


def write_general(project: Path, rows: list[dict[str, Any]] = ROWS) -> str:
    """The file of general questions, as a setting."""
    path = project / "general.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return f"data.general={path}"


def prepared(project: Path, *settings: str) -> Prepared:
    return prepare(load_recipe(str(project / "recipe.py"), settings))


def general_of(questions: Any) -> list[Question]:
    return [question for question in questions if question.split == GENERAL]


# What is read


def test_general_questions_are_bare_of_what_belongs_to_training_and_passages(project):
    row = {
        **ROWS[0], "split": "train", "evidence": ["nowhere"], "context": "E is first.", "paraphrases": ["Letter one?"],
        "counterfactual": {"text": "It is Q.", "facts": ["Q"]},
    }  # fmt: skip
    setting = write_general(project, [row])
    plain = load_dataset(load_recipe(str(project / "recipe.py")))
    dataset = load_dataset(load_recipe(str(project / "recipe.py"), [setting]))
    (question,) = general_of(dataset.questions)
    assert (question.evidence, question.paraphrases, question.counterfactual) == ((), (), None)
    assert dataset.questions[:-1] == plain.questions
    assert dataset.passages == dataset.shown == plain.passages
    assert dataset.general == {"g1"}
    assert plain.general == frozenset()


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({**ROWS[0], "id": "lamp0"}, "general question 'lamp0': data.questions has a question of that id too"),
        (
            {"id": "x", "question": "Who?", "answer": "", "split": "unanswerable"},
            "general question 'x': is unanswerable",
        ),
        ({"id": "x", "question": "Who?", "answer": "Kim.", "facts": ["Lee"]}, "column 'facts'"),
    ],
    ids=["an id that is taken", "no answer", "a rubric that its answer fails"],
)
def test_a_general_question_that_could_not_be_graded_stops_everything(project, row, problem):
    setting = write_general(project, [row])
    with pytest.raises(InputProblems) as caught:
        load_dataset(load_recipe(str(project / "recipe.py"), [setting]))
    assert problem in str(caught.value)
    assert "general.jsonl" in str(caught.value)


def test_a_smoke_run_takes_the_first_general_questions_too(project):
    dataset = load_dataset(load_recipe(str(project / "recipe.py"), [write_general(project), "data.limit=3"]))
    assert [question.id for question in general_of(dataset.questions)] == ["g1", "g2", "g3"]


# What is asked


@pytest.mark.parametrize(
    "settings",
    [
        (),
        ("conditions=gold,gold+2",),
        ("cells=as-trained", "comparison.contrasts=[]"),
        ("ask=unseen",),
        ("training_seeds=0,1", "sampling.samples=3"),
    ],
    ids=["as it is", "without the condition none", "as trained", "one split", "several seeds"],
)
def test_every_arm_is_asked_every_general_question_without_context_and_all_else_stays(project, settings):
    if "conditions=gold,gold+2" in settings:
        settings = (*settings, "comparison.context=gold")
    plain, beside = prepared(project, *settings), prepared(project, *settings, write_general(project))
    digests = {(job.arm, job.seed): job.name for job in plain.jobs}
    before, after = plain.wanted(digests), beside.wanted(digests)
    assert {each: after[each] for each in before} == before, "no stored answer is asked for again"
    assert [job.fingerprint for job in beside.jobs] == [job.fingerprint for job in plain.jobs]
    added = [each for each in after if each not in before]
    assert {each.condition for each in added} == {"none"}
    recipe = beside.recipe
    asked = Counter((each.arm, each.seed) for each in added)
    wanted = len(ROWS) * recipe.sampling.samples
    assert asked == {(arm, seed): wanted for arm in recipe.arms for seed in recipe.seeds_of(arm)}
    assert beside.answers == len(after)
    names = {row["id"] for row in ROWS}
    assert {each.question for each in added} == names
    assert [context for context in beside.contexts if context.question not in names] == list(plain.contexts)
    assert not any(context.passages for context in beside.contexts if context.question in names)


def test_a_general_question_in_nearly_the_words_of_training_is_reported(project, openbook):
    trained = {**ROWS[0], "question": "What is the  lamp of pier 0"}
    setting = write_general(project, [trained, *ROWS[1:]])
    code, out, _ = openbook("check", project / "recipe.py", "--set", setting)
    assert "1 general question(s) are near-identical to a training wording" in out
    assert code == 0


def test_check_counts_what_general_questions_add(project, openbook):
    setting = write_general(project)
    _, plain, _ = openbook("check", project / "recipe.py")
    _, out, _ = openbook("check", project / "recipe.py", "--set", setting)
    number = {name: int(text.split("answers    ")[1].split()[0]) for name, text in (("without", plain), ("with", out))}
    assert number["with"] == number["without"] + 3 * 2 * len(ROWS)
    assert f"{len(ROWS)} general" in out
    assert "prompts    general" in out
    assert "general" not in plain
    assert f"({number['with']:,} answers)" in out, "in the estimate, too"
    _, _, err = openbook("run", project / "recipe.py", "--set", setting, "--dry-run")
    assert f"and {len(ROWS)} general questions to every arm" in err + out + _


# A run


@pytest.fixture(scope="module")
def ran(finished_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The finished tiny run, to which general questions were added; not to be changed."""
    project = Path(shutil.copytree(finished_run.parent, tmp_path_factory.mktemp("general") / "project"))
    run = project / finished_run.name
    setting = write_general(project)
    # A run of the time before the field: its manifest does not know it.
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    del manifest["recipe"]["data"]["general"]
    (run / "manifest.json").write_text(json.dumps(seal(manifest)), encoding="utf-8")
    assert main(["report", str(project / "recipe.py"), "--out", str(run)]) == 0
    assert main(["run", str(project / "recipe.py"), "--out", str(run), "--set", setting]) == 0
    return run


def lines(run: Path, name: str) -> list[dict[str, Any]]:
    return [record for _, record in numbered_records(run / name)]


def comparison(run: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((run / "comparison.json").read_text(encoding="utf-8"))
    return content


def test_a_finished_run_is_asked_the_general_questions_alone(ran, finished_run):
    old, new = lines(finished_run, "answers.jsonl"), lines(ran, "answers.jsonl")
    names = {row["id"] for row in ROWS}
    assert [each for each in new if each["question"] not in names] == old, "seconds and all"
    assert len(new) == len(old) + 3 * 2 * len(ROWS)
    assert lines(ran, "training.jsonl") == lines(finished_run, "training.jsonl")
    for adapter in (finished_run / "adapters").rglob("adapter_model.safetensors"):
        assert (ran / adapter.relative_to(finished_run)).read_bytes() == adapter.read_bytes()


def test_no_figure_of_what_is_tested_changes(ran, finished_run):
    old, new = comparison(finished_run), comparison(ran)
    assert old.pop("forgetting") is None
    rows = new.pop("forgetting")
    cells = new.pop("cells")
    assert [cell for cell in cells if cell["split"] != GENERAL] == old.pop("cells")
    assert new == old
    aside = [cell for cell in cells if cell["split"] == GENERAL]
    assert {(cell["arm"], cell["condition"], cell["questions"]) for cell in aside} == {
        (arm, "none", len(ROWS)) for arm in ("base", "closed-book", "open-book")
    }
    accuracy = {cell["arm"]: cell["accuracy"] for cell in aside}
    assert [(row["arm"], row["base"], row["tuned"]) for row in rows] == [
        (arm, accuracy["base"], accuracy[arm]) for arm in ("closed-book", "open-book")
    ]
    assert any(accuracy.values()), "something was hit, so that there is something to compare"


def test_the_leakage_audit_counts_the_same_answers(ran, finished_run):
    old, new = (load_findings(Run.of(run)) for run in (finished_run, ran))
    assert new.audit["answers"] == old.audit["answers"]


def test_people_are_not_asked_to_label_them(ran, finished_run):
    old, new = (graded_right(load_findings(Run.of(run))) for run in (finished_run, ran))
    assert new == old


def test_the_run_verifies_and_a_changed_figure_is_found(ran, tmp_path, openbook):
    assert openbook("verify", ran)[0] == 0
    changed = Path(shutil.copytree(ran, tmp_path / "changed"))
    content = comparison(changed)
    content["forgetting"][1]["difference"] = -0.5
    (changed / "comparison.json").write_text(comparison_text(content), encoding="utf-8")
    code, out, err = openbook("verify", changed)
    assert code == 1
    assert "comparison.json.forgetting[1].difference: -0.5 is stored" in out + err


def test_without_the_field_the_run_goes_back_to_what_it_was(ran, finished_run, tmp_path, openbook):
    project = Path(shutil.copytree(ran.parent, tmp_path / "project"))
    code, _, err = openbook("run", project / "recipe.py", "--out", project / ran.name)
    assert code == 0, err
    assert lines(project / ran.name, "answers.jsonl") == lines(finished_run, "answers.jsonl")
    assert comparison(project / ran.name) == comparison(finished_run)
    assert "What tuning forgot" not in (project / ran.name / "report.md").read_text(encoding="utf-8")


def test_grading_again_needs_the_general_questions_that_were_asked(ran, tmp_path, openbook):
    project = Path(shutil.copytree(ran.parent, tmp_path / "project"))
    code, _, err = openbook("grade", project / "recipe.py", "--out", project / ran.name)
    assert code == 2
    assert "the questions or passages changed" in err
    setting = f"data.general={project / 'general.jsonl'}"
    assert openbook("grade", project / "recipe.py", "--out", project / ran.name, "--set", setting)[0] == 0


@pytest.mark.parametrize("questions", ["questions.jsonl", "run"], ids=["a file without them", "the run's own"])
def test_compare_takes_such_a_run(ran, tmp_path, openbook, questions):
    out = tmp_path / "compared"
    code, _, err = openbook("compare", ran, "--questions", ran.parent / questions, "--out", out)
    assert code == 0, err
    compared = comparison(out)
    assert compared["forgetting"] is None, "how the arms were made is not known there"
    assert {cell["split"] for cell in compared["cells"]} >= {"seen", "unseen"}
    assert any(cell["split"] == GENERAL for cell in compared["cells"]) == (questions == "run")
    assert openbook("verify", out)[0] == 0
