"""The module that is written: clean, commented, ready to run, with prompts in the language of the questions."""

from __future__ import annotations

import ast
import unicodedata
from pathlib import Path

import pytest

from tests.conftest import tiny_rows, write_corpus
from tests.scaffold.material import (
    DATA,
    assert_clean,
    given,
    init,
    korean_rows,
    names,
    without,
    write_questions,
)
from train.grading.abstention import abstains
from train.grading.normalise import normalise
from train.loading import load_recipe, summary
from train.prepare import prepare
from train.recipe import Tuned
from train.scaffold import write_recipe
from train.scaffold.choices import training_size


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
@pytest.mark.parametrize("data", DATA)
def test_a_written_recipe_is_clean_and_ready_to_run(folder, tiny_model, data, suffix):
    path, said = write_recipe(*given(folder, data, suffix), str(tiny_model), four_bit=True)
    assert_clean(path)
    recipe = load_recipe(str(path))
    prepared = prepare(recipe)
    assert prepared.audit["leaks"] == []
    assert {job.arm for job in prepared.jobs} == {arm for arm, kind in recipe.arms.items() if isinstance(kind, Tuned)}
    assert all(job.rows for job in prepared.jobs)
    assert {context.condition for context in prepared.contexts} == set(names(recipe))
    assert sum("rows" in line for line in said) == 1


def test_every_field_that_is_written_has_a_comment_above_it(folder):
    path, _ = write_recipe(*given(folder, "english, no split"), "org/model", four_bit=True)
    text = path.read_text(encoding="utf-8")
    groups = {"Recipe", "Data", "PromptTemplate", "Optimization", "Sampling", "Comparison"}
    calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call) and called(node) in groups]
    assert {called(call) for call in calls} == groups
    fields = [field for call in calls for field in call.keywords if called(field.value) not in groups]
    arms = next(field.value for field in fields if field.arg == "arms")
    assert isinstance(arms, ast.Dict) and len(arms.keys) == 4
    commented = [field.lineno for field in fields if field.arg != "arms"] + [key.lineno for key in arms.keys if key]
    lines = text.splitlines()
    assert [lines[number - 1] for number in commented if not lines[number - 2].lstrip().startswith("# ")] == []


def called(node: ast.AST) -> str:
    """The name that is called, or nothing."""
    return node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""


def test_the_module_says_what_it_is_and_how_to_start_it(folder):
    path, _ = write_recipe(*given(folder, "english"), "org/model-135m")
    assert summary(path) == "model-135m on ferry.jsonl."
    assert path.read_text(encoding="utf-8").splitlines()[0].endswith("   openbook run ferry_recipe.py")


def test_the_same_files_give_the_same_module(folder):
    questions, documents = given(folder, "english")
    one, _ = write_recipe(questions, documents, "org/model", name="ferry", out=Path("one/recipe.py"))
    other, _ = write_recipe(questions, documents, "org/model", name="ferry", out=Path("other/recipe.py"))
    assert one.read_bytes() == other.read_bytes()


# Language


@pytest.mark.parametrize(
    ("question", "korean"),
    [
        ("What is the lamp of pier 7?", False),
        ("7번 부두의 등은 무슨 색입니까?", True),
        ("precision 분모에 뭐가 들어가?", True),
        ("What does the word 나래 mean in the name of the ferry?", False),
        ("¿Cuánto cuesta?", False),
        ("7?", False),
    ],
)
def test_prompts_are_in_the_language_of_the_questions(folder, question, korean):
    rows = [{"id": "t", "question": "0", "answer": "0", "split": "train"}]
    rows.append({"id": "u", "question": question, "answer": "7", "split": "unseen"})
    path, said = write_recipe(write_questions(folder / "q.jsonl", rows), None, "org/model")
    prompt = load_recipe(str(path)).prompt
    texts = (prompt.system, prompt.with_context, prompt.without_context, prompt.abstention)
    assert {any("가" <= letter <= "힣" for letter in text) for text in texts} == {korean}
    assert any(line.startswith("prompts") and ("Korean" in line) == korean for line in said)


def test_hangul_that_is_stored_in_parts_is_korean_too(folder):
    rows = [{**row, "question": unicodedata.normalize("NFD", row["question"])} for row in korean_rows()]
    path, _ = write_recipe(write_questions(folder / "q.jsonl", without(rows, "evidence")), None, "org/model")
    assert "질문" in load_recipe(str(path)).prompt.without_context


@pytest.mark.parametrize("data", ["english", "korean"])
def test_the_sentence_to_abstain_with_is_told_to_the_model_and_graded_as_one(folder, data):
    prompt = init(folder, data).prompt
    assert prompt.abstention in prompt.system
    assert abstains(normalise(prompt.abstention)), "even by a grader that does not know it"


@pytest.mark.parametrize(
    ("answers", "abstention"),
    [
        (["The log is silent.", "The log is silent."], "The log is silent."),
        (["The log is silent.", ""], "The log is silent."),
        (['It says "nothing".', 'It says "nothing".'], 'It says "nothing".'),
        (["The log is silent.", "Nobody knows."], "The documents do not say."),
        (["", ""], "The documents do not say."),
        (["This is not said. " * 20, ""], "The documents do not say."),
    ],
)
def test_the_answer_that_all_unanswerable_questions_share_is_the_sentence_to_abstain_with(folder, answers, abstention):
    rows = tiny_rows()[:-1]
    for n, answer in enumerate(answers):
        rows.append({"id": f"n{n}", "question": f"Who keeps {n}?", "answer": answer, "split": "unanswerable"})
    write_corpus(folder / "docs")
    path, _ = write_recipe(write_questions(folder / "q.jsonl", rows), folder / "docs", "org/model")
    assert_clean(path)
    assert load_recipe(str(path)).prompt.abstention == abstention


def test_the_more_rows_the_fewer_epochs_and_the_more_weights():
    sizes = [training_size(rows) for rows in (1, 99, 100, 300, 999, 1000, 3000, 100_000)]
    epochs, ranks = zip(*sizes, strict=True)
    assert list(epochs) == sorted(epochs, reverse=True)
    assert list(ranks) == sorted(ranks)
    assert (sizes[0], sizes[-1]) == ((6, 16), (2, 64))


def test_paraphrases_count_as_training_rows(folder):
    rows = tiny_rows()
    for row in rows:
        if row["split"] == "train":
            row["paraphrases"] = [f"Wording {n}: {row['question']}" for n in range(99)]
    write_corpus(folder / "docs")
    path, _ = write_recipe(write_questions(folder / "q.jsonl", rows), folder / "docs", "org/model")
    assert load_recipe(str(path)).optimization.epochs == training_size(6 * 100)[0] == 3


def test_long_references_are_asked_for_in_more_than_one_sentence(folder):
    rows = [{**row, "answer": f"{row['answer']} " * 12} for row in korean_rows()]
    path, _ = write_recipe(write_questions(folder / "q.csv", without(rows, "evidence")), None, "org/model")
    assert_clean(path)
    assert "한 문장" not in load_recipe(str(path)).prompt.system
