"""Which question a tool's item is: the one of its id, else the one of its text."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from train.data.problems import EXAMPLES, did_you_mean, named, shown
from train.data.text import normalise
from train.errors import UserError
from train.foreign.records import Item
from train.records import Question


@dataclass(frozen=True, slots=True)
class Matched:
    """The question's id for each item, and the way in which all were found: `text`, or the name of an id."""

    questions: tuple[str, ...]
    way: str


def match(items: Sequence[Item], questions: Sequence[Question], place: str) -> Matched:
    """The question that each item is.

    All are found in one way, so that no item is what another way would make of it: by an id that is a question's for
    all of them (and of which no item's text says that it is another question's), else by the question's text, equal
    but for case, blanks and the closing mark.

    Raises:
        UserError: neither finds all, or two items are one question; `place` begins the message.
    """
    ids = {question.id for question in questions}
    by_text = wordings(questions)
    said = [set[str]().union(*(by_text.get(normalise(text), ()) for text in item.texts)) for item in items]
    ways: dict[str, list[str | None]] = {}
    for way in dict.fromkeys(way for item in items for way in item.ids):
        names = [unicodedata.normalize("NFC", item.ids[way]) if way in item.ids else None for item in items]
        own = [name if name in ids else None for name in names]
        # A number that a tool counts by may be a question's id by chance: there the text knows better.
        ways[way] = [name if not texts or name in texts else None for name, texts in zip(own, said, strict=True)]
    ways["text"] = [min(texts) if len(texts) == 1 else None for texts in said]
    for way, found in ways.items():
        whole = tuple(name for name in found if name is not None)
        if len(whole) == len(items):
            check_distinct(items, whole, place)
            return Matched(whole, way)
    raise UserError(unmatched(items, ways, questions, place))


def wordings(questions: Sequence[Question]) -> Mapping[str, set[str]]:
    """The ids of the questions that have a text, by that text normalised."""
    found: dict[str, set[str]] = defaultdict(set)
    for question in questions:
        found[normalise(question.text)].add(question.id)
    return found


def check_distinct(items: Sequence[Item], found: Sequence[str], place: str) -> None:
    """Raises `UserError` where two items are one question: their responses would be taken for samples of one cell."""
    first: dict[str, int] = {}
    for number, (item, question) in enumerate(zip(items, found, strict=True)):
        if (earlier := first.setdefault(question, number)) != number:
            raise UserError(
                f"{place}: {items[earlier].place} and {item.place} are both question {question!r}; keep one of them, "
                "or compare them as two files under names of their own"
            )


def unmatched(
    items: Sequence[Item], ways: Mapping[str, Sequence[str | None]], questions: Sequence[Question], place: str
) -> str:
    """What is said where no way finds all: the way that finds most, and the first items that it does not find."""
    best = max(ways, key=lambda way: sum(name is not None for name in ways[way]))
    left = [item for item, name in zip(items, ways[best], strict=True) if name is None]
    names = [id for item in left[:EXAMPLES] for id in item.ids.values()]
    known = [question.id for question in questions]
    near = next((hint for name in names if (hint := did_you_mean(name, known))), "")
    tried = " and ".join(f"by {way}" if way == "text" else f"by the id {way!r}" for way in ways)
    return (
        f"{place}: {len(left)} of {len(items)} items are no question of the questions file, looked for {tried}: "
        f"{named(describe(item) for item in left)}; "
        + (f"{near} " if near else "")
        + "give --questions a file with their ids, or with their texts word for word"
    )


def describe(item: Item) -> str:
    """The item as an error names it: its place, and the beginning of a text of it."""
    return f"{item.place} ({shown(item.texts[0])})" if item.texts else item.place
