"""What tests of judges share: a project that is sampled once, and a server that has an opinion."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.judging.project import SECRET, opinion, write_judged_project
from tests.judging.server import Server, serving


@pytest.fixture(scope="session")
def sampled(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Path:
    """A project whose run is sampled and not graded."""
    from train.cli import main

    folder = tmp_path_factory.mktemp("judged")
    write_judged_project(folder, tiny_model)
    assert main(["sample", str(folder / "recipe.py"), "--out", str(folder / "run")]) == 0
    return folder


@pytest.fixture
def folder(sampled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """That project, this test's own, with a key in the environment."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    return Path(shutil.copytree(sampled, tmp_path / "judged"))


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(opinion) as server:
        yield server
