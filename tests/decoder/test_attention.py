"""Attention within the rows of a stream, forward and backward, is what its definition says, however it is made."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from train.decoder import chunks
from train.decoder.attention import RowAttention
from train.decoder.chunks import ChunkedAttention
from train.decoder.flat import Flat, flatten

SIZE = 8
GROUPS = {
    "one row": [[list(range(50))]],
    "rows of many lengths": [[[7] * length + [length] for length in (1, 2, 31, 64, 90)]],
    "rows that begin alike": [[[1] * 40 + [2] * 9, [1] * 40 + [3] * 50, [1] * 40, [1] * 20 + [4] * 20], [[1] * 60]],
    "the same row twice": [[[5] * 30, [5] * 30]],
}


def by_definition(
    flat: Flat, queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, window: int | None
) -> torch.Tensor:
    """Each token by itself, after the tokens before it in its row: tokens × heads · size."""
    found: dict[int, torch.Tensor] = {}
    times = queries.shape[1] // keys.shape[1]
    for path in flat.paths:
        for position, place in enumerate(path.tolist()):
            seen = path[max(0, position - window + 1) if window else 0 : position + 1]
            near = keys[seen].repeat_interleave(times, 1), values[seen].repeat_interleave(times, 1)
            chances = torch.softmax(torch.einsum("hd,khd->hk", queries[place], near[0]) * SIZE**-0.5, -1)
            found[place] = torch.einsum("hk,khd->hd", chances, near[1])
    return torch.stack([found[place] for place in range(len(flat))]).flatten(1)


@pytest.mark.parametrize("kind", [ChunkedAttention, RowAttention])
@pytest.mark.parametrize("window", [None, 1, 13, 45, 500])
@pytest.mark.parametrize(("heads", "kv_heads"), [(6, 2), (3, 3), (4, 1)])
@pytest.mark.parametrize("rows", GROUPS.values(), ids=GROUPS.keys())
def test_outputs_and_gradients_are_those_of_the_definition(
    rows: list[list[list[int]]], heads: int, kv_heads: int, window: int | None, kind: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(chunks, "QUERIES", 40)  # so that these rows have several chunks
    flat = flatten(rows)
    generator = torch.Generator().manual_seed(0)
    queries, keys, values, back = (
        torch.randn(len(flat), count, SIZE, generator=generator) for count in (heads, kv_heads, kv_heads, heads)
    )
    decoder: Any = SimpleNamespace(
        heads=heads, kv_heads=kv_heads, head_size=SIZE, scaling=SIZE**-0.5, blocks=[SimpleNamespace(window=window)]
    )
    leaves = [each.double().requires_grad_() for each in (queries, keys, values)]
    expected = by_definition(flat, *leaves, window)
    gradients = torch.autograd.grad(expected, leaves, back.double().flatten(1))

    attention = kind(decoder, flat, keep=True)
    with torch.no_grad():
        out = attention(0, queries, keys, values)
        made = attention.backward(0, back.flatten(1).clone())
    assert torch.allclose(out.double(), expected, atol=1e-5)
    assert torch.allclose(made.double(), torch.cat(gradients, dim=1), atol=1e-4)
    assert not attention.kept
    with torch.no_grad():
        assert torch.equal(kind(decoder, flat)(0, queries, keys, values), out)
