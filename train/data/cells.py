"""What one raw cell means: a text, an id, a list, a rubric. Each function raises `BadCell` with the mend.

A list is a native list (JSONL, Parquet), or a text: a JSON array if it begins with `[`, else items separated by `|`.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from train.data.problems import did_you_mean, shown
from train.records import Counterfactual, Fact

MISSING_WORDS = ("nan", "none", "null")
"""What programs write into a text column where a value is missing; only as the whole text, in any case."""

COUNTERFACTUAL_KEYS = ("text", "facts", "forbidden")

T = TypeVar("T")

_KINDS = {bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "an object"}
_REGEX_ITEM = re.compile(r"\s*(/.+?(?<!\\)/)\s*(?:\||\Z)", re.DOTALL)


class BadCell(ValueError):
    """What is wrong with a cell, and how to mend it."""

    def __init__(self, what: str, mend: str) -> None:
        super().__init__(what)
        self.what = what
        self.mend = mend


def is_absent(value: object) -> bool:
    """Whether there is nothing in an optional cell: nothing, blank, NaN, or a text that says `nan`, `none`, `null`."""
    if isinstance(value, str):
        return not value.strip() or value.strip().casefold() in MISSING_WORDS
    return value is None or (isinstance(value, float) and math.isnan(value))


def optional_text(value: object) -> str:
    """The text without surrounding blanks; empty where the cell is absent."""
    return "" if is_absent(value) else _text(value)


def required_text(value: object) -> str:
    """The text without surrounding blanks.

    Raises:
        BadCell: nothing is there, or a word that a program wrote for a missing value.
    """
    if not is_absent(value):
        return _text(value)
    if isinstance(value, str) and value.strip():
        raise BadCell(f"says {value.strip()!r}, which stands for a missing value", "write the text, as a sentence")
    raise BadCell("is empty", "write the text, or remove the row")


def optional_name(value: object) -> str:
    """An id or a label: as `optional_text`, but whole numbers become text and the text is one printable line, in NFC.

    NFC because a macOS file name spells 한글 in another normal form than the keyboard does.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, float) and not math.isnan(value):
        raise BadCell(f"is the number {value!r}", f'write it as text, such as "{value:g}"')
    name = unicodedata.normalize("NFC", optional_text(value))
    if strange := next((c for c in name if unicodedata.category(c) in ("Cc", "Zl", "Zp")), ""):
        raise BadCell(f"holds the control character {strange!r} ({shown(name)})", "write it on one line, without it")
    return name


def required_name(value: object) -> str:
    """An id that must be there; raises `BadCell` as `optional_name` and `required_text` do."""
    if is_absent(value):
        required_text(value)
    return optional_name(value)


def texts(value: object) -> tuple[str, ...]:
    """A list of texts, such as paraphrases; empty where the cell is absent."""
    return tuple(_item(item) for item in _items(value, regexes=False))


def names(value: object) -> tuple[str, ...]:
    """A list of ids, such as evidence, each once, in the order of the cell."""
    return tuple(dict.fromkeys(required_name(item) for item in _items(value, regexes=False)))


def facts(value: object) -> tuple[Fact, ...]:
    """A rubric: a list whose items are texts, `/regex/`, or lists of alternatives. One alternative is a plain text."""
    found: list[Fact] = []
    for item in _items(value, regexes=True):
        if isinstance(item, list):
            if not item:
                raise BadCell("holds a fact without alternatives ([])", "write at least one, or remove it")
            alternatives = tuple(_item(alternative) for alternative in item)
            found.append(alternatives if len(alternatives) > 1 else alternatives[0])
        else:
            found.append(_item(item))
    return tuple(found)


