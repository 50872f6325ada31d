"""How many tokens an answer may need: counted with the model's tokenizer, or estimated where that is not at hand."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from train.fields import HUB

LEAST = 48
"""Fewer new tokens than this are never proposed: a model that is not tuned is more verbose than the references."""
PLENTY = 1024
"""More than this neither."""
SHARE, SPARE = 0.95, 1.5
"""Room for so large a share of the references, and so many times as much: one long reference decides nothing."""


@dataclass(frozen=True, slots=True)
class Ruler:
    """Measures texts in tokens; `how` says in which way."""

    count: Callable[[str], int]
    how: str


def ruler_of(model: str) -> Ruler:
    """The measure for that base, which is a directory, a hub id, a `.gguf` file or `package:…`.

    The tokenizer is at hand in a directory, and of a hub id where the hub's cache on this disk has it; nothing is
    downloaded, and no GGUF file is unpacked for it.
    """
    file = tokenizer_file(model)
    if file is not None:
        from tokenizers import Tokenizer

        try:
            tokenizer = Tokenizer.from_file(str(file))
        except Exception:  # whatever is wrong with the file, `openbook check` will say
            return ESTIMATE
        return Ruler(
            lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids), "in the model's own tokens"
        )
    return ESTIMATE


def tokenizer_file(model: str) -> Path | None:
    """The base's `tokenizer.json`, if it is on this disk."""
    path = Path(model).expanduser()
    if path.is_dir():
        return path / "tokenizer.json" if (path / "tokenizer.json").is_file() else None
    if path.suffix == ".gguf" or model.startswith(("package:", HUB)) or model.count("/") != 1:
        return None
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        cached = try_to_load_from_cache(model, "tokenizer.json")
    except HFValidationError:
        return None
    return Path(cached) if isinstance(cached, str) else None


def estimated(text: str) -> int:
    """An upper estimate: a token for three ASCII characters, and for each byte of any other, so 3 for a syllable of
    Hangul, which a tokenizer that has learnt no Korean takes apart so.
    """
    plain = sum(character.isascii() for character in text)
    others = (character for character in unicodedata.normalize("NFC", text) if not character.isascii())
    return math.ceil(plain / 3) + sum(len(character.encode(errors="replace")) for character in others)


ESTIMATE = Ruler(
    estimated,
    "estimated from the characters, up to 3 tokens for a syllable of Hangul, since its tokenizer is not at hand",
)


@dataclass(frozen=True, slots=True)
class Room:
    """The proposal for `max_new_tokens`; `usual` is the length that 95 of 100 references do not exceed."""

    tokens: int
    usual: int
    longer: int
    references: int
    how: str

    def reason(self) -> str:
        """Why so many, for a person."""
        least = ", the least that is proposed" if self.tokens == LEAST else ""
        most = ", the most that is proposed" if self.tokens == PLENTY else ""
        return (
            f"up to {self.tokens} tokens{least}{most}: {SHARE:.0%} of the references have at most {self.usual}, "
            f"and half as many are spare ({self.how})"
        )


def room_for(references: Sequence[str], abstention: str, ruler: Ruler) -> Room:
    """Room for the references and the abstention: a multiple of 16 from `LEAST` to `PLENTY`."""
    lengths = sorted(ruler.count(text) for text in references if text.strip())
    usual = lengths[math.ceil(SHARE * len(lengths)) - 1] if lengths else 0
    # The abstention is said word for word or not at all, and then the turn ends.
    wanted = max(SPARE * usual, ruler.count(abstention) + 2)
    tokens = min(PLENTY, max(LEAST, 16 * math.ceil(wanted / 16)))
    return Room(tokens, usual, sum(length > tokens for length in lengths), len(lengths), ruler.how)
