"""What a job's checkpoint holds: its adapter as a PEFT directory, and its optimizer's moments."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from train.decoder.adapters import Adapter
from train.tuning.checkpoints import partial_directory

if TYPE_CHECKING:
    from train.tuning.stack import Stack

MOMENTS = "optimizer.pt"
"""The optimizer's state in a checkpoint, as transformers names it."""
SHARED = "trainer_state.json"
"""What is the same in the checkpoints of all jobs of a stack: the trainer's own count."""
CHECKPOINTS = 2
"""So many are kept of a job."""


def save_adapter(model: Any, adapter: Adapter | None, directory: Path) -> None:
    """Saves an adapter of a PEFT model as a plain PEFT directory, whatever its name there; None is the only one."""
    name = "default"
    if adapter is not None:
        name = adapter.name
        adapter.tie()
    model.save_pretrained(directory, selected_adapters=[name])
    inner = directory / name
    if inner.is_dir():  # PEFT puts an adapter that is not called "default" into a folder of its name
        for file in inner.iterdir():
            file.replace(directory / file.name)
        inner.rmdir()


def load_adapter(model: Any, adapter: Adapter, directory: Path) -> None:
    """Puts saved values into an adapter of the model, in place."""
    from peft import load_peft_weights, set_peft_model_state_dict

    adapter.tie()
    set_peft_model_state_dict(model, load_peft_weights(str(directory), device="cpu"), adapter_name=adapter.name)


def save_optimizer(optimizer: Any, parameter: torch.nn.Parameter, directory: Path) -> None:
    """Saves AdamW's state of one parameter."""
    torch.save(dict(optimizer.state[parameter]), directory / MOMENTS)


def load_optimizer(optimizer: Any, parameter: torch.nn.Parameter, directory: Path) -> None:
    """Puts AdamW's saved state of one parameter back."""
    saved = torch.load(directory / MOMENTS, weights_only=True, map_location="cpu")
    optimizer.state[parameter] = {
        name: value if name == "step" and parameter.device.type == "cpu" else value.to(parameter.device)
        for name, value in saved.items()
    }


def save_states(stack: Stack, model: Any, optimizer: Any, step: int) -> None:
    """The checkpoints of all jobs but the first, whose own the trainer has written, and which lends what is shared."""
    name = f"checkpoint-{step}"
    first = partial_directory(stack.jobs[0]) / name
    for number, job in list(enumerate(stack.jobs))[1:]:
        folder = partial_directory(job)
        target = folder / name
        target.mkdir(parents=True, exist_ok=True)
        save_adapter(model, stack.adapters[number], target)
        save_optimizer(optimizer, stack.parameters[number], target)
        shutil.copyfile(first / SHARED, target / SHARED)
        old = sorted(folder.glob("checkpoint-*"), key=lambda path: int(path.name.rpartition("-")[2]))
        for path in old[:-CHECKPOINTS]:
            shutil.rmtree(path)


def load_states(stack: Stack, model: Any, optimizer: Any, name: str) -> None:
    """Puts every job's adapter and optimizer back to where its checkpoint of that name left them."""
    for number, job in enumerate(stack.jobs):
        folder = partial_directory(job) / name
        load_adapter(model, stack.adapters[number], folder)
        load_optimizer(optimizer, stack.parameters[number], folder)
