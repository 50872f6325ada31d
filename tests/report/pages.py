"""Reads a page as a browser's parser would, to see what in it is markup."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import Any

from train.report.payload import unpack

OWN_TAGS = frozenset(
    [
        "html", "head", "meta", "title", "style", "body", "header", "p", "h1", "h2", "h3", "strong", "em", "code",
        "bdi", "ul", "li", "details", "summary", "nav", "a", "main", "section", "div", "table", "thead", "tbody", "tr",
        "th", "td", "br", "span", "svg", "rect", "path", "polyline", "noscript", "form", "label", "select", "option",
        "optgroup", "input", "output", "button", "dl", "dt", "dd", "pre", "script", "colgroup", "col", "mark", "ins",
        "del", "figure", "figcaption", "text", "desc",
    ]
)  # fmt: skip


class Page(HTMLParser):
    """The elements of a page, and the contents of its scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.inside: list[tuple[str, str]] = []
        self.data: dict[str, str] = {}
        self.text = ""
        self._open = ""
        self._id = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))
        self._open = tag if tag in ("script", "style") else ""
        self._id = dict(attributes).get("id") or "" if tag == "script" else ""

    def handle_data(self, data: str) -> None:
        if self._open:
            self.inside.append((self._open, data))
            if self._id:
                self.data[self._id] = self.data.get(self._id, "") + data
        else:
            self.text += data

    def handle_endtag(self, tag: str) -> None:
        self._open = ""

    def has_only_own_markup(self) -> None:
        """Asserts that no element, event or address comes from elsewhere than the report's own templates."""
        assert {tag for tag, _ in self.tags} <= OWN_TAGS
        attributes = {name for _, attributes in self.tags for name in attributes}
        assert not {name for name in attributes if name.startswith("on")} | attributes & {"src", "style", "srcset"}
        assert all((attributes.get("href") or "#").startswith("#") for _, attributes in self.tags)

    def head(self) -> dict[str, Any]:
        """What the page's script reads first."""
        return json.loads(self.data["head"])

    def packed(self) -> bool:
        """Whether the blocks are compressed."""
        return any(attributes.get("type") == "application/octet-stream" for _, attributes in self.tags)

    def blocks(self) -> list[dict[str, Any]]:
        """The blocks of answers, contexts and prompts, in their order."""
        written = [self.data[name] for name in self.data if name.startswith("block-")]
        return [json.loads(unpack(block) if self.packed() else block) for block in written]

    def rows(self) -> list[dict[str, Any]]:
        """The blocks' rows, each with the `texts` of its block."""
        return [
            {"texts": block["texts"], **{name: block[name][place] for name in block if name != "texts"}}
            for block in self.blocks()
            for place in range(len(block["answers"]))
        ]
