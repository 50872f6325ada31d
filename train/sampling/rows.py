"""An answer in the making, and the question that its prompt asks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch

from train.records import Answer
from train.sampling.draw import draw
from train.sampling.requests import Request, Settings, finished_answer, uniforms

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(slots=True, eq=False)
class Row:
    """One answer in the making: `place` is its place among its question's samples, `numbers` draw its tokens."""

    request: Request
    place: int
    numbers: NDArray[np.float64]
    tokens: list[int] = field(default_factory=list)
    seconds: float = 0.0

    def ended(self, settings: Settings) -> bool:
        """Whether its last token was the last."""
        return self.tokens[-1] in settings.stop or len(self.tokens) == settings.max_new_tokens

    def answer(self, tokenizer: Any, settings: Settings) -> Answer:
        """The finished answer."""
        return finished_answer(self.request, self.place, self.tokens, tokenizer, settings, self.seconds)


@dataclass(slots=True, eq=False)
class Question:
    """A request and its answers that are not finished; these are all equally long."""

    request: Request
    rows: list[Row]

    @classmethod
    def of(cls, request: Request, settings: Settings) -> Question:
        """The question before its first token."""
        rows = [
            Row(request, place, uniforms(settings.seed, request.prompt.question, sample, settings.max_new_tokens))
            for place, sample in enumerate(request.samples)
        ]
        return cls(request, rows)

    @property
    def prompt(self) -> tuple[int, ...]:
        return self.request.prompt.tokens

    @property
    def adapter(self) -> str:
        """The adapter's name, empty for the untouched base."""
        return self.request.adapter or ""

    def drop_ended(self, settings: Settings) -> list[Row]:
        """Takes the answers out that ended with their last token, and returns them."""
        ended = [row for row in self.rows if row.ended(settings)]
        if ended:
            self.rows = [row for row in self.rows if not row.ended(settings)]
        return ended

    def begin_again(self) -> None:
        """Forgets what its unfinished answers said so far; the same numbers will draw the same tokens."""
        for row in self.rows:
            row.tokens.clear()


Watch = Callable[[Sequence[Row], torch.Tensor], None]
"""Sees the logits (rows × vocabulary) that the next token of each row is drawn from (for tests)."""


def draw_next(rows: Sequence[Row], logits: torch.Tensor, settings: Settings, watch: Watch | None) -> None:
    """Adds each row's next token, drawn from its logits (rows × vocabulary) with its next number."""
    if watch:
        watch(rows, logits)
    numbers = torch.tensor([row.numbers[len(row.tokens)] for row in rows], dtype=torch.float64)
    drawn = draw(logits, numbers, settings.temperature, settings.top_p).tolist()
    for row, token in zip(rows, drawn, strict=True):
        row.tokens.append(token)
