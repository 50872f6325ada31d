"""Find a recipe and load it."""

from __future__ import annotations

import ast
import importlib.util
import traceback
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from train.errors import UserError, nearest
from train.recipe import Recipe
from train.settings import apply_settings, explain


def shipped_recipes() -> dict[str, Path]:
    """The recipes that come with openbook: module name to file."""
    import recipes

    folder = Path(recipes.__path__[0])
    return {path.stem: path for path in sorted(folder.glob("*.py")) if not path.stem.startswith("_")}


def summary(path: Path) -> str:
    """The first line of a recipe module's docstring, without running the module."""
    text = ast.get_docstring(ast.parse(path.read_bytes()))
    return (text or "").split("\n", 1)[0].split("   ")[0]


def load_recipe(name: str, settings: Sequence[str] = ()) -> Recipe:
    """The `RECIPE` of a shipped recipe or of a Python file, with `path.to.field=value` settings applied.

    Raises:
        UserError: there is no such recipe, its module does not run, or a field or setting is wrong.
    """
    recipe = execute(find(name))
    return apply_settings(recipe, settings) if settings else recipe


def find(name: str) -> Path:
    """The file of a recipe given by path or by its shipped name; raises `UserError`."""
    if Path(name).suffix == ".py":
        if not Path(name).is_file():
            raise UserError(f"recipe {name!r}: no such file; check the path")
        return Path(name).resolve()
    shipped = shipped_recipes()
    if name not in shipped:
        raise UserError(f"recipe {name!r}: neither a .py file nor a shipped recipe{nearest(name, shipped)}")
    return shipped[name]


def execute(path: Path) -> Recipe:
    """Runs a recipe module and returns its RECIPE; raises `UserError` for whatever is wrong with it."""
    try:
        refuse_repeated_keys(ast.parse(path.read_bytes()))
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
        frames = traceback.extract_tb(error.__traceback__)
        line = next((f":{frame.lineno}" for frame in reversed(frames) if frame.filename == str(path)), "")
        raise UserError(f"{path}{line}: does not run: {type(error).__name__}: {error}") from error
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
