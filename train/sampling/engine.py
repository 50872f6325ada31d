"""The engine: who is answered when.

An answer depends only on its weights, its prompt and its random key: rows draw from their own numbers and see only
themselves. So it can be made again alone, up to the rounding of the arithmetic.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import PreTrainedTokenizerBase

from train import models
from train.decoder.adapters import Adapter
from train.decoder.anatomy import Decoder, take_apart
from train.decoder.kinds import Unsupported
from train.decoder.memory import keep_freed_memory
from train.decoder.unpacked import unpacked
from train.records import Answer
from train.sampling import plain
from train.sampling.capacity import SHARE_UNPACKED, Needs, Room, room_for, work_bytes
from train.sampling.live import Live
from train.sampling.requests import Request, Settings
from train.sampling.rows import Question, Row, Watch, draw_next
from train.sampling.store import Store

Handover = Callable[[list[Answer]], None]

PAUSE = 0.5
"""Seconds between two handovers: each one waits for the disk."""
WORTH_ENTERING = 0.25
"""Questions enter when they fill so much of the room for rows: prompts are best computed several at a time."""


@dataclass(frozen=True, slots=True)
class Parts:
    """A model taken apart, and those of its adapters that could be."""

    decoder: Decoder
    adapters: dict[str, Adapter]


def answer(
    requests: Sequence[Request],
    model: Any,
    tokenizer: PreTrainedTokenizerBase,
    settings: Settings,
    handover: Handover,
    *,
    batch_size: int | None = None,
) -> None:
    """Draws every wanted sample and hands the answers over as they are finished.

    Args:
        requests: in any order; they are answered in an order of the engine's own.
        model: a causal language model, with the adapters that the requests name loaded through PEFT.
        tokenizer: decodes the answers.
        settings: how they are drawn.
        handover: called with finished answers again and again; what it stored survives an interruption.
        batch_size: answers at once; None chooses by the free memory. The samples of a question stay together.
    """
    parts = parts_of(model, requests, settings)  # not as inference tensors: they stay the model's own
    known: list[Request] = []
    others: list[Request] = []
    for request in requests:
        taken = parts is not None and (request.adapter is None or request.adapter in parts.adapters)
        (known if taken else others).append(request)
    with torch.inference_mode():
        if parts is not None:
            answer_together(known, parts, tokenizer, settings, handover, batch_size)
        plain.answer(others, model, tokenizer, settings, handover, batch_size)


def parts_of(model: Any, requests: Sequence[Request], settings: Settings) -> Parts | None:
    """The model's parts with the adapters that are asked for; None where transformers itself has to answer."""
    try:
        decoder = take_apart(model)
    except Unsupported:
        return None
    longest = max((len(request.prompt.tokens) for request in requests), default=0) + settings.max_new_tokens
    if longest > same_positions(decoder):
        return None
    adapters = {}
    for name in sorted({request.adapter for request in requests if request.adapter}):
        try:
            adapters[name] = Adapter(model, decoder, name)
        except Unsupported:
            continue
    return Parts(unpacked(decoder, SHARE_UNPACKED * free_memory(decoder.device.type)), adapters)


def same_positions(decoder: Decoder) -> float:
    """Up to which length positions are turned alike; beyond it, some models go by the longest row of a batch."""
    rotary = decoder.rotary.config.rope_parameters
    if rotary["rope_type"] not in ("dynamic", "longrope"):
        return float("inf")
    known = rotary.get("original_max_position_embeddings") or decoder.rotary.config.max_position_embeddings
    return float(known)


def answer_together(
    requests: Sequence[Request],
    parts: Parts,
    tokenizer: PreTrainedTokenizerBase,
    settings: Settings,
    handover: Handover,
    batch_size: int | None,
    watch: Watch | None = None,
) -> None:
    """Answers with prompts shared. Where memory turns out not to suffice, half as many are answered at once.

    Prompts of about one length come together, the longest first, so that short ones need not take the room of long
    ones; among them, those of one adapter, and those that begin alike.
    """
    ordered = sorted(
        requests,
        key=lambda each: (-len(each.prompt.tokens).bit_length(), each.adapter or "", each.prompt.tokens),
    )
    if parts.decoder.device.type == "cpu":
        keep_freed_memory()
    questions = [Question.of(request, settings) for request in ordered]
    desk = Desk(tokenizer, settings, handover, watch)
    most: Room | None = None
    while waiting := deque(question for question in questions if question.rows):
        room = find_room(parts.decoder, waiting, settings, batch_size, most)
        try:
            answer_some(parts, waiting, room, settings, desk)
            continue
        except (RuntimeError, MemoryError) as error:
            if not models.out_of_memory(error):
                raise
            if room.questions == 1:
                desk.hand_over()
                raise
        most = room.halved()
        for question in questions:
            question.begin_again()
    desk.hand_over()


