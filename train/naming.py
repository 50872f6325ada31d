"""What people write as names in a recipe or on the command line: slugs, lists of names, contrasts."""

from __future__ import annotations

import re
from typing import Any

from train.errors import UserError, nearest
from train.records import ALL, SPLITS, Cell, Contrast

SLUG = r"[a-z0-9](?:[a-z0-9_-]|\.(?!\.))*"
"""What a recipe's or arm's name may be: safe as a file name on every system and in a URL."""


def check_slug(place: str, name: str) -> None:
    """Raises `UserError` unless the name is safe in a path."""
    if not re.fullmatch(SLUG, name) or len(name) > 64 or name.endswith("."):
        raise UserError(
            f"{place}: {name!r} is not a safe name; use up to 64 lower-case letters, digits, '-', '_' and '.', "
            "beginning with a letter or digit"
        )


def check_distinct(place: str, values: list[Any]) -> None:
    """Raises `UserError` where the list is empty or says something twice."""
    if not values:
        raise UserError(f"{place}: empty; name at least one")
    for value in values:
        if values.count(value) > 1:
            raise UserError(f"{place}: {value!r} stands there twice; name it once")


def parse_contrast(text: str, split: str) -> Contrast:
    """`open-book/gold vs closed-book/gold on unseen` as a contrast; `split` is meant where none is named."""
    match = re.fullmatch(r"\s*(\S+)/(\S+)\s+vs\s+(\S+)/(\S+?)(?:\s+on\s+(\S+))?\s*", text)
    if not match:
        raise UserError(f"comparison.contrasts: {text!r}: write it as ARM/CONDITION vs ARM/CONDITION [on SPLIT]")
    if (match[5] or split) not in (*SPLITS, ALL):
        raise UserError(f"comparison.contrasts: {text!r}: no split {match[5]!r}{nearest(match[5], SPLITS)}")
    return Contrast(Cell(match[1], match[2]), Cell(match[3], match[4]), match[5] or split)
