"""Questions from directories that the `datasets` library wrote or reads, and how a recipe names them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from train.data import load_questions
from train.errors import InputProblems, UserError
from train.grading import check_rubric
from train.loading import load_recipe
from train.recipe import Data

ROWS = [
    {"id": "a", "question": "개관 시각은?", "answer": "아홉 시입니다.", "facts": ["아홉 시"], "split": "unseen"},
    {"id": "b", "question": "휴관일은?", "answer": "월요일입니다.", "facts": ["월요일"], "split": "unseen"},
]


def saved(directory: Path, splits: dict[str, list[dict[str, object]]]) -> Path:
    """What `save_to_disk` writes: of one split without a name, or of several."""
    import datasets

    made = {name: datasets.Dataset.from_list(rows) for name, rows in splits.items()}
    (made[""] if "" in made else datasets.DatasetDict(made)).save_to_disk(directory)
    return directory


def ids(source: str | Path) -> list[str]:
    return [question.id for question in load_questions(source, check_rubric=check_rubric).questions]


@pytest.mark.parametrize("name", ["d/q.jsonl", "d/q.parquet", "d/q.csv", "d/data/train-00000-of-00001.parquet"])
def test_a_directory_gives_the_questions_that_its_file_gives(write, tmp_path, name):
    file = write(name, ROWS)
    read = load_questions(tmp_path / "d", check_rubric=check_rubric)
    assert read == load_questions(file, check_rubric=check_rubric)


def test_a_directory_of_several_files_is_one_table_in_their_order(write, tmp_path):
    write("d/1.jsonl", ROWS[1:])
    write("d/0.jsonl", ROWS[:1])
    write("d/README.md", "# Opening hours\n")
    assert ids(str(tmp_path / "d")) == ["a", "b"]


def test_rubrics_with_alternatives_and_objects_survive_a_directory(write, tmp_path):
    row = {**ROWS[0], "facts": ["아홉", ["시", "9시"]], "counterfactual": {"text": "열 시다.", "facts": ["열", ["시"]]}}
    file = write("d/q.jsonl", [row, {**ROWS[1], "facts": None}])
    assert load_questions(tmp_path / "d") == load_questions(file)


def test_a_csv_file_in_a_directory_is_read_as_texts(write, tmp_path):
    write("d/q.csv", "id,question,answer,topic,facts\n007,Salt is?,NA,3,\n008,How many?,5,4,5\n")
    read = load_questions(tmp_path / "d").questions
    assert [(q.id, q.answer, q.topic, q.facts) for q in read] == [("007", "NA", "3", ()), ("008", "5", "4", ("5",))]


def test_what_save_to_disk_wrote_is_read(tmp_path):
    assert ids(saved(tmp_path / "one", {"": ROWS})) == ["a", "b"]
    assert ids(saved(tmp_path / "dict", {"test": ROWS})) == ["a", "b"]


def test_one_of_several_splits_is_named_behind_the_directory(write, tmp_path):
    folder = saved(tmp_path / "dict", {"train": ROWS[:1], "test": ROWS[1:]})
    for row, split in zip(ROWS, ("train", "test"), strict=True):
        write(f"files/{split}.jsonl", [row])
    for place in (folder, tmp_path / "files"):
        assert ids(f"{place}#test") == ids(Path(f"{place}#test")) == ["b"]
        with pytest.raises(UserError) as caught:
            ids(place)
        assert str(caught.value) == f"{place}: holds the splits train, test; choose one, such as {place}#train"
        with pytest.raises(UserError) as caught:
            ids(f"{place}#tset")
        assert str(caught.value) == f"{place}#tset: there is no split 'tset'; did you mean 'test'?"


def test_a_number_sign_may_be_part_of_a_name(write, tmp_path):
    file = write("d#1/q#2.jsonl", ROWS)
    write("d/1.jsonl", ROWS[:1])
    write("d#1/q/2.jsonl", ROWS[:1])
    (tmp_path / "d#1/q/2.jsonl").unlink()  # its folder is left
    assert ids(file) == ids(tmp_path / "d#1") == ["a", "b"]


def test_files_that_changed_are_read_anew(write, tmp_path):
    """Even where neither their size nor their time tells."""
    file = write("d/q.jsonl", ROWS)
    os.utime(file, (1e9, 1e9))
    assert ids(tmp_path / "d") == ["a", "b"]
    write("d/q.jsonl", [ROWS[1], ROWS[0]])
    os.utime(file, (1e9, 1e9))
    assert ids(tmp_path / "d") == ["b", "a"]


def test_a_relative_directory_may_be_called_as_a_reader_of_the_library(write, tmp_path, monkeypatch):
    write("json/q.jsonl", ROWS)
    write("other.jsonl", [{**ROWS[0], "id": "other"}])
    monkeypatch.chdir(tmp_path)
    assert ids("json") == ["a", "b"]


def test_problems_name_the_row_of_the_split(write, tmp_path):
    write("d/q.jsonl", [ROWS[0], {**ROWS[1], "answer": ""}])
    with pytest.raises(InputProblems) as caught:
        load_questions(tmp_path / "d")
    assert str(caught.value) == (
        f"{tmp_path / 'd'}:row 2, column 'answer': is empty; write the text, or remove the row"
    )


FOLDERS = [
    ({}, "is a directory without Parquet, JSON Lines, CSV or Arrow files; name the file in it"),
    ({"notes.md": "# Notes"}, "is a directory without Parquet, JSON Lines, CSV or Arrow files; name the file in it"),
    ({"a.parquet": "PAR1"}, "cannot be read by the datasets library (Parquet"),
    ({"a.jsonl": '{"id": 1}\n{"x\n'}, "cannot be read by the datasets library (JSON parse error"),
    ({"a.jsonl": '{"id": 1}\n', "b.jsonl": '{"x": [1]}\n'}, "that have the same columns"),
    ({"state.json": "{}", "dataset_info.json": "{}"}, "cannot be read by the datasets library ("),
]


@pytest.mark.parametrize(("files", "message"), FOLDERS)
def test_directories_that_cannot_be_read(write, tmp_path, capfd, caplog, files, message):
    folder = tmp_path / "q.csv"  # whatever it is called, it is a directory
    folder.mkdir()
    for name, content in files.items():
        write(f"q.csv/{name}", content)
    with pytest.raises(UserError) as caught:
        load_questions(folder)
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"{folder}: ")
    assert "\n" not in str(caught.value)
    assert (*capfd.readouterr(), *caplog.messages) == ("", ""), "it is said once, by us"


def test_code_beside_the_data_is_never_run(write, tmp_path):
    """Neither where the library would once have run it, nor under any other name."""
    write("d/q.jsonl", ROWS)
    write("d/other.py", f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    assert ids(tmp_path / "d") == ["a", "b"]
    write("d/d.py", f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    with pytest.raises(UserError, match=r"scripts are no longer supported, but found d\.py"):
        ids(tmp_path / "d")
    assert not (tmp_path / "ran").exists()


def test_reading_a_directory_leaves_no_file_behind(write, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path / "scratch"))
    monkeypatch.setattr("tempfile.tempdir", None)
    (tmp_path / "scratch").mkdir()
    write("d/q.csv", ROWS)
    ids(tmp_path / "d")
    assert [path.name for path in (tmp_path / "scratch").iterdir()] == []
    assert [path.name for path in (tmp_path / "d").iterdir()] == ["q.csv"]


HUB = "hub:org/questions-2.ko@refs/pr/1#test"


def test_a_recipe_holds_a_path_or_the_name_of_a_data_set():
    assert Data(questions="q.csv").questions == Path("q.csv")
    assert Data(questions="saved/questions#test").questions == Path("saved/questions#test")
    for name in ("hub:org/name", "hub:org/name#test", "hub:org/name@v1", HUB):
        assert Data(questions=name).questions == Data(questions=Path(name)).questions == name


@pytest.mark.parametrize(
    "name", ["hub:", "hub:name", "hub:org/name/en", "hub:org/name@", "hub:org/name#", "hub:조직/가"]
)
def test_a_misspelt_name_is_refused_when_the_recipe_is_made_or_read(name):
    with pytest.raises(ValueError, match=r"should be hub:ORG/NAME, then @REVISION and #SPLIT"):
        Data(questions=name)
    with pytest.raises(UserError, match=r"should be hub:ORG/NAME, then @REVISION and #SPLIT"):
        load_questions(name)


RECIPE = """
from train.recipe import *
RECIPE = Recipe(name="r", base=Base("m"), data=Data(questions="q.csv"), arms={"base": Untuned()})
"""


def test_settings_and_json_take_names_and_columns(write):
    path = str(write("recipe.py", RECIPE))
    setting = 'data.columns={"question":"input", "answer":"output"}'
    recipe = load_recipe(path, [f"data.questions={HUB}", setting])
    assert recipe.data.questions == HUB
    assert dict(recipe.data.columns) == {"question": "input", "answer": "output"}
    stored = json.loads(json.dumps(recipe.to_json()))["data"]
    assert (stored["questions"], stored["columns"]) == (HUB, {"question": "input", "answer": "output"})
    assert Data(questions=stored["questions"], columns=stored["columns"]) == Data(
        questions=recipe.data.questions, columns=recipe.data.columns
    )
    assert Data(questions="q.csv").columns == {}
    for value in ("question", "[1]", '{"question": 1}', "null"):
        with pytest.raises(UserError, match=r"^--set data\.columns="):
            load_recipe(path, [f"data.columns={value}"])


def test_columns_of_a_recipe_cannot_be_changed_in_place():
    with pytest.raises(TypeError):
        Data(questions="q.csv", columns={"question": "input"}).columns["answer"] = "output"  # type: ignore[index]
    with pytest.raises(TypeError):
        Data(questions="q.csv").columns["answer"] = "output"  # type: ignore[index]
