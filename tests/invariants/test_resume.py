"""A run that is killed anywhere and started again ends as if nothing had happened. Real processes, real signals."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from train.sealing import file_digest, numbered_records


def start(project: Path, out: Path, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "train", "run", "recipe.py", "--out", str(out), *options]
    return subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(project: Path, out: Path, *options: str) -> tuple[int, str, str]:
    process = start(project, out, *options)
    printed, said = process.communicate(timeout=300)
    return process.returncode, printed, said


def result(out: Path) -> dict[str, object]:
    """Everything that a run is for: weights, answers but for their seconds, verdicts, comparison."""
    answers = [record for _, record in numbered_records(out / "answers.jsonl")]
    return {
        "adapters": {
            path.relative_to(out).as_posix(): file_digest(path) for path in out.rglob("adapter_model.safetensors")
        },
        "answers": [{**answer, "seconds": 0, "check": ""} for answer in answers],
        "verdicts": (out / "verdicts.jsonl").read_text(encoding="utf-8"),
        "comparison": (out / "comparison.json").read_text(encoding="utf-8"),
        "training": (out / "training.jsonl").read_text(encoding="utf-8"),
    }


def starts(out: Path) -> list[dict[str, int]]:
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    found: list[dict[str, int]] = manifest["starts"]
    return found


def checkpoint_is_there(out: Path) -> bool:
    return any(out.glob("adapters/open-book/*.partial/checkpoint-*/openbook.json"))


def first_adapter_is_there(out: Path) -> bool:
    return (out / "adapters/closed-book/seed-0/openbook.json").is_file()


def some_answers_are_there(out: Path) -> bool:
    path = out / "answers.jsonl"
    return path.is_file() and path.read_bytes().count(b"\n") >= 8


@pytest.fixture(scope="module")
def slow_project(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Path:
    """The tiny recipe with enough steps and small enough batches to be caught at work; with dropout, whose random
    numbers must go on where they were."""
    from tests.conftest import write_project

    folder = tmp_path_factory.mktemp("slow")
    write_project(folder, tiny_model)
    recipe = folder / "recipe.py"
    text = recipe.read_text(encoding="utf-8").replace("epochs=3", "epochs=6").replace("batch_size=8", "batch_size=2")
    recipe.write_text(text.replace("LoRA(rank=4, alpha=8)", "LoRA(rank=4, alpha=8, dropout=0.1)"), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def undisturbed(slow_project: Path) -> dict[str, object]:
    out = slow_project / "undisturbed"
    code, printed, _ = finish(slow_project, out)
    assert code == 0
    assert printed.splitlines()[-1] == str(out / "report.html")
    assert len(starts(out)) == 1 and ", in one go" in (out / "report.md").read_text(encoding="utf-8")
    return result(out)


@pytest.mark.parametrize(
    ("moment", "number", "code"),
    [
        (checkpoint_is_there, signal.SIGKILL, -9),
        (first_adapter_is_there, signal.SIGTERM, 143),
        (some_answers_are_there, signal.SIGINT, 130),
        (some_answers_are_there, signal.SIGKILL, -9),
    ],
)
def test_killed_and_started_again_is_as_undisturbed(
    slow_project: Path,
    undisturbed: dict[str, object],
    tmp_path: Path,
    moment: Callable[[Path], bool],
    number: signal.Signals,
    code: int,
):
    out = tmp_path / "run"
    process = start(slow_project, out)
    until = time.monotonic() + 240
    while not moment(out):
        assert process.poll() is None, "the run ended before it could be interrupted"
        assert time.monotonic() < until
        time.sleep(0.01)
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == code
    if number != signal.SIGKILL:
        assert said.splitlines()[-1] == "openbook: interrupted; the same command goes on from here"
    assert not (out / "report.html").exists()
    kept = [record["key"] for _, record in numbered_records(out / "answers.jsonl")]
    trained = {path: path.stat().st_mtime_ns for path in out.glob("adapters/*/seed-0/adapter_model.safetensors")}

    assert finish(slow_project, out)[0] == 0
    assert result(out) == undisturbed
    assert all(path.stat().st_mtime_ns == before for path, before in trained.items()), "an arm was trained twice"
    assert set(kept) <= {record["key"] for _, record in numbered_records(out / "answers.jsonl")}

    first, second = starts(out)
    assert (first["adapters"], first["steps"], first["answers"]) == (0, 0, 0)
    assert (second["adapters"], second["of_adapters"]) == (len(trained), 2)
    assert second["steps"] > 0 or moment is not checkpoint_is_there
    assert second["steps"] == 0 or moment is not some_answers_are_there
    assert (second["answers"], second["of_answers"]) == (len(kept), first["of_answers"])
    assert ", continued once: " in (out / "report.md").read_text(encoding="utf-8")
    for path in out.glob("adapters/*/seed-0/openbook.json"):
        assert json.loads(path.read_text(encoding="utf-8"))["peak_bytes"] > 2**20


def test_a_finished_run_is_not_done_again(slow_project: Path, undisturbed: dict[str, object]):
    out = slow_project / "undisturbed"
    files = [path for path in out.rglob("*") if path.is_file() and path.suffix in {".safetensors", ".jsonl"}]
    answers = (out / "answers.jsonl").stat().st_mtime_ns
    code, _, said = finish(slow_project, out)
    assert code == 0
    assert said.count("reuse") == 5
    assert len(starts(out)) == 1  # nothing was left to do, so nothing was continued
    assert "tuning:" not in said and "sampling:" not in said
    assert result(out) == undisturbed
    assert (out / "answers.jsonl").stat().st_mtime_ns == answers
    assert files


def test_a_change_redoes_what_depends_on_it_and_says_so(slow_project: Path, undisturbed: dict[str, object]):
    """More samples: only the new ones are drawn. Another learning rate: that arm and its answers, and back again."""
    out = slow_project / "undisturbed"
    before = json.loads((out / "comparison.json").read_text(encoding="utf-8"))
    keys = {record["key"] for _, record in numbered_records(out / "answers.jsonl")}

    def again(*settings: str) -> tuple[str, list[dict[str, object]]]:
        code, _, said = finish(slow_project, out, *(f"--set={setting}" for setting in settings))
        assert code == 0, said
        return said, [record for _, record in numbered_records(out / "answers.jsonl")]

    said, more = again("sampling.samples=3")
    assert keys < {answer["key"] for answer in more}
    assert f"{len(more) - len(keys)} of {len(more)} answers" in said
    assert said.count("trained already") == 2

    said, _ = again("arms.open-book.optimization.learning_rate=1e-4")
    assert "closed-book seed 0: trained already" in said
    assert "open-book seed 0: 18 steps" in said and "data or settings changed" in said

    said, back = again()
    assert "closed-book seed 0: trained already" in said
    assert {answer["key"] for answer in back} == keys
    assert json.loads((out / "comparison.json").read_text(encoding="utf-8")) == before
