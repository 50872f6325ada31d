"""A graded run without any model, and a labelling server in a process of its own."""

from __future__ import annotations

import csv
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from train.sealing import numbered_records
from train.store import Run

QUESTIONS = 30
HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title = 'owned'</script>"

SAID = {
    ("tuned", "gold"): lambda n, sample: n % 5 > 0,
    ("tuned", "distractors@2"): lambda n, sample: n % 3 > 0,
    ("base", "gold"): lambda n, sample: (n + sample) % 3 > 0,
    ("base", "none"): lambda n, sample: n % 10 == 0,
}
"""For each cell, whether an answer is what is asked for."""


def write_answers(folder: Path, changed: str = "") -> tuple[Path, Path]:
    """A questions and an answers file: 30 questions, 4 cells, 2 samples each; `changed` ends the first answer."""
    questions, answers = folder / "questions.jsonl", folder / "answers.csv"
    rows = [
        {
            "id": f"q{n:02}", "question": f"What colour is lamp {n}? 등불 {n}의 색은?", "answer": f"Lamp {n} is red.",
            "facts": [["red", "빨간색"]], "forbidden": ["blue"], "split": "unseen",
        }
        for n in range(QUESTIONS)
    ]  # fmt: skip
    questions.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    with answers.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["arm", "condition", "question", "sample", "answer"])
        for (arm, condition), right in SAID.items():
            for n in range(QUESTIONS):
                for sample in range(2):
                    abstain = condition.startswith("distractors")
                    good = "I don't know." if abstain else f"등불 {n}은 빨간색입니다."
                    bad = HOSTILE if n == 1 else f"=1+{n}, it is blue."
                    text = good if right(n, sample) else bad
                    first = not n and not sample and (arm, condition) == ("tuned", "gold")
                    writer.writerow([arm, condition, f"q{n:02}", sample, text + (changed if first else "")])
    return answers, questions


@pytest.fixture(scope="session")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A graded run, not to be changed (copy it); the files that it was made from lie beside it."""
    from train.cli import main

    folder = tmp_path_factory.mktemp("graded")
    answers, questions = write_answers(folder)
    assert main(["compare", str(answers), "--questions", str(questions), "--out", str(folder / "run")]) == 0
    return folder / "run"


@pytest.fixture
def run_directory(graded: Path, tmp_path: Path) -> Path:
    """The graded run, this test's own."""
    return Path(shutil.copytree(graded, tmp_path / "run"))


@pytest.fixture
def run(run_directory: Path) -> Run:
    return Run.of(run_directory)


def labels_in(directory: Path) -> list[dict[str, Any]]:
    """The stored labels' records."""
    return [record for _, record in numbered_records(directory / "labels.jsonl")]


@dataclass
class Server:
    """A labelling server that is up."""

    process: subprocess.Popen[str]
    url: str

    @property
    def port(self) -> int:
        port = urlsplit(self.url).port
        assert port
        return port

    @property
    def token(self) -> str:
        return urlsplit(self.url).path.strip("/")

    def ask(
        self, path: str, body: Any = None, headers: dict[str, str] | None = None, method: str = ""
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of one request; `path` is below the token, unless it begins with a slash."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        given = {"Content-Type": "application/json"} if data is not None else {}
        path = path if path.startswith("/") else f"/{self.token}/{path}"
        connection.request(method or ("GET" if data is None else "POST"), path, data, {**given, **(headers or {})})
        response = connection.getresponse()
        content = response.read()
        connection.close()
        return response.status, dict(response.getheaders()), content

    def act(self, path: str, body: Any = None) -> dict[str, Any]:
        """The state after an action that must succeed."""
        status, _, content = self.ask(path, body)
        assert status == 200, content
        state = json.loads(content)
        assert isinstance(state, dict)
        return state

    def stop(self) -> tuple[int, str, str]:
        """What Ctrl-C gives: exit code, the rest of stdout, stderr."""
        self.process.send_signal(signal.SIGINT)
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, out, err


@contextmanager
def serving(directory: Path, who: str = "kim", *options: str) -> Iterator[Server]:
    """A labelling server, killed at the end if it is still there."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    process = subprocess.Popen(
        [sys.executable, "-m", "train", "label", str(directory), "--as", who, *options],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("http://127.0.0.1:"), line + process.communicate(timeout=20)[1]
        yield Server(process, line.strip())
    finally:
        process.kill()
        process.communicate(timeout=20)
