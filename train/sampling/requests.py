"""What is asked of an engine, and the random key that makes every answer reproducible alone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from train.records import Answer, Prompt

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ENGINE = "openbook-1"
"""Part of every answer's key; raise it when the engine draws other answers from the same key."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How each answer is drawn, and by which engine. `stop` holds the token ids that end an answer."""

    temperature: float
    top_p: float
    max_new_tokens: int
    seed: int
    stop: tuple[int, ...]
    engine: str = ENGINE


@dataclass(frozen=True, slots=True)
class Request:
    """One question to one arm under one condition: the prompt and which samples are wanted.

    `adapter` names an adapter that the model has loaded, None the untouched base. `keys` holds the answer key of
    each wanted sample.
    """

    arm: str
    seed: int
    prompt: Prompt
    adapter: str | None
    samples: tuple[int, ...]
    keys: tuple[str, ...]


def random_key(seed: int, question: str, sample: int) -> int:
    """The 128-bit random key of an answer. It knows nothing of arm and condition, so that cells are paired."""
    digest = hashlib.sha256(f"openbook answer\x1f{seed}\x1f{question}\x1f{sample}".encode()).digest()
    return int.from_bytes(digest[:16], "big")


def uniforms(seed: int, question: str, sample: int, count: int) -> NDArray[np.float64]:
    """The numbers in [0, 1) that draw the answer's tokens, one a token: Philox with the random key.

    Philox is counter-based and specified, so the numbers are the same on every machine.
    """
    import numpy as np

    return np.random.Generator(np.random.Philox(key=random_key(seed, question, sample))).random(count)


def answer_key(weights: str, prompt: Prompt, settings: Settings, question: str, sample: int) -> str:
    """The hash of all that makes an answer: weights, prompt tokens, sampling settings, engine, random key."""
    made_of = [
        weights,
        list(prompt.tokens),
        [settings.temperature, settings.top_p, settings.max_new_tokens, sorted(settings.stop)],
        settings.engine,
        [settings.seed, question, sample],
    ]
    return hashlib.sha256(json.dumps(made_of).encode()).hexdigest()[:32]


def finished_answer(
    request: Request, place: int, tokens: Sequence[int], tokenizer: Any, settings: Settings, seconds: float
) -> Answer:
    """The answer to the request's sample at that place, of these tokens, the last of which may have ended it."""
    stopped = bool(tokens) and tokens[-1] in settings.stop
    said = tokens[:-1] if stopped else tokens
    return Answer(
        arm=request.arm,
        seed=request.seed,
        condition=request.prompt.condition,
        question=request.prompt.question,
        sample=request.samples[place],
        text=tokenizer.decode(said, skip_special_tokens=True).strip(),
        key=request.keys[place],
        finish="stop" if stopped else "length",
        prompt_tokens=len(request.prompt.tokens),
        tokens=len(tokens),
        seconds=round(seconds, 4),
    )
