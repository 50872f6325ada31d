"""What cannot be served is refused before anything heavy is imported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from train.store import Run

WATCHED = """
import sys
from train.cli import main
code = main(sys.argv[1:])
print(*sorted({"torch", "transformers", "datasets", "peft"} & sys.modules.keys()))
sys.exit(code)
"""


def refused(*command: object) -> tuple[list[str], str]:
    """The heavy libraries that the command had imported when it refused, and what it said."""
    words = [sys.executable, "-c", WATCHED, *map(str, command)]
    done = subprocess.run(words, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2, done.stderr
    return done.stdout.split(), done.stderr


def moved_base(directory: Path) -> None:
    run = Run.of(directory)
    recipe = run.manifest()["recipe"]
    recipe["base"]["model"] = "/no/model"
    run.amend({"recipe": recipe})


def no_passages(directory: Path) -> None:
    (directory / "passages.jsonl").write_text("")


def nothing(directory: Path) -> None:
    pass


@pytest.mark.parametrize(
    ("change", "verb", "options", "says"),
    [
        (nothing, "chat", ["--arm", "closed"], "no such arm"),
        (nothing, "chat", ["--arm", "base", "--seed", "7"], "no such training seed"),
        (nothing, "chat", ["--arm", "base", "--passages", "-1"], "cannot be negative"),
        (no_passages, "chat", ["--arm", "base", "--passages", "2"], "has no passages"),
        (moved_base, "chat", ["--arm", "base"], "is not there any more"),
        (moved_base, "merge", ["--arm", "open-book", "--out", "whole"], "is not there any more"),
        (nothing, "merge", ["--arm", "base", "--out", "whole"], "is not tuned"),
    ],
)
def test_wrong_use_is_refused_before_heavy_imports(change, verb, options, says, run_copy):
    change(run_copy)
    imported, said = refused(verb, run_copy, *options)
    assert says in said
    assert imported == []


def test_what_is_no_run_is_refused_before_heavy_imports(tmp_path):
    imported, said = refused("chat", tmp_path / "nothing", "--arm", "base")
    assert "holds no run" in said
    assert imported == []
