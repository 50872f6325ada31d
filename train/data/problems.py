"""All problems of one file, gathered so that a person mends them in one go."""

from __future__ import annotations

import difflib
import heapq
from collections.abc import Iterable, Sequence
from itertools import pairwise

from train.errors import InputProblems

LIMIT = 50
"""More lines than this help nobody: the rest is counted."""

LONGEST = 1000
"""So many characters of what is wrong are said in one line."""

EXAMPLES = 5
"""So many rows or ids are named where one line speaks of several."""

_MANY_NAMES = 500
"""difflib compares about 20,000 names a second: beyond this many, only the most similar by shared letters are tried."""


class Problems:
    """What is wrong in the file `place`, line by line: `place:row 3, column 'facts': what is wrong; how to mend it`."""

    def __init__(self, place: str) -> None:
        self.place = place
        self.names: dict[str, str] = {}
        """What the file calls those of our columns that it calls otherwise."""
        self._lines: list[tuple[int, str]] = []

    def add(self, row: int | None, column: str | None, what: str, mend: str = "") -> None:
        """Note one problem; `row` is what a spreadsheet or editor shows, None for the file as a whole."""
        where = [f"row {row}"] if row is not None else []
        where += [f"column {self.names.get(column, column)!r}"] if column is not None else []
        place = f"{self.place}:{', '.join(where)}" if where else self.place
        what = one_line(what)
        self._lines.append((row or 0, f"{place}: {what}; {mend}" if mend else f"{place}: {what}"))

    def __len__(self) -> int:
        return len(self._lines)

    @property
    def full(self) -> bool:
        """Whether further lines would only be counted, so that no effort should go into wording them."""
        return len(self._lines) >= LIMIT

    def raise_if_any(self) -> None:
        """Raises `InputProblems` with the lines in the order of the file's rows."""
        lines = [line for _, line in sorted(self._lines, key=lambda numbered: numbered[0])]
        if len(lines) > LIMIT:
            lines = [*lines[:LIMIT], f"{self.place}: … and {len(lines) - LIMIT} more"]
        if lines:
            raise InputProblems(lines)


def one_line(text: str) -> str:
    """The text without what would move a terminal's cursor, and cut where it is longer than anybody reads."""
    line = "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text[: 2 * LONGEST])
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}…"


def shown(value: object) -> str:
    """The value as an error quotes it: one short line."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:40]}…{text[-15:]}"


def named(things: Iterable[object]) -> str:
    """A few of many things: `2, 5, 9 and 4 more`."""
    names = [str(thing) for thing in things]
    rest = len(names) - EXAMPLES
    return ", ".join(names[:EXAMPLES]) + (f" and {rest} more" if rest > 0 else "")


def closest(name: str, names: Sequence[str], cutoff: float = 0.6) -> str:
    """The one of (possibly very many) `names` that `name` was probably meant to be, or an empty text."""
    if len(names) > _MANY_NAMES:
        letters = set(pairwise(name))
        shared = heapq.nlargest(20, ((len(letters.intersection(pairwise(n))), n) for n in names))
        names = [candidate for _, candidate in shared]
    folded = {other.casefold(): other for other in reversed(names)}
    found = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=cutoff)
    return folded[found[0]] if found else ""


def did_you_mean(name: str, names: Sequence[str], otherwise: str = "") -> str:
    """`did you mean 'x'?` where one of the names is close, `otherwise` where none is."""
    found = closest(name, names)
    return f"did you mean {found!r}?" if found else otherwise
