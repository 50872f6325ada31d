"""Causal attention within the rows of a flat stream, and its backward pass: the way to it, and PyTorch's kernels."""

from __future__ import annotations

import torch
from torch.nn.functional import scaled_dot_product_attention

from train.decoder.anatomy import Decoder
from train.decoder.chunks import ChunkedAttention
from train.decoder.flat import Flat, Rectangle
from train.decoder.products import onednn

FEW_CORES = 8
"""With no more threads than this, a matrix product of a few hundred rows keeps all of them busy."""


def row_attention(decoder: Decoder, flat: Flat, *, keep: bool = False) -> RowAttention | ChunkedAttention:
    """Causal attention within the stream's rows, by the faster of two ways; with `keep`, for a backward pass, too."""
    in_products = decoder.device.type == "cpu" and decoder.dtype == torch.float32 and onednn()
    kind = ChunkedAttention if in_products and torch.get_num_threads() <= FEW_CORES else RowAttention
    return kind(decoder, flat, keep=keep)


class RowAttention:
    """Every token attends to the tokens before it in its rows.

    Rows of about one length are laid side by side, filled up on the right, where causal attention never looks. PyTorch
    picks the kernel. With `keep`, what the kernel wants for its backward pass is kept.
    """

    def __init__(self, decoder: Decoder, flat: Flat, *, keep: bool = False) -> None:
        self.decoder, self.flat, self.keep = decoder, flat, keep
        self.kept: dict[int, list[tuple[tuple[torch.Tensor, ...], torch.Tensor]]] = {}
        self.single = len(flat.rectangles) == 1 and flat.rectangles[0].plain

    def __call__(self, block: int, queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        """tokens × heads · size; see `train.decoder.blocks.Attend`."""
        outputs, kept = [], []
        for rectangle in self.flat.rectangles:
            laid = [lay(rectangle, each) for each in (queries, keys, values)]
            if self.keep:
                laid = [each.detach().requires_grad_() for each in laid]
            with torch.set_grad_enabled(self.keep):
                mask = self.mask(block, rectangle, laid[0].device)
                out = scaled_dot_product_attention(
                    laid[0],
                    laid[1],
                    laid[2],
                    attn_mask=mask,
                    is_causal=mask is None,
                    scale=self.decoder.scaling,
                    enable_gqa=True,
                )
            outputs.append(out.detach().transpose(1, 2).flatten(2).flatten(0, 1))
            kept.append((tuple(laid), out))
        if self.keep:
            self.kept[block] = kept
        return outputs[0] if self.single else (torch.cat(outputs) if len(outputs) > 1 else outputs[0])[self.flat.own]

    def mask(self, block: int, rectangle: Rectangle, device: torch.device) -> torch.Tensor | None:
        """Who attends to whom, length × length; None where it is simply to everyone before."""
        window, length = self.decoder.blocks[block].window, rectangle.index.shape[1]
        if window is None or length <= window:
            return None
        ones = torch.ones(length, length, dtype=torch.bool, device=device)
        return ones.tril() & ones.triu(1 - window)

    def backward(self, block: int, gradient: torch.Tensor) -> torch.Tensor:
        """The gradients of queries, keys and values side by side, tokens × all heads × size; frees what was kept."""
        size = self.decoder.head_size
        total = None
        start = 0
        for rectangle, (laid, out) in zip(self.flat.rectangles, self.kept.pop(block), strict=True):
            rows, length = rectangle.index.shape
            if self.single:
                back = gradient
            else:
                back = gradient.new_zeros(rows * length, gradient.shape[1])
                chosen = self.chosen(start, rows * length)
                back[self.flat.own[chosen] - start] = gradient[chosen]
                start += rows * length
            back = back.view(rows, length, self.decoder.heads, size).transpose(1, 2)
            # In the order of heads that the queries, keys and values stand in.
            made = torch.cat([each.transpose(1, 2) for each in torch.autograd.grad(out, laid, back)], dim=2)
            made = made.flatten(0, 1)
            if self.single:
                return made
            if total is None:
                total = made.new_zeros(len(gradient), *made.shape[1:])
            total.index_add_(0, rectangle.index.flatten(), made)
        assert total is not None, "a stream has rows"
        return total

    def chosen(self, start: int, count: int) -> torch.Tensor:
        """The stream's tokens whose outputs are taken from those places."""
        own = self.flat.own
        return ((own >= start) & (own < start + count)).nonzero().flatten()


def lay(rectangle: Rectangle, heads: torch.Tensor) -> torch.Tensor:
    """rows × heads × length × size, from tokens × heads × size."""
    rows, length = rectangle.index.shape
    if rectangle.plain:
        laid = heads[rectangle.start : rectangle.start + rows * length]
    else:
        laid = heads[rectangle.index.flatten()]
    return laid.view(rows, length, *heads.shape[1:]).transpose(1, 2)
