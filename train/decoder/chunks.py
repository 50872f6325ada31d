"""Causal attention in matrix products, a chunk of a row's queries at a time: the fast way on a CPU.

PyTorch's kernel for a CPU multiplies in small pieces, which is slower than oneDNN's products of a few hundred rows;
and it wants rows side by side, filled up to one length. Here every row is computed by itself, as long as it is, with
the query heads of a key head in one matrix. A chunk looks at no keys after its last query, so that about half of the
square is never computed; and its scores are made again in the backward pass rather than kept (as in FlashAttention,
Dao et al. 2022).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

import torch

from train.decoder.anatomy import Decoder
from train.decoder.flat import Flat
from train.decoder.products import linear

QUERIES = 640
"""About so many queries, of all heads that share a key head, are computed at a time."""


class ChunkedAttention:
    """What `train.decoder.attention.RowAttention` computes, with its calls, in float32 on a CPU."""

    def __init__(self, decoder: Decoder, flat: Flat, *, keep: bool = False) -> None:
        self.decoder, self.keep = decoder, keep
        self.rows = [Row(decoder, path, shared) for path, shared in zip(flat.paths, flat.shared, strict=True)]
        self.rows = [row for row in self.rows if row.own]
        self.kept: dict[int, list[Laid]] = {}

    def __call__(self, block: int, queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        """tokens × heads · size; see `train.decoder.blocks.Attend`."""
        out = queries.new_empty(len(queries), self.decoder.heads * self.decoder.head_size)
        window = self.decoder.blocks[block].window
        for row in self.rows:
            laid = row.lay(queries, keys, values)
            row.forward(laid, window, out)
            if self.keep:
                self.kept.setdefault(block, []).append(laid)
        return out

    def backward(self, block: int, gradient: torch.Tensor) -> torch.Tensor:
        """The gradients of queries, keys and values side by side, tokens × all heads × size; frees what was kept."""
        size = self.decoder.head_size
        made = gradient.new_zeros(len(gradient), self.decoder.heads + 2 * self.decoder.kv_heads, size)
        window = self.decoder.blocks[block].window
        for row, laid in zip(self.rows, self.kept.pop(block), strict=True):
            row.backward(laid, window, gradient.view(len(gradient), -1, size), made)
        return made


Laid = tuple[torch.Tensor, torch.Tensor, torch.Tensor]
"""A row's queries, its keys times the scale of scores, and its values, each head by head."""


