"""Find a recipe, load it, and set single fields from the command line."""

from __future__ import annotations

import ast
import dataclasses
import importlib.util
import json
import types
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from train.errors import UserError, nearest
from train.recipe import STRICT, Recipe, Tuned


def shipped_recipes() -> dict[str, Path]:
    """The recipes that come with openbook: module name to file."""
    import recipes

    folder = Path(recipes.__path__[0])
    return {path.stem: path for path in sorted(folder.glob("*.py")) if not path.stem.startswith("_")}


def summary(path: Path) -> str:
    """The first line of a recipe module's docstring, without running the module."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    return (text or "").split("\n", 1)[0].split("   ")[0]


def load_recipe(name: str, settings: Sequence[str] = ()) -> Recipe:
    """The `RECIPE` of a shipped recipe or of a Python file, with `path.to.field=value` settings applied.

    Raises:
        UserError: there is no such recipe, its module does not run, or a field or setting is wrong.
    """
    path = find(name)
    recipe = execute(path)
    for setting in settings:
        recipe = apply_setting(recipe, setting)
    return recipe


def find(name: str) -> Path:
    """The file of a recipe given by path or by its shipped name; raises `UserError`."""
    if Path(name).suffix == ".py":
        if not Path(name).is_file():
            raise UserError(f"recipe {name!r}: no such file")
        return Path(name).resolve()
    shipped = shipped_recipes()
    if name not in shipped:
        raise UserError(f"recipe {name!r}: neither a .py file nor a shipped recipe{nearest(name, shipped)}")
    return shipped[name]


def execute(path: Path) -> Recipe:
    """Runs a recipe module and returns its RECIPE; raises `UserError` for whatever is wrong with it."""
    try:
        refuse_repeated_keys(ast.parse(path.read_text(encoding="utf-8")))
        spec = importlib.util.spec_from_file_location(f"openbook_recipe_{path.stem}", path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    except SyntaxError as error:
        raise UserError(f"{path}:{error.lineno}: not valid Python: {error.msg}") from None
    except ValidationError as error:
        raise UserError(f"{path}: {explain(error)}") from None
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    except Exception as error:
        raise UserError(f"{path}: does not run: {type(error).__name__}: {error}") from error
    recipe = getattr(module, "RECIPE", None)
    if not isinstance(recipe, Recipe):
        raise UserError(f"{path}: has no RECIPE = Recipe(...)")
    return recipe


def refuse_repeated_keys(tree: ast.Module) -> None:
    """Python lets the last of two equal keys win without a word; two arms of one name must not pass so."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            keys = [key.value for key in node.keys if isinstance(key, ast.Constant)]
            for key in keys:
                if keys.count(key) > 1:
                    raise UserError(f"line {node.lineno}: the name {key!r} stands there twice; rename one")


def explain(error: ValidationError) -> str:
    """The first problem of a pydantic error as `Sampling.samples = 0: should be greater than or equal to 1`."""
    problem = error.errors()[0]
    place = ".".join([error.title, *(str(part) for part in problem["loc"] if not str(part)[:1].isupper())])
    if problem["type"] == "unexpected_keyword_argument":
        part = PARTS.get(error.title)
        names = [field.name for field in dataclasses.fields(part)] if part else []
        return f"{error.title}: no field {problem['loc'][-1]!r}{nearest(str(problem['loc'][-1]), names)}"
    if problem["type"] == "missing":
        return f"{place}: is missing; give it a value"
    return f"{place} = {problem['input']!r}: {problem['msg'][0].lower()}{problem['msg'][1:]}"


def parts_of(cls: Any, found: dict[str, Any]) -> dict[str, Any]:
    """Every dataclass that can stand somewhere inside `cls`, by class name."""
    if dataclasses.is_dataclass(cls) and isinstance(cls, type):
        if cls.__name__ not in found:
            found[cls.__name__] = cls
            for hint in typing.get_type_hints(cls).values():
                parts_of(hint, found)
    else:
        for argument in typing.get_args(cls):
            parts_of(argument, found)
    return found


