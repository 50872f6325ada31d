"""Set fields of a recipe from the command line (`--set path.to.field=value`), and say what is wrong with a field."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from train.errors import UserError, nearest
from train.fields import STRICT
from train.recipe import Recipe, Tuned


def explain(error: ValidationError) -> str:
    """The first problem of a pydantic error as `Sampling.samples = 0: should be greater than or equal to 1`."""
    # A misspelt field is often missing, too: say what it was spelt like.
    problem = min(error.errors(), key=lambda problem: problem["type"] != "unexpected_keyword_argument")
    part = PARTS.get(error.title)
    names = [field.name for field in dataclasses.fields(part)] if part else []
    steps = list(problem["loc"])
    if isinstance(steps[0], int) and steps[0] < len(names):  # given by position
        steps[0] = names[steps[0]]
    place = ".".join([error.title, *(str(step) for step in steps if not str(step)[:1].isupper())])
    if problem["type"] == "unexpected_keyword_argument":
        return f"{error.title}: no field {steps[-1]!r}{nearest(str(steps[-1]), names)}"
    if problem["type"] == "missing":
        return f"{place}: is missing; give it a value"
    return f"{place} = {problem['input']!r}: {plain(problem['msg'])}"


def plain(message: str) -> str:
    """Pydantic's message as the second half of a sentence."""
    message = message.removeprefix("Value error, ")
    return message[:1].lower() + message[1:]


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


@dataclasses.dataclass(frozen=True, slots=True)
class Edit:
    """A field to be set, by the steps that lead to it, and the text of its value."""

    steps: tuple[str, ...]
    text: str
    setting: str

    def onward(self) -> Edit:
        """The same seen from one step further in."""
        return dataclasses.replace(self, steps=self.steps[1:])


def apply_settings(recipe: Recipe, settings: Sequence[str]) -> Recipe:
    """The recipe with every `path.to.field=value` set, all at once: what belongs together may be changed together.

    Of settings of one field the last counts. Raises `UserError` that names the setting.
    """
    edits = [read_setting(recipe, setting) for setting in settings]
    changed: Recipe = put(own_optimizations(recipe, edits), edits, [])
    return changed


def read_setting(recipe: Recipe, setting: str) -> Edit:
    """The setting taken apart. An arm's name may itself hold dots."""
    path, equals, text = setting.partition("=")
    if not equals or not path.strip():
        raise UserError(f"--set {setting!r}: write it as path.to.field=value")
    steps = path.strip().split(".")
    if steps[0] == "arms":
        for end in range(len(steps), 1, -1):
            if (arm := ".".join(steps[1:end])) in recipe.arms:
                steps[1:end] = [arm]
                break
    return Edit(tuple(steps), text.strip(), setting)


def own_optimizations(recipe: Recipe, edits: Sequence[Edit]) -> Recipe:
    """The recipe in which arms of which single fields are set have the common optimization, as edited, as their own."""
    arms = dict(recipe.arms)
    common: Recipe = put(recipe, [edit for edit in edits if edit.steps[0] == "optimization"], [])
    for edit in edits:
        if edit.steps[0] == "arms" and len(edit.steps) > 3 and edit.steps[2] == "optimization":
            tuned = arms.get(edit.steps[1])
            if isinstance(tuned, Tuned) and tuned.optimization is None:
                arms[edit.steps[1]] = dataclasses.replace(tuned, optimization=common.optimization)
    return recipe.replace(arms=arms)


def put(holder: Any, edits: Sequence[Edit], before: list[str]) -> Any:
    """`holder` with all edits made; `before` are the steps that led to it. Recursion goes one step a call."""
    if not edits:
        return holder
    changes: dict[str, Any] = {}
    for step in dict.fromkeys(edit.steps[0] for edit in edits):
        here = [edit for edit in edits if edit.steps[0] == step]
        with blaming(here[:1]):
            value, hint = field_of(holder, step, before)
        whole = max((number for number, edit in enumerate(here) if len(edit.steps) == 1), default=None)
        if whole is not None:
            with blaming([here[whole]]):
                value = parse(here[whole].text, hint, ".".join([*before, step]))
            here = here[whole + 1 :]
        changes[step] = put(value, [edit.onward() for edit in here], [*before, step])
    with blaming(edits):
        return {**holder, **changes} if isinstance(holder, Mapping) else dataclasses.replace(holder, **changes)


@contextmanager
def blaming(edits: Sequence[Edit]) -> Iterator[None]:
    """Errors inside name these settings."""
    try:
        yield
    except (ValidationError, UserError) as error:
        message = explain(error) if isinstance(error, ValidationError) else str(error)
        raise UserError(f"--set {' '.join(edit.setting for edit in edits)}: {message}") from None


def field_of(holder: Any, step: str, before: Sequence[str]) -> tuple[Any, Any]:
    """What `holder` has under that name, and its type; raises `UserError` with the nearest name there is."""
    if isinstance(holder, Mapping):
        if step not in holder:
            raise UserError(f"{'.'.join(before)}: no {step!r}{nearest(step, holder)}")
        return holder[step], type(holder[step])
    if not dataclasses.is_dataclass(holder):
        raise UserError(f"{'.'.join(before)} is {holder!r} and has no field {step!r}")
    hints = typing.get_type_hints(type(holder), include_extras=True)
    if step not in hints:
        raise UserError(f"no field {'.'.join([*before, step])!r}{nearest(step, hints)}")
    return getattr(holder, step), hints[step]


def parse(text: str, hint: Any, place: str) -> Any:
    """The text as a value of the type: as JSON (`0.3`, `true`, `[0, 1]`, `null`), as a bare text, or, for a list, as
    texts between commas. Raises `UserError`.
    """
    adapter = TypeAdapter(hint) if dataclasses.is_dataclass(hint) else TypeAdapter(hint, config=STRICT)
    candidates: list[str] = [text, json.dumps(text)]
    if typing.get_origin(hint) is tuple:
        candidates += [f"[{text}]", json.dumps([part.strip() for part in text.split(",")])]
    problem, kind = "", "_type"
    for candidate in candidates:
        try:
            return adapter.validate_json(candidate)
        except ValidationError as error:
            first = error.errors()[0]
            # A value of the right type that may not be says more than a spelling that has another type.
            if first["type"] != "json_invalid" and kind.endswith("_type"):
                problem, kind = plain(first["msg"]), first["type"]
                if len(first["loc"]) > 1 and isinstance(first["loc"][-1], str):  # a field of what was given as JSON
                    problem = f"{first['loc'][-1]!r}: {problem}"
    raise UserError(f"{place} = {text!r}: {problem}; it takes {describe(hint)}")


def describe(hint: Any) -> str:
    """A type in the words of the command line."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        return describe(arguments[0])
    if origin is typing.Literal:
        return " or ".join(map(str, arguments))
    if origin is tuple:
        return f"a list between commas, each {describe(arguments[0])}"
    if origin is Mapping:
        return 'an object such as {"ours": "theirs"}'
    if origin in (typing.Union, types.UnionType):
        return " or ".join(describe(argument) for argument in arguments)
    words = {int: "a whole number", float: "a number", str: "a text", bool: "true or false", Path: "a path"}
    return words.get(hint, "null" if hint is type(None) else getattr(hint, "__name__", str(hint)))
