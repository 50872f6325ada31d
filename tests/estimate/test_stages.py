"""The whole estimate: what was measured once comes out, and `check` prints it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.estimate.builders import MACHINE, job, together
from train.estimate import (
    GIB,
    Asked,
    Machine,
    estimate,
    sampling_bytes,
    sampling_seconds,
    tuning_bytes,
    tuning_seconds,
    two_digits,
)
from train.preflight import describe
from train.prepare import prepare
from train.recipe import LoRA, Sampling


def test_the_quickstart_takes_about_what_was_measured(smollm2):
    """Its median rows and prompts, on two cores that multiply 385 billion times a second, training in passes that hold
    1024 tokens of rows."""
    machine = Machine("cpu", memory=int(23.5 * GIB), free=20 * GIB, rate=3.85e11, bandwidth=4e10, call=3e-6)
    both = together(job(288, 56, 14, shared=39), job(288, 99, 14, shared=39))
    arms = [
        Asked(lengths, adapter, answer)
        for adapter, answer in ((None, 24), (LoRA(rank=16), 14), (LoRA(rank=16), 14))
        for lengths in [(192,) * 62 + (148,) * 62 + (104,) * 62 + (59,) * 62]
    ]
    sampling = Sampling(samples=2, temperature=0.6, max_new_tokens=32)
    assert tuning_seconds(smollm2, both, machine) == pytest.approx(108, rel=0.5)
    assert sampling_seconds(smollm2, arms, sampling, 4, machine) == pytest.approx(125, rel=0.5)
    assert tuning_bytes(smollm2, both, 4, "cpu") == pytest.approx(2.0e9, rel=0.15)
    assert sampling_bytes(smollm2, arms, sampling, 4, machine) == pytest.approx(3.67e9, rel=0.3)


def test_check_says_what_each_stage_takes(prepared):
    found = estimate(prepared, MACHINE)
    memory, time, *others = found.lines()
    rows, tokens = sum(len(each.rows) for each in prepared.jobs), sum(len(r) for j in prepared.jobs for r in j.rows)
    peaks = {name: two_digits(stage.peak / GIB) for name, stage in found.stages.items()}
    assert memory == (
        f"memory     tuning about {peaks['tuning']} GiB, sampling about {peaks['sampling']} GiB (of 16.0 GiB here)"
    )
    assert time.startswith("time       tuning about ")
    assert f"({rows:,} rows, {tokens:,} tokens), sampling about " in time
    assert time.endswith(f" ({prepared.answers:,} answers)")
    assert "within a factor of about two" in " ".join(others)
    assert found.warnings == ()
    printed = list(describe(prepared))
    for name in ("memory", "time", "assumed"):
        assert any(line.startswith(f"{name:<10} ") for line in printed)


def test_without_a_tuned_arm_only_sampling_is_estimated(prepared):
    recipe = prepared.recipe
    alone = prepare(
        recipe.replace(arms={"base": recipe.arms["base"]}, comparison=replace(recipe.comparison, contrasts=()))
    )
    assert list(estimate(alone, MACHINE).stages) == ["sampling"]
    assert "tuning" not in "\n".join(estimate(alone, MACHINE).lines())
