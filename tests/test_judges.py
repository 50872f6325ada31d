"""The judge of a recipe: its settings, its name, and that it is not the model under test as far as names tell."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from train.errors import UserError
from train.judges import EndpointJudge, LocalJudge, slug
from train.recipe import Base, Data, Grading, Recipe, Tuned, Untuned
from train.settings import apply_settings, explain

RECIPE = Recipe(
    name="small",
    base=Base("kakaocorp/kanana-1.5-2.1b-instruct-2505"),
    data=Data(questions="questions.csv"),
    arms={"base": Untuned(), "open-book": Tuned(condition="gold")},
)


@pytest.mark.parametrize(
    "name",
    [
        "kakaocorp/kanana-1.5-2.1b-instruct-2505", "kanana-1.5-2.1b-instruct-2505", "Kanana-1.5-2.1B-Instruct-2505",
        "someone/kanana-1.5-2.1b-instruct-2505-GGUF", "kanana-1.5-2.1b-instruct-2505.Q4_K_M.gguf",
        "kanana-1.5-2.1b-instruct-2505-AWQ", "kanana-1.5-2.1b-instruct-2505:latest", "open-book",
    ],
)  # fmt: skip
def test_the_model_under_test_is_refused_as_judge_as_far_as_its_name_tells(name):
    with pytest.raises(UserError, match=r"^grading\.judge\.model = .*: is the model under test"):
        RECIPE.replace(grading=Grading(judge=EndpointJudge(name)))


@pytest.mark.parametrize(
    "judge",
    [
        EndpointJudge("gpt-4o-mini"), EndpointJudge("kanana-1.5-8b-instruct-2505"), EndpointJudge("kanana-1.5-2.1b"),
        LocalJudge("Qwen/Qwen2.5-7B-Instruct"), LocalJudge("/models/other"),
    ],
)  # fmt: skip
def test_another_model_may_judge_and_the_recipe_is_the_same_when_it_is_read_back(judge):
    from pydantic import TypeAdapter

    recipe = RECIPE.replace(grading=Grading(judge=judge))
    assert TypeAdapter(Grading).validate_json(json.dumps(recipe.to_json()["grading"])) == recipe.grading


def test_the_base_itself_is_refused_as_a_local_judge():
    with pytest.raises(UserError, match="is the model under test, which may not judge itself; name another model"):
        RECIPE.replace(grading=Grading(judge=LocalJudge(RECIPE.base.model)))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (EndpointJudge, "EndpointJudge.model: is missing"),
        (lambda: EndpointJudge(""), "EndpointJudge.model = '': string should have at least 1 character"),
        (lambda: EndpointJudge("m", concurency=4), "EndpointJudge: no field 'concurency'; did you mean 'concurrency'?"),
        (lambda: EndpointJudge("m", concurrency=0), "EndpointJudge.concurrency = 0: input should be greater than"),
        (lambda: EndpointJudge("m", retries=-1), "EndpointJudge.retries = -1: input should be greater than or equal"),
        (lambda: EndpointJudge("m", timeout=0), "EndpointJudge.timeout = 0: input should be greater than 0"),
        (lambda: EndpointJudge("m", scope="some"), "EndpointJudge.scope = 'some': input should be 'provisional' or"),
        (lambda: LocalJudge("m", dtype="int8"), "LocalJudge.dtype = 'int8': input should be 'auto'"),
        (lambda: Grading(judge="gpt-4o-mini"), "Grading.judge = 'gpt-4o-mini': input should be"),
    ],
)
def test_a_wrong_field_of_a_judge_is_named(make, message):
    with pytest.raises(ValidationError) as refused:
        make()
    assert explain(refused.value).startswith(message)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"base_url": "localhost:8000"}, "grading.judge.base_url = 'localhost:8000': is no address"),
        ({"base_url": ""}, "grading.judge.base_url = '': is no address; write it as https://HOST/v1"),
        ({"base_url": "ftp://host/v1"}, "grading.judge.base_url = 'ftp://host/v1': is no address"),
        ({"base_url": "http://host:x/v1"}, "grading.judge.base_url: is no address"),
        ({"base_url": "https://me:pw-1234@host/v1"}, "grading.judge.base_url: holds more than an address"),
        ({"base_url": "https://host/v1?api-key=pw-1234"}, "grading.judge.base_url: holds more than an address"),
        ({"input_price": 1.0}, "grading.judge: of input_price and output_price only one is given"),
    ],
)
def test_what_does_not_fit_together_is_refused_without_repeating_a_secret(changes, message):
    with pytest.raises(UserError) as refused:
        EndpointJudge("m", **changes)
    assert str(refused.value).startswith(message)
    assert "pw-1234" not in str(refused.value)


@pytest.mark.parametrize(
    ("setting", "judge"),
    [
        ('{"kind": "endpoint", "model": "gpt-4o-mini"}', EndpointJudge("gpt-4o-mini")),
        ('{"kind": "local", "model": "org/m", "scope": "all"}', LocalJudge("org/m", scope="all")),
        ("null", None),
    ],
)
def test_a_judge_can_be_set_from_the_command_line(setting, judge):
    assert apply_settings(RECIPE, [f"grading.judge={setting}"]).grading.judge == judge


@pytest.mark.parametrize(
    ("setting", "problem"),
    [
        ("gpt-4o-mini", "input should be an object"),
        ('{"model": "m"}', "discriminator 'kind'"),
        ('{"kind": "x", "model": "m"}', "'local', 'endpoint'"),
        ('{"kind": "endpoint"}', "'model': field required"),
        ('{"kind": "endpoint", "model": "m", "concurency": 3}', "'concurency': unexpected keyword argument"),
        ('{"kind": "endpoint", "model": "m", "retries": -1}', "'retries': input should be greater than or equal to 0"),
    ],
)
def test_half_a_judge_on_the_command_line_is_refused(setting, problem):
    with pytest.raises(
        UserError, match=r"^--set grading\.judge=.*it takes LocalJudge or EndpointJudge or null"
    ) as refused:
        apply_settings(RECIPE, [f"grading.judge={setting}"])
    assert problem in str(refused.value)


def test_one_field_of_a_judge_can_be_set():
    recipe = RECIPE.replace(grading=Grading(judge=EndpointJudge("gpt-4o-mini")))
    changed = apply_settings(recipe, ["grading.judge.scope=all", "grading.judge.concurrency=2"])
    assert changed.grading.judge == EndpointJudge("gpt-4o-mini", scope="all", concurrency=2)


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("gpt-4o-mini", "gpt-4o-mini"), ("meta-llama/Llama-3.1-8B-Instruct", "llama-3.1-8b-instruct"),
        ("llama3:8b", "llama3-8b"), ("/models/Qwen 7B/", "qwen-7b"), ("package:x/SmolLM2.Q8_0.gguf", "smollm2.q8_0"),
        ("한글", "model"),
    ],
)  # fmt: skip
def test_a_grader_is_named_after_its_model(model, name):
    assert slug(model) == name
