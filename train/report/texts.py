"""Makes text from models and data safe to show: nothing in an answer may act on the page, the table or the terminal."""

from __future__ import annotations

import json
import re
from typing import Any

_SURROGATE = re.compile("[\ud800-\udfff]")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_DIRECTION = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_MARKDOWN = re.compile(r"([`|*_\[\]~$])")
_FORMULA = re.compile("'*[=+\\-@\t\r\n＝＋－＠]")


def encodable(text: str) -> str:
    """The text with lone surrogates (JSON allows them, UTF-8 does not) replaced, so that it can be written."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def visible(text: str) -> str:
    """The text with control characters (ANSI escapes among them) as visible signs; tabs and line feeds stay."""
    if text.isprintable():  # most texts, and known at once
        return text
    return _CONTROL.sub(_picture, encodable(text.replace("\r\n", "\n")))


def _picture(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else f"\u27e8U+{code:04X}\u27e9"


def one_line(text: str) -> str:
    """The text as one line that keeps to itself: marks that would turn the direction of the rest are named instead."""
    line = " ".join(visible(text).split())
    return _DIRECTION.sub(lambda match: f"\u27e8U+{ord(match[0]):04X}\u27e9", line)


def markdown(text: str, longest: int | None = None) -> str:
    """The text as one line of literal Markdown, safe in a table cell; cut after `longest` characters.

    A backslash becomes an entity, so that an escaped pipe is always exactly `\\|`, however a renderer counts.
    Direction marks would reorder the rest of the line (there is no <bdi> in Markdown), so they are named instead.
    """
    line = " ".join(visible(text).split())
    if longest is not None and len(line) > longest:
        line = line[: longest - 1] + "…"
    line = one_line(line)
    line = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\\", "&#92;")
    return _MARKDOWN.sub(r"\\\1", line)


def sheet(text: str) -> str:
    """The text for a CSV cell: a spreadsheet would run what begins like a formula, so an apostrophe goes before it.

    Apostrophes before such a beginning get one more, so that taking one away always gives back the text.
    """
    text = encodable(text)
    return f"'{text}" if _FORMULA.match(text) else text


def unsheet(text: str) -> str:
    """The text that `sheet` was given (but for lone surrogates)."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def embedded_json(value: Any) -> str:
    """JSON that can stand inside `<script type="application/json">`: nothing in it can end the element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
