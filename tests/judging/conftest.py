"""What tests of judges share: a project that is sampled once, and a server that has an opinion."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.judging.project import SECRET, judge, opinion, write_judged_project
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


@pytest.fixture(scope="session")
def other_model(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model with other weights and a longer window."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    folder = Path(shutil.copytree(tiny_model, tmp_path_factory.mktemp("other") / "other-judge"))
    torch.manual_seed(1)
    config = LlamaConfig.from_pretrained(folder)
    config.max_position_embeddings = 4096
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def judged(sampled: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's run judged and reported on, by a server that is gone by now."""
    pytest.importorskip("openai")
    from train.cli import main

    folder = Path(shutil.copytree(sampled, tmp_path_factory.mktemp("judged") / "project"))
    with serving(lambda prompt, number: "B" if number == 0 else opinion(prompt, number)) as server:
        for verb in ("grade", "report"):
            settings = ["--set", judge(server, concurrency=1, input_price=1.0, output_price=1.0)]
            assert main([verb, str(folder / "recipe.py"), "--out", str(folder / "run"), *settings]) == 0
    return folder / "run"
