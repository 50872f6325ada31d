"""What a judge on this machine takes: as an arm that is asked each prompt once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.estimate.builders import MACHINE
from train.estimate import GIB, Judging, Machine, estimate, shape_of, two_digits, weight_bytes
from train.estimate.judging import judging_bytes, judging_seconds


@pytest.fixture
def judging(llama) -> Judging:
    return Judging(llama, "bfloat16", (400,) * 100, 16)


@pytest.mark.parametrize(("dtype", "width"), [("bfloat16", 2), ("float16", 2), ("float32", 4)])
def test_its_weights_are_there_in_its_own_precision(dtype, width, judging):
    peak = judging_bytes(replace(judging, dtype=dtype), MACHINE)
    weights = weight_bytes(judging.shape, width)
    assert weights < peak < weights + MACHINE.free


def test_twice_the_prompts_take_about_twice_the_time(judging):
    once, twice = (judging_seconds(replace(judging, prompts=(400,) * count), MACHINE) for count in (500, 1000))
    assert twice == pytest.approx(2 * once, rel=0.1)


def test_longer_prompts_and_replies_take_longer(judging):
    now = judging_seconds(judging, MACHINE)
    assert judging_seconds(replace(judging, prompts=(800,) * 100), MACHINE) > 1.5 * now
    assert judging_seconds(replace(judging, reply=512), MACHINE) > 1.5 * now


def test_it_is_a_stage_of_the_estimate_beside_the_others(prepared, judging):
    alone, found = estimate(prepared, MACHINE), estimate(prepared, MACHINE, judging)
    assert list(found.stages) == [*alone.stages, "judging"]
    assert {name: found.stages[name] for name in alone.stages} == alone.stages
    memory, time, *_ = found.lines()
    assert f"judging about {two_digits(judging_bytes(judging, MACHINE) / GIB)} GiB" in memory
    assert time.endswith(" (at most 100 replies of 16 tokens)")


@pytest.mark.parametrize(
    ("dtype", "mends"),
    [
        ("float32", "lower it with grading.judge.dtype=bfloat16 (to about "),
        ("bfloat16", "lower it with a smaller judge"),
    ],
)
def test_a_judge_that_memory_does_not_hold_is_warned_of(dtype, mends, prepared, judging):
    small = Machine("cpu", memory=3 * GIB, free=3 * GIB, rate=1e11, bandwidth=2e10, call=0.0)
    (warning,) = estimate(prepared, small, replace(judging, dtype=dtype)).warnings
    assert warning.startswith("judging takes about ")
    assert mends in warning
    assert warning.endswith("a smaller judge")


def test_without_a_machine_its_own_layers_are_measured(prepared):
    shape = shape_of(prepared.config, prepared.recipe.base)
    found = estimate(prepared, judging=Judging(shape, "float32", (100,) * 10, 16))
    assert found.stages["judging"].seconds > 0