def find_room(
    decoder: Decoder, waiting: Sequence[Question], settings: Settings, batch_size: int | None, most: Room | None
) -> Room:
    """How many of the waiting questions are answered at once."""
    device, width = decoder.device.type, decoder.dtype.itemsize
    needs = Needs(
        token=2 * len(decoder.blocks) * decoder.kv_heads * decoder.head_size * width,
        work=work_bytes(decoder.hidden, decoder.heads * decoder.head_size, decoder.intermediate, width),
        prompt=longest_prompt(waiting),
        answer=settings.max_new_tokens,
        samples=max(len(question.request.samples) for question in waiting),
        questions=len(waiting),
    )
    return room_for(needs, free_memory(device), device, batch_size, most)


def free_memory(device: str) -> int:
    """The bytes that are free on a kind of device."""
    if device == "cuda":
        torch.cuda.empty_cache()
    return models.memory_of(device)[1]


def longest_prompt(questions: Sequence[Question]) -> int:
    """Its length in tokens."""
    return max(len(question.prompt) for question in questions)


class Desk:
    """Where rows get their next tokens, finished answers leave, and time is shared out."""

    def __init__(self, tokenizer: Any, settings: Settings, handover: Handover, watch: Watch | None) -> None:
        self.tokenizer, self.settings, self.handover, self.watch = tokenizer, settings, handover, watch
        self.finished: list[Answer] = []
        self.clock = self.handed = time.perf_counter()

    def draw(self, rows: Sequence[Row], logits: torch.Tensor) -> None:
        """Each row's next token; the time since the last draw is shared out among the rows."""
        draw_next(rows, logits, self.settings, self.watch)
        now = time.perf_counter()
        for row in rows:
            row.seconds += (now - self.clock) / len(rows)
        self.clock = now

    def take(self, ended: Sequence[Row]) -> None:
        """Takes finished answers, and hands over what has gathered for a while."""
        self.finished += [row.answer(self.tokenizer, self.settings) for row in ended]
        if self.clock - self.handed > PAUSE:
            self.hand_over()

    def hand_over(self) -> None:
        """Hands over what is finished."""
        if self.finished:
            finished, self.finished = self.finished, []
            self.handover(finished)
        self.handed = time.perf_counter()


def answer_some(parts: Parts, waiting: deque[Question], room: Room, settings: Settings, desk: Desk) -> None:
    """Answers the waiting questions, each entering when there is room.

    Stops early where the store, made for longer prompts, holds up shorter ones: they shall have another.
    """
    longest, samples = longest_prompt(waiting), max(len(question.request.samples) for question in waiting)
    store = Store(parts.decoder, room.questions, samples, longest, settings.max_new_tokens)
    live = Live(parts.decoder, parts.adapters, store)
    while live.questions or waiting:
        held_up = room.cramped and waiting and 2 * longest_prompt(waiting) <= longest
        for piece in [] if held_up else pieces(entering(live, waiting, room), room.piece):
            for _ in piece:
                waiting.popleft()
            desk.draw(*live.enter(piece))
        if not live.questions:
            return
        desk.take(let_go(live, settings))
        if live.questions:
            desk.draw(*live.step())
            desk.take(let_go(live, settings))


def let_go(live: Live, settings: Settings) -> list[Row]:
    """Takes the rows out that ended."""
    ended = [row for question in live.questions for row in question.drop_ended(settings)]
    live.close_gaps()
    return ended


def entering(live: Live, waiting: Sequence[Question], room: Room) -> list[Question]:
    """The waiting questions that are computed next; none, as long as only a few could be."""
    found: list[Question] = []
    count = before = live.count
    for question in waiting:
        if len(live.questions) + len(found) == room.questions or (count and count + len(question.rows) > room.rows):
            break
        found.append(question)
        count += len(question.rows)
    worth_while = count - before >= WORTH_ENTERING * room.rows or len(found) == len(waiting)
    return found if worth_while or not live.questions else []


def pieces(questions: Sequence[Question], tokens: int) -> Iterator[list[Question]]:
    """Consecutive questions whose prompts together have at most so many tokens, or a single one."""
    piece: list[Question] = []
    for question in questions:
        if piece and sum(len(each.prompt) for each in piece) + len(question.prompt) > tokens:
            yield piece
            piece = []
        piece.append(question)
    if piece:
        yield piece
