"""How many bytes the decoder's passes take, so that what does not fit is never begun."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple


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
        """An adapter on every linear layer while it is trained, rank · (inputs + outputs) for each (Hu et al. 2021)."""
        members = (3, 1, 2, 1)
        values = sum(n * i + o for n, i, o in zip(members, self.inputs, self.outputs, strict=True))
        return self.layers * rank * values * self.trained

    @property
    def trained(self) -> int:
        """Bytes of a value that is trained: itself, its gradient and AdamW's two moments in float32, and once more in
        the base's precision where that is another."""
        return 16 + (self.width if self.width < 4 else 0)


class Pass(NamedTuple):
    """A pass in numbers: the tokens of its stream; those that attention lays out, where every row has the beginning
    that it shares; and those that are scored."""

    tokens: int
    laid: int
    scored: int


def kept_bytes(sizes: Sizes, batch: Pass, inner: int, dropped: Sequence[int] = ()) -> int:
    """Bytes that one block keeps of a pass for its backward pass.

    Of each token of the stream its input and the hidden state between the block's halves; attention's output as it is
    passed on; gate and up; `inner` values of adapters; and a byte for each of the `dropped` inputs. Of each token that
    is laid out queries, keys and values, and attention's output as it came.
    """
    values = 2 * sizes.hidden + sizes.attended + 2 * sizes.intermediate + inner
    laid = 2 * sizes.attended + 2 * sizes.keys
    return batch.tokens * (sizes.width * values + sum(dropped)) + batch.laid * sizes.width * laid


def working_bytes(sizes: Sizes, batch: Pass) -> int:
    """Bytes that the backward pass of one block works on besides, all of which it gives back.

    The gradient of the hidden state with the one that is made of it; and either, in the feed-forward half, the gradient
    of the gate's output, silu, the product on the way and the gate's gradient; or attention's: of its output as it came
    in and as it is laid out, and of queries, keys and values as they are made, put side by side and added up.
    """
    feed_forward = 4 * sizes.intermediate * batch.tokens
    attention = (3 * sizes.attended + 4 * sizes.keys) * batch.laid + 2 * (sizes.attended + sizes.keys) * batch.tokens
    return sizes.width * (2 * sizes.hidden * batch.tokens + max(feed_forward, attention))


def score_bytes(sizes: Sizes, batch: Pass) -> int:
    """Bytes of the scores and their probabilities, in float32, as many as are there at a time."""
    from train.decoder.training import LOGITS_AT_ONCE

    return 8 * min(batch.scored * sizes.vocabulary, LOGITS_AT_ONCE)


def pass_bytes(
    sizes: Sizes, batch: Pass, inner: int, dropped: Sequence[int] = (), *, checkpointing: bool = False
) -> int:
    """The most bytes that a forward and backward pass takes at a time, beside the base and the adapters.

    Scores are there when all blocks are kept. When the first block goes back the last one has given back what it kept,
    most of which is of scored tokens only.
    """
    block, working = kept_bytes(sizes, batch, inner, dropped), working_bytes(sizes, batch)
    scores = score_bytes(sizes, batch) if batch.scored else 0
    if checkpointing:
        return sizes.layers * sizes.hidden * sizes.width * batch.tokens + max(block + working, scores)
    return (sizes.layers - 1) * block + max(working, scores)


def token_bytes(sizes: Sizes, inner: int, dropped: Sequence[int] = (), *, checkpointing: bool = False) -> int:
    """Bytes that a forward and backward pass takes for each token of its rows, but for the scores."""
    return pass_bytes(sizes, Pass(1, 1, 0), inner, dropped, checkpointing=checkpointing)


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
