"""What answering takes: as many rows at once as the engine will choose, and every answer counted."""

from __future__ import annotations

from dataclasses import replace

import pytest
from transformers import GPT2Config

from tests.estimate.builders import MACHINE
from train import models
from train.decoder.anatomy import take_apart
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
from train.estimate.sampling import room_of
from train.preflight import describe
from train.prepare import prepare
from train.recipe import GOLD, LoRA, QLoRA, Sampling, Tuned
from train.sampling import Request
from train.sampling.capacity import MOST_ROWS
from train.sampling.engine import find_room
from train.sampling.rows import Question


def test_sampling_time_grows_with_prompts_and_falls_with_speed(llama):
    sampling = Sampling(samples=2, max_new_tokens=32, batch_size=8)
    one, two = ([Asked((100,) * count, LoRA(rank=16), 14)] for count in (8, 16))
    seconds = sampling_seconds(llama, one, sampling, 4, MACHINE)
    # Less than twice as long, as the places of finished answers are taken by others.
    assert 1.5 * seconds < sampling_seconds(llama, two, sampling, 4, MACHINE) < 2 * seconds
    assert sampling_seconds(llama, one * 3, sampling, 4, MACHINE) == pytest.approx(3 * seconds, rel=0.1)
    faster = replace(MACHINE, rate=2 * MACHINE.rate, bandwidth=2 * MACHINE.bandwidth)
    assert sampling_seconds(llama, one, sampling, 4, faster) == pytest.approx(seconds / 2)
    alone = replace(sampling, samples=1, batch_size=1)  # every step reads the weights for one answer
    assert sampling_seconds(llama, one, alone, 4, MACHINE) > seconds


def test_sampling_memory_grows_with_rows_and_falls_with_four_bits(llama):
    full, small = ([Asked((100,) * 50, adapter, 14)] for adapter in (LoRA(rank=16), QLoRA(rank=16)))
    sampling = Sampling(samples=2, max_new_tokens=32, batch_size=8)
    need = sampling_bytes(llama, full, sampling, 2, MACHINE)
    assert sampling_bytes(llama, small, sampling, 2, MACHINE) < need
    assert sampling_bytes(llama, full, replace(sampling, batch_size=16), 2, MACHINE) > need
    # One base after the other: two that are there in turn take no more than the larger.
    assert sampling_bytes(llama, full + small, sampling, 2, MACHINE) == need


def test_the_engine_finds_the_room_that_was_foreseen(prepared):
    base = prepared.recipe.base
    decoder = take_apart(models.load_model(prepared.source, base))
    tiny = shape_of(models.load_config(prepared.source, base), base)
    prompt = max(prepared.prompts.values(), key=lambda each: len(each.tokens))
    request = Request("base", 0, prompt, None, (0,), ("",))
    for new in (10, 200_000, 1_000_000):  # the first as many as there may be, the others as many as fit
        how, sampling = replace(prepared.settings, max_new_tokens=new), Sampling(samples=1, max_new_tokens=new)
        waiting = [Question(request, [])] * 1000
        room = find_room(decoder, waiting, how, None, None)
        free = models.memory_of("cpu")[1]
        foreseen = room_of(tiny, len(prompt.tokens), 1000, sampling, 4, "cpu", free)
        assert foreseen.questions == pytest.approx(room.questions, rel=0.3, abs=1)
        assert rows_at_once(tiny, len(prompt.tokens), sampling, 4, free) == foreseen.rows <= MOST_ROWS["cpu"]
    assert rows_at_once(tiny, 10, Sampling(samples=4, batch_size=2), 4, free) == 4  # a question's samples stay together


def test_what_transformers_itself_answers_takes_longer(prepared, llama):
    sampling = Sampling(samples=2, max_new_tokens=32, batch_size=8)
    here, there = ([Asked((100,) * 8, LoRA(rank=16), 14, stock)] for stock in (False, True))
    assert sampling_seconds(llama, there, sampling, 4, MACHINE) > 2 * sampling_seconds(
        llama, here, sampling, 4, MACHINE
    )
    arms = {**prepared.recipe.arms, "dora": Tuned(condition=GOLD, adapter=LoRA(rank=4, dora=True))}
    assert [each.stock for each in asked(prepare(prepared.recipe.replace(arms=arms)), 10)] == [False] * 3 + [True]
    other = replace(prepared, config=GPT2Config())
    assert all(each.stock for each in asked(other, 10))


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
