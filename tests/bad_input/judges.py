"""Judges that are the model under test, under whatever name."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

from train.models import Origin, resolve, write_origin
from train.recipe import Base

from .case import Case, case
from .changes import Change, in_json, write


def judged_by(kind: str, model: str, **fields: Any) -> str:
    """A run of the recipe with that judge."""
    judge = json.dumps({"kind": kind, "model": model, **fields})
    return f"run recipe.py --out run --set 'grading.judge={judge}'"


def base_of(project: Path) -> Path:
    """The directory of the model under test."""
    found = re.search(r'Base\(r"(.*?)"', (project / "recipe.py").read_text(encoding="utf-8"))
    assert found is not None
    return Path(found[1])


def copied(name: str, *changes: Change) -> Change:
    """A copy of the model under test, with these changes to its files."""

    def change(project: Path) -> None:
        shutil.copytree(base_of(project), project / name)
        for each in changes:
            each(project / name)

    return change


def sharded(folder: Path) -> None:
    """The file of weights is called as the first of several would be."""
    (folder / "model.safetensors").rename(folder / "model-00001-of-00001.safetensors")


def merged(name: str) -> Change:
    """Other weights than the base's, and what `openbook merge` writes beside them."""

    def change(project: Path) -> None:
        from safetensors.torch import load_file, save_file

        weights = project / name / "model.safetensors"
        copied(name)(project)
        save_file({key: value + 1 for key, value in load_file(weights).items()}, weights, {"format": "pt"})
        base = resolve(Base(str(base_of(project))))
        write_origin(project / name, Origin("tiny", "open-book", 0, base.fingerprint, base.weights, "0" * 64))

    return change


def bad(name: str, *changes: Change, command: str, place: str, value: str) -> Case:
    return case(f"judge: {name}", *changes, command=command, place=place, value=value, mend="name another model")


ITSELF = "is the model under test, which may not judge itself"
MERGED = "is arm 'open-book' of recipe 'tiny', merged from the base under test (openbook.json in it says so)"
SERVER = {"base_url": "http://127.0.0.1:9/v1"}

JUDGES = (
    bad(
        "a copy of the base under another name",
        copied("expert"),
        command=judged_by("local", "expert"),
        place="grading.judge.model = 'expert'",
        value=ITSELF,
    ),
    bad(
        "the base's weights with other settings beside them",
        copied("expert", in_json("config.json", max_position_embeddings=4096), write("notes.txt", "An expert.")),
        command=judged_by("local", "expert"),
        place="grading.judge.model = 'expert'",
        value=ITSELF,
    ),
    bad(
        "the base's weights in a file of another name",
        copied("expert", sharded),
        command=judged_by("local", "expert"),
        place="grading.judge.model = 'expert'",
        value=ITSELF,
    ),
    bad(
        "an arm of the base that was merged",
        merged("expert"),
        command=judged_by("local", "expert"),
        place="grading.judge.model = 'expert'",
        value=MERGED,
    ),
    bad(
        "a merged arm that a server offers under its directory's name",
        merged("out/expert"),
        command=judged_by("endpoint", "out/expert", **SERVER),
        place="grading.judge.model = 'out/expert'",
        value=MERGED,
    ),
    bad(
        "a merged arm, found by check before anything is printed",
        merged("expert"),
        command=judged_by("local", "expert").replace("run recipe.py --out run", "check recipe.py"),
        place="grading.judge.model = 'expert'",
        value=MERGED,
    ),
)
