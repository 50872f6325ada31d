"""From files and a model to a recipe on the disk."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from train.errors import InputProblems, UserError
from train.fields import HUB
from train.models.source import package_file
from train.naming import check_slug
from train.scaffold.choices import choose, describe
from train.scaffold.lengths import ruler_of
from train.scaffold.material import attempt, read
from train.scaffold.module import Names, literal, module_text, path_code


def write_recipe(
    questions: Path,
    documents: Path | None,
    model: str,
    *,
    name: str | None = None,
    out: Path | None = None,
    four_bit: bool = False,
) -> tuple[Path, list[str]]:
    """Writes a recipe module; returns its path and lines that say what was found and what to do next.

    Args:
        questions: as a recipe names them: CSV, JSONL or Parquet, a directory, or `hub:ORG/NAME`.
        documents: a corpus; None where there is none.
        model: the base as a recipe names it. The hub is not asked whether it has it.
        name: the recipe's name; None makes a slug of the questions file's.
        out: the module; None is `<name>_recipe.py` (with `_` for `-`) in the working directory.
        four_bit: also tune the last arm on the base in 4 bits (QLoRA).

    Raises:
        InputProblems: every problem of the arguments and of the data; nothing is written then.
        UserError: the file cannot be written.
    """
    own = slug(questions)
    named = own if name is None else name
    target = default_target(named) if out is None else out
    folder = target.parent.resolve()
    problems: list[str] = []
    attempt(lambda: check_slug("--name", named), problems)
    attempt(lambda: check_target(target, default_target(own)), problems)
    base = attempt(lambda: model_code(model, folder), problems)
    material = attempt(lambda: read(questions, documents), problems)
    if problems or base is None or material is None:
        raise InputProblems(problems)
    choices = choose(material, four_bit=four_bit, ruler=ruler_of(model))
    names = Names(
        name=named,
        title=f"{Path(model).name} on {questions.name}",
        origin=f"{len(material.questions)} questions and {len(material.passages)} passages",
        command=shlex.quote(target.name),
        model=base,
        questions=questions_code(questions, folder),
        documents="" if documents is None else path_code(documents, folder),
    )
    text = module_text(choices, names)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except OSError as error:
        raise UserError(f"{target}: cannot be written ({error.strerror or error}); give another --out") from error
    return target, [*describe(material, choices), *farewell(target, named)]


def slug(questions: Path) -> str:
    """The questions file's name as a recipe's name; `my-recipe` where it holds other letters, or none."""
    found = re.sub(r"[^a-z0-9]+", "-", questions.stem.lower())[:48].strip("-")
    return found if found and questions.stem.isascii() else "my-recipe"


def default_target(name: str) -> Path:
    """`manuals_recipe.py` for `manuals`: a plain `datasets.py` would hide the package of that name from Python."""
    return Path(f"{name.replace('-', '_').removesuffix('_recipe')}_recipe.py")


def check_target(target: Path, example: Path) -> None:
    """Raises `UserError` unless a new Python file can be put there."""
    if target.suffix != ".py":
        raise UserError(f"--out {target}: is no Python file; name one, such as {example}")
    if target.exists() or target.is_symlink():
        raise UserError(f"{target}: is there already and stays as it is; remove it or give another --out")


def model_code(model: str, folder: Path) -> str:
    """The base in Python, from the recipe's folder where it is a local one; raises `UserError` for what can be none."""
    path = Path(model).expanduser()
    if model.startswith("package:"):
        package_file(model)
        return literal(model)
    if path.is_file() if path.suffix == ".gguf" else (path / "config.json").is_file():
        return f"str({path_code(path, folder)})"
    if path.suffix == ".gguf":
        raise UserError(f"--model {model!r}: no such file; check the path")
    if path.is_dir():
        raise UserError(f"--model {model!r}: holds no config.json; give a model directory, a .gguf file or a hub id")
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", model) or path.exists():
        raise UserError(f"--model {model!r}: neither a directory, a .gguf file, nor a hub id such as org/name")
    return literal(model)


def questions_code(questions: Path, folder: Path) -> str:
    """The questions in Python: a data set on the hub as it is, everything else as a path."""
    return literal(str(questions)) if str(questions).startswith(HUB) else path_code(questions, folder)


def farewell(target: Path, name: str) -> Iterator[str]:
    """Where the recipe is and what to do with it."""
    file = shlex.quote(str(target))
    yield f"wrote      {target}: recipe {name!r}, which runs into runs/{name}"
    yield f"next       openbook check {file}"
    yield f"           openbook run {file} --limit 20"
    yield f"           openbook run {file}"
