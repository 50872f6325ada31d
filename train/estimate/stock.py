"""The memory of a pass where transformers' and PEFT's own code trains a job."""

from __future__ import annotations

from train.estimate.passes import Counted
from train.estimate.shape import Shape
from train.recipe import LoRA
from train.tuning import Job

HOLES = {"cpu": 0.8, "cuda": 0.1, "mps": 0.1}
"""What the allocator holds on to beyond the activations at most, as a share of them: glibc's in a training step of a
random model of SmolLM2-135M's sizes; a guess elsewhere."""


def activation_bytes(shape: Shape, adapter: LoRA, width: int, length: float, device: str) -> float:
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


def batch_bytes(shape: Shape, job: Job, width: int, device: str, counted: Counted) -> float:
    """What a batch adds: activations, holes between them, and logits.

    Every layer's activations are kept, or with checkpointing only every layer's input and one layer's activations; one
    layer's more is what backward works on. A logit takes about 16 bytes (itself, in float32, its probability and its
    gradient), at labelled columns only.
    """
    tokens = counted.batch.tokens
    layer = activation_bytes(shape, job.adapter, width, counted.squares / tokens, device)
    inputs = shape.layers * shape.hidden * width
    kept = inputs + layer if job.optimization.gradient_checkpointing else shape.layers * layer
    holes = HOLES[device] * shape.layers * layer
    return tokens * (kept + layer + holes) + 16 * counted.batch.scored * shape.vocabulary
