"""Reads a page as a browser's parser would, to see what in it is markup."""

from __future__ import annotations

from html.parser import HTMLParser

OWN_TAGS = frozenset(
    [
        "html", "head", "meta", "title", "style", "body", "header", "p", "h1", "h2", "h3", "strong", "em", "code",
        "bdi", "ul", "li", "details", "summary", "nav", "a", "main", "section", "div", "table", "thead", "tbody", "tr",
        "th", "td", "br", "span", "svg", "rect", "path", "polyline", "noscript", "form", "label", "select", "option",
        "input", "output", "button", "dl", "dt", "dd", "pre", "script", "figure", "figcaption", "text", "desc",
    ]
)  # fmt: skip


class Page(HTMLParser):
    """The elements of a page, and the contents of its scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.inside: list[tuple[str, str]] = []
        self.text = ""
        self._open = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))
        self._open = tag if tag in ("script", "style") else ""

    def handle_data(self, data: str) -> None:
        if self._open:
            self.inside.append((self._open, data))
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
