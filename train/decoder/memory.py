"""How many bytes the decoder's passes take, so that what does not fit is never begun."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Sizes:
    """A decoder's widths in numbers, and the bytes of one of them. `attended` is heads · head size."""

    layers: int
    hidden: int
    attended: int
    keys: int
    intermediate: int
    vocabulary: int
    width: int

    @classmethod
    def of(cls, config: Any, width: int) -> Sizes:
        """Those of a model's configuration, with that many bytes to a number."""
        size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        return cls(
            layers=config.num_hidden_layers,
            hidden=config.hidden_size,
            attended=config.num_attention_heads * size,
            keys=config.num_key_value_heads * size,
            intermediate=config.intermediate_size,
            vocabulary=config.vocab_size,
            width=width,
        )

    @property
    def inputs(self) -> tuple[int, int, int, int]:
        """What the four groups of linear layers read."""
        return self.hidden, self.attended, self.hidden, self.intermediate

    @property
    def outputs(self) -> tuple[int, int, int, int]:
        """What the four groups of linear layers give, their members side by side."""
        return self.attended + 2 * self.keys, self.hidden, 2 * self.intermediate, self.hidden

    @property
    def decoder_weights(self) -> int:
        """The weights of all linear layers but the head."""
        return self.layers * sum(i * o for i, o in zip(self.inputs, self.outputs, strict=True))

    def base_bytes(self, *, four_bit: bool) -> int:
        """About what the frozen base takes; embeddings are counted twice, for the head, in case they are not tied."""
        layers = self.decoder_weights * 9 // 16 if four_bit else self.decoder_weights * self.width
        return layers + 2 * self.vocabulary * self.hidden * self.width

    def inner(self, rank: int) -> int:
        """The adapters' inner values of one token in one block, with every linear layer adapted."""
        return rank * (3 + 1 + 2 + 1)

    def adapter_bytes(self, rank: int) -> int:
        """An adapter on every linear layer while it is trained, rank · (inputs + outputs) for each (Hu et al. 2021).

        The values, their gradients and AdamW's two moments are in float32; the base's precision has them once more.
        """
        members = (3, 1, 2, 1)
        values = sum(n * i + o for n, i, o in zip(members, self.inputs, self.outputs, strict=True))
        return self.layers * rank * values * (16 + (self.width if self.width < 4 else 0))


def kept_bytes(sizes: Sizes, inner: int, dropped: Sequence[int] = ()) -> int:
    """Bytes that one block keeps of one token for the backward pass.

    Its input and the hidden state between its halves; queries, keys and values as they were laid out; attention's
    output as it came and as it is passed on; gate and up; `inner` values of adapters; and a byte for each of the
    `dropped` inputs.
    """
    values = 2 * sizes.hidden + 3 * sizes.attended + 2 * sizes.keys + 2 * sizes.intermediate + inner
    return sizes.width * values + sum(dropped)


def working_bytes(sizes: Sizes) -> int:
    """Bytes of one token that the backward pass of one block works on besides, all of which it gives back.

    At its most, in the feed-forward half: the gate's output, its gradient, silu and the product on the way; and the
    gradient of the hidden state with the one that is made of it.
    """
    return sizes.width * (5 * sizes.intermediate + 4 * sizes.hidden + 2 * sizes.attended)


def token_bytes(sizes: Sizes, inner: int, dropped: Sequence[int] = (), *, checkpointing: bool = False) -> int:
    """Bytes that a forward and backward pass takes for each token of its stream."""
    block = kept_bytes(sizes, inner, dropped)
    kept = sizes.layers * sizes.hidden * sizes.width + block if checkpointing else sizes.layers * block
    return kept + working_bytes(sizes)


def keep_freed_memory() -> bool:
    """Has glibc keep what is freed for the next tensor, instead of giving it back and faulting it in anew each time.

    That is a twentieth of a training step's time on a CPU. True where it could be said; other C libraries have other
    habits. Done once for the process.
    """
    import ctypes
    import platform

    if platform.libc_ver()[0] != "glibc":
        return False
    trim_threshold, mmap_threshold = -1, -3  # the names' numbers in malloc.h
    mallopt = ctypes.CDLL(None).mallopt
    return bool(mallopt(mmap_threshold, 2**30)) and bool(mallopt(trim_threshold, 2**31 - 1))
