"""The engine computes what the model computes, whatever else is computed with it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from tests.architectures.builders import LLAMA3, PHI3
from tests.sampling.builders import LENGTHS, adapted, check, load, plain_logits, requests, settings, told, watch
from train.recipe import QLoRA
from train.sampling.engine import WORTH_ENTERING

CASES = {
    "grouped queries": (LLAMA3, {}),
    "one key head to each query head, no window": (PHI3, {"sliding_window": None}),
    "a window that most prompts exceed": (PHI3, {}),
    "a window that answers reach": (PHI3, {"sliding_window": 100}),
}


@pytest.fixture(scope="module", params=CASES, ids=str)
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    family, changes = CASES[request.param]
    return load(family, tmp_path_factory.mktemp("model"), **changes)


@pytest.fixture(scope="module", params=[LLAMA3, PHI3], ids=lambda family: family.name)
def with_adapters(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    model, tokenizer = load(request.param, tmp_path_factory.mktemp("model"))
    torch.manual_seed(0)
    return adapted(model, "one", "two"), tokenizer


@pytest.mark.parametrize("samples", [1, 4])
@pytest.mark.parametrize("temperature", [0.0, 0.8])
@pytest.mark.parametrize("batch_size", [1, 5, 64])
def test_logits_are_the_models_own(loaded, samples, temperature, batch_size):
    model, tokenizer = loaded
    how, asked = settings(temperature=temperature), requests(model.config.vocab_size, samples)
    check(watch(asked, model, tokenizer, how, batch_size), model, how, samples * len(LENGTHS))


@pytest.mark.parametrize("batch_size", [2, 7, 64])
def test_adapters_and_the_base_answer_side_by_side(with_adapters, batch_size):
    model, tokenizer = with_adapters
    how, asked = settings(), requests(model.config.vocab_size, 3, (None, "one", "two"))
    watched = watch(asked, model, tokenizer, how, batch_size)
    check(watched, model, how, 3 * len(LENGTHS))
    together = [{watched.rows[key].request.adapter for key in keys} for keys in watched.drawn]
    assert (max(map(len, together)) > 1) == (batch_size > 2)


def test_in_bfloat16_no_more_is_lost_than_by_the_model_itself(tmp_path):
    exact, tokenizer = load(LLAMA3, tmp_path / "exact")
    model, _ = load(LLAMA3, tmp_path / "rounded", dtype="bfloat16")
    watched = watch(requests(model.config.vocab_size, 2), model, tokenizer, settings())
    lost, own = [], []
    for key, row in watched.rows.items():
        right = plain_logits(exact, row)
        lost.append((torch.stack(watched.logits[key]) - right).square().mean())
        own.append((plain_logits(model, row) - right).square().mean())
    assert 0 < sum(lost) < 1.2 * sum(own)


def test_adapters_change_answers(with_adapters):
    model, tokenizer = with_adapters
    asked = requests(model.config.vocab_size, lengths=(40,) * 6)
    texts = [
        [answer.text for answer in watch(group, model, tokenizer, settings()).answers]
        for group in ([replace(each, adapter=adapter) for each in asked] for adapter in (None, "one", "two"))
    ]
    assert texts[0] != texts[1] != texts[2] != texts[0]


def test_on_a_base_in_4_bits_logits_are_the_models_own(tmp_path):
    model, tokenizer = load(PHI3, tmp_path, QLoRA(rank=4))
    torch.manual_seed(0)
    model = adapted(model, "one")
    how, asked = settings(), requests(model.config.vocab_size, 2, (None, "one"))
    check(watch(asked, model, tokenizer, how), model, how, 2 * len(LENGTHS))


@pytest.mark.parametrize("batch_size", [1, 2, 5, 64])
def test_answers_do_not_depend_on_order_or_batch(with_adapters, batch_size):
    model, tokenizer = with_adapters
    asked = requests(model.config.vocab_size, 3, (None, "one", "two"))
    together = told(asked, model, tokenizer, settings())
    assert told(asked[::-1], model, tokenizer, settings(), batch_size=batch_size) == together
    assert told(asked[::3], model, tokenizer, settings(), batch_size=batch_size).items() < together.items()


@pytest.mark.parametrize("samples", [1, 3])
def test_questions_enter_as_others_leave(loaded, samples):
    """So that there are nearly as many answers at once as there may be, as long as questions wait."""
    model, tokenizer = loaded
    asked = requests(model.config.vocab_size, samples, lengths=LENGTHS * 4)
    watched = watch(asked, model, tokenizer, settings(), batch_size=12)
    waiting = {key for each in asked for key in each.keys}
    for keys in watched.drawn:
        assert len(keys) <= 12
        if waiting and not waiting.intersection(keys):  # a step, not the first tokens after prompts
            assert len(keys) > (1 - WORTH_ENTERING) * 12 - samples
        waiting.difference_update(keys)
    assert len(watched.drawn) > 3 * settings().max_new_tokens  # no single batch