class Row:
    """One row's tokens: those it shares with rows before it, whose outputs are theirs, and its own, one after another.

    Within it, tensors are key heads × own tokens × query heads of a key head × size, or key heads × tokens × size.
    """

    def __init__(self, decoder: Decoder, path: torch.Tensor, shared: int) -> None:
        self.path, self.shared, self.own = path, shared, len(path) - shared
        start = int(path[shared]) if self.own else 0
        self.here = slice(start, start + self.own)
        self.heads, self.kv_heads, self.scale = decoder.heads, decoder.kv_heads, decoder.scaling
        self.group = decoder.heads // decoder.kv_heads

    def lay(self, queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor) -> Laid:
        """The row's part of the stream's."""
        return self.by_head(queries), self.looked_at(keys).mul_(self.scale), self.looked_at(values)

    def forward(self, laid: Laid, window: int | None, out: torch.Tensor) -> None:
        """Writes the row's own outputs into `out`, tokens × heads · size."""
        asking, keys, values = laid
        found = torch.empty_like(asking)
        for (own, seen), head in self.parts(window):
            chances = self.chances(asking[head, own].flatten(0, 1), keys[head, seen], own, seen, window)
            found[head, own] = linear(chances, values[head, seen].t()).view_as(found[head, own])
        out[self.here].view(self.own, self.kv_heads, self.group, -1).copy_(found.transpose(0, 1))

    def backward(self, laid: Laid, window: int | None, gradient: torch.Tensor, made: torch.Tensor) -> None:
        """Adds to `made`, tokens × all heads × size, what the `gradient` of the row's own outputs makes of it.

        With P the chances: dV = Pᵀ dO, dP = dO Vᵀ, dS = P · (dP − Σ P · dP), dQ = dS K, dK = dSᵀ Q.
        """
        asking, keys, values = laid
        back = self.by_head(gradient)
        of_queries = torch.empty_like(asking)
        of_keys, of_values = keys.new_zeros(2, self.kv_heads, keys.shape[-1], len(self.path))  # lie on their sides
        for (own, seen), head in self.parts(window):
            asked, through = asking[head, own].flatten(0, 1), back[head, own].flatten(0, 1)
            chances = self.chances(asked, keys[head, seen], own, seen, window)
            # The narrow side first, with its values one after the other: oneDNN takes half the time.
            of_values[head, :, seen] += linear(through.t().contiguous(), chances.t())
            scores = linear(through, values[head, seen])
            torch.ops.aten._softmax_backward_data(scores, chances, -1, scores.dtype, grad_input=scores)
            of_queries[head, own] = linear(scores, keys[head, seen].t()).view_as(of_queries[head, own])
            of_keys[head, :, seen] += linear(asked.t().contiguous(), scores.t())
        to = made[self.here]
        to[:, : self.heads].view(self.own, self.kv_heads, self.group, -1).copy_(of_queries.transpose(0, 1))
        both = torch.cat([of_keys.mul_(self.scale), of_values]).permute(2, 0, 1)
        to[:, self.heads :] += both[self.shared :]
        if self.shared:
            made[:, self.heads :].index_add_(0, self.path[: self.shared], both[: self.shared])

    def by_head(self, tokens: torch.Tensor) -> torch.Tensor:
        """The row's own part of something of each query head."""
        return tokens[self.here].view(self.own, self.kv_heads, self.group, -1).transpose(0, 1).contiguous()

    def looked_at(self, tokens: torch.Tensor) -> torch.Tensor:
        """The row's part of keys or values."""
        found = tokens[self.path] if self.shared else tokens[self.here]
        return found.transpose(0, 1).clone(memory_format=torch.contiguous_format)

    def parts(self, window: int | None) -> Iterator[tuple[tuple[slice, slice], int]]:
        """Chunks of own tokens, of about one size, with the tokens that they look at, for each key head."""
        count = -(-self.own * self.group // QUERIES)
        edges = [self.own * number // count for number in range(count + 1)]
        for start, end in pairwise(edges):
            first = 0 if window is None else max(0, self.shared + start - window + 1)
            for head in range(self.kv_heads):
                yield (slice(start, end), slice(first, self.shared + end)), head

    def chances(
        self, asked: torch.Tensor, keys: torch.Tensor, own: slice, seen: slice, window: int | None
    ) -> torch.Tensor:
        """The softmax over the keys that each query may look at, queries × keys."""
        scores = linear(asked, keys)
        count = own.stop - own.start
        scores[:, -count:] += after(count, self.group)
        if window is not None and seen.stop - seen.start > window:
            # The first query looks back to the place `from_there`, each further one to one place more.
            from_there = self.shared + own.start - window + 1 - seen.start
            scores[:, : count + from_there] += before(count, from_there, self.group)
        return torch.softmax(scores, dim=-1)


@lru_cache(maxsize=16)
def after(count: int, group: int) -> torch.Tensor:
    """Hides from each of so many tokens those after it: −∞ there, 0 elsewhere, a row for each query head of a token."""
    return torch.full((count, count), -torch.inf).triu(1).repeat_interleave(group, dim=0)


@lru_cache(maxsize=16)
def before(count: int, first: int, group: int) -> torch.Tensor:
    """Likewise hides from token i of so many the places before `first` + i.

    `first` is not above 0, where the window starts before the first place.
    """
    return torch.full((count, count + first), -torch.inf).tril(first - 1).repeat_interleave(group, dim=0)
