"""What training a stack of adapters takes: bytes at its peak, and seconds."""

from __future__ import annotations

from train.decoder.memory import Sizes, pass_bytes
from train.estimate.machine import Machine
from train.estimate.passes import Counted, heavy_steps, passes, rows_of, some_steps
from train.estimate.shape import Shape, adapter_parameters, weight_bytes
from train.estimate.stock import batch_bytes
from train.estimate.words import GIB
from train.tuning import Stacked

LIBRARIES = 0.6 * GIB
"""Python with its libraries in memory; on a GPU about as much for the driver's context and kernels."""
HOLES = {"cpu": 0.2, "cuda": 0.1, "mps": 0.1}
"""What the allocator holds on to beyond what the decoder's passes take, as a share of that: glibc's for a random model
of SmolLM2-135M's sizes; a guess elsewhere."""
DECODER, STOCK = 0.42, 0.3
"""The shares of the measured matrix product rate that training reaches through the decoder, and through PEFT's code."""
OPERATIONS = 150
"""Calls of a layer's forward pass, in units of the simplest call."""
FOUR_BIT = 1.25
"""Training on a 4-bit base takes so many times as long (torchtune and litgpt publish 1.28 and 1.16)."""


def sizes_of(shape: Shape, width: int) -> Sizes:
    """The widths of a model that the decoder computes."""
    keys = shape.kv_heads * shape.head_size
    return Sizes(shape.layers, shape.hidden, shape.attended, keys, shape.intermediate, shape.vocabulary, width)


def tuning_bytes(shape: Shape, stacked: Stacked, width: int, device: str) -> float:
    """The most memory that a stack takes: what stays, and what its largest pass adds.

    What stays is the base; adapters, gradients and AdamW's two moments; and the largest layer's weights once more where
    they are unpacked from 4 bits, and three times in float32 for DoRA's norms.
    """
    jobs, sizes = stacked.jobs, sizes_of(shape, width)
    four_bit, dora = jobs[0].four_bit, jobs[0].adapter.dora
    trained = sizes.trained * sum(adapter_parameters(shape, job.adapter) for job in jobs)
    largest = max(inputs * outputs for _, inputs, outputs in shape.linear)
    unpacked = largest * ((width if four_bit else 0) + (12 if dora else 0))
    inner = max(sizes.inner(job.adapter.rank) for job in jobs)
    dropped = sizes.inputs if any(job.adapter.dropout for job in jobs) else ()

    def added(each: Counted) -> float:
        if stacked.stock is not None:
            return batch_bytes(shape, jobs[0], width, device, each)
        live = pass_bytes(sizes, each.batch, inner, dropped, checkpointing=stacked.checkpointing)
        return (1 + HOLES[device]) * live

    most = max(added(each) for step in heavy_steps(stacked) for each in passes(stacked, rows_of(stacked, step)))
    return LIBRARIES + weight_bytes(shape, width, four_bit) + trained + unpacked + most


def tuning_seconds(shape: Shape, stacked: Stacked, machine: Machine) -> float:
    """The stack's operations over the speed that training reaches, and the time that its calls take.

    A weight costs 2 operations a token forward and 2 more backward (a frozen base needs no gradients of its weights),
    an adapter's 2 and 4; attention, half of which is masked, 2 · length · width forward and twice that backward; the
    head 2 and 2 a weight, at scored tokens. Checkpointing repeats the forward pass; the validation rows take one in
    every epoch. The decoder computes what comes after the last block's attention for scored tokens only.
    """
    jobs, sizes, forwards = stacked.jobs, sizes_of(shape, 4), 2 if stacked.checkpointing else 1
    adapter = sum(adapter_parameters(shape, job.adapter) for job in jobs) / len(jobs)
    last = 0.0 if stacked.stock else 1 / shape.layers - sizes.inputs[0] * sizes.outputs[0] / sizes.decoder_weights

    def operations(each: Counted, *, frozen: int, learnt: int, head: int) -> float:
        """Of a pass through weights, through adapters and attention, and through the head so many times."""
        (tokens, _, scored), squares = each
        read = tokens - last * max(0, tokens - scored)
        blocks = read * (frozen * shape.decoder + learnt * adapter) + learnt * squares * shape.attended * shape.layers
        return 2 * (blocks + head * scored * shape.hidden * shape.vocabulary)

    steps = some_steps(stacked)
    times = jobs[0].steps / len(steps)
    trained = [each for step in steps for each in passes(stacked, rows_of(stacked, step))]
    checked = list(passes(stacked, [job.validation for job in jobs]))
    work = times * sum(operations(each, frozen=forwards + 1, learnt=forwards + 2, head=2) for each in trained)
    work += jobs[0].epochs * sum(operations(each, frozen=1, learnt=1, head=1) for each in checked)
    # A backward pass makes about twice the calls of a forward pass.
    calls = (times * (forwards + 2) * len(trained) + jobs[0].epochs * len(checked)) * shape.layers * OPERATIONS
    share = (STOCK if stacked.stock else DECODER) / (FOUR_BIT if jobs[0].four_bit else 1.0)
    return work / (share * machine.rate) + calls * machine.call
