"""What training an adapter takes: bytes at its peak, and seconds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from train.estimate.machine import Machine
from train.estimate.shape import Shape, adapter_parameters, four_bits, weight_bytes
from train.estimate.words import GIB
from train.recipe import LoRA
from train.tuning import Job, TokenRow

LIBRARIES = 0.6 * GIB
"""Python with its libraries in memory; on a GPU about as much for the driver's context and kernels."""
HOLES = {"cpu": 0.8, "cuda": 0.1, "mps": 0.1}
"""What the allocator holds on to beyond the activations, as a share of them: glibc's in a training step of a random
model of SmolLM2-135M's sizes; a guess elsewhere."""
LARGE = 2**25
"""glibc gives back tensors from so many bytes on: they leave no holes."""
TRAINING = 0.55
"""The share of the measured matrix product rate that training reaches."""
OPERATIONS = 150
"""Calls of a layer's forward pass, in units of the simplest call."""
FOUR_BIT = 1.25
"""Training on a 4-bit base takes so many times as long (torchtune and litgpt publish 1.28 and 1.16)."""


class Batch(NamedTuple):
    """A batch's rows, its padded length, and the number of columns in which any row has a label."""

    rows: int
    length: int
    columns: int

    @property
    def tokens(self) -> int:
        """The tokens computed, padding among them."""
        return self.rows * self.length


def passes(rows: Sequence[TokenRow], size: int) -> Iterator[Batch]:
    """The rows in batches of that size, one forward pass each."""
    for start in range(0, len(rows), size):
        batch = rows[start : start + size]
        labelled = {column for row in batch for column in range(len(row.prompt), len(row))}
        yield Batch(len(batch), max(map(len, batch)), len(labelled))


def activation_bytes(shape: Shape, adapter: LoRA, width: int, length: int, device: str) -> float:
    """Bytes that one layer keeps of one token for the backward pass; base weights are frozen and need none.

    - Norms: the two keep their input in float32, 8 · hidden.
    - Adapters: each keeps its `rank` inner values and its input. Layers that share an input share the copy, unless
      dropout or a cast between precisions makes one for each. Dropout keeps a mask of the input.
    - Attention: queries, keys and values, repeated to all heads; its output where that is not an adapter's input
      already; and a row of the mask.
    - Feed-forward: gate, activated gate and up projection.
    - DoRA: two outputs of every layer.

    So it is in transformers' Llama; fused projections (Phi-3) keep an eighth more.
    """
    layers = shape.adapted(adapter)
    inputs = sum(size for size, _ in layers) / shape.layers
    outputs = sum(size for _, size in layers) / shape.layers
    ranks = adapter.rank * len(layers) / shape.layers
    adapter_width = width if device == "cuda" else 4  # without autocast the adapters compute in their own float32
    copied = width < 4 or adapter.dropout > 0
    kept = inputs if copied else min(inputs, 2 * shape.hidden + shape.attended + shape.intermediate)

    norms = 8 * shape.hidden
    adapters = adapter_width * (kept + ranks)
    masks = inputs * (1 if device == "cuda" else adapter_width) if adapter.dropout else 0
    attention = width * ((4 if copied else 3) * shape.attended + length)
    feed_forward = width * 3 * shape.intermediate
    magnitudes = width * 2 * outputs if adapter.dora else 0
    return norms + adapters + masks + attention + feed_forward + magnitudes


def tuning_bytes(shape: Shape, job: Job, width: int, device: str) -> float:
    """The most memory that a job takes: what stays, and what its largest batch adds.

    What stays is the base; adapters, gradients and AdamW's two moments in float32, 16 bytes a parameter; and the
    largest layer's weights once more where they are unpacked from 4 bits, and three times in float32 for DoRA's norms.
    """
    four_bit = four_bits(job.adapter)
    largest = max(inputs * outputs for _, inputs, outputs in shape.linear)
    unpacked = largest * ((width if four_bit else 0) + (12 if job.adapter.dora else 0))
    trained = 16 * adapter_parameters(shape, job.adapter)
    stays = LIBRARIES + weight_bytes(shape, width, four_bit) + trained + unpacked
    batches = passes(job.rows, job.optimization.batch_size)
    return stays + max(batch_bytes(shape, job, width, device, batch) for batch in batches)


def batch_bytes(shape: Shape, job: Job, width: int, device: str, batch: Batch) -> float:
    """What a batch adds: activations, holes between them, and logits.

    Every layer's activations are kept, or with checkpointing only every layer's input and one layer's activations; one
    layer's more is what backward works on. A logit takes about 16 bytes (itself, in float32, its probability and its
    gradient), at labelled columns only.
    """
    layer = activation_bytes(shape, job.adapter, width, batch.length, device)
    inputs = shape.layers * shape.hidden * width
    kept = inputs + layer if job.optimization.gradient_checkpointing else shape.layers * layer
    small = min(batch.tokens, LARGE / (4 * shape.intermediate)) if device == "cpu" else batch.tokens
    holes = HOLES[device] * small * shape.layers * layer
    logits = 16 * batch.rows * batch.columns * shape.vocabulary
    return batch.tokens * (kept + layer) + holes + logits


def tuning_seconds(shape: Shape, job: Job, machine: Machine) -> float:
    """The job's operations over the speed that training reaches, and the time that its calls take.

    A weight costs 2 operations a token forward and 2 more backward (a frozen base needs no gradients of its weights),
    an adapter's 2 and 4; attention 4 · length · width forward and twice that backward; the head 2 and 2 a weight, at
    labelled columns. Checkpointing repeats the forward pass; the validation rows take one in every epoch.
    """
    adapter = adapter_parameters(shape, job.adapter)
    forwards = 2 if job.optimization.gradient_checkpointing else 1

    def attention(batch: Batch) -> int:
        return 4 * batch.length * shape.attended * shape.layers

    def forward(batch: Batch) -> int:
        return batch.tokens * (2 * shape.decoder + 2 * adapter + attention(batch))

    def backward(batch: Batch) -> int:
        return batch.tokens * (2 * shape.decoder + 4 * adapter + 2 * attention(batch))

    def head(batch: Batch) -> int:
        return batch.rows * batch.columns * 2 * shape.hidden * shape.vocabulary

    size = job.optimization.batch_size
    batches, checks = list(passes(job.rows, size)), list(passes(job.validation, size))
    operations = sum(forwards * forward(batch) + backward(batch) + 2 * head(batch) for batch in batches)
    operations += job.epochs * sum(forward(batch) + head(batch) for batch in checks)
    # A backward pass makes about twice the calls of a forward pass.
    calls = ((forwards + 2) * len(batches) + job.epochs * len(checks)) * shape.layers * OPERATIONS
    slower = FOUR_BIT if four_bits(job.adapter) else 1.0
    return slower * operations / (TRAINING * machine.rate) + calls * machine.call
