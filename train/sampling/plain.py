"""The engine on transformers' own models and cache, for what `train.decoder` does not know.

A prompt is computed once for its samples; padding is masked, and finished rows leave the batch.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from itertools import groupby
from typing import Any

import torch
from transformers import DynamicCache, PreTrainedTokenizerBase

from train import models
from train.records import Answer
from train.sampling.capacity import MOST_ROWS, SHARE_OF_MEMORY
from train.sampling.requests import Request, Settings
from train.sampling.rows import Question, Row, Watch, draw_next


def answer(
    requests: Sequence[Request],
    model: Any,
    tokenizer: PreTrainedTokenizerBase,
    settings: Settings,
    handover: Callable[[list[Answer]], None],
    batch_size: int | None,
    watch: Watch | None = None,
) -> None:
    """As `train.sampling.answer`, batch by batch; for each adapter the longest prompts come first."""
    ordered = sorted(requests, key=lambda request: (request.adapter or "", -len(request.prompt.tokens)))
    for adapter, group in groupby(ordered, key=lambda request: request.adapter):
        with active(model, adapter):
            for batch in batches(list(group), batch_size or fitting_rows(model, ordered, settings)):
                rows = answer_or_halve(batch, model, tokenizer.pad_token_id, settings, watch)
                handover([row.answer(tokenizer, settings) for row in rows])


def active(model: Any, adapter: str | None) -> Any:
    """A context in which the model answers with that adapter, or as the untouched base."""
    if adapter is None:
        return model.disable_adapter() if hasattr(model, "disable_adapter") else nullcontext()
    model.set_adapter(adapter)
    return nullcontext()


def batches(requests: list[Request], rows: int) -> Iterator[list[Request]]:
    """Consecutive requests whose samples together are at most `rows` (or one request)."""
    batch: list[Request] = []
    for request in requests:
        if batch and sum(len(each.samples) for each in batch) + len(request.samples) > rows:
            yield batch
            batch = []
        batch.append(request)
    if batch:
        yield batch


def fitting_rows(model: Any, requests: Sequence[Request], settings: Settings) -> int:
    """How many answers fit at once: bytes of keys and values for the longest prompt against free memory."""
    config, device = model.config.get_text_config(), model.device.type
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    length = max(len(request.prompt.tokens) for request in requests) + settings.max_new_tokens
    # Twice for keys and values, and twice again because appending a token copies the cache.
    row = 4 * config.num_hidden_layers * heads * size * length * model.dtype.itemsize
    return max(1, min(MOST_ROWS[device], int(SHARE_OF_MEMORY * models.memory_of(device)[1] / row)))


def answer_or_halve(
    batch: Sequence[Request], model: Any, pad: int, settings: Settings, watch: Watch | None
) -> list[Row]:
    """The batch's answers; each half by itself where there is not enough memory for the whole."""
    try:
        return answer_batch([Question.of(request, settings) for request in batch], model, pad, settings, watch)
    except (RuntimeError, MemoryError) as error:
        if len(batch) == 1 or not models.out_of_memory(error):
            raise
    half = len(batch) // 2
    return [row for part in (batch[:half], batch[half:]) for row in answer_or_halve(part, model, pad, settings, watch)]


def answer_batch(
    questions: Sequence[Question], model: Any, pad: int, settings: Settings, watch: Watch | None
) -> list[Row]:
    """The questions' finished rows."""
    began, device = time.perf_counter(), model.device
    longest = max(len(question.prompt) for question in questions)
    tokens = torch.full((len(questions), longest), pad, device=device)
    mask = torch.zeros_like(tokens)
    for number, question in enumerate(questions):
        # Padded on the left, so that the last column is every prompt's last token.
        tokens[number, longest - len(question.prompt) :] = torch.tensor(question.prompt, device=device)
        mask[number, longest - len(question.prompt) :] = 1
    positions = (mask.cumsum(dim=1) - 1).clamp(min=0)
    cache = DynamicCache(config=model.config)
    logits = model(
        input_ids=tokens, attention_mask=mask, position_ids=positions, past_key_values=cache, logits_to_keep=1
    ).logits[:, -1]
    # The prompt was computed once; from here on each of its samples is a row of its own.
    copies = torch.tensor([len(question.rows) for question in questions], device=device)
    spread = torch.arange(len(questions), device=device).repeat_interleave(copies)
    cache.batch_select_indices(spread)
    logits, mask, following = logits[spread], mask[spread], positions[spread, -1] + 1
    rows = alive = [row for question in questions for row in question.rows]
    while True:
        draw_next(alive, logits, settings, watch)
        going = [number for number, row in enumerate(alive) if not row.ended(settings)]
        if not going:
            break
        if len(going) < len(alive):
            kept = torch.tensor(going, device=device)
            cache.batch_select_indices(kept)
            mask, following, alive = mask[kept], following[kept], [alive[number] for number in going]
        mask = torch.cat([mask, mask.new_ones(len(mask), 1)], dim=1)
        logits = model(
            input_ids=torch.tensor([[row.tokens[-1]] for row in alive], device=device),
            attention_mask=mask,
            position_ids=following[:, None],
            past_key_values=cache,
        ).logits[:, -1]
        following = following + 1
    for row in rows:
        row.seconds = (time.perf_counter() - began) / len(rows)
    return rows
