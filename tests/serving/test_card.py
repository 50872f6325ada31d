"""A model card says what the run recorded, can be read by programs, and nothing in it can act."""

from __future__ import annotations

import ast
import copy
import json
import re
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from huggingface_hub import ModelCard
from markdown_it import MarkdownIt

from tests.report.builders import HOSTILE
from train.conditions import COUNTERFACTUAL, GOLD, NONE, Condition, Distractors, GoldAmong, Mixed, Retrieved
from train.recipe import QLoRA
from train.serving import card
from train.serving.card import base_name, held
from train.serving.stored import load, stored_arm
from train.store import Run


@pytest.fixture
def summary(finished_run: Path) -> dict[str, Any]:
    return json.loads((finished_run / "adapters/open-book/seed-0/openbook.json").read_text(encoding="utf-8"))


@pytest.fixture
def manifest(finished_run: Path) -> dict[str, Any]:
    return Run.of(finished_run).manifest()


def front_matter(text: str) -> dict[str, Any]:
    found = re.match(r"---\n(.*?)\n---\n", text, re.DOTALL)
    assert found
    return yaml.safe_load(found[1])


def cells(text: str) -> dict[str, str]:
    """The tables' rows: name to value."""
    rows = re.findall(r"^\| ([^|]+) \| (.*) \|$", text, re.MULTILINE)
    assert len(dict(rows)) == len(rows), "a name stands there twice"
    return {name.replace("\\_", "_"): value.replace("\\_", "_") for name, value in rows}


def blocks(text: str) -> list[str]:
    """The kinds of the document's blocks, in order, and of what is inline in them: its whole structure."""
    body = text.split("\n---\n", 1)[1]
    tokens = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(body)
    kinds = [each.type for token in tokens for each in (token, *(token.children or ()))]
    return [kind for kind, _ in groupby(kind.replace("text_special", "text") for kind in kinds)]


def python_code(text: str) -> str:
    return re.search(r"```python\n(.*?)\n```", text, re.DOTALL)[1]


