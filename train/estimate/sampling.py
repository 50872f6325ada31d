"""What answering takes: bytes at its peak, and seconds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from train.decoder.kinds import unsupported
from train.estimate.machine import Machine
from train.estimate.shape import Shape, adapter_parameters, cache_bytes, four_bits, weight_bytes
from train.estimate.tuning import LIBRARIES, OPERATIONS
from train.prepare import Prepared
from train.recipe import LoRA, QLoRA, Sampling, Tuned
from train.sampling.capacity import SHARE_UNPACKED, Needs, Room, room_for, work_bytes

PREFILL, DECODING = 0.65, 0.45
"""The shares of the measured matrix product rate that prompts and single tokens reach."""
STOCK = 3.0
"""What transformers' own code answers takes so many times as long."""
LIVE = 0.8
"""Of the answers for which there is room, the share that is in the making on average."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What one arm and training seed is asked: the lengths of its prompts in tokens, the longest first; its adapter;
    how long its answers are taken to be; and whether transformers' own code answers."""

    prompts: tuple[int, ...]
    adapter: LoRA | None
    answer: float
    stock: bool = False

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
        lengths = [len(p.tokens) for p in prepared.prompts.values() if prepared.asks(arm, p)]
        adapter = kind.adapter if isinstance(kind, Tuned) else None
        answer = min(most, reference if adapter else (reference + most) / 2)
        stock = unsupported(prepared.config) is not None or (adapter is not None and adapter.dora)
        one = Asked(tuple(sorted(lengths, reverse=True)), adapter, answer, stock)
        found += [one] * len(recipe.seeds_of(arm))
    return found


def reference_tokens(prepared: Prepared) -> float:
    """The mean length of the references of what is asked, in tokens with the one that ends the turn."""
    named, abstention = {question for question, _ in prepared.prompts}, prepared.recipe.prompt.abstention
    texts = [each.answer or abstention for each in prepared.dataset.questions if each.id in named]
    tokens = sum(len(prepared.chat.tokenizer.encode(text, add_special_tokens=False)) for text in texts)
    return 1 + tokens / len(texts)


def rows_at_once(
    shape: Shape, longest: int, sampling: Sampling, width: int, free: float, device: str = "cpu", questions: int = 10**6
) -> int:
    """How many answers are decoded together at most: the recipe's number, or what the engine chooses by that memory."""
    room = room_of(shape, longest, questions, sampling, width, device, free)
    return max(sampling.samples, room.rows)  # the samples of one question stay together


def room_of(
    shape: Shape, longest: int, questions: int, sampling: Sampling, width: int, device: str, free: float
) -> Room:
    """The room that the engine will find for so many questions in that much free memory."""
    needs = Needs(
        token=cache_bytes(shape, width),
        work=work_bytes(shape.hidden, shape.attended, shape.intermediate, width),
        prompt=longest,
        answer=sampling.max_new_tokens,
        samples=sampling.samples,
        questions=questions,
    )
    return room_for(needs, free, device, sampling.batch_size)


def found_room(shape: Shape, group: Sequence[Asked], sampling: Sampling, width: int, machine: Machine) -> Room:
    """The room that the engine will find beside a base."""
    free = free_beside(shape, group, machine, width)
    prompts = prompts_of(group)
    return room_of(shape, max(prompts), len(prompts), sampling, width, machine.device, free)


def by_base(arms: Iterable[Asked]) -> list[list[Asked]]:
    """The arms that one base answers, in full precision or in 4 bits; the bases are there one after the other."""
    bases: dict[str | None, list[Asked]] = {}
    for each in arms:
        bases.setdefault(each.four_bit.precision if each.four_bit else None, []).append(each)
    return list(bases.values())


def prompts_of(group: Sequence[Asked]) -> list[int]:
    """The lengths of all their prompts, the longest first."""
    return sorted((length for each in group for length in each.prompts), reverse=True)


def resident(shape: Shape, group: Sequence[Asked], width: int) -> float:
    """The bytes of the base, and of its arms' adapters, in float32 and in the base's precision."""
    adapters = sum(adapter_parameters(shape, each.adapter) for each in group)
    return LIBRARIES + weight_bytes(shape, width, group[0].four_bit) + adapters * (4 if width == 4 else 4 + width)


