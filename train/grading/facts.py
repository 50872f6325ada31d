"""One fact of a rubric: how it is written, what can be wrong with it, and how it is found in an answer.

A fact is a text, a tuple of alternatives of which one suffices, or `/regex/` (an alternative may be one too). Texts are
normalised like the answer; a regex is matched against the normalised answer as it is written.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from train.grading.normalise import Normalised, normalise, survives
from train.records import Fact, fact_label

LONG = 4096
"""In a text of more characters than this, a regex must match within `WINDOW` of them."""
WINDOW = 512


@dataclass(frozen=True, slots=True)
class Alternative:
    """One way to state a fact: `text` as it was written, and either the plain text or the regex to look for."""

    text: str
    plain: str
    regex: re.Pattern[str] | None

    def found_in(self, answer: Normalised, ungrouped: Normalised) -> str | None:
        """What of the answer states it: the plain text as written, or the stretch a regex matched. Else `None`."""
        if self.regex is None:
            return self.text if ungrouped.find(self.plain) else None
        # A regex is as its author wrote it: one may spell 1,200 and another 1200.
        match = _search(self.regex, answer.text)
        if match is None and ungrouped is not answer:
            match = _search(self.regex, ungrouped.text)
        return None if match is None else match[0] or self.text


@dataclass(frozen=True, slots=True)
class Statement:
    """A compiled fact: `label` is how messages call it."""

    label: str
    alternatives: tuple[Alternative, ...]

    def found_in(self, answer: Normalised, ungrouped: Normalised) -> str | None:
        """What of the answer states the fact, by its first alternative that is there; `None` if none is."""
        for alternative in self.alternatives:
            found = alternative.found_in(answer, ungrouped)
            if found is not None:
                return found
        return None


def compile_fact(fact: Fact) -> Statement:
    """The fact ready for matching; call it on a fact without `fact_problems` only."""
    alternatives = (fact,) if isinstance(fact, str) else fact
    return Statement(fact_label(fact), tuple(map(_compile_alternative, alternatives)))


def _compile_alternative(written: str) -> Alternative:
    pattern = _pattern(written)
    if pattern is None:
        return Alternative(written, normalise(written).ungrouped.text, None)
    return Alternative(written, "", re.compile(pattern))


def _pattern(written: str) -> str | None:
    """The regex between the slashes, or `None` for a plain text."""
    written = written.strip()
    if len(written) < 2 or not (written.startswith("/") and written.endswith("/")):
        return None
    # A file from macOS may hold Hangul in pieces, which would match nothing.
    return unicodedata.normalize("NFC", written[1:-1])


def fact_problems(fact: Fact) -> list[str]:
    """What is wrong with one fact, with the mend: it is empty, or its regex is invalid or useless."""
    if isinstance(fact, str):
        return _alternative_problems(fact)
    if not fact:
        return ["is a list without alternatives; add one, or drop the fact"]
    return [problem for alternative in fact for problem in _alternative_problems(alternative)]


def _search(regex: re.Pattern[str], text: str) -> re.Match[str] | None:
    # `a.*b` takes time quadratic in the text, `a.*b.*c` cubic, and a model that ran wild may have written 100 kB.
    if len(text) <= LONG:
        return regex.search(text)
    windows = (regex.search(text, start, start + WINDOW) for start in range(0, len(text), WINDOW // 2))
    return next((match for match in windows if match is not None), None)


def _alternative_problems(written: str) -> list[str]:
    pattern = _pattern(written)
    if pattern is None:
        if normalise(written).text:
            return []
        return [f"'{written}' is empty once normalised; write what the answer must state, or drop it"]
    if not pattern:
        return [f"'{written}' is an empty regex; write what must match between the slashes"]
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        return [f"'{written}' is not a valid regex ({error}); mend it, or drop the slashes to match it as text"]
    problems = [f"'{written}' can never match: {reason}" for reason in _never_matches(pattern)]
    # With a look-around, matching the empty text can be meant: it asks for what is not there.
    if not problems and not _LOOKAROUND.search(pattern) and compiled.search("") is not None:
        problems.append(f"'{written}' matches any text; ask for something that must be there")
    return problems


_NO_SPACE = "whitespace is removed before matching; leave it out"
_ESCAPES = {
    **dict.fromkeys("stnrfv ", _NO_SPACE),
    "b": "without whitespace there are no word boundaries; use (?<![a-z0-9]) or (?![0-9])",
}
_TOKEN = re.compile(r"\\x[0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\U[0-9a-fA-F]{8}|\\N\{[^}]*\}|\\?.", re.DOTALL)
_LOOKAROUND = re.compile(r"\(\?<?[=!]")
_GROUP_NAME = re.compile(r"\(\?P(?:<\w+>|=\w+\))")


def _never_matches(pattern: str) -> list[str]:
    """What a valid regex asks for that normalised text never holds, each with its mend."""
    reasons: dict[str, str] = {}
    in_class = False
    for token in _TOKEN.findall(_GROUP_NAME.sub("", pattern)):
        character = _decoded(token)
        if token[0] == "\\" and character in _ESCAPES:
            reasons[token] = _ESCAPES[character]
        elif len(token) == 2 and character.isascii() and character.isalnum():
            pass  # \d, \W, \Z and the like
        elif token == "[" and not in_class:
            in_class = True
        elif token == "]":
            in_class = False
        elif character.isspace():
            reasons[token] = _NO_SPACE
        elif character.lower() != character:
            reasons[token] = f"case is folded before matching; write '{character.lower()}'"
        elif not in_class and not survives(character):
            # In a class, other members may match, so dashes of every kind may be listed there.
            reasons[token] = f"normalised text does not hold it{_instead(character)}"
    return [f"'{token}' in it: {reason}" for token, reason in reasons.items()]


def _decoded(token: str) -> str:
    """The character that a token of a regex stands for, or the letter of an escape."""
    if token.startswith("\\N"):
        return unicodedata.lookup(token[3:-1])
    return chr(int(token[2:], 16)) if len(token) > 2 else token[-1]


def _instead(character: str) -> str:
    stands = normalise(character).text
    return f"; write '{stands}'" if stands else ""
