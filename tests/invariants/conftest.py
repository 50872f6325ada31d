"""Models and rows for the invariants."""

from __future__ import annotations

from pathlib import Path

import pytest

from train import models
from train.loading import load_recipe
from train.prepare import Prepared, prepare


@pytest.fixture
def prepared(project: Path) -> Prepared:
    """The tiny recipe as it stands before the first step."""
    return prepare(load_recipe(str(project / "recipe.py")))


@pytest.fixture
def model(prepared: Prepared):
    """The tiny base, loaded as for asking."""
    return models.load_model(prepared.source, prepared.recipe.base)
