"""A finished run that a test may change."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest


@pytest.fixture
def run_copy(finished_run: Path, tmp_path: Path) -> Path:
    """The finished run, this test's own."""
    shutil.copytree(finished_run, tmp_path / "run")
    return tmp_path / "run"
