"""A small project whose run is sampled and has no grades yet, and what tests of judges do with it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.conftest import tiny_rows, write_project
from tests.judging.server import Server, answer_in
from train.grading.normalise import normalise
from train.sealing import numbered_records

SECRET = "sk-test-0123456789abcdef"
ARMS, CONDITIONS = ("first-arm", "second-arm"), ("none", "gold", "distractors@2")
WORDS = {"A": "correct", "B": "wrong", "C": "abstained", "": "unscored"}
Book = Callable[..., tuple[int, str, str]]


def letter_for(answer: str) -> str:
    """The server's opinion of an answer: some letter, or none at all, always the same."""
    return ("A", "B", "C", "")[sum(answer.encode()) % 4]


def opinion(prompt: str, number: int) -> str:
    return letter_for(answer_in(prompt)) or "I would rather not say."


def write_judged_project(folder: Path, model: Path) -> None:
    """Two arms that say the same, and questions two thirds of which have no rubric."""
    write_project(folder, model)
    rows = [row if row.get("topic") == "fare" else {**row, "facts": []} for row in tiny_rows()]
    (folder / "questions.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    recipe = (folder / "recipe.py").read_text(encoding="utf-8")
    begin, end = recipe.index("    arms="), recipe.index("    optimization=")
    arms = f"    arms={{name: Untuned() for name in {ARMS}}},\n    conditions=(NONE, GOLD, Distractors(2)),\n"
    recipe = recipe[:begin] + arms + recipe[end:]
    recipe = recipe[: recipe.index("    comparison=")] + ")\n"
    (folder / "recipe.py").write_text(recipe, encoding="utf-8")


def judge(server: Server, **fields: Any) -> str:
    """The setting that names the server as the recipe's judge."""
    return "grading.judge=" + json.dumps({"kind": "endpoint", "model": "org/Judge-X", "base_url": server.url, **fields})


def local(model: Path, **fields: Any) -> str:
    """The setting that names the directory's model as the recipe's judge."""
    return "grading.judge=" + json.dumps({"kind": "local", "model": str(model), "dtype": "float32", **fields})


def grade(openbook: Book, folder: Path, setting: str, verb: str = "grade") -> tuple[int, str, str]:
    return openbook(verb, folder / "recipe.py", "--out", folder / "run", "--set", setting)


def records(folder: Path, name: str) -> list[dict[str, Any]]:
    return [record for _, record in numbered_records(folder / "run" / name)]


def verdicts(folder: Path, grader: str = "judge:judge-x") -> dict[tuple[Any, ...], dict[str, Any]]:
    return {
        tuple(each[name] for name in ("arm", "condition", "question", "sample")): each
        for each in records(folder, "verdicts.jsonl")
        if each["grader"] == grader
    }


def says_something(answer: dict[str, Any]) -> bool:
    return bool(normalise(answer["text"]).text.strip("*_~#"))


def provisional(folder: Path) -> list[dict[str, Any]]:
    """The answers to questions with a reference and no rubric."""
    return [
        each
        for each in records(folder, "answers.jsonl")
        if not each["question"].startswith(("fare", "nobody")) and says_something(each)
    ]
