"""What `train.decoder` does not know is answered by transformers itself, and with what it knows in one call."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from peft import LoraConfig
from transformers import GPT2Config, GPT2LMHeadModel

from tests.architectures.builders import LLAMA3
from tests.sampling.builders import Watched, adapted, check, load, requests, settings, told
from train.sampling import plain
from train.sampling.engine import parts_of


def watch_plain(asked, model, tokenizer, how, batch_size=None) -> Watched:
    watched = Watched()
    with torch.inference_mode():
        plain.answer(asked, model, tokenizer, how, watched.answers.extend, batch_size, watched)
    return watched


@pytest.fixture(scope="module")
def llama(tmp_path_factory):
    torch.manual_seed(0)
    model, tokenizer = load(LLAMA3, tmp_path_factory.mktemp("model"))
    model = adapted(model, "known")
    model.add_adapter("dora", LoraConfig(r=4, use_dora=True, target_modules="all-linear", init_lora_weights=False))
    return model.eval(), tokenizer


@pytest.mark.parametrize("batch_size", [1, 5, 64])
def test_logits_are_the_models_own(llama, batch_size):
    model, tokenizer = llama
    how, asked = settings(), requests(model.config.vocab_size, 3, (None, "known", "dora"))
    watched = watch_plain(asked, model, tokenizer, how, batch_size)
    check(watched, model, how, sum(len(each.samples) for each in asked))


def test_an_adapter_that_is_not_known_is_answered_beside_those_that_are(llama):
    model, tokenizer = llama
    how, asked = settings(), requests(model.config.vocab_size, 3, (None, "known", "dora"))
    parts = parts_of(model, asked, how)
    assert parts is not None
    assert list(parts.adapters) == ["known"]
    together = told(asked, model, tokenizer, how)
    assert {answer.arm for answer in together.values()} == {"base", "known", "dora"}
    watched = watch_plain(asked, model, tokenizer, how)
    assert {answer.key: replace(answer, seconds=0.0) for answer in watched.answers} == together


def test_a_model_that_is_not_known_is_answered(llama):
    _, tokenizer = llama
    torch.manual_seed(0)
    model = GPT2LMHeadModel(GPT2Config(vocab_size=400, n_embd=32, n_layer=2, n_head=2, n_positions=512)).eval()
    how, asked = settings(), requests(400, 2)
    assert parts_of(model, asked, how) is None
    alone = told(asked[::-1], model, tokenizer, how, batch_size=1)
    assert told(asked, model, tokenizer, how, batch_size=64) == alone
