"""What answering takes: as many rows at once as the engine will choose, and every answer counted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.estimate.builders import MACHINE
from train import models
from train.estimate import (
    Asked,
    asked,
    estimate,
    reference_tokens,
    rows_at_once,
    sampling_bytes,
    sampling_seconds,
    shape_of,
)
from train.preflight import describe
from train.prepare import prepare
from train.recipe import LoRA, QLoRA, Sampling


def test_sampling_time_grows_with_prompts_and_falls_with_speed(llama):
    sampling = Sampling(samples=2, max_new_tokens=32, batch_size=8)
    one, two = ([Asked((100,) * count, LoRA(rank=16), 14)] for count in (8, 16))
    seconds = sampling_seconds(llama, one, sampling, 4, MACHINE)
    assert sampling_seconds(llama, two, sampling, 4, MACHINE) == pytest.approx(2 * seconds)
    assert sampling_seconds(llama, one * 3, sampling, 4, MACHINE) == pytest.approx(3 * seconds)
    faster = replace(MACHINE, rate=2 * MACHINE.rate, bandwidth=2 * MACHINE.bandwidth)
    assert sampling_seconds(llama, one, sampling, 4, faster) == pytest.approx(seconds / 2)
    alone = replace(sampling, samples=1, batch_size=1)  # every step reads the weights for one answer
    assert sampling_seconds(llama, one, alone, 4, MACHINE) > seconds


def test_sampling_memory_grows_with_rows_and_falls_with_four_bits(llama):
    full, small = [Asked((100,), LoRA(rank=16), 14)], [Asked((100,), QLoRA(rank=16), 14)]
    sampling = Sampling(samples=2, max_new_tokens=32, batch_size=8)
    need = sampling_bytes(llama, full, sampling, 2, MACHINE)
    assert sampling_bytes(llama, small, sampling, 2, MACHINE) < need
    assert sampling_bytes(llama, full, replace(sampling, batch_size=16), 2, MACHINE) > need
    # One base after the other: two that are there in turn take no more than the larger.
    assert sampling_bytes(llama, full + small, sampling, 2, MACHINE) == need


def test_the_engine_chooses_as_many_rows_as_were_foreseen(prepared):
    from train.sampling import Request
    from train.sampling.engine import MOST_ROWS, fitting_rows

    base = prepared.recipe.base
    model = models.load_model(prepared.source, base)
    tiny = shape_of(models.load_config(prepared.source, base), base)
    prompt = max(prepared.prompts.values(), key=lambda each: len(each.tokens))
    request = Request("base", 0, prompt, None, (0,), ("",))
    for new in (10, 200_000, 1_000_000):  # the first as many as there may be, the others as many as fit
        engine = fitting_rows(model, request, replace(prepared.settings, max_new_tokens=new))
        free = models.memory_of("cpu")[1]
        foreseen = rows_at_once(tiny, len(prompt.tokens), Sampling(samples=1, max_new_tokens=new), 4, free)
        assert foreseen == pytest.approx(engine, rel=0.3, abs=1)
        assert foreseen <= MOST_ROWS
    assert rows_at_once(tiny, 10, Sampling(samples=4, batch_size=2), 4, free) == 4  # a question's samples stay together


def test_a_base_is_taken_to_answer_at_greater_length_than_a_tuned_arm(prepared):
    reference = reference_tokens(prepared)
    answers = [each.answer or "The documents do not say." for each in prepared.dataset.questions]
    lengths = [1 + len(prepared.chat.tokenizer.encode(text, add_special_tokens=False)) for text in answers]
    assert min(lengths) <= reference <= max(lengths)
    base, closed, opened = asked(prepared, 4.0)
    assert (base.answer, closed.answer, opened.answer) == (8.0, 4.0, 4.0)  # of at most 12
    assert {each.answer for each in asked(prepared, 400.0)} == {12}
    assert list(base.prompts) == sorted((len(each.tokens) for each in prepared.prompts.values()), reverse=True)


def test_every_answer_that_is_asked_for_is_counted(prepared):
    planned = replace(prepared.recipe.comparison, contrasts=())
    for change in ({}, {"training_seeds": (0, 1)}, {"cells": "as-trained", "comparison": planned}):
        again = prepare(prepared.recipe.replace(**change))
        questions = sum(len(each.prompts) for each in asked(again, 10))
        assert questions * again.recipe.sampling.samples == again.answers
        assert estimate(again, MACHINE).stages["sampling"].work == f"{again.answers:,} answers"
        assert any(line.startswith(f"answers    {again.answers} (") for line in describe(again))
