"""What a pass is said to take is what it takes, with SmolLM2-135M's widths."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model

from tests.decoder.test_decoder import Row, laid_out, taken_over
from train.decoder.memory import Pass, Sizes, pass_bytes
from train.decoder.training import loss_and_gradients
from train.tuning.dropout import Dropout, Rows

LAYERS, RANK = 6, 16


def model_of(vocabulary: int, dropout: float, dtype: str) -> Any:
    """SmolLM2-135M's blocks, a few of them, with two adapters."""
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=vocabulary, hidden_size=576, intermediate_size=1536, num_hidden_layers=LAYERS,
        num_attention_heads=9, num_key_value_heads=3, pad_token_id=0,
    )  # fmt: skip
    settings = LoraConfig(r=RANK, lora_dropout=dropout, target_modules="all-linear")
    model: Any = get_peft_model(LlamaForCausalLM(config).to(getattr(torch, dtype)), settings, adapter_name="one")
    model.add_adapter("two", settings)
    return model


def rows_of(lengths: tuple[int, ...], scored: int, seed: int) -> list[Row]:
    """Rows of these lengths with a common beginning, the last tokens of each scored."""
    generator = random.Random(seed)
    common = [generator.randrange(3, 900) for _ in range(25)]
    own = [[generator.randrange(3, 900) for _ in range(length - 25)] for length in lengths]
    return [(common + tokens[:-scored], tokens[-scored:]) for tokens in own]


def most_allocated(work: Callable[[], object]) -> int:
    """The most bytes that PyTorch has allocated at a time beside what was there before."""
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiled:
        work()
    events: Any = profiled.profiler.kineto_results.events()  # type: ignore[union-attr]
    changes = sorted((each.start_ns(), each.nbytes()) for each in events if each.name() == "[memory]")
    now = most = 0
    for _, change in changes:
        now += change
        most = max(most, now)
    return most


@pytest.mark.parametrize("checkpointing", [False, True], ids=["kept", "computed twice"])
@pytest.mark.parametrize(
    ("settings", "lengths", "scored"),
    [
        ({}, (96, 96, 96), 10),
        ({}, (96, 70, 48), 10),
        ({"dropout": 0.1}, (96, 96, 96), 10),
        ({"dropout": 0.1}, (96, 70, 48), 10),
        ({"vocabulary": 49152}, (96, 96, 96), 60),
        ({"dtype": "bfloat16"}, (96, 70, 48), 10),
    ],
    ids=["plain", "unequal rows", "dropout", "dropout, unequal rows", "many scores", "bfloat16"],
)
def test_a_pass_takes_about_what_was_said(settings, lengths, scored, checkpointing):
    settings = {"vocabulary": 1000, "dropout": 0.0, "dtype": "float32"} | settings
    model = model_of(**settings)
    decoder, adapters = taken_over(model, "one", "two")
    groups = [rows_of(lengths, scored, seed) for seed in (1, 2)]
    flat, targets, routes = laid_out(groups, adapters, share=not settings["dropout"])
    drop = Dropout(0, {each: Rows(0, list(enumerate(lengths))) for each in adapters})

    def work() -> None:
        loss_and_gradients(decoder, flat, targets, routes, arms=2, drop=drop, checkpointing=checkpointing)

    sizes = Sizes.of(model.config, decoder.dtype.itemsize)
    dropped = sizes.inputs if settings["dropout"] else ()
    batch = Pass(len(flat), 2 * sum(lengths), len(targets.places))
    said = pass_bytes(sizes, batch, sizes.inner(RANK), dropped, checkpointing=checkpointing)
    took = most_allocated(work)
    # Said for attention that lays rows side by side; in chunks, on a CPU, it takes less.
    assert 0.8 * took <= said <= 1.3 * took
