"""What training takes: more costs more, by as much as the formulas say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.estimate.builders import MACHINE, job
from train.estimate import (
    adapter_parameters,
    passes,
    tuning_bytes,
    tuning_seconds,
)
from train.recipe import LoRA, QLoRA
from train.tuning import TokenRow


@pytest.mark.parametrize(
    ("rows", "size", "expected"),
    [
        ([(3, 2), (3, 2)], 2, [(2, 5, 2)]),
        ([(3, 2), (4, 3)], 2, [(2, 7, 4)]),  # labels at 3 and 4, and at 4, 5 and 6
        ([(3, 2), (9, 1)], 2, [(2, 10, 3)]),
        ([(3, 2), (9, 1), (5, 5)], 2, [(2, 10, 3), (1, 10, 5)]),
        ([], 4, []),
    ],
)
def test_a_batch_is_padded_to_its_longest_row_and_scored_where_any_row_has_a_label(rows, size, expected):
    made = [TokenRow((1,) * prompt, (2,) * completion) for prompt, completion in rows]
    assert list(passes(made, size)) == expected


@pytest.mark.parametrize(
    ("less", "more"),
    [
        (job(adapter=QLoRA(rank=16)), job()),
        (job(adapter=QLoRA(rank=16)), job(adapter=QLoRA(rank=16, double_quantization=False))),
        (job(gradient_checkpointing=True), job()),
        (job(batch_size=4), job()),
        (job(), job(prompt=200)),
        (job(), job(completion=40)),
        (job(), job(adapter=LoRA(rank=64))),
        (job(), job(adapter=LoRA(rank=16, dropout=0.1))),
        (job(), job(adapter=LoRA(rank=16, dora=True))),
    ],
    ids=["QLoRA", "double", "checkpointing", "batch", "prompt", "completion", "rank", "dropout", "DoRA"],
)
@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize("width", [2, 4])
def test_what_saves_memory_takes_less(llama, less, more, device, width):
    assert tuning_bytes(llama, less, width, device) < tuning_bytes(llama, more, width, device)


def test_a_trained_parameter_takes_16_bytes_and_a_scored_position_16_a_word(llama):
    def need(prompt: int, completion: int, rank: int) -> float:
        one = job(rows=1, prompt=prompt, completion=completion, adapter=LoRA(rank=rank))
        return tuning_bytes(llama, one, 2, "cuda")

    more = adapter_parameters(llama, LoRA(rank=32)) - adapter_parameters(llama, LoRA(rank=16))
    assert need(1, 1, 32) - need(1, 1, 16) == pytest.approx(16 * more, rel=1e-3)
    assert need(60, 60, 16) - need(100, 20, 16) == pytest.approx(16 * 40 * 128256)


def test_the_epochs_and_rows_of_a_job_do_not_change_its_peak_but_the_longest_batch_does(llama):
    rows = [TokenRow((1,) * 50, (2,) * 20)] * 32
    longest = TokenRow((1,) * 100, (2,) * 20)
    short, long = replace(job(), rows=rows), replace(job(), rows=[longest, *rows])
    assert tuning_bytes(llama, short, 2, "cuda") == tuning_bytes(llama, replace(short, rows=rows * 3), 2, "cuda")
    assert tuning_bytes(llama, short, 2, "cuda") < tuning_bytes(llama, long, 2, "cuda")


def test_twice_the_rows_take_twice_the_time(llama):
    for adapter in (LoRA(rank=16), QLoRA(rank=16)):
        one, two = job(rows=16, adapter=adapter), job(rows=32, adapter=adapter)
        assert tuning_seconds(llama, two, MACHINE) == pytest.approx(2 * tuning_seconds(llama, one, MACHINE))


def test_twice_the_tokens_of_a_row_take_about_twice_the_time(llama):
    ratio = tuning_seconds(llama, job(prompt=200, completion=40), MACHINE) / tuning_seconds(llama, job(), MACHINE)
    assert 2 < ratio < 2.05  # attention grows with the square


def test_a_trained_weight_costs_six_operations_and_a_frozen_one_four(smollm2):
    def operations(rank: int) -> float:
        one = job(rows=1, prompt=10, completion=1, adapter=LoRA(rank=rank), batch_size=1)
        return tuning_seconds(smollm2, one, replace(MACHINE, rate=1 / 0.55))

    adapter = adapter_parameters(smollm2, LoRA(rank=1))
    assert operations(2) - operations(1) == pytest.approx(11 * 6 * adapter)
    attention = 11 * 3 * 4 * 11 * 576 * 30
    assert operations(1) == pytest.approx(11 * (4 * smollm2.decoder + 6 * adapter) + attention + 4 * 576 * 49152)


def test_time_grows_with_checkpointing_validation_and_four_bits_and_falls_with_speed(llama):
    plain = tuning_seconds(llama, job(), MACHINE)
    assert tuning_seconds(llama, job(gradient_checkpointing=True), MACHINE) > plain
    assert tuning_seconds(llama, replace(job(), validation=job().rows), MACHINE) > plain
    assert tuning_seconds(llama, job(adapter=QLoRA(rank=16)), MACHINE) > plain
    assert tuning_seconds(llama, job(), replace(MACHINE, rate=2e11)) == pytest.approx(plain / 2)
    assert tuning_seconds(llama, job(), replace(MACHINE, call=1e-5)) > plain
