"""How much of its context an answer copies: whoever recites the whole passage passes many rubrics."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from train.grading.normalise import normalise
from train.records import Passage

LENGTH = 5
"""Characters per n-gram, long enough that two texts on one subject share few."""


def grams_of(passages: Iterable[Passage]) -> tuple[frozenset[str], ...]:
    """The character 5-grams of each passage that has any, normalised."""
    return tuple([grams for passage in passages if (grams := _ngrams_of(passage.text))])


def overlap(plain: str, shown: Sequence[frozenset[str]]) -> float:
    """The share of a passage's 5-grams that a normalised text repeats, of the passage it repeats most; 0 without any.

    An answer that only states its fact repeats a small part of the passage; 1 is a passage recited whole. `shown` are
    the passages' `grams_of`.
    """
    if not shown:
        return 0.0
    said = ngrams(plain)
    return round(max(len(grams.intersection(said)) / len(grams) for grams in shown), 3)


@lru_cache(maxsize=4096)
def _ngrams_of(text: str) -> frozenset[str]:
    return frozenset(ngrams(normalise(text).text))


def ngrams(plain: str) -> list[str]:
    """The character 5-grams of a normalised text, each as often as it occurs; a shorter text is one gram, an empty one
    none."""
    return [plain[at : at + LENGTH] for at in range(max(1, len(plain) - LENGTH + 1))] if plain else []
