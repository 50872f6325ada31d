"""The one normal form in which answers, facts and references are compared.

Korean particles are attached to their word (`코사인 유사도는`) and spacing varies from writer to writer, so facts are
looked for in text without whitespace. Where whitespace stood is kept beside the text, because it still ends a number
or a Latin word: `30 days` is in `within 30 days of`, but not in `130 days`.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, pairwise

MAX_PASSES = 8
"""Markup nested deeper than this is noise; all of its marks go, which bounds the time a hostile text can take."""


@dataclass(frozen=True, slots=True)
class Normalised:
    """Normalised text: `text` without whitespace; `breaks` are the positions in it before which whitespace stood."""

    text: str
    breaks: frozenset[int]

    @property
    def spaced(self) -> str:
        """The text with one space at every break. Normalising it again gives an equal `Normalised`."""
        cuts = [0, *sorted(self.breaks), len(self.text)]
        return " ".join(self.text[start:end] for start, end in pairwise(cuts) if start < end)

    @property
    def ungrouped(self) -> Normalised:
        """The same with its numbers written without thousands separators: 1,200 as 1200."""
        if "," not in self.text:
            return self
        return _of_spaced(_THOUSANDS.sub(lambda match: match[0].replace(",", ""), self.spaced))

    def find(self, fact: str) -> tuple[int, int] | None:
        """Where a plain fact (normalised and `ungrouped`, its `text`) stands in this ungrouped text: (start, end).

        `None` where it is not there, or only begins or ends inside a run of Latin letters or digits or inside a
        number. Hangul may stand directly before and after it.
        """
        start = self.text.find(fact) if fact else -1
        while start >= 0:
            end = start + len(fact)
            if not (self._inside(start) or self._inside(end)):
                return start, end
            start = self.text.find(fact, start + 1)
        return None

    def _inside(self, position: int) -> bool:
        """Whether a Latin word or a number goes on across this position."""
        if position in self.breaks or not 0 < position < len(self.text):
            return False
        before, after = self.text[position - 1], self.text[position]
        if _runs_on(before) and _runs_on(after):
            return True
        # A point between two digits is part of the number (4 is not in 4.20); one that ends a sentence is not.
        if after == "." and before.isdecimal():
            follows = self.text[position + 1 : position + 2]
            return follows.isdecimal() and position + 1 not in self.breaks
        if before == "." and after.isdecimal() and position > 1:
            return self.text[position - 2].isdecimal() and position - 1 not in self.breaks
        return False


def normalise(text: str) -> Normalised:
    """The normal form of a text.

    NFKC and case-folded; typographic quotes, dashes and minus signs as in ASCII; without end tags (`<|im_end|>`,
    `</s>`), emoji, Markdown (code marks, headings, list bullets, emphasis, links, of which their text stays) and
    whitespace. `*`, `_` and `-` inside values (`4*5`, `snake_case`, `-3`) stay. Normalising `Normalised.spaced`
    again gives an equal result.
    """
    if _PLAIN.fullmatch(text):
        return _of_spaced(text.casefold())
    for _ in range(MAX_PASSES):
        before, text = text, _pass(text)
        if text == before:
            break
    else:
        text = _pass(_MARKS.sub(" ", text))
        text = _pass(text)
    return _of_spaced(text)


@lru_cache(maxsize=2**15)
def normal_form(text: str) -> Normalised:
    """`normalise`, for texts that come again: samples repeat one another, and graders look one by one, memory first."""
    return normalise(text)


def _of_spaced(text: str) -> Normalised:
    words = text.split()
    return Normalised("".join(words), frozenset(list(accumulate(map(len, words)))[:-1]))


def _pass(text: str) -> str:
    """One round of all steps, on one line with single spaces. Where nothing changes, the text is normal."""
    text = _fold(text)
    # Most texts hold no mark at all; looking for its character first takes a tenth of the time of looking for it.
    if "<" in text or "[|" in text:
        text = _TAG.sub(" ", text)
    if "`" in text:
        text = _FENCE.sub("", text).replace("`", "")
    text = _LINE_MARK.sub("", text)
    if "](" in text:
        text = _LINK.sub(r"\1", text)
    if "*" in text:
        text = _STARRED.sub(_unless_power, text)
    if "__" in text:
        text = _UNDERLINED.sub(r"\1", text)
    if "~~" in text:
        text = _STRUCK.sub(r"\1", text)
    if "*" in text:
        text = _STAR.sub(r"\1", text)
    if "_" in text:
        text = _UNDERSCORE.sub(r"\1", text)
    if "\\" in text:
        text = _ESCAPE.sub("", text)
    return " ".join(text.split())


@lru_cache(maxsize=4096)
def survives(character: str) -> bool:
    """Whether normal text can contain this character, so that a regex may ask for it."""
    return normalise(f"가{character}가").text == f"가{character}가"


def _fold(text: str) -> str:
    if text.isascii():
        text = text.casefold()
    else:
        # NFKC makes plain digits of circled ones, so they are set apart, or `①30일` would turn into `130일`.
        text = _ENCLOSED.sub(r" \g<0> ", text.translate(_BEFORE_NFKC))
        text = unicodedata.normalize("NFKC", text).casefold()
        text = _IGNORABLE.sub("", unicodedata.normalize("NFKC", text).translate(_TYPOGRAPHY))
    # A space in the place of an emoji: removing one must not join what it parted.
    return _EMOJI.sub(" ", text)


def _runs_on(character: str) -> bool:
    """Whether the character is a digit or a Latin letter."""
    if character.isascii():
        return character.isalnum()
    return character.isdecimal() or (
        character.isalpha() and (character < "\u0250" or "\u1e00" <= character <= "\u1eff")
    )


def _unless_power(match: re.Match[str]) -> str:
    # `x**2 + y**3` holds powers, not bold text: both marks stand inside Latin letters or digits.
    text = match.string
    start, end = match.start(), match.end()
    opens_inside = _is_value(text[start - 1 : start]) and _is_value(match[2][0])
    closes_inside = _is_value(text[end : end + 1])
    return match[0] if opens_inside and closes_inside else match[2]


def _is_value(character: str) -> bool:
    return character != "" and _runs_on(character)


def _characters(*codes: int | tuple[int, int]) -> re.Pattern[str]:
    """A pattern for any of these code points and ranges of them."""
    ranges = [(code, code) if isinstance(code, int) else code for code in codes]
    return re.compile("[" + "".join(f"{re.escape(chr(a))}-{re.escape(chr(b))}" for a, b in ranges) + "]")


# NFKC would make the Korean middle dot an archaic vowel, and the acute accent a space with a mark on it.
_BEFORE_NFKC = {ord("ㆍ"): "·", ord("´"): "'"}
_TYPOGRAPHY = {
    **dict.fromkeys(map(ord, "‘’‚‛′ʼ"), "'"),
    **dict.fromkeys(map(ord, "“”„‟«»"), '"'),
    **dict.fromkeys(map(ord, "‐‑‒–—―−﹘"), "-"),
    **dict.fromkeys(map(ord, "〜∼"), "~"),
    **dict.fromkeys(map(ord, "・‧∙⋅"), "·"),
    ord("⁄"): "/",
}

_ENCLOSED = _characters((0x2460, 0x24FF), (0x3200, 0x32FF), (0x1F100, 0x1F1E5))
# Soft hyphens, joiners, directional marks, variation selectors, byte order marks: they show nothing.
_IGNORABLE = _characters(
    0xAD, 0x34F, 0x61C, 0x180E, (0x200C, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0xFE00, 0xFE0F), 0xFEFF,
    (0xE0000, 0xE0FFF),
)  # fmt: skip
# Pictographs, flags, dingbats, keycaps; also control characters and the zero-width space, which part words as well.
_EMOJI = _characters(
    (0x00, 0x08), (0x0E, 0x1B), (0x7F, 0x84), (0x86, 0x9F), 0x200B, 0x20E3, (0x2300, 0x2307), (0x230C, 0x23FF),
    (0x2600, 0x27BF), (0x2B00, 0x2BFF), (0x1F000, 0x1F0FF), (0x1F1E6, 0x1F1FF), (0x1F300, 0x1FAFF),
)  # fmt: skip

# What no step changes but for letter case and whitespace; most answers hold nothing else.
_PLAIN = re.compile(r"[A-Za-z0-9가-힣 \n!\"$%&'(),./:;=?@^{|}>\]]*")

# Every pattern below runs in time linear in the text: none has two ways to match the same stretch.
_TAG = re.compile(
    r"<\|[^\s<>|]{1,64}\|>|\[\|[^\s\[\]|]{1,64}\|\]|</?s>|<(?:bos|eos|pad|unk|start_of_turn|end_of_turn)>|<br ?/?>"
)
_FENCE = re.compile(r"^[^\S\n]*```[\w+#.-]*[^\S\n]*$", re.MULTILINE)
_LINE_MARK = re.compile(r"^[^\S\n]*(?:(?:#{1,6}|[-*+•◦▪‣])[^\S\n]+)+", re.MULTILINE)
# A target has a slash, point, hash or colon; without one, `f[0](x)` is code.
_LINK = re.compile(r"!?\[([^\[\]]*)\]\((?=[^()\s]*[/.#:])(?:[^()\s]|\([^()\s]*\))*(?:\s+\"[^\"()]*\")?\)")
_STARRED = re.compile(r"(\*{2,3})(?![\s*])((?:[^*]|\*(?!\*))+?)(?<![\s*])\1")
_UNDERLINED = re.compile(r"(?<!\w)__(?![\s_])((?:[^_]|_(?!_))+?)(?<![\s_])__(?![a-z0-9_])")
_STRUCK = re.compile(r"~~(?!\s)([^~]+)(?<!\s)~~")
_STAR = re.compile(r"(?<![\w*])\*(?![\s*])([^*]+)(?<!\s)\*(?![a-z0-9*])")
_UNDERSCORE = re.compile(r"(?<!\w)_(?![\s_])([^_]+)(?<!\s)_(?![a-z0-9_])")
_ESCAPE = re.compile(r"\\(?=[*_`~])")
_THOUSANDS = re.compile(r"(?<![0-9])(?<![0-9][.,])[1-9][0-9]{0,2}(?:,[0-9]{3})+(?![0-9])(?!,[0-9])")
_MARKS = re.compile(r"[*_~\\\[\]<>|#]")
