"""Does an answer abstain: say that it does not know, or that its context does not tell?

Only whole refusals count. `Dogs are not allowed` and `주의할 필요가 없습니다` are answers; so are a guess after a
refusal (`..., but it is usually 45 days`), an answer followed by what else is unknown, and a refusal only quoted.
"""

from __future__ import annotations

import re
from functools import lru_cache

from train.grading.normalise import Normalised, normalise
from train.grading.refusals import ELSEWHERE, ENGLISH, GUESS, KOREAN, PREAMBLE, WHOLE

REACH = 2000
"""Characters at either end of a long answer in which a refusal is looked for."""


def abstains(answer: Normalised, sentence: str = "") -> bool:
    """Whether the answer abstains, in words of its own or in the recipe's abstention `sentence`."""
    return refusal(answer, sentence) is not None


def refusal(answer: Normalised, sentence: str = "") -> str | None:
    """The words with which the answer abstains (normalised); `None` where it does not."""
    text = answer.spaced
    if len(text) > 2 * REACH:
        text = f"{text[:REACH]} {text[-REACH:]}"
    own, bare = _own(sentence), _bare(text)
    if own and bare.startswith(own):
        # A recipe's sentence may be several sentences long, or too short to be looked for elsewhere.
        rest = bare[len(own) :]
        ends = bool(rest) and (not rest[0].isalnum() or len(own) in answer.breaks)
        if not rest or (len(own) > 4 and ends and not _is_guess(rest)):
            return sentence
    if bare in WHOLE:
        return text
    sentences = [part for part in _END.split(_QUOTED.sub(" ", text.strip("\"' "))) if part and not part.isspace()]
    for number, part in enumerate(sentences):
        found = _refusal_in(part, own)
        if found is None:
            if not _leads_up(part):
                return None
            continue
        words, rest = found
        return None if any(map(_is_guess, (rest, *sentences[number + 1 :]))) else words
    return None


def _refusal_in(part: str, own: str) -> tuple[str, str] | None:
    """The refusal in one sentence and what follows it there."""
    if own and _bare(part) == own:
        return part, ""
    english = _written_out(part)
    if match := ENGLISH.search(english):
        return match[0].strip(), english[match.end() :]
    if part.isascii():  # every Korean refusal holds Hangul
        return None
    squeezed = "".join(part.split())
    if match := KOREAN.search(squeezed):
        return match[0], squeezed[match.end() :]
    return None


def _is_guess(text: str) -> bool:
    """Whether this, said after a refusal, offers an answer all the same; sending the asker elsewhere does not."""
    return GUESS.search(text) is not None and ELSEWHERE.search(text) is None


def _leads_up(part: str) -> bool:
    """Whether a refusal may still follow this sentence: it speaks of the source, the asker or the speaker."""
    return not any(map(str.isdecimal, part)) and PREAMBLE.search(part) is not None


@lru_cache(maxsize=64)
def _own(sentence: str) -> str:
    return _bare(normalise(sentence).spaced)


def _bare(text: str) -> str:
    """The text without whitespace and without the marks that may end it or stand around it."""
    return "".join(text.split()).strip("\"'.!?~()[]")


def _written_out(text: str) -> str:
    """English with its contractions written out: `doesn't` is `does not`, `cannot` is `can not`."""
    return _CONTRACTION.sub(lambda match: f"{_STEMS.get(match[1], match[1])} not", _SHORTENED.sub(_is, text))


def _is(match: re.Match[str]) -> str:
    return f"{match[1]} is" if match[1] else "i am"


_CONTRACTION = re.compile(r"\b(is|are|was|were|do|does|did|ca|can|could|has|have|wo|would|should)(?:n't|nt|not)\b")
_STEMS = {"ca": "can", "wo": "will"}
_SHORTENED = re.compile(r"\b(?:i'm|(it|there|that|what)'s)\b")
_END = re.compile(r"(?<=[.!?])[\"')\]]*(?:\s+|$)|(?<=다\.)(?=[가-힣])")
# `"모르겠습니다"라고 답한다` tells of a refusal. A single quote may be an apostrophe: there a quoting particle decides.
_QUOTED = re.compile(r"\"[^\"]{1,200}\"|'[^']{1,200}'(?=\s?(?:이?라|는))")
