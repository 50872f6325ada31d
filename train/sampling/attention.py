"""Attention of answers to their question's prompt, which is read once for all of them, and to themselves.

The softmax goes over both parts, so the result is that of ordinary attention (Hydragen, Juravsky et al. 2024).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from train.decoder.anatomy import Decoder
from train.decoder.attention import row_attention
from train.decoder.flat import Flat
from train.sampling.store import Store


class PromptAttention:
    """Causal attention within prompts, whose keys and values are kept: those of path i in slot `first` + i."""

    def __init__(self, decoder: Decoder, flat: Flat, store: Store, first: int) -> None:
        self.within, self.store, self.first = row_attention(decoder, flat), store, first
        self.paths = [path.to(decoder.device) for path in flat.paths]

    def __call__(self, block: int, queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        """tokens × heads · size; see `train.decoder.blocks.Attend`."""
        for slot, path in enumerate(self.paths, self.first):
            self.store.put_prompt(block, slot, keys[path], values[path])
        return self.within(block, queries, keys, values)


@dataclass(frozen=True, slots=True)
class Next:
    """The next token of each row, as numbers on the decoder's device: the token, its position, its row's slot and place
    in the store, and how many of the answer's tokens are there already."""

    tokens: torch.Tensor
    positions: torch.Tensor
    slots: torch.Tensor
    places: torch.Tensor
    there: torch.Tensor


class AnswerAttention:
    """Attention of one new token in each row.

    The samples of a question and the query heads of a key head are folded into the rows of one matrix product for each
    slot and key head. Places whose answer has ended are computed with, but not looked at.
    """

    def __init__(self, decoder: Decoder, store: Store, new: Next, lengths: Sequence[tuple[int, int]]) -> None:
        """`lengths` has the lengths of prompt and answer in each slot that is taken, without the new token."""
        self.decoder, self.store = decoder, store
        self.rows = (new.slots, new.places)
        self.where = (new.slots, new.places, new.there)
        self.prompts, self.answers = torch.tensor(lengths, device=decoder.device).unsqueeze(-1).unbind(1)
        self.longest = max(prompt for prompt, _ in lengths), 1 + max(answer for _, answer in lengths)
        self.masks = {window: self.mask(window) for window in {block.window for block in decoder.blocks}}
        shape = (len(lengths), decoder.kv_heads, store.samples, decoder.heads // decoder.kv_heads, decoder.head_size)
        self.queries = torch.zeros(shape, dtype=decoder.dtype, device=decoder.device)

    def mask(self, window: int | None) -> torch.Tensor:
        """slots × 1 × tokens of prompt and answer: 0 where a new token looks, −∞ elsewhere."""
        prompt, answer = (torch.arange(each, device=self.decoder.device) for each in self.longest)
        seen = torch.cat([prompt < self.prompts, answer <= self.answers], dim=1)
        if window is not None:
            # Positions in the row; the new token's own is the sum of both lengths.
            positions = torch.cat([prompt.expand(len(seen), -1), self.prompts + answer], dim=1)
            seen &= positions > self.prompts + self.answers - window
        return torch.zeros(seen.shape, device=seen.device).masked_fill_(~seen, -torch.inf).unsqueeze(1)

    def __call__(self, block: int, queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        """rows × heads · size; see `train.decoder.blocks.Attend`."""
        self.store.put_tokens(block, self.where, keys, values)
        slots, heads, samples, group, size = self.queries.shape
        prompt, answer = self.longest
        by_row = self.queries.permute(0, 2, 1, 3, 4)
        by_row[self.rows] = queries.view(-1, heads, group, size)
        shared = self.queries.view(slots * heads, samples * group, size)
        own = self.queries.view(slots * heads * samples, group, size)
        prompt_keys = self.store.prompt_keys[block, :slots, ..., :prompt].flatten(0, 1)
        prompt_values = self.store.prompt_values[block, :slots, :, :prompt].flatten(0, 1)
        answer_keys = self.store.answer_keys[block, :slots, ..., :answer, :].flatten(0, 2)
        answer_values = self.store.answer_values[block, :slots, ..., :answer, :].flatten(0, 2)

        to_prompt = products(shared, prompt_keys)
        to_answer = products(own, answer_keys.transpose(1, 2))
        scores = torch.cat([to_prompt, to_answer.view(*to_prompt.shape[:2], answer)], dim=-1)
        mask = self.masks[self.decoder.blocks[block].window]
        scores = torch.add(mask, scores.view(slots, -1, prompt + answer), alpha=self.decoder.scaling)
        chances = torch.softmax(scores, dim=-1).to(self.decoder.dtype)
        to_prompt = chances.view(*shared.shape[:2], -1)[..., :prompt]
        to_answer = chances.view(*own.shape[:2], -1)[..., prompt:]
        out = torch.bmm(to_prompt, prompt_values).view_as(own)
        out.baddbmm_(to_answer, answer_values)
        return out.view(self.queries.shape).permute(0, 2, 1, 3, 4)[self.rows].flatten(1)


def products(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """left @ right for each of a batch, in float32."""
    if left.dtype == torch.float32:
        return torch.bmm(left, right)
    if left.is_cuda:
        return torch.bmm(left, right, out_dtype=torch.float32)
    return torch.bmm(left.float(), right.float())
