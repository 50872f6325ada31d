"""The questions that are being answered together: they enter by their prompts and leave with their last answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

import torch

from train.decoder import blocks
from train.decoder.adapters import Adapter, Route
from train.decoder.anatomy import Decoder
from train.decoder.flat import flatten
from train.sampling.attention import AnswerAttention, Next, PromptAttention
from train.sampling.rows import Question, Row
from train.sampling.store import Store


class Live:
    """Questions of any adapters; question i has slot i of the store, and no slot between them is free."""

    def __init__(self, decoder: Decoder, adapters: Mapping[str, Adapter], store: Store) -> None:
        self.decoder, self.adapters, self.store = decoder, adapters, store
        self.questions: list[Question] = []

    @property
    def count(self) -> int:
        """The answers in the making."""
        return sum(len(question.rows) for question in self.questions)

    def enter(self, questions: Sequence[Question]) -> tuple[list[Row], torch.Tensor]:
        """Computes the prompts, as one stream in which a beginning that prompts of an adapter share stands once.

        Returns:
            The questions' rows, and the logits of their first tokens, rows × vocabulary.
        """
        entering, first = sorted(questions, key=lambda each: each.adapter), len(self.questions)
        self.questions += entering
        groups = [(name, list(group)) for name, group in groupby(entering, key=lambda each: each.adapter)]
        flat = flatten([[question.prompt for question in group] for _, group in groups]).to(self.decoder.device)
        routes = self.routes(zip((name for name, _ in groups), flat.bounds, strict=True))
        last = torch.tensor([int(path[-1]) for path in flat.paths], device=self.decoder.device)
        chosen = blocks.Chosen.of(last, routes)  # all that the logits are made of
        attend = PromptAttention(self.decoder, flat, self.store, first)
        x = blocks.run(self.decoder, flat.tokens, flat.positions, attend, routes, chosen)
        # Prompts that are the same have one place.
        logits = blocks.logits(self.decoder, x)[torch.searchsorted(chosen.places, last)]
        owners = [(number, row) for number, question in enumerate(entering) for row in question.rows]
        return [row for _, row in owners], logits[torch.tensor([number for number, _ in owners], device=last.device)]

    def step(self) -> tuple[list[Row], torch.Tensor]:
        """Computes each row's last token.

        Returns:
            All rows, those of one adapter side by side, and the logits of their next tokens, rows × vocabulary.
        """
        order = sorted(enumerate(self.questions), key=lambda each: each[1].adapter)
        rows = [(slot, question, row) for slot, question in order for row in question.rows]
        new = torch.tensor(
            [
                (row.tokens[-1], len(question.prompt) + len(row.tokens) - 1, slot, row.place, len(row.tokens) - 1)
                for slot, question, row in rows
            ],
            device=self.decoder.device,
        )
        lengths = [(len(question.prompt), len(question.rows[0].tokens) - 1) for question in self.questions]
        following = Next(*new.unbind(1))
        attend = AnswerAttention(self.decoder, self.store, following, lengths)
        numbered = groupby(enumerate(question.adapter for _, question, _ in rows), key=lambda each: each[1])
        bounds = [(name, [number for number, _ in group]) for name, group in numbered]
        routes = self.routes((name, (numbers[0], numbers[-1] + 1)) for name, numbers in bounds)
        x = blocks.run(self.decoder, following.tokens, following.positions, attend, routes)
        return [row for _, _, row in rows], blocks.logits(self.decoder, x)

    def routes(self, bounds: Iterable[tuple[str, tuple[int, int]]]) -> list[Route]:
        """A route for each adapter, from its name and where its tokens start and end; the base needs none."""
        return [Route(start, end, self.adapters[name]) for name, (start, end) in bounds if name]

    def close_gaps(self) -> None:
        """Gives the slots of answered questions to those behind them."""
        for slot in reversed(range(len(self.questions))):
            if not self.questions[slot].rows:
                last = self.questions.pop()
                if last.rows:
                    self.questions[slot] = last
                    self.store.move(len(self.questions), slot, len(last.prompt), len(last.rows[0].tokens))
