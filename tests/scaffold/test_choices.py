"""A written recipe compares what the data allow, and says what they lack."""

from __future__ import annotations

import pytest

from tests.conftest import tiny_rows, write_corpus
from tests.scaffold.material import (
    assert_clean,
    given,
    init,
    names,
    without,
    write_questions,
)
from train.conditions import GOLD, NONE, Distractors, Gold, Retrieved
from train.loading import load_recipe
from train.recipe import QLoRA, Splits, Tuned, Untuned
from train.scaffold import write_recipe


@pytest.mark.parametrize(
    ("data", "arms", "conditions"),
    [
        (
            "english",
            ["base", "closed-book", "open-book"],
            ["none", "gold", "gold+3", "distractors@3", "retrieved@3"],
        ),
        ("english, attached", ["base", "closed-book", "open-book"], ["none", "gold", "gold+3", "distractors@3"]),
        ("korean, attached", ["base", "closed-book", "open-book"], ["none", "gold", "gold+3", "distractors@3"]),
        ("english, bare", ["base", "closed-book"], ["none"]),
        ("english, only documents", ["base", "closed-book"], ["none", "retrieved@3"]),
        (
            "korean",
            ["base", "closed-book", "open-book"],
            ["none", "gold", "gold+3", "distractors@3", "retrieved@3"],
        ),
    ],
)
def test_arms_and_conditions_are_those_that_the_data_allow(folder, data, arms, conditions):
    recipe = init(folder, data)
    assert list(recipe.arms) == arms
    assert names(recipe) == conditions


@pytest.mark.parametrize(("passages", "distractors"), [(1, 0), (2, 1), (3, 2), (4, 3), (9, 3)])
def test_with_few_passages_there_are_fewer_distractors(folder, passages, distractors):
    splits = ["train", "unseen", *["unseen"] * passages][:passages] if passages > 1 else ["seen"]
    rows = [
        {
            "id": f"q{n}",
            "question": f"What is {n}?",
            "answer": f"It is {n}{n}.",
            "split": split,
            "context": f"{n}: {n}{n}",
        }
        for n, split in enumerate(splits)
    ]
    if passages == 1:
        rows.append({**rows[0], "id": "t", "question": "What was 0?", "split": "train"})
        for row in rows:
            row["group"] = "zero"
    questions = write_questions(folder / "few.jsonl", rows)
    path, said = write_recipe(questions, None, "org/model")
    more = [Gold(distractors), Distractors(distractors)] if distractors else []
    assert list(load_recipe(str(path)).conditions) == [NONE, GOLD, *more]
    assert any("too few passages" in line for line in said) == (distractors < 3)


def test_a_corpus_smaller_than_a_search_result_is_searched_for_less(folder):
    questions = write_questions(folder / "small.jsonl", without(tiny_rows(), "evidence"))
    (folder / "docs").mkdir()
    for name in ("one", "two"):
        (folder / "docs" / f"{name}.txt").write_text(f"Number {name}.")
    path, _ = write_recipe(questions, folder / "docs", "org/model")
    assert load_recipe(str(path)).conditions == (NONE, Retrieved(2))


def test_where_only_some_questions_name_evidence_gold_is_left_out_and_said_so(folder):
    rows = tiny_rows()
    blank = next(row for row in rows if row["split"] == "unseen")
    del blank["evidence"]
    write_corpus(folder / "docs")
    path, said = write_recipe(write_questions(folder / "some.jsonl", rows), folder / "docs", "org/model")
    assert names(load_recipe(str(path))) == ["none", "retrieved@3"]
    assert any(repr(blank["id"]) in line and "evidence" in line for line in said)


@pytest.mark.parametrize(("data", "context"), [("english", GOLD), ("english, only documents", Retrieved(3))])
def test_the_decision_has_a_context_where_one_can_be_given(folder, data, context):
    assert init(folder, data).comparison.context == context


@pytest.mark.parametrize(
    ("data", "arm", "condition"),
    [("english", "open-book-4bit", GOLD), ("english, bare", "closed-book-4bit", NONE)],
)
def test_four_bits_are_an_arm_like_the_last_one_and_compared_with_it(folder, data, arm, condition):
    recipe = init(folder, data, four_bit=True)
    twin = arm.removesuffix("-4bit")
    assert list(recipe.arms)[-2:] == [twin, arm]
    made, of = recipe.arms[arm], recipe.arms[twin]
    assert isinstance(made, Tuned) and isinstance(of, Tuned)
    assert isinstance(made.adapter, QLoRA) and not isinstance(of.adapter, QLoRA)
    assert (made.condition, made.adapter.rank) == (condition, of.adapter.rank)
    assert f"{arm}/{condition.name} vs {twin}/{condition.name}" in recipe.comparison.contrasts


def test_without_training_questions_only_the_base_is_asked(folder):
    rows = [row for row in tiny_rows() if row["split"] == "unseen"]
    write_corpus(folder / "docs")
    path, said = write_recipe(write_questions(folder / "test.csv", rows), folder / "docs", "org/model", four_bit=True)
    assert_clean(path)
    assert load_recipe(str(path)).arms == {"base": Untuned()}
    assert any("nothing is tuned" in line for line in said)


@pytest.mark.parametrize(
    ("splits", "chosen"),
    [
        (("train", "unseen", "seen"), "unseen"),
        (("train", "seen"), "seen"),
        (("train", "unanswerable"), "unanswerable"),
    ],
)
def test_the_decision_rests_on_questions_that_there_are(folder, splits, chosen):
    rows = [row for row in tiny_rows() if row["split"] in splits]
    write_corpus(folder / "docs")
    path, _ = write_recipe(write_questions(folder / "ferry.jsonl", rows), folder / "docs", "org/model")
    assert load_recipe(str(path)).comparison.split == chosen


# Splits


def test_without_a_split_column_the_shares_stand_in_the_recipe_and_are_said(folder):
    path, said = write_recipe(*given(folder, "korean"), "org/model")
    assert load_recipe(str(path)).data.splits == Splits()
    assert "splits=Splits(unseen=0.3, validation=0.1, seed=0)" in path.read_text(encoding="utf-8")
    assert any("no column 'split'" in line and "30%" in line and "10%" in line for line in said)


def test_with_a_split_column_nothing_is_divided(folder):
    path, said = write_recipe(*given(folder, "english"), "org/model")
    assert "Splits" not in path.read_text(encoding="utf-8")
    assert not any("no column" in line for line in said)


@pytest.mark.parametrize(("count", "warned"), [(23, True), (24, False)])
def test_too_few_unseen_questions_are_warned_of(folder, count, warned):
    rows = [
        {"id": f"q{n}", "question": f"What is {n}?", "answer": f"It is {n}.", "split": "unseen" if n else "train"}
        for n in range(count + 1)
    ]
    _, said = write_recipe(write_questions(folder / "q.csv", rows), None, "org/model")
    assert any(f"{count} unseen questions" in line for line in said) == warned
