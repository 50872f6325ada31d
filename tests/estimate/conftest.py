"""Models of three sizes, and the tiny project, prepared."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.estimate.builders import shape
from train.estimate import (
    Shape,
)
from train.loading import load_recipe
from train.prepare import Prepared, prepare


@pytest.fixture(scope="module")
def llama() -> Shape:
    return shape("llama")


@pytest.fixture(scope="module")
def smollm2() -> Shape:
    return shape("smollm2")


@pytest.fixture
def prepared(project: Path) -> Prepared:
    return prepare(load_recipe(str(project / "recipe.py")))
