"""A chat in this process: what it writes before the first question, and after."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

from train.serving import chat
from train.store import Run

ASKED = "What is the lamp of pier 2?"
HEAD = 3
"""The lines that say who answers and how, before the first question."""


def talk(directory: Path, arm: str, *questions: str, **options) -> str:
    """What a chat wrote after its introduction."""
    out = io.StringIO()
    chat(Run.of(directory), arm, ask=iter(questions), out=out, **options)
    return "".join(out.getvalue().splitlines(keepends=True)[HEAD:])


def introduction(directory: Path, arm: str, **options) -> list[str]:
    out = io.StringIO()
    chat(Run.of(directory), arm, ask=iter(()), out=out, **options)
    return out.getvalue().splitlines()


def rewrite_recipe(directory: Path, change: Callable[[dict], object]) -> None:
    run = Run.of(directory)
    recipe = run.manifest()["recipe"]
    change(recipe)
    run.amend({"recipe": recipe})
