"""What a test does to a project before it gives a command: small functions of the project's folder."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

Change = Callable[[Path], None]

GONE = object()
"""As a cell: the row lacks it."""


def write(name: str, content: str | bytes) -> Change:
    """A file of the project has this content."""

    def change(project: Path) -> None:
        path = project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)

    return change


def lines(name: str, *rows: Any) -> Change:
    """A file of JSON lines."""
    return write(name, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def recipe(old: str, new: str) -> Change:
    """The recipe says `new` where it said `old`."""

    def change(project: Path) -> None:
        path = project / "recipe.py"
        text = path.read_text(encoding="utf-8")
        assert old in text, f"the recipe of the tests no longer says {old}"
        path.write_text(text.replace(old, new), encoding="utf-8")

    return change


def question(identifier: str, **cells: Any) -> Change:
    """The question with that id has these cells."""
    return _rows(lambda rows: [row | cells if row["id"] == identifier else row for row in rows])


def every_question(**cells: Any) -> Change:
    """All questions have these cells."""
    return _rows(lambda rows: [row | cells for row in rows])


def only(*splits: str) -> Change:
    """The questions of other splits are not there."""
    return _rows(lambda rows: [row for row in rows if row["split"] in splits])


def _rows(edit: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> Change:
    def change(project: Path) -> None:
        path = project / "questions.jsonl"
        rows = edit([json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()])
        kept = [{key: value for key, value in row.items() if value is not GONE} for row in rows]
        lines("questions.jsonl", *kept)(project)

    return change


def moved(name: str, target: str) -> Change:
    """A file of the project has another name."""

    def change(project: Path) -> None:
        (project / target).parent.mkdir(parents=True, exist_ok=True)
        (project / name).rename(project / target)

    return change


def removed(name: str) -> Change:
    """A file or folder of the project is not there."""

    def change(project: Path) -> None:
        path = project / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()

    return change


def base(model: str, *more: str) -> Change:
    """The recipe names another base model."""

    def change(project: Path) -> None:
        path = project / "recipe.py"
        fields = ", ".join((repr(model), 'dtype="float32"', *more))
        text, count = re.subn(r"base=Base\(.*\)", lambda _: f"base=Base({fields})", path.read_text(encoding="utf-8"))
        assert count == 1
        path.write_text(text, encoding="utf-8")

    return change


def own_model(*changes: Change) -> Change:
    """The base is a copy of the tiny model in the folder `model`, with these changes to its files."""

    def change(project: Path) -> None:
        found = re.search(r'Base\(r"(.*?)"', (project / "recipe.py").read_text(encoding="utf-8"))
        assert found is not None
        shutil.copytree(found[1], project / "model")
        for each in changes:
            each(project / "model")
        base("model")(project)

    return change


def in_json(name: str, **entries: Any) -> Change:
    """A JSON file has these entries."""

    def change(folder: Path) -> None:
        path = folder / name
        content = json.loads(path.read_text(encoding="utf-8")) | entries
        kept = {key: value for key, value in content.items() if value is not GONE}
        path.write_text(json.dumps(kept), encoding="utf-8")

    return change


def text(content: str, encoding: str) -> bytes:
    """The text as a file of that encoding holds it."""
    return content.encode(encoding)


def asked_from(name: str, content: str | bytes) -> Change:
    """The recipe's questions are in this file."""

    def change(project: Path) -> None:
        write(name, content)(project)
        recipe("questions.jsonl", name)(project)

    return change
