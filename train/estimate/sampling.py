"""What answering takes: bytes at its peak, and seconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from train.estimate.machine import Machine
from train.estimate.shape import Shape, adapter_parameters, cache_bytes, four_bits, weight_bytes
from train.estimate.tuning import LIBRARIES, OPERATIONS
from train.prepare import Prepared
from train.recipe import LoRA, QLoRA, Sampling, Tuned

PREFILL, DECODING = 0.75, 0.5
"""The shares of the measured matrix product rate that prompts and single tokens reach; these and `MOVES` fit 22 batches
of that one run."""
MOVES = 4
"""How often a decoding step reads or writes all keys and values: appending copies them, attention reads them."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What one arm and training seed is asked: the lengths of its prompts in tokens, the longest first; its adapter;
    and how long its answers are taken to be."""

    prompts: tuple[int, ...]
    adapter: LoRA | None
    answer: float

    @property
    def four_bit(self) -> QLoRA | None:
        """How its base is held in 4 bits."""
        return four_bits(self.adapter)


def asked(prepared: Prepared, reference: float) -> list[Asked]:
    """What each arm and training seed is asked, references having that many tokens.

    A tuned arm answers as long as the references, as it was trained to; an untouched one halfway between these and
    `max_new_tokens`, as it did in the run that the shares are from.
    """
    recipe, most = prepared.recipe, prepared.recipe.sampling.max_new_tokens
    found = []
    for arm, kind in recipe.arms.items():
        lengths = [len(p.tokens) for p in prepared.prompts.values() if recipe.asks(arm, p.condition)]
        adapter = kind.adapter if isinstance(kind, Tuned) else None
        answer = min(most, reference if adapter else (reference + most) / 2)
        found += [Asked(tuple(sorted(lengths, reverse=True)), adapter, answer)] * len(recipe.seeds_of(arm))
    return found


def reference_tokens(prepared: Prepared) -> float:
    """The mean length of the references of what is asked, in tokens with the one that ends the turn."""
    named, abstention = {question for question, _ in prepared.prompts}, prepared.recipe.prompt.abstention
    texts = [each.answer or abstention for each in prepared.dataset.questions if each.id in named]
    tokens = sum(len(prepared.chat.tokenizer.encode(text, add_special_tokens=False)) for text in texts)
    return 1 + tokens / len(texts)


def rows_at_once(shape: Shape, longest: int, sampling: Sampling, width: int, free: float) -> int:
    """How many answers the engine decodes together: the recipe's number, or what it will choose by that free memory."""
    from train.sampling.engine import MOST_ROWS, SHARE_OF_MEMORY

    row = 2 * cache_bytes(shape, width) * (longest + sampling.max_new_tokens)
    fitting = max(1, min(MOST_ROWS, int(SHARE_OF_MEMORY * free / row)))
    return max(sampling.samples, sampling.batch_size or fitting)  # the samples of one question stay together


def sampling_bytes(shape: Shape, arms: Sequence[Asked], sampling: Sampling, width: int, machine: Machine) -> float:
    """The most memory that answering takes: the bases are there one after the other, each with its arms' adapters."""
    bases: dict[str | None, list[Asked]] = {}
    for each in arms:
        bases.setdefault(each.four_bit.precision if each.four_bit else None, []).append(each)
    return max(base_bytes(shape, group, sampling, width, machine) for group in bases.values())


def base_bytes(shape: Shape, group: Sequence[Asked], sampling: Sampling, width: int, machine: Machine) -> float:
    """The memory that answering takes on one base, asked by all these arms.

    The base, with the adapters in float32; keys and values twice, since appending copies them; one layer's work on the
    prompts, about 4 values of every width; and the next token's logits with their probabilities in float64: 4 copies,
    8 where `top_p` has them sorted.
    """
    adapters = 4 * sum(adapter_parameters(shape, each.adapter) for each in group)
    base = LIBRARIES + weight_bytes(shape, width, group[0].four_bit) + adapters
    longest = max(each.prompts[0] for each in group)
    rows = rows_at_once(shape, longest, sampling, width, machine.free - base)
    cache = 2 * rows * (longest + sampling.max_new_tokens) * cache_bytes(shape, width)
    prompts = rows // sampling.samples
    work = prompts * longest * width * 4 * (shape.hidden + shape.attended + shape.intermediate)
    chances = rows * shape.vocabulary * (width + (64 if sampling.top_p < 1 else 32))
    return base + cache + work + chances


def sampling_seconds(shape: Shape, arms: Sequence[Asked], sampling: Sampling, width: int, machine: Machine) -> float:
    """The seconds that all answers take, batched as the engine does it: arm by arm, the longest prompts first."""
    seconds = 0.0
    for arm in arms:
        free = machine.free - LIBRARIES - weight_bytes(shape, width, arm.four_bit)
        together = rows_at_once(shape, arm.prompts[0], sampling, width, free) // sampling.samples
        for start in range(0, len(arm.prompts), together):
            batch = arm.prompts[start : start + together]
            seconds += batch_seconds(shape, arm, batch, sampling, width, machine)
    return seconds


def batch_seconds(
    shape: Shape, arm: Asked, prompts: Sequence[int], sampling: Sampling, width: int, machine: Machine
) -> float:
    """The seconds of a batch: its prompts, and then one step after another until its longest answer ends.

    A prompt costs what training's forward pass does, once for all samples. The steps take what is longer, computing
    their tokens or reading the weights each time (unpacked anew where they are in 4 bits); and they move keys and
    values. The longest answer is taken to be twice as long as the mean.
    """
    longest, count = prompts[0], len(prompts)
    tokens = count * sampling.samples * arm.answer
    steps = min(sampling.max_new_tokens, 2 * arm.answer)
    adapter = adapter_parameters(shape, arm.adapter)
    # Operations a token, with attention to the whole prompt; the head's are needed at a prompt's last token only.
    body = 2 * (shape.decoder + adapter) + 4 * longest * shape.attended * shape.layers
    head = 2 * shape.hidden * shape.vocabulary
    # Bytes of weights a step; of keys and values in all steps, when half of an answer is there on average.
    read = weight_bytes(shape, width, arm.four_bit) + 4 * adapter + (2 * shape.decoder * width if arm.four_bit else 0)
    moved = MOVES * tokens * (longest + arm.answer / 2) * cache_bytes(shape, width)

    prefill = count * (longest * body + head) / (PREFILL * machine.rate)
    computing = tokens * (body + head) / (DECODING * machine.rate)
    reading = steps * read / machine.bandwidth
    calls = (1 + steps) * shape.layers * OPERATIONS * machine.call
    return prefill + max(computing, reading) + moved / machine.bandwidth + calls
