"""Markdown as sections: the text under each heading, with the name that the heading gives it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_FRONT_MATTER_LINE = re.compile(r"([A-Za-z_][\w-]*):(?:\s+(.*))?")


@dataclass(frozen=True, slots=True)
class Section:
    """One heading's text, down to the next heading of any level; `slug` is empty for the text before the first.

    `heading` is without marks; `body` is the Markdown as written. `title` is the document's: its first level-1
    heading, else the `title` of its front matter, else empty; the text before the first heading has only the latter.
    """

    slug: str
    heading: str
    body: str
    title: str
    metadata: dict[str, str]


def sections(text: str) -> list[Section]:
    """The sections that have text of their own, in order. Headings inside quotes, lists or code are text.

    Two headings of the same words get the slugs `words`, `words-2`: counted over all headings of the document, so
    that a slug does not change when an empty section is filled.
    """
    metadata, text = front_matter(text)
    lines = text.split("\n")
    headings = _headings(text)
    given_title = metadata.get("title", "")
    title = next((heading for level, heading, _, _ in headings if level == "h1" and heading), given_title)
    ends = [start for _, _, start, _ in headings] + [len(lines)]
    found = [Section("", "", _body(lines[: ends[0]]), given_title, metadata)]
    taken: set[str] = set()
    for (_, heading, _, start), end in zip(headings, ends[1:], strict=True):
        name = _free(slug(heading) or "section", taken)
        taken.add(name)
        found.append(Section(name, heading, _body(lines[start:end]), title, metadata))
    return [section for section in found if _COMMENT.sub("", section.body).strip()]


def slug(heading: str) -> str:
    """Lower-case NFKC; runs of what is neither a letter (of any script, with its marks) nor a digit become `-`."""
    text = unicodedata.normalize("NFKC", heading).lower()
    kept = (c if c.isalnum() or unicodedata.category(c)[0] == "M" else " " for c in text)
    return "-".join("".join(kept).split())


def front_matter(text: str) -> tuple[dict[str, str], str]:
    """The plain `key: value` lines of a leading `---` block, and the text after it.

    Two rules drawn with `---` around prose are no front matter: the first line between them must look like a key.
    """
    lines = text.split("\n")
    end = next((n for n, line in enumerate(lines[1:], start=1) if line.rstrip() in ("---", "...")), 0)
    inside = [line for line in lines[1:end] if line.strip() and not line.startswith("#")]
    if lines[0].rstrip() != "---" or not end or not (inside and _FRONT_MATTER_LINE.fullmatch(inside[0].rstrip())):
        return {}, text
    pairs = (match.groups() for line in inside if (match := _FRONT_MATTER_LINE.fullmatch(line.rstrip())))
    values = {key: (value or "").strip().strip("\"'") for key, value in pairs}
    return {key: value for key, value in values.items() if value}, "\n".join(lines[end + 1 :])


def _headings(text: str) -> list[tuple[str, str, int, int]]:
    """(level such as `h1`, text, first line, line after) of the headings that stand at the top level."""
    tokens = _parser().parse(text)
    return [
        (token.tag, _plain(tokens[at + 1].children or ()), *token.map)  # type: ignore[misc]
        for at, token in enumerate(tokens)
        if token.type == "heading_open" and token.level == 0 and token.map
    ]


def _plain(children: Sequence[Token]) -> str:
    """The words of a heading without emphasis, links and code marks."""
    words = (" " if child.type in ("softbreak", "hardbreak") else child.content for child in children)
    kept = (word for child, word in zip(children, words, strict=True) if child.type != "html_inline")
    return " ".join("".join(kept).split())


def _body(lines: Sequence[str]) -> str:
    """The lines without surrounding blank ones; the first keeps its indentation, which may mean code."""
    return "\n".join(lines).strip("\n").rstrip() if any(line.strip() for line in lines) else ""


def _free(name: str, taken: set[str]) -> str:
    if name not in taken:
        return name
    number = 2
    while f"{name}-{number}" in taken:
        number += 1
    return f"{name}-{number}"


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark")
