"""Nested JSON-ready data (the audit, the manifest) as something that can be printed, whatever its keys are.

Keys are sorted, so that data straight from a stage and the same data read back from its file look the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from train.report import figures

FIRST = ("leaks", "warnings", "arm", "condition", "split", "question")
"""Keys that go before the others."""


@dataclass(frozen=True, slots=True)
class Node:
    """A text, a list of texts, a table (scalars only), or named parts. A table may have parts after it."""

    kind: Literal["text", "list", "table", "parts"]
    text: str = ""
    items: tuple[str, ...] = ()
    header: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    parts: tuple[tuple[str, Node], ...] = ()


def tree(value: Any) -> Node:
    """The data as nodes: rows with the same keys become a table, their nested values parts below it."""
    if isinstance(value, Mapping):
        names = _keys(value)
        if len(names) > 1 and _alike(list(value.values())):
            return _table([(title(name), _get(value, name)) for name in names])
        if not names:
            return Node("text", "none")
        return Node("parts", parts=tuple((title(name), tree(_get(value, name))) for name in names))
    if isinstance(value, (list, tuple)):
        if not value:
            return Node("text", "none")
        if _alike(value):
            return _table([("", row) for row in value])
        if any(_is_nested(item) for item in value):
            return Node("parts", parts=tuple((str(place), tree(item)) for place, item in enumerate(value, 1)))
        return Node("list", items=tuple(map(scalar, value)))
    return Node("text", scalar(value))


def scalar(value: Any) -> str:
    """One value as text: floats with six significant digits, nothing as a dash."""
    if value is None or value == "":
        return figures.DASH
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def title(key: str) -> str:
    """A key as words."""
    return key.replace("_", " ")


def _table(rows: Sequence[tuple[str, Mapping[str, Any]]]) -> Node:
    keys = _keys(rows[0][1])
    plain = [key for key in keys if not any(_is_nested(_get(row, key)) for _, row in rows)]
    named = any(label for label, _ in rows)
    below = [
        (f"{label or place}: {title(key)}", tree(nested))
        for place, (label, row) in enumerate(rows, 1)
        for key in keys
        if key not in plain and (nested := _get(row, key))
    ]
    return Node(
        "table",
        header=(*([""] if named else []), *map(title, plain)),
        rows=tuple(
            (*([label] if named else []), *(_cell(key, _get(row, key)) for key in plain)) for label, row in rows
        ),
        parts=tuple(below),
    )


def _cell(key: str, value: Any) -> str:
    return figures.percent(value) if key.endswith("_share") and figures.finite(value) else scalar(value)


def _alike(values: Sequence[Any]) -> bool:
    """Whether all are objects with the same keys, at least one of them with a plain value."""
    if not values or not all(isinstance(value, Mapping) and value for value in values):
        return False
    keys = _keys(values[0])
    return all(_keys(value) == keys for value in values) and any(
        not any(_is_nested(_get(value, key)) for value in values) for key in keys
    )


def _keys(value: Mapping[str, Any]) -> list[str]:
    """Sorted as texts: JSON turns whole-number keys into texts."""
    names = sorted(map(str, value))
    return [*(name for name in FIRST if name in names), *(name for name in names if name not in FIRST)]


def _get(value: Mapping[str, Any], name: str) -> Any:
    return value[name] if name in value else next(value[key] for key in value if str(key) == name)


def _is_nested(value: Any) -> bool:
    return isinstance(value, (Mapping, list, tuple))
