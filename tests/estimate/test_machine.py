"""The machine is measured, not assumed."""

from __future__ import annotations

from train import models
from train.estimate import (
    measure,
    shape_of,
)


def test_the_machine_is_measured_on_the_models_layers(prepared):
    import torch

    base = prepared.recipe.base
    threads = torch.get_num_threads()
    machine = measure(shape_of(models.load_config(prepared.source, base), base), prepared.dtype, 100)
    assert machine.device == models.pick_device()
    assert 0 < machine.free <= machine.memory
    assert machine.rate > 0
    assert machine.bandwidth > 0
    assert 0 < machine.call < 1
    assert torch.get_num_threads() == threads