@pytest.mark.parametrize("arm", ["closed-book", "open-book"])
def test_the_numbers_are_those_of_the_run(finished_run, manifest, arm):
    summary = json.loads((finished_run / "adapters" / arm / "seed-0/openbook.json").read_text(encoding="utf-8"))
    text = card(summary, manifest)
    weights = sum(value.numel() for value in adapter_weights(finished_run / "adapters" / arm / "seed-0").values())
    rows = [row for row in Run.of(finished_run).records("training.jsonl") if row["arm"] == arm]
    expected = {
        "recipe": "tiny",
        "arm, training seed": f"{arm}, 0",
        "trained under": "none" if arm == "closed-book" else "gold",
        "fingerprint of the base": manifest["hashes"]["base"],
        "hash of the data": manifest["hashes"]["data"],
        "trained parameters": f"{weights:,}",
        "rows": str(len(rows) // 3),
        "epochs": "3",
        "optimizer steps": str(-(-len(rows) // 4)),
        "weights kept": f"those of step {-(-len(rows) // 4)}",
        "tokens": f"{summary['tokens']:,}",
        "training loss, last": f"{summary['loss'][-1][1]:.4f} at step {summary['steps']}",
        "validation loss, least": min(
            (value, f"{value:.4f} at step {step}") for step, value in summary["validation_loss"]
        )[1],
        "adapter.rank": "4",
        "adapter.dora": "false",
        "adapter.target_modules": "all-linear",
        "optimization.learning_rate": "0.005",
        "optimization.max_length": "null",
        "peft": manifest["versions"]["peft"],
        "openbook": manifest["openbook"],
    }
    assert {name: cells(text)[name] for name in expected} == expected
    assert summary["tokens"] > summary["completion_tokens"] > 0
    assert f"{summary['completion_tokens']:,}" == cells(text)["of them learnt"]
    assert f"openbook chat RUN --arm {arm} --seed 0\n" in text


def adapter_weights(directory: Path) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    return load_file(directory / "adapter_model.safetensors")


def test_the_front_matter_is_what_the_hub_reads(summary, manifest, tiny_model):
    text = card(summary, manifest)
    assert front_matter(text) == {
        "base_model": tiny_model.name,
        "library_name": "peft",
        "pipeline_tag": "text-generation",
        "tags": ["lora", "sft", "openbook"],
    }
    read = ModelCard(text)
    assert (read.data.base_model, read.data.library_name) == (tiny_model.name, "peft")
    assert read.text.lstrip().startswith("# open-book, seed 0: a LoRA adapter\n")


def test_the_same_run_gives_the_same_card_and_a_machine_leaves_no_trace(finished_run, summary, manifest, tiny_model):
    text = card(summary, manifest)
    assert text == card(copy.deepcopy(summary), copy.deepcopy(manifest))
    assert text == card({**summary, "seconds": 0.1}, {**manifest, "hardware": {}, "created": "another day"})
    for folder in (finished_run.parent, tiny_model.parent, Path.home(), Path.cwd()):
        assert str(folder) not in text
    assert "questions.jsonl" in text and "corpus" in text


@pytest.mark.parametrize(
    ("name", "commit", "shown", "source"),
    [
        ("org/some-model", "0f3e", "org/some-model", "'org/some-model'"),
        ("/home/me/models/some-model/", None, "some-model", "'PATH/TO/some-model'"),
        ("models/some-model", None, "some-model", "'PATH/TO/some-model'"),
        (r"C:\Users\me\some-model", None, "some-model", "'PATH/TO/some-model'"),
        ("~/some.gguf", None, "some.gguf", "models.resolve(Base('PATH/TO/some.gguf')).directory"),
        ("package:one/a.gguf", None, "package:one/a.gguf", "models.resolve(Base('package:one/a.gguf')).directory"),
        ("/", None, "unnamed", "'PATH/TO/unnamed'"),
    ],
)
def test_a_base_is_named_without_its_place(summary, manifest, name, commit, shown, source):
    manifest["base"].update(name=name, commit=commit)
    text = card(summary, manifest)
    assert base_name(manifest) == front_matter(text)["base_model"] == shown
    assert f"\nbase = {source}" in python_code(text)
    assert python_code(text).count("revision='0f3e'") == (2 if commit else 0)
    assert ("revision of the base" in cells(text)) == bool(commit)
    assert "/me/" not in text and "Users" not in text
    ast.parse(python_code(text))


@pytest.mark.parametrize(
    ("condition", "says"),
    [
        (NONE, "the question alone"),
        (GOLD, "the question and the passages that answer it"),
        (GoldAmong(3), "the question and the passages that answer it, among 3 that do not"),
        (Distractors(2), "the question and 2 passages that do not answer it, and it was to abstain"),
        (COUNTERFACTUAL, "the question and a passage that says something else than the truth"),
        (Retrieved(5), "the question and the 5 passages that a search for it finds"),
        (Mixed(0.8), "(in 20% of the rows) only 4 that do not, and then it was to abstain"),
        (Mixed(0.75, "answer", 1), "(in 25% of the rows) only 2 that do not, and then it was to answer all the same"),
    ],
)
def test_what_the_prompt_held_is_said_in_words(summary, manifest, condition: Condition, says):
    text = card({**summary, "condition": condition.name}, manifest)
    assert says in held(condition)
    assert f"In training, the prompt held {held(condition)}." in text
    assert ("never saw a passage" in text) == (condition == NONE)


@pytest.mark.parametrize(
    ("fields", "kind", "tags"),
    [
        ({}, "LoRA", ["lora"]),
        ({"dora": True}, "DoRA", ["lora", "dora"]),
        ({"quantization": "nf4", "double_quantization": True}, "QLoRA", ["lora", "qlora"]),
        ({"quantization": "fp4", "double_quantization": False, "dora": True}, "QDoRA", ["lora", "qdora"]),
    ],
)
def test_the_kind_of_the_adapter_is_named_and_loaded_as_trained(summary, manifest, fields, kind, tags):
    manifest["recipe"]["arms"]["open-book"]["adapter"].update(fields)
    text = card(summary, manifest)
    assert f": a {kind} adapter\n" in text
    assert front_matter(text)["tags"] == [*tags, "sft", "openbook"]
    assert ("load_in_4bit=True" in python_code(text)) == ("quantization" in fields)
    for name, value in fields.items():
        assert cells(text)[f"adapter.{name}"] == (json.dumps(value) if isinstance(value, bool) else value)
    ast.parse(python_code(text))


def test_settings_of_the_arm_itself_go_before_the_recipes(summary, manifest):
    own = {**manifest["recipe"]["optimization"], "learning_rate": 1e-5}
    manifest["recipe"]["arms"]["open-book"]["optimization"] = own
    assert cells(card(summary, manifest))["optimization.learning_rate"] == "1e-05"


def test_a_training_that_may_stop_early_is_not_said_to_have_run_to_its_end(summary, manifest):
    manifest["recipe"]["optimization"].update(patience=2, keep="best")
    text = card({**summary, "steps": 1200, "kept_step": 1100}, manifest)
    assert cells(text)["epochs"] == "at most 3"
    assert (cells(text)["optimizer steps"], cells(text)["weights kept"]) == ("1,200", "those of step 1,100")


def test_what_was_not_recorded_is_not_said(summary, manifest):
    for name in ("validation_loss", "parameters", "completion_tokens", "kept_step"):
        del summary[name]
    del manifest["source"], manifest["recipe"]["data"]["corpus"]
    names = cells(card(summary, manifest))
    for word in ("validation", "parameters", "learnt", "commit", "documents", "kept"):
        assert not any(word in name for name in names)


@pytest.mark.parametrize("text", list(filter(None, HOSTILE)))
def test_hostile_names_and_texts_change_no_structure_and_do_nothing(summary, manifest, text):
    tame = card(summary, manifest)
    name = text.replace("/", "").replace("\\", "")  # what a directory can be called
    manifest["recipe"]["name"] = text
    manifest["base"]["name"] = f"/models/{name}"
    manifest["recipe"]["data"].update(questions=f"/data/{name}", corpus=f"/data/{name}")
    manifest["recipe"]["prompt"] = dict.fromkeys(manifest["recipe"]["prompt"], text)
    manifest["recipe"]["arms"]["open-book"]["adapter"]["target_modules"] = [text]
    hostile = card(summary, manifest)
    hostile.encode("utf-8")
    assert blocks(hostile) == blocks(tame)
    assert front_matter(hostile).keys() == front_matter(tame).keys()
    assert "\n" not in front_matter(hostile)["base_model"]
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", hostile)
    assert json.loads(re.search(r"```json\n(.*?)\n```", hostile, re.DOTALL)[1]) == manifest["recipe"]["prompt"]
    ast.parse(python_code(hostile))
    ModelCard(hostile)


@pytest.mark.parametrize("four_bit", [False, True])
def test_the_code_on_the_card_loads_what_answers_in_a_chat(finished_run, summary, manifest, tiny_model, four_bit):
    stored = stored_arm(Run.of(finished_run), "open-book", None)
    if four_bit:
        pytest.importorskip("bitsandbytes")
        manifest["recipe"]["arms"]["open-book"]["adapter"].update(quantization="nf4", double_quantization=True)
        stored = replace(stored, quantization=QLoRA())
    code = python_code(card(summary, manifest))
    for placeholder, place in (
        (f"PATH/TO/{tiny_model.name}", tiny_model),
        ("PATH/TO/THIS/DIRECTORY", finished_run / "adapters/open-book/seed-0"),
    ):
        assert code.count(placeholder) == 1
        code = code.replace(placeholder, str(place))
    names: dict[str, Any] = {}
    exec(code, names)
    respondent = load(stored, lambda line: None)
    for module in names["model"].modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False  # or some processors would round what the arm was trained on
    tokens = torch.tensor([[5, 6, 7, 8, 9]])
    with torch.inference_mode():
        one, other = (model(input_ids=tokens).logits for model in (names["model"], respondent.model))
    torch.testing.assert_close(one, other)
    assert names["tokenizer"].get_vocab() == respondent.format.tokenizer.get_vocab()
