"""What a recipe is: validated when it is made, frozen afterwards, and the same when it is read back."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from train.conditions import parse_condition
from train.errors import UserError
from train.recipe import (
    GOLD,
    NONE,
    Base,
    Comparison,
    Data,
    Distractors,
    GoldAmong,
    LoRA,
    Optimization,
    PromptTemplate,
    Recipe,
    Sampling,
    Splits,
    Tuned,
    Untuned,
)
from train.records import Cell, Contrast
from train.settings import explain

RECIPE = Recipe(
    name="small",
    base=Base("org/model"),
    data=Data(questions="questions.csv", corpus=Path("documents")),
    arms={
        "base": Untuned(),
        "closed-book": Tuned(condition=NONE),
        "open-book": Tuned(condition="gold+2", adapter=LoRA(rank=4), optimization=Optimization(epochs=7)),
    },
    comparison=Comparison(contrasts=("open-book/gold vs closed-book/none",)),
)


@pytest.mark.parametrize("name", ["a", "0", "kanana-ml-terms", "lora_r16", "v1.5", "a" * 64])
def test_a_name_may_be_a_slug(name):
    assert RECIPE.replace(name=name).name == name
    assert list(RECIPE.replace(arms={name: Untuned()}, comparison=Comparison()).arms) == [name]


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "a/b", "a\\b", "../a", "A", "é", "한", "a b", "-a", ".a", "a.", "a..b", "a:b", "a\n", 65 * "a"],
)
def test_a_name_that_is_unsafe_in_a_path_is_refused(name):
    with pytest.raises(UserError, match=r"^name: .* is not a safe name"):
        RECIPE.replace(name=name)
    with pytest.raises(UserError, match=r"^arms: .* is not a safe name"):
        RECIPE.replace(arms={name: Untuned()})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"arms": {}}, "arms: there are none; add at least one"),
        ({"conditions": ()}, "conditions: empty; name at least one"),
        ({"conditions": (NONE, GOLD, GOLD)}, "conditions: 'gold' stands there twice; name it once"),
        ({"conditions": (GOLD, GoldAmong(0))}, "conditions: 'gold' stands there twice"),
        ({"training_seeds": ()}, "training_seeds: empty"),
        ({"training_seeds": (1, 2, 1)}, "training_seeds: 1 stands there twice"),
        ({"ask": ("seen", "seen")}, "ask: 'seen' stands there twice"),
        ({"sampling": Sampling(samples=2, temperature=0)}, "sampling.samples = 2 with sampling.temperature = 0"),
        (
            {"comparison": Comparison(split="unsen")},
            "comparison.split = 'unsen': no such split; did you mean 'unseen'?",
        ),
        ({"comparison": Comparison(context=GoldAmong(7))}, "comparison.context = 'gold+7': is not among conditions"),
        ({"conditions": (NONE,)}, "comparison.contrasts: no condition 'gold'; there is 'none'"),
        ({"arms": {"open-book": Untuned()}}, "comparison.contrasts: no arm 'closed-book'"),
    ],
)
def test_what_does_not_fit_together_is_refused(changes, message):
    with pytest.raises(UserError) as refused:
        RECIPE.replace(**changes)
    assert str(refused.value).startswith(message)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: RECIPE.replace(nam="x"), "Recipe: no field 'nam'; did you mean 'name'?"),
        (lambda: RECIPE.replace(name=3), "Recipe.name = 3: input should be a valid string"),
        (lambda: RECIPE.replace(training_seeds=(-1,)), "Recipe.training_seeds.0 = -1: input should be greater than"),
        (lambda: RECIPE.replace(arms={"base": "untuned"}), "Recipe.arms.base = 'untuned': input should be"),
        (lambda: RECIPE.replace(ask=("train",)), "Recipe.ask.0 = 'train': input should be 'validation', 'seen'"),
        (lambda: Sampling(samples=0), "Sampling.samples = 0: input should be greater than or equal to 1"),
        (lambda: Sampling(samples=True), "Sampling.samples = True: input should be a valid integer"),
        (lambda: Sampling(samples="4"), "Sampling.samples = '4': input should be a valid integer"),
        (lambda: Sampling(temperature=float("nan")), "Sampling.temperature = nan: input should be a finite number"),
        (lambda: Sampling(temperature=float("inf")), "Sampling.temperature = inf: input should be a finite number"),
        (lambda: Sampling(temprature=0.6), "Sampling: no field 'temprature'; did you mean 'temperature'?"),
        (lambda: Sampling(top_p=0), "Sampling.top_p = 0: input should be greater than 0"),
        (lambda: LoRA(rank=0), "LoRA.rank = 0: input should be greater than or equal to 1"),
        (lambda: LoRA(dropout=1.0), "LoRA.dropout = 1.0: input should be less than 1"),
        (Base, "Base.model: is missing; give it a value"),
        (lambda: Base("m", dtype="float64"), "Base.dtype = 'float64': input should be 'auto', 'float32'"),
        (lambda: Data(questions=""), "Data.questions = '': should be a path"),
        (lambda: Data(questions=3), "Data.questions = 3: should be a path"),
        (lambda: Data(questions="q", splits=Splits(unseen=1)), "Splits.unseen = 1: input should be less than 1"),
        (Tuned, "Tuned.condition: is missing; give it a value"),
        (lambda: Optimization(too_long="cut"), "Optimization.too_long = 'cut': input should be 'refuse' or 'drop'"),
    ],
)
def test_a_wrong_field_is_refused_with_its_place_its_value_and_what_it_takes(make, message):
    with pytest.raises(ValidationError) as refused:
        make()
    assert explain(refused.value).startswith(message)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"with_context": "{question}"}, "prompt.with_context: '{question}' lacks {context}; add it"),
        ({"with_context": "{context}"}, "prompt.with_context: '{context}' lacks {question}; add it"),
        ({"without_context": "?"}, "prompt.without_context: '?' lacks {question}; add it"),
        ({"passage": "[{number}]"}, "prompt.passage: '[{number}]' lacks {text}; add it"),
    ],
)
def test_a_prompt_that_leaves_something_out_is_refused(changes, message):
    with pytest.raises(UserError) as refused:
        PromptTemplate(**changes)
    assert str(refused.value) == message


def test_every_part_is_frozen():
    parts = [RECIPE, *(getattr(RECIPE, field.name) for field in fields(RECIPE)), *RECIPE.arms.values()]
    parts += [RECIPE.data.splits, RECIPE.arms["open-book"].adapter, *RECIPE.conditions[1:]]
    changeable = [part for part in parts if not isinstance(part, str | tuple)]
    changeable.remove(RECIPE.arms)
    assert len(changeable) >= 12
    for part in changeable:
        for field in fields(part):
            with pytest.raises(FrozenInstanceError):
                setattr(part, field.name, getattr(part, field.name))


def test_arms_cannot_be_changed_in_place():
    arms = {"base": Untuned()}
    recipe = RECIPE.replace(arms=arms, comparison=Comparison())
    with pytest.raises(TypeError):
        recipe.arms["other"] = Untuned()
    arms["other"] = Untuned()
    assert list(recipe.arms) == ["base"]


def test_replace_leaves_the_original_as_it_was():
    other = RECIPE.replace(name="other", sampling=Sampling(samples=1))
    assert (RECIPE.name, RECIPE.sampling) == ("small", Sampling())
    assert (other.name, other.sampling.samples, other.arms) == ("other", 1, RECIPE.arms)


def test_an_arm_is_trained_with_its_own_optimization_or_the_common_one():
    assert RECIPE.optimization_of("closed-book") is RECIPE.optimization
    assert RECIPE.optimization_of("open-book").epochs == 7
    with pytest.raises(TypeError, match="base is not tuned"):
        RECIPE.optimization_of("base")
    with pytest.raises(KeyError):
        RECIPE.optimization_of("nobody")


def test_every_training_seed_makes_a_tuned_arm_and_one_stands_for_the_base():
    recipe = RECIPE.replace(training_seeds=(3, 1, 2))
    assert recipe.seeds_of("open-book") == (3, 1, 2)
    assert recipe.seeds_of("base") == (3,)


@pytest.mark.parametrize(
    ("text", "contrast"),
    [
        ("a/gold vs b/none", Contrast(Cell("a", "gold"), Cell("b", "none"), "unseen")),
        ("  a/gold+3   vs  b/distractors@3 ", Contrast(Cell("a", "gold+3"), Cell("b", "distractors@3"), "unseen")),
        ("a/gold vs b/none on seen", Contrast(Cell("a", "gold"), Cell("b", "none"), "seen")),
        ("a/gold vs a/none on all", Contrast(Cell("a", "gold"), Cell("a", "none"), "all")),
    ],
)
def test_a_contrast_is_read(text, contrast):
    recipe = RECIPE.replace(arms={"a": Untuned(), "b": Untuned()}, comparison=Comparison(contrasts=(text,)))
    assert recipe.contrasts == (contrast,)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("base/gold", "'base/gold': write it as ARM/CONDITION vs ARM/CONDITION [on SPLIT]"),
        ("base vs open-book", "'base vs open-book': write it as"),
        ("base/gold - base/none", "'base/gold - base/none': write it as"),
        ("base/gold vs base/none on", "'base/gold vs base/none on': write it as"),
        ("base/gold vs base/none on tset", "no split 'tset'"),
        ("base/gold vs base/none on unsen", "no split 'unsen'; did you mean 'unseen'?"),
        ("bas/gold vs base/none", "no arm 'bas'; did you mean 'base'?"),
        ("base/gold vs base/distractors@2", "no condition 'distractors@2'; did you mean 'distractors@3'?"),
    ],
)
def test_a_contrast_that_cannot_be_is_refused(text, message):
    with pytest.raises(UserError) as refused:
        RECIPE.replace(comparison=Comparison(contrasts=(text,)))
    assert str(refused.value).startswith("comparison.contrasts: ")
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("conditions", "context", "decisive"),
    [
        ((NONE, GOLD, GoldAmong(3)), None, "gold"),
        ((NONE, GoldAmong(3), GOLD), None, "gold+3"),
        ((NONE, GoldAmong(3), GOLD), GOLD, "gold"),
        ((NONE, Distractors(1)), None, None),
    ],
)
def test_the_decision_rests_on_the_first_condition_with_gold_unless_one_is_named(conditions, context, decisive):
    assert RECIPE.replace(conditions=conditions, comparison=Comparison(context=context)).decision_condition == decisive


@pytest.mark.parametrize("name", ["none", "gold", "gold+1", "gold+12", "distractors@1", "distractors@10"])
def test_a_condition_is_found_by_its_name(name):
    assert parse_condition(name).name == name


@pytest.mark.parametrize("name", ["", "Gold", "gold+", "gold+-1", "gold+x", "gold @2", "distractors", "distractors@0"])
def test_a_condition_there_is_not_is_refused(name):
    with pytest.raises(UserError, match=r"not one of none, gold, gold\+N, distractors@N|at least one distractor"):
        parse_condition(name)


def test_a_recipe_read_back_from_json_is_the_same():
    text = json.dumps(RECIPE.to_json())
    again = TypeAdapter(Recipe).validate_json(text)
    assert again == RECIPE
    assert json.dumps(again.to_json()) == text
    assert json.loads(text)["arms"]["open-book"]["condition"] == "gold+2"


def test_a_shipped_data_set_is_stored_without_the_place_it_is_installed_in():
    from recipes import DATA

    stored = RECIPE.replace(data=Data(questions=DATA / "handbook" / "questions.jsonl")).to_json()
    assert stored["data"]["questions"] == "recipes/data/handbook/questions.jsonl"
