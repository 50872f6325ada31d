"""A recipe as a Python module: what formatters and linters have nothing to say about."""

from __future__ import annotations

import ast
import os
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, StrictUndefined, Template

from train import recipe
from train.conditions import Condition, Distractors, Gold, Retrieved
from train.scaffold.choices import Choices

WIDTH = 104
"""Columns within which a text stays on one line; the name of its field comes before it."""

MEANINGS = {
    "none": "the question alone",
    "gold": "with the passages that hold the answer",
    "gold+": "with those among others that do not",
    "distractors@": "only with others: the right thing is to abstain",
    "retrieved@": "with what a search of the documents finds",
}
"""By the condition's name without its number."""


@dataclass(frozen=True, slots=True)
class Names:
    """What a recipe calls things; `model`, `questions` and `documents` (empty for none) are Python expressions."""

    name: str
    title: str
    origin: str
    command: str
    model: str
    questions: str
    documents: str


def module_text(choices: Choices, names: Names) -> str:
    """The module's text."""

    def render(imported: Sequence[str]) -> str:
        return template().render(
            imported=imported,
            names=names,
            title=one_line(names.title),
            command=one_line(names.command),
            chosen=choices,
            conditions=[
                (condition_code(condition), MEANINGS[re.sub(r"\d+$", "", condition.name)])
                for condition in choices.conditions
            ],
            context=condition_code(choices.context) if choices.context else "",
        )

    used = {node.id for node in ast.walk(ast.parse(render(["Recipe"]))) if isinstance(node, ast.Name)}
    # Constants first, then classes: the order that import sorters want.
    return render(sorted(used.intersection(recipe.__all__), key=lambda name: (not name.isupper(), name)))


@cache
def template() -> Template:
    """The module's template, which lies beside this file."""
    environment = Environment(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    environment.filters |= {"literal": literal, "literals": literals}
    return environment.from_string(files("train.scaffold").joinpath("recipe.py.j2").read_text(encoding="utf-8"))


def condition_code(condition: Condition) -> str:
    """The condition as a recipe spells it."""
    match condition:
        case Gold(distractors=count) if count:
            return f"GoldAmong({count})"
        case Distractors(count=count) | Retrieved(count=count):
            return f"{type(condition).__name__}({count})"
    return condition.name.upper()


def path_code(path: Path, folder: Path) -> str:
    """A path in Python: from `HERE`, the recipe's folder (resolved), where both have more in common than the root."""
    # A link stays the link that the user named; only the way to it is resolved.
    real = path.resolve() if path.name in ("", "..") else path.parent.resolve() / path.name
    if real.drive != folder.drive or os.path.commonpath([real, folder]) == real.anchor:
        return f"Path({literal(real.as_posix())})"
    relative = Path(os.path.relpath(real, folder)).as_posix()
    return "HERE" if relative == "." else f"HERE / {literal(relative)}"


def literal(text: str) -> str:
    """The text as a Python literal as formatters write it; letters of all scripts stay readable."""
    quote = "'" if text.count('"') > text.count("'") else '"'
    escapes = {quote: f"\\{quote}", "\\": "\\\\"}
    return quote + "".join(escapes.get(c, c if c.isprintable() else repr(c)[1:-1]) for c in text) + quote


def literals(text: str, indent: int) -> str:
    """The text as one literal, or where that is too long as several, on lines of their own."""
    parts = [""]
    for word in re.findall(r"\S+\s*", text) if columns(literal(text)) > WIDTH else [text]:
        if columns(literal(parts[-1] + word)) > WIDTH:
            parts.append("")
        parts[-1] += word
    return f"\n{' ' * indent}".join(map(literal, filter(None, parts)))


def columns(text: str) -> int:
    """Columns that the text takes on a screen: a Hangul syllable takes two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def one_line(text: str) -> str:
    """The text without what would break or end a line of a docstring."""
    plain = (character if character.isprintable() and character not in '"\\' else " " for character in text)
    return " ".join("".join(plain).split())
