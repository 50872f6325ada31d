"""How much of its context an answer copies: whoever recites the whole passage passes many rubrics."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from train.grading.normalise import normalise
from train.records import Passage

LENGTH = 5
"""Characters per n-gram, long enough that two texts on one subject share few."""


def overlap(text: str, passages: Iterable[Passage]) -> float:
    """The share of a passage's character 5-grams that the text repeats, of the passage it repeats most; 0 without any.

    An answer that only states its fact repeats a small part of the passage; 1 is a passage recited whole.
    """
    said = ngrams(text)
    shares = [len(said & grams) / len(grams) for passage in passages if (grams := ngrams(passage.text))]
    return round(max(shares, default=0.0), 3)


@lru_cache(maxsize=4096)
def ngrams(text: str) -> frozenset[str]:
    """The character 5-grams of the normalised text; a shorter text is one gram."""
    plain = normalise(text).text
    return frozenset(plain[at : at + LENGTH] for at in range(max(1, len(plain) - LENGTH + 1)) if plain)
