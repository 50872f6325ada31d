"""Two processes give what one gives with twice the batch, and one report. Real processes, started by accelerate."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from train.sealing import numbered_records


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


RATE = ("--set=optimization.learning_rate=5e-4",)
"""Adam divides by the gradient's size, so the rounding of small gradients grows with the learning rate."""


def launch(processes: int, project: Path, out: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """`accelerate launch --no_python openbook run recipe.py`, the installed command spelt as a module.

    `--multi_gpu` is what the launcher calls several processes; without a GPU they meet over gloo.
    """
    command = [sys.executable, "-m", "train", "run", "recipe.py", "--out", str(out), *RATE, *options]
    if processes > 1:
        launcher = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_machines", "1"]
        launcher += ["--num_processes", str(processes), "--mixed_precision", "no", "--dynamo_backend", "no"]
        command = [*launcher, "--main_process_port", str(free_port()), "--no_python", *command]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        command, cwd=project, env=environment, check=False, capture_output=True, text=True, timeout=300
    )


def answers(out: Path) -> dict[tuple[object, ...], dict[str, object]]:
    found: dict[tuple[object, ...], dict[str, object]] = {}
    for _, record in numbered_records(out / "answers.jsonl"):
        identifier = tuple(record[name] for name in ("arm", "seed", "condition", "question", "sample"))
        assert identifier not in found, "an answer is there twice"
        found[identifier] = record
    return found


BATCH = "optimization.batch_size"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Path:
    from tests.conftest import write_project

    folder = tmp_path_factory.mktemp("processes")
    write_project(folder, tiny_model)
    return folder


@pytest.fixture(scope="module")
def one(folder: Path) -> Path:
    """A run of one process whose batch leaves a rest in the last step (36 rows by 10)."""
    done = launch(1, folder, folder / "one", f"--set={BATCH}=10")
    assert done.returncode == 0, done.stderr
    return folder / "one"


@pytest.fixture(scope="module")
def two(folder: Path) -> Path:
    done = launch(2, folder, folder / "two", f"--set={BATCH}=5")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == str(folder / "two" / "report.html")
    assert done.stdout.count("report.html") == 1
    assert done.stderr.count("plan:") == 1
    assert "2 processes: 10 rows in one optimizer step" in done.stderr
    return folder / "two"


@pytest.mark.parametrize("arm", ["closed-book", "open-book"])
def test_two_processes_train_what_one_trains_with_twice_the_batch(arm, one, two):
    single, double = (load_file(run / "adapters" / arm / "seed-0/adapter_model.safetensors") for run in (one, two))
    assert single.keys() == double.keys()
    for name, weight in single.items():
        torch.testing.assert_close(double[name], weight, rtol=1e-5, atol=1e-5)
    summaries = [json.loads((run / "adapters" / arm / "seed-0/openbook.json").read_text()) for run in (one, two)]
    for name in ("rows_per_step", "steps", "tokens", "completion_tokens"):
        assert summaries[0][name] == summaries[1][name]
    for name in ("loss", "validation_loss"):
        assert torch.tensor(summaries[1][name]) == pytest.approx(torch.tensor(summaries[0][name]), abs=1e-4)


def test_two_processes_answer_every_question_once(one, two):
    assert answers(two).keys() == answers(one).keys()
    assert not list(two.glob("answers-*.jsonl"))
    base = [identifier for identifier in answers(one) if identifier[0] == "base"]
    assert base
    for identifier in base:  # the same weights and keys: the same answers, whoever draws them
        assert answers(two)[identifier]["text"] == answers(one)[identifier]["text"]


def test_the_run_of_two_processes_verifies_and_is_not_done_again_by_one(two, folder, openbook):
    assert openbook("verify", two)[0] == 0
    before = (two / "answers.jsonl").read_bytes()
    code, _, said = openbook("run", folder / "recipe.py", "--out", two, *RATE, "--set", f"{BATCH}=5")
    assert code == 0
    assert said.count("reuse") == 5
    assert (two / "answers.jsonl").read_bytes() == before


def test_bad_input_is_said_once(folder, tmp_path):
    done = launch(2, folder, tmp_path / "run", "--set=optimization.max_length=20")
    assert done.returncode != 0
    assert done.stderr.count("openbook: error: training row") == 1
    assert not (tmp_path / "run" / "manifest.json").exists()