def unpacked_bytes(shape: Shape, group: Sequence[Asked], width: int, free: float) -> int:
    """The bytes of weights unpacked from 4 bits for all products, where there is room for them."""
    whole = shape.decoder * width if group[0].four_bit else 0
    return whole if whole <= SHARE_UNPACKED * free else 0


def free_beside(shape: Shape, group: Sequence[Asked], machine: Machine, width: int) -> float:
    """The memory that is free beside the base, its adapters and its unpacked weights."""
    free = machine.free - resident(shape, group, width)
    return free - unpacked_bytes(shape, group, width, free)


def sampling_bytes(shape: Shape, arms: Sequence[Asked], sampling: Sampling, width: int, machine: Machine) -> float:
    """The most memory that answering takes, one base after the other."""
    return max(base_bytes(shape, group, sampling, width, machine) for group in by_base(arms))


def base_bytes(shape: Shape, group: Sequence[Asked], sampling: Sampling, width: int, machine: Machine) -> float:
    """The memory that answering takes on one base, asked by all these arms.

    What stays; keys and values of every slot; the work on a piece of the prompts; and of each row the logits, and the
    chances in float32: once, or about three times where `top_p` looks for the likeliest. transformers' own code keeps
    keys and values of each row, twice, as appending copies them.
    """
    prompts, free = prompts_of(group), free_beside(shape, group, machine, width)
    room = found_room(shape, group, sampling, width, machine)
    rows, token = max(room.rows, sampling.samples), cache_bytes(shape, width)
    slots = token * room.questions * (prompts[0] + sampling.samples * sampling.max_new_tokens)
    copied = 2 * token * rows * (prompts[0] + sampling.max_new_tokens)
    kept = max(copied if each.stock else slots for each in group)
    piece = max(prompts[0], min(room.piece, sum(prompts)))
    work = piece * work_bytes(shape.hidden, shape.attended, shape.intermediate, width)
    chances = rows * shape.vocabulary * (width + (12 if sampling.top_p < 1 else 4))
    return machine.free - free + kept + work + chances


def sampling_seconds(shape: Shape, arms: Sequence[Asked], sampling: Sampling, width: int, machine: Machine) -> float:
    """The seconds that all answers take, one base after the other."""
    return sum(base_seconds(shape, group, sampling, width, machine) for group in by_base(arms))


def base_seconds(shape: Shape, group: Sequence[Asked], sampling: Sampling, width: int, machine: Machine) -> float:
    """The seconds that one base's arms take, whose questions enter as others leave.

    A prompt costs what training's forward pass does, once for all samples; what prompts share is not known here, and
    counted as often as it is there. Every step of the answers takes what is longer, computing its tokens or reading the
    weights; and it reads keys and values, those of a prompt once for all samples.
    """
    room, four_bit = found_room(shape, group, sampling, width, machine), group[0].four_bit
    unpacked = unpacked_bytes(shape, group, width, machine.free - resident(shape, group, width))
    anew = 2 * shape.decoder * width if four_bit and not unpacked else 0
    total = 0.0
    for arm in group:
        adapter, count = adapter_parameters(shape, arm.adapter), len(arm.prompts)
        longest, length = arm.prompts[0], sum(arm.prompts) / count
        rows = max(sampling.samples, min(room.rows, count * sampling.samples))
        tokens = count * sampling.samples * arm.answer
        # As long as others wait to enter nearly all places are taken; the last ones wait for the longest answer.
        last = min(sampling.max_new_tokens, 2 * arm.answer) if arm is group[-1] else 0
        steps = tokens / max(1.0, LIVE * rows) + last
        body = 2 * (shape.decoder + adapter) + 4 * length * shape.attended * shape.layers
        head = 2 * shape.hidden * shape.vocabulary
        read = weight_bytes(shape, width, four_bit) + 4 * adapter + anew
        moved = tokens * (longest / sampling.samples + arm.answer / 2) * cache_bytes(shape, width)

        prefill = count * (length * body + head) / (PREFILL * machine.rate)
        computing = tokens * (body + head) / (DECODING * machine.rate)
        calls = (steps + length * count / room.piece) * shape.layers * OPERATIONS * machine.call
        seconds = prefill + max(computing, steps * read / machine.bandwidth) + moved / machine.bandwidth + calls
        total += seconds * (STOCK if arm.stock else 1)
    return total
