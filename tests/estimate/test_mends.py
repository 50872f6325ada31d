"""What does not fit is said, with what would lower it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.estimate.builders import MACHINE
from train.estimate import (
    GIB,
    estimate,
)
from train.prepare import Prepared, prepare
from train.recipe import Optimization, QLoRA


def warnings(prepared: Prepared, gib: float, **changes: Any) -> list[str]:
    machine = replace(MACHINE, memory=round(gib * GIB), **changes)
    return [line for line in estimate(prepared, machine).lines() if line.startswith("warning")]


def test_what_does_not_fit_is_said_with_what_would_lower_it(prepared):
    assert warnings(prepared, 16) == []
    tuning, sampling = warnings(prepared, 0.5)
    assert tuning.startswith("warning    tuning takes about 0.6")
    for text in (
        "more than the 0.5 GiB here",
        "optimization.batch_size=1 and optimization.accumulation=4 (to about ",
        "optimization.gradient_checkpointing=true (to about ",
        "a QLoRA adapter for open-book (to about ",
        "base.dtype=bfloat16 (to about ",
        "or a smaller base",
    ):
        assert text in tuning
    assert "sampling.batch_size=2 (to about " in sampling
    assert "on the GPU" in warnings(prepared, 0.5, device="cuda")[0]


@pytest.mark.parametrize(
    ("arm", "offered", "not_offered"),
    [
        ({"adapter": QLoRA(rank=4)}, "optimization.batch_size=1", "QLoRA"),
        ({"optimization": Optimization(batch_size=8)}, "arms.open-book.optimization.batch_size=1", " optimization.b"),
        ({"optimization": Optimization(batch_size=1, gradient_checkpointing=True)}, "QLoRA", "optimization."),
    ],
    ids=["QLoRA already", "an arm's own settings", "all of it already"],
)
def test_only_what_can_be_changed_is_offered(prepared, arm, offered, not_offered):
    recipe = prepared.recipe
    arms = {"base": recipe.arms["base"], "open-book": replace(recipe.arms["open-book"], **arm)}
    changed = recipe.replace(arms=arms, comparison=replace(recipe.comparison, contrasts=()))
    tuning = warnings(prepare(changed), 0.1)[0]
    assert offered in tuning
    assert not_offered not in tuning


def test_a_smaller_batch_is_offered_no_smaller_than_needed(prepared):
    found = estimate(prepared, MACHINE)
    just = found.stages["tuning"].peak - 2**20
    [line] = [line for line in warnings(prepared, just / GIB) if "tuning" in line]
    assert "optimization.batch_size=2 and optimization.accumulation=2" in line
