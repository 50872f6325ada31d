"""Parameters are counted exactly, without loading the model."""

from __future__ import annotations

import shutil

import pytest

from tests.estimate.builders import SIZES, shape
from train import models
from train.estimate import (
    adapter_parameters,
    cache_bytes,
    shape_of,
    weight_bytes,
)
from train.loading import load_recipe
from train.preflight import describe
from train.prepare import prepare
from train.recipe import LoRA, QLoRA


@pytest.mark.parametrize(("name", "billions"), [("llama", 2.087), ("phi3", 3.821), ("smollm2", 0.1345)])
def test_parameters_and_sizes_are_those_of_the_model_without_its_weights(name, billions):
    sizes, found = SIZES[name], shape(name)
    queries, keys = sizes["heads"] * sizes["head"], sizes["kv"] * sizes["head"]
    layer = sizes["h"] * (2 * queries + 2 * keys + 3 * sizes["i"])
    embeddings = sizes["V"] * sizes["h"] * (1 if sizes["tied"] else 2)
    norms = (2 * sizes["L"] + 1) * sizes["h"]
    assert found.parameters == embeddings + sizes["L"] * layer + norms
    assert found.parameters / 1e9 == pytest.approx(billions, abs=0.0005)
    assert (found.decoder, found.attended, found.intermediate) == (sizes["L"] * layer, queries, sizes["i"])
    assert (found.layers, found.hidden, found.vocabulary) == (sizes["L"], sizes["h"], sizes["V"])
    assert (found.heads, found.kv_heads, found.head_size) == (sizes["heads"], sizes["kv"], sizes["head"])
    assert cache_bytes(found, 2) == 2 * 2 * sizes["L"] * keys


def test_a_loaded_model_has_the_parameters_that_were_counted_without_loading_it(prepared):
    base = prepared.recipe.base
    model = models.load_model(prepared.source, base)
    counted = shape_of(models.load_config(prepared.source, base), base)
    assert counted.parameters == sum(weight.numel() for weight in model.parameters())


@pytest.mark.parametrize(
    ("name", "adapter", "of_a_layer"),
    [
        ("llama", LoRA(rank=16), 16 * (2 * (1792 + 3072) + 2 * (1792 + 1024) + 3 * (1792 + 8064))),
        ("llama", LoRA(rank=8, target_modules=("q_proj", "v_proj")), 8 * (1792 + 3072 + 1792 + 1024)),
        ("llama", QLoRA(rank=16), 16 * (2 * (1792 + 3072) + 2 * (1792 + 1024) + 3 * (1792 + 8064))),
        ("phi3", LoRA(rank=4), 4 * (3072 + 9216 + 2 * 3072 + 3072 + 16384 + 8192 + 3072)),
        ("phi3", LoRA(rank=4, target_modules=("o_proj",), dora=True), 4 * 2 * 3072 + 3072),
    ],
)
def test_an_adapter_has_rank_times_inputs_and_outputs_of_each_layer(name, adapter, of_a_layer):
    assert adapter_parameters(shape(name), adapter) == 32 * of_a_layer


@pytest.mark.parametrize(
    "adapter",
    [
        LoRA(rank=4),
        LoRA(rank=3, target_modules=("q_proj", "down_proj")),
        LoRA(rank=2, dora=True),
        LoRA(rank=2, rslora=True),
    ],
    ids=["all", "two kinds", "DoRA", "rsLoRA"],
)
def test_peft_makes_as_many_parameters_as_were_counted(prepared, adapter):
    from peft import get_peft_model

    from train.tuning.arguments import lora_config

    base = prepared.recipe.base
    tuned = get_peft_model(models.load_model(prepared.source, base), lora_config(adapter))
    made = sum(weight.numel() for weight in tuned.parameters() if weight.requires_grad)
    assert adapter_parameters(shape_of(models.load_config(prepared.source, base), base), adapter) == made


@pytest.mark.parametrize(
    ("four_bit", "width", "bits_a_linear_weight"),
    [
        (None, 4, 32),
        (None, 2, 16),
        (QLoRA(), 2, 4.127),
        (QLoRA(double_quantization=False), 2, 4.5),
        (QLoRA(), 4, 4.127),
    ],
)
def test_only_linear_layers_shrink_in_four_bits(llama, four_bit, width, bits_a_linear_weight):
    others = llama.parameters - llama.decoder
    expected = others * width + llama.decoder * bits_a_linear_weight / 8
    assert weight_bytes(llama, width, four_bit) == pytest.approx(expected, rel=1e-4)


def test_a_model_without_attention_is_said_not_to_be_estimated(project, tiny_model, tmp_path):
    from transformers import MambaConfig, MambaForCausalLM

    other = tmp_path / "mamba"
    shutil.copytree(tiny_model, other)
    config = MambaConfig(hidden_size=16, num_hidden_layers=1, vocab_size=500, state_size=4)
    MambaForCausalLM(config).save_pretrained(other)
    lines = list(describe(prepare(load_recipe(str(project / "recipe.py"), [f"base.model={other}"]))))
    [line] = [line for line in lines if line.startswith("memory")]
    assert line.startswith("memory     not estimated: base.model = ")
    assert any("the loss starts here" in line for line in lines)  # and the rest is there
