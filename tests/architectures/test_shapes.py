"""The published models' shapes, without their weights: how large they are, and what an adapter on them holds."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import get_peft_model

from train import models
from train.models import Source
from train.recipe import Base, LoRA
from train.tuning.tune import lora_config

RANK = 64


@dataclass(frozen=True, slots=True)
class Published:
    """A published configuration, and its size worked out by hand."""

    name: str
    settings: dict[str, Any]
    layers: int
    shapes: dict[str, tuple[int, int]]
    """Inputs and outputs of the linear layers that every decoder layer has."""
    embeddings: int
    """Parameters of the embedding, and of the head where it is not the same."""
    norms: int
    billions: float

    @property
    def parameters(self) -> int:
        """All parameters of the model."""
        linear = sum(inputs * outputs for inputs, outputs in self.shapes.values())
        return self.layers * linear + self.embeddings + self.norms


KANANA = Published(
    name="Kanana-1.5-2.1B",
    settings={
        "model_type": "llama",
        "vocab_size": 128256,
        "hidden_size": 1792,
        "intermediate_size": 8064,
        "num_hidden_layers": 32,
        "num_attention_heads": 24,
        "num_key_value_heads": 8,
        "head_dim": 128,
        "max_position_embeddings": 32768,
        "tie_word_embeddings": True,
    },
    layers=32,
    shapes={
        "q_proj": (1792, 24 * 128),
        "k_proj": (1792, 8 * 128),
        "v_proj": (1792, 8 * 128),
        "o_proj": (24 * 128, 1792),
        "gate_proj": (1792, 8064),
        "up_proj": (1792, 8064),
        "down_proj": (8064, 1792),
    },
    embeddings=128256 * 1792,
    norms=(2 * 32 + 1) * 1792,
    billions=2.1,
)
PHI3_MINI = Published(
    name="Phi-3-mini-4k",
    settings={
        "model_type": "phi3",
        "vocab_size": 32064,
        "hidden_size": 3072,
        "intermediate_size": 8192,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 32,
        "max_position_embeddings": 4096,
        "sliding_window": 2047,
        "tie_word_embeddings": False,
    },
    layers=32,
    shapes={
        "qkv_proj": (3072, 3 * 3072),
        "o_proj": (3072, 3072),
        "gate_up_proj": (3072, 2 * 8192),
        "down_proj": (8192, 3072),
    },
    embeddings=2 * 32064 * 3072,
    norms=(2 * 32 + 1) * 3072,
    billions=3.8,
)


@pytest.fixture(params=[KANANA, PHI3_MINI], ids=lambda published: published.name)
def published(request: pytest.FixtureRequest) -> Published:
    return request.param


@pytest.fixture
def config(published: Published, tmp_path: Path):
    """The configuration as a run reads it."""
    (tmp_path / "config.json").write_text(json.dumps(published.settings), encoding="utf-8")
    return models.load_config(Source(published.name, tmp_path, "of no matter"), Base(str(tmp_path)))


@pytest.fixture
def model(config):
    """The model without its weights."""
    from transformers import AutoModelForCausalLM

    with torch.device("meta"):
        return AutoModelForCausalLM.from_config(config)


def test_a_model_of_that_shape_has_the_parameters_that_its_name_says(published, model):
    assert {weight.device.type for weight in model.parameters()} == {"meta"}
    # What is tied is counted once.
    assert sum(weight.numel() for weight in model.parameters()) == published.parameters
    assert published.parameters / 1e9 == pytest.approx(published.billions, abs=0.05)


def test_the_window_is_the_published_one(published, config):
    assert models.window(config) == published.settings["max_position_embeddings"]


def test_linear_layers_are_found_without_loading_weights(published, config):
    found = Counter(name.rpartition(".")[2] for name in models.linear_layers(config, Base("a/b")))
    assert found == dict.fromkeys(published.shapes, published.layers)  # the head is none that an adapter could be on


@pytest.mark.parametrize("variant", ["lora", "rslora", "dora"])
def test_an_adapter_on_all_linear_layers_has_the_parameters_of_the_formula(published, model, variant):
    """LoRA adds r × (inputs + outputs) to each layer; DoRA a magnitude for each output as well."""
    adapter = LoRA(rank=RANK, alpha=16, dropout=0.05, rslora=variant == "rslora", dora=variant == "dora")
    adapted = get_peft_model(model, lora_config(adapter))
    trained = {name: weight.numel() for name, weight in adapted.named_parameters() if weight.requires_grad}
    magnitudes = 1 if variant == "dora" else 0
    a_layer = sum(RANK * (inputs + outputs) + magnitudes * outputs for inputs, outputs in published.shapes.values())
    assert sum(trained.values()) == published.layers * a_layer
    assert len(trained) == (2 + magnitudes) * published.layers * len(published.shapes)
    assert not any("lm_head" in name or "embed" in name for name in trained)


def test_every_row_of_every_linear_layer_is_whole_blocks_of_4_bit_weights(published):
    """Blocks have 64 weights, and bitsandbytes on a CPU is wrong for rows of some other lengths."""
    assert {inputs % 64 for inputs, _ in published.shapes.values()} == {0}
