"""What a search compares: the terms of a text, Korean and English alike, without a dictionary or a stemmer.

Korean particles are attached to their noun (`유사도는`), so Hangul is compared in pairs of syllables, of which a
particle spoils only the last. Of English endings only the `s` of plurals and possessives goes. Known limit: words of
scripts that write vowels as marks (Devanagari, Thai) fall apart into letters.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise

PARTICLES = frozenset("은는이가을를의에로와과도만란")
"""The Korean particles of one syllable. As terms of their own they would be rare, so weighty, and say nothing."""


def terms(text: str) -> list[str]:
    """The terms of a text in reading order, repeated ones as often as they occur.

    Case, accents, full-width forms and the way in which Hangul is composed make no difference.

    - Latin words and those of other scripts with spaces between words: each run of letters and each number is a term.
      Where several of them hang together, they are also one: `B17` and `b-17` are b, 17, b17; `first-aid` is first,
      aid, firstaid. Numbers stay whole: `4.35` is neither 4 nor 435, `1,200` is 1200. Plurals are made `singular`.
    - Hangul: the pairs of neighbouring syllables of each run; a lone syllable is itself. Two syllables of which the
      second can be a particle also give the first: `값은` is 값은, 값. A particle after something else than a number
      is none: `LoRA는` is lora, `'점수'를` is 점수, but `3도` is 3, 도.
    - Chinese characters and kana: single ones and pairs of neighbours.
    """
    text = normalise(text)
    found: list[str] = []
    for run in _RUN.finditer(text):
        match run.lastgroup:
            case "hangul":
                found.extend(_hangul(run[0], before=text[run.start() - 1 : run.start()]))
            case "ideographs":
                found.extend((*run[0], *_pairs(run[0])))
            case _:
                found.extend(map(singular, _parts(run[0])))
    return found


def normalise(text: str) -> str:
    """NFKC and case-folded, without accents, invisible characters, thousands separators and possessive `'s`."""
    # NFKC makes plain digits of circled ones, so they are set apart, or `①LoRA` would turn into `1lora`. Of the Korean
    # middle dot it would make an archaic vowel.
    text = _ENCLOSED.sub(r" \g<0> ", text).replace("ㆍ", " ")
    text = _UNSEEN.sub("", unicodedata.normalize("NFKD", text).casefold())
    text = _THOUSANDS.sub("", unicodedata.normalize("NFKC", text))
    return _POSSESSIVE.sub("", text)


def singular(word: str) -> str:
    """The word without the `s` of an English plural or third person.

    Words that end in such an `s` by chance lose theirs too, in queries and passages alike. Close to the S-stemmer of
    Harman, "How effective is suffixing?", JASIS 42, 1991, but `boxes` and `classes` lose their `es`.
    """
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    return word[:-2] if word.endswith(("sses", "xes", "tches", "shes")) else word[:-1]


def _parts(run: str) -> list[str]:
    """The letters and numbers of a run such as `b-17`, and where there are several, the whole of it without marks."""
    parts = _PART.findall(run)
    return parts if len(parts) == 1 else [*parts, "".join(parts)]


def _hangul(run: str, before: str) -> list[str]:
    """The terms of a run of syllables; `before` is the character before it, empty at the text's beginning."""
    if len(run) == 1:
        attached = before and not before.isspace() and not before.isdecimal()
        return [] if attached and run in PARTICLES else [run]
    if len(run) == 2 and run[1] in PARTICLES:
        return [run, run[0]]
    return _pairs(run)


def _pairs(run: str) -> list[str]:
    return ["".join(pair) for pair in pairwise(run)]


_ENCLOSED = re.compile(r"[\u2460-\u24ff]")
# Accents on Latin, Greek and Cyrillic letters; soft hyphens, joiners and byte order marks.
_UNSEEN = re.compile(r"[\u0300-\u036f\u00ad\u200c\u200d\u2060\ufeff]")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_POSSESSIVE = re.compile(r"(?<=[a-z])['\u2019]s(?![a-z0-9])")

_HANGUL = r"\uac00-\ud7a3"
_IDEOGRAPHS = (
    r"\u3005-\u3007\u3041-\u3096\u30a1-\u30fa\u30fc-\u30fe"  # kana and the marks that repeat or lengthen
    r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_LETTER = rf"[^\W_{_HANGUL}{_IDEOGRAPHS}]"
_RUN = re.compile(
    rf"(?P<hangul>[{_HANGUL}]+)|(?P<ideographs>[{_IDEOGRAPHS}]+)"
    rf"|{_LETTER}+(?:[-\u2010\u2011\u2013\u2212_'\u2019/.]{_LETTER}+)*"
)
_PART = re.compile(r"\d+(?:\.\d+)*|[^\W\d_]+")
