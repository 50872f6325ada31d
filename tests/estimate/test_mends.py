"""What does not fit is said, with what would lower it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.estimate.builders import MACHINE, config_of
from train.estimate import GIB, estimate
from train.prepare import Prepared
from train.recipe import LoRA, Optimization, QLoRA
from train.tuning import TokenRow


def warnings(prepared: Prepared, gib: float, **changes: Any) -> list[str]:
    machine = replace(MACHINE, memory=round(gib * GIB), free=round(gib * GIB), **changes)
    return [line for line in estimate(prepared, machine).lines() if line.startswith("warning")]


def rows_of(*lengths: int) -> list[TokenRow]:
    return [TokenRow((number,) * (length - 10), (2,) * 10) for number, length in enumerate(lengths)]


def larger(prepared: Prepared, base: str, **changes: Any) -> Prepared:
    """The same recipe on a larger base, with its jobs changed."""
    jobs = tuple(replace(job, **changes) for job in prepared.jobs)
    return replace(prepared, config=config_of(base), jobs=jobs)


def test_what_does_not_fit_is_said_with_what_would_lower_it(prepared):
    assert warnings(prepared, 16) == []
    tuning, sampling = warnings(prepared, 0.5)
    assert tuning == (
        "warning    tuning takes about 0.60 GiB, more than the 0.5 GiB here; lower it with a smaller base"
    )
    assert "sampling.batch_size=2 (to about " in sampling
    assert "on the GPU" in warnings(prepared, 0.5, device="cuda")[0]


@pytest.mark.parametrize(
    ("base", "gib", "changes", "offered"),
    [
        ("llama", 4, {}, ["a QLoRA adapter for closed-book and open-book", "base.dtype=bfloat16"]),
        ("llama", 1, {"adapter": QLoRA(rank=4)}, ["base.dtype=bfloat16"]),
        (
            "smollm2", 4, {"adapter": LoRA(dora=True), "rows": rows_of(*[300] * 32)},
            ["optimization.batch_size=2 and optimization.accumulation=2", "optimization.gradient_checkpointing=true",
             "base.dtype=bfloat16"],
        ),
        (
            "smollm2", 2,
            {"rows": rows_of(*[1500] * 8), "optimization": Optimization(batch_size=4, gradient_checkpointing=False)},
            ["optimization.gradient_checkpointing=true", "a QLoRA adapter for closed-book and open-book",
             "base.dtype=bfloat16"],
        ),
        (
            "smollm2", 3, {"adapter": LoRA(rank=1024)},
            ["arms.closed-book.adapter.rank=256 and arms.open-book.adapter.rank=256"],
        ),
        (
            "smollm2", 2, {"rows": rows_of(*[100] * 30, 9000, 9000)},
            ["a QLoRA adapter for closed-book and open-book",
             "optimization.max_length=100 and optimization.too_long=drop", "base.dtype=bfloat16"],
        ),
    ],
    ids=["large base", "QLoRA already", "DoRA", "nothing computed twice", "large rank", "long rows"],
)  # fmt: skip
def test_what_helps_is_offered_and_nothing_else(prepared, base, gib, changes, offered):
    [tuning] = [line for line in warnings(larger(prepared, base, **changes), gib) if "tuning" in line]
    ways = tuning.partition("lower it with ")[2].split(", ")
    assert [way.partition(" (to about ")[0] for way in ways] == [*offered, "or a smaller base"]


def test_passes_are_split_and_activations_computed_twice_without_being_told(prepared):
    rows = rows_of(*[1500] * 8)
    assert not [line for line in warnings(larger(prepared, "smollm2", rows=rows), 2) if "tuning" in line]


def test_an_arms_own_settings_are_named(prepared):
    recipe, own = prepared.recipe, Optimization(batch_size=4)
    arms = {**recipe.arms, "open-book": replace(recipe.arms["open-book"], optimization=own)}
    changed = larger(prepared, "smollm2", adapter=LoRA(dora=True), rows=rows_of(*[300] * 32))
    [tuning] = warnings(replace(changed, recipe=recipe.replace(arms=arms)), 3)
    assert "optimization.gradient_checkpointing=true and arms.open-book.optimization.gradient_checkpointing" in tuning
