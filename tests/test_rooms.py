"""Where what lives: rooms that are in the guide, and imports that point one way."""

from __future__ import annotations

import ast
import re
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import train

TRAIN = Path(train.__file__).parent
GUIDE = TRAIN.parent / "CONTRIBUTING.md"
STAGES = ("data", "contexts", "retrieval", "tuning", "sampling", "grading", "comparison", "report")
READS = {"report": {"grading", "comparison"}}
"""The report puts into words what these two have found."""


def room_of(path: Path) -> str:
    """The folder right below `train`, or the module where there is none."""
    return path.relative_to(TRAIN).parts[0].removesuffix(".py")


def imported(text: str) -> set[str]:
    """The rooms of `train` that a module imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.module == "train":
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("train."):
            found.add(str(node.module).split(".")[1])
        elif isinstance(node, ast.Import):
            found |= {name.name.split(".")[1] for name in node.names if name.name.startswith("train.")}
    return found


@cache
def imports() -> dict[str, set[str]]:
    """What each room imports of the others."""
    found: dict[str, set[str]] = {}
    for path in TRAIN.rglob("*.py"):
        found.setdefault(room_of(path), set()).update(imported(path.read_text(encoding="utf-8")) - {room_of(path)})
    return found


def test_imports_between_rooms_point_one_way():
    order = list(TopologicalSorter(imports()).static_order())  # raises CycleError, which names the circle
    assert order.index("recipe") < order.index("prepare") < order.index("pipeline") < order.index("cli")


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_imports_no_other_stage(stage):
    assert imports()[stage] & set(STAGES) <= READS.get(stage, set())


def test_what_no_stage_may_import_is_seen_wherever_it_is_imported():
    text = "from train import models, tuning\ndef f():\n    import train.report.page\n    from train.grading import x\n"
    assert imported(text) == {"models", "tuning", "report", "grading"}


@pytest.mark.parametrize("folder", sorted(path.parent for path in TRAIN.rglob("__init__.py") if path.parent != TRAIN))
def test_a_room_says_what_it_does(folder):
    assert ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8")))


def test_every_room_is_in_the_guide():
    rows = "".join(line for line in GUIDE.read_text(encoding="utf-8").splitlines() if line.startswith("| `train/"))
    named = {each.removeprefix("train/").removesuffix(".py").strip("/") for each in re.findall(r"`([\w/.]+)`", rows)}
    assert set(imports()) - {"__init__", "__main__"} <= named
