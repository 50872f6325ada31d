"""When two texts count as the same."""

from __future__ import annotations

import unicodedata


def normalise(text: str) -> str:
    """NFKC, case-folded, without blanks and closing punctuation: what is left when a person says "the same words"."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split()).rstrip(".?!。…")


def verbatim(text: str) -> str:
    """NFC with single blanks: equal for texts that differ only in line breaks or in how 한글 is composed."""
    return " ".join(unicodedata.normalize("NFC", text).split())