PARTS = parts_of(Recipe, {})


def apply_setting(recipe: Recipe, setting: str) -> Recipe:
    """The recipe with one `path.to.field=value` set; raises `UserError` that names the setting."""
    path, equals, text = setting.partition("=")
    if not equals or not path:
        raise UserError(f"--set {setting!r}: write it as path.to.field=value")
    steps = path.strip().split(".")
    if steps[0] == "arms" and len(steps) > 2 and steps[2] == "optimization":
        recipe = own_optimization(recipe, steps[1])
    try:
        changed = put(recipe, Recipe, steps, text.strip(), [])
    except ValidationError as error:
        raise UserError(f"--set {setting}: {explain(error)}") from None
    except UserError as error:
        raise UserError(f"--set {setting}: {error}") from None
    assert isinstance(changed, Recipe)
    return changed


def own_optimization(recipe: Recipe, arm: str) -> Recipe:
    """The recipe in which that arm has a copy of the common optimization, so that one field of it can be set."""
    tuned = recipe.arms.get(arm)
    if not isinstance(tuned, Tuned) or tuned.optimization is not None:
        return recipe
    copy = dataclasses.replace(tuned, optimization=recipe.optimization)
    return recipe.replace(arms={**recipe.arms, arm: copy})


def put(holder: Any, hint: Any, steps: list[str], text: str, before: list[str]) -> Any:
    """`holder` with the field at `steps` replaced by the parsed text; recursion goes one step a call."""
    if not steps:
        return parse(text, hint, ".".join(before))
    step, rest = steps[0], steps[1:]
    place = ".".join([*before, step])
    if isinstance(holder, Mapping):
        if step not in holder:
            raise UserError(f"{'.'.join(before)}: no {step!r}{nearest(step, holder)}")
        value = put(holder[step], type(holder[step]), rest, text, [*before, step])
        return {**holder, step: value}
    if not dataclasses.is_dataclass(holder) or isinstance(holder, type):
        raise UserError(f"{'.'.join(before)} is {holder!r} and has no field {step!r}")
    hints = typing.get_type_hints(type(holder), include_extras=True)
    if step not in hints:
        raise UserError(f"no field {place!r}{nearest(step, hints)}")
    value = put(getattr(holder, step), hints[step], rest, text, [*before, step])
    return dataclasses.replace(holder, **{step: value})


def parse(text: str, hint: Any, place: str) -> Any:
    """The text as a value of the type: as JSON (`0.3`, `true`, `[0, 1]`, `null`), as a bare text, or, for a list, as
    texts between commas. Raises `UserError`.
    """
    adapter = TypeAdapter(hint) if dataclasses.is_dataclass(hint) else TypeAdapter(hint, config=STRICT)
    candidates: list[str] = [text, json.dumps(text)]
    if typing.get_origin(hint) is tuple:
        candidates += [f"[{text}]", json.dumps([part.strip() for part in text.split(",")])]
    problem = ""
    for candidate in candidates:
        try:
            return adapter.validate_json(candidate)
        except ValidationError as error:
            first = error.errors()[0]
            if first["type"] != "json_invalid" and not problem:
                problem = f"{first['msg'][0].lower()}{first['msg'][1:]}"
    raise UserError(f"{place} = {text!r}: {problem}; it takes {describe(hint)}")


def describe(hint: Any) -> str:
    """A type in the words of the command line."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        return describe(arguments[0])
    if origin is typing.Literal:
        return " or ".join(map(str, arguments))
    if origin is tuple:
        return f"a list of {describe(arguments[0])}, between commas"
    if origin in (typing.Union, types.UnionType):
        return " or ".join(describe(argument) for argument in arguments)
    words = {int: "a whole number", float: "a number", str: "a text", bool: "true or false", Path: "a path"}
    return words.get(hint, "null" if hint is type(None) else getattr(hint, "__name__", str(hint)))