def counterfactual(value: object) -> Counterfactual | None:
    """A passage with another fact: an object with `text`, and optionally `facts` and `forbidden`; the same as a JSON
    text, which begins with `{`; or a plain text, the passage without a rubric. None where the cell is absent.
    """
    if isinstance(value, str) and value.lstrip().startswith("{"):
        value = _json_object(value)
    if not isinstance(value, Mapping):
        text = optional_text(value)
        return Counterfactual(text) if text else None
    # A Parquet file writes null for every key that a row lacks, and for all keys of a row that has no object.
    given = {key: inner for key, inner in value.items() if inner is not None}
    if value and not given:
        return None
    for key in given:
        if key not in COUNTERFACTUAL_KEYS:
            mend = did_you_mean(str(key), COUNTERFACTUAL_KEYS, "it may have 'text', 'facts' and 'forbidden'")
            raise BadCell(f"has the unknown key {key!r}", mend)
    if "text" not in given:
        raise BadCell(f"has no 'text' ({shown(given)})", 'write {"text": "…", "facts": ["…"]}')
    return Counterfactual(
        text=_of_key("text", required_text, given),
        facts=_of_key("facts", facts, given),
        forbidden=_of_key("forbidden", facts, given),
    )


def whole_number(value: object) -> int:
    """A whole number from 0 of at most 18 digits, as a number or written in digits."""
    if isinstance(value, int | str) and not isinstance(value, bool) and re.fullmatch(r"\s*[0-9]{1,18}\s*", str(value)):
        return int(value)
    what = "is empty" if is_absent(value) else f"is not a whole number from 0 ({shown(value)})"
    raise BadCell(what, "count from 0: 0, 1, 2, …")


def verbatim_text(value: object) -> str:
    """The text exactly as it is, which may be empty."""
    if value is None or not isinstance(value, str):
        raise BadCell(f"is {_kind(value)} ({shown(value)})", 'write a text; "" is an empty one')
    return _encodable(value)


def _of_key(key: str, convert: Callable[[object], T], given: Mapping[str, object]) -> T:
    """What `convert` makes of an object's value; its errors name the key."""
    try:
        return convert(given.get(key))
    except BadCell as bad:
        raise BadCell(f"{key!r} {bad.what}", bad.mend) from None


def _json_object(text: str) -> dict[str, Any]:
    try:
        return dict(json.loads(text))
    except (ValueError, RecursionError) as error:
        raise BadCell(
            f"begins like a JSON object but is none: {error} ({shown(text)})",
            r'write {"text": "…", "facts": ["…"]}, a backslash as \\, or the passage alone',
        ) from error


def _items(value: object, regexes: bool) -> list[Any]:
    if is_absent(value):
        return []
    if isinstance(value, list | tuple):
        return list(value)
    if not isinstance(value, str):
        raise BadCell(f"is {_kind(value)} ({shown(value)})", 'write a list: ["…", "…"]')
    if not value.lstrip().startswith("["):
        return _separated(value, regexes)
    try:
        array = json.loads(value)
    except (ValueError, RecursionError) as error:
        raise BadCell(
            f"begins like a JSON array but is none: {error} ({shown(value)})",
            r'write ["…", "…"], a backslash as \\, or separate items by |',
        ) from error
    return list(array)


def _separated(text: str, regexes: bool) -> list[str]:
    """The items between `|`, not counting those inside `/…/` if items may be regexes."""
    found = []
    while True:
        if regexes and (regex := _REGEX_ITEM.match(text)):
            found.append(regex[1])
            if not regex[0].endswith("|"):
                return found
            text = text[regex.end() :]
            continue
        item, bar, text = text.partition("|")
        found.append(item.strip())
        if not bar:
            return found


def _item(value: object) -> str:
    if isinstance(value, str):
        text = _text(value)
        if text:
            return text
        raise BadCell("holds an empty item", "write its text, or remove it (and the | beside it)")
    raise BadCell(f"holds {_kind(value)} ({shown(value)}) where a text belongs", "put it in quotes")


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise BadCell(f"is {_kind(value)} ({shown(value)})", "write a text, in quotes")
    return _encodable(value).strip()


def _encodable(text: str) -> str:
    """The text, unless it holds half of a surrogate pair, which no file or tokenizer could take later."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        half = text[error.start]
        raise BadCell(
            f"holds {half!r}, half of a character, at position {error.start}", "write the whole one"
        ) from error
    return text


def _kind(value: object) -> str:
    return "null" if value is None else _KINDS.get(type(value), f"a {type(value).__name__}")
