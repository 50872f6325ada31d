"""A finished run of each family, with an arm for each kind of adapter."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from train.loading import load_recipe
from train.prepare import Prepared, prepare
from train.store import Run

from ..conftest import write_project
from .builders import FAMILIES, Family, write_model

ARMS = """arms={
        "base": Untuned(),
        "lora": Tuned(condition=GOLD, adapter=LoRA(rank=4, alpha=8)),
        "dora": Tuned(condition=GOLD, adapter=LoRA(rank=4, alpha=8, dora=True)),
        "rslora": Tuned(condition=GOLD, adapter=LoRA(rank=4, alpha=8, rslora=True)),
        "qlora": Tuned(condition=GOLD, adapter=QLoRA(rank=4, alpha=8)),
    },
    conditions=(NONE, GOLD),"""

TUNED = ("lora", "dora", "rslora", "qlora")


def write_family_project(folder: Path, model: Path) -> Path:
    """The tiny project with that base and an arm for each kind of adapter; returns the recipe's path."""
    write_project(folder, model)
    path = folder / "recipe.py"
    text, count = re.subn(
        r"arms=\{.*?conditions=\(.*?\),\n", lambda _: f"{ARMS}\n", path.read_text(encoding="utf-8"), flags=re.DOTALL
    )
    assert count == 1
    for old, new in (
        ("open-book/gold vs closed-book/gold", "qlora/gold vs lora/gold"),
        ("learning_rate=5e-3, batch_size=4, epochs=3", "learning_rate=2e-2, batch_size=4, epochs=6"),
    ):
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
    return path


@dataclass(frozen=True, slots=True)
class FamilyRun:
    """A run that the command line finished, and what the recipe meant before its first step."""

    family: Family
    run: Run
    prepared: Prepared
    recipe: Path
    code: int

    def adapter(self, arm: str) -> Path:
        return self.run.adapter(arm, 0)


@pytest.fixture(scope="session", params=FAMILIES, ids=lambda family: family.name)
def finished(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> FamilyRun:
    """One run a family, for all tests; not to be changed."""
    from train.cli import main

    folder = tmp_path_factory.mktemp(request.param.name)
    model = write_model(request.param, folder / "model")
    recipe = write_family_project(folder / "project", model)
    code = main(["run", str(recipe), "--out", str(folder / "run")])
    prepared = prepare(load_recipe(str(recipe)))
    return FamilyRun(request.param, Run(folder / "run", "tiny"), prepared, recipe, code)
