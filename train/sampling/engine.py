"""The engine on plain transformers: a prompt is computed once for its samples, many questions are decoded together.

An answer depends only on its weights, its prompt and its random key: rows draw from their own numbers, padding is
masked, and finished rows leave the batch. So it can be made again alone, up to the rounding of the arithmetic.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from itertools import groupby
from typing import Any

import psutil
import torch
from transformers import DynamicCache, PreTrainedTokenizerBase

from train.records import Answer
from train.sampling.draw import draw
from train.sampling.requests import Request, Settings, uniforms

SHARE_OF_MEMORY = 0.25
"""Of the memory that is free, the share that the keys and values of one batch may take."""
MOST_ROWS = 64
"""Beyond this many answers at once, a batch gains little and its stragglers wait longer."""

Handover = Callable[[list[Answer]], None]


def answer(
    requests: Sequence[Request],
    model: Any,
    tokenizer: PreTrainedTokenizerBase,
    settings: Settings,
    handover: Handover,
    *,
    batch_size: int | None = None,
) -> None:
    """Draws every wanted sample and hands the answers over, a batch at a time.

    Args:
        requests: in any order; they are batched by adapter and prompt length.
        model: a causal language model, with the adapters that the requests name loaded through PEFT.
        tokenizer: decodes the answers.
        settings: how they are drawn.
        handover: called with each finished batch; what it stored survives an interruption.
        batch_size: answers at once; None chooses from the free memory.
    """
    ordered = sorted(requests, key=lambda request: (request.adapter or "", -len(request.prompt.tokens)))
    with torch.inference_mode():
        for adapter, group in groupby(ordered, key=lambda request: request.adapter):
            with active(model, adapter):
                for batch in batches(list(group), batch_size or fitting_rows(model, ordered[0], settings)):
                    handover(answer_batch(batch, model, tokenizer, settings))


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


def fitting_rows(model: Any, longest: Request, settings: Settings) -> int:
    """How many answers fit at once: bytes of keys and values for the longest prompt against free memory."""
    config = model.config.get_text_config()
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    length = len(longest.prompt.tokens) + settings.max_new_tokens
    # Twice for keys and values, and twice again because appending a token copies the cache.
    row = 4 * config.num_hidden_layers * heads * size * length * model.dtype.itemsize
    device = model.device
    free = torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else psutil.virtual_memory().available
    return max(1, min(MOST_ROWS, int(SHARE_OF_MEMORY * free / row)))


def answer_batch(
    batch: Sequence[Request], model: Any, tokenizer: PreTrainedTokenizerBase, settings: Settings
) -> list[Answer]:
    """The answers to all samples of the batch's requests."""
    began = time.perf_counter()
    rows = [
        (request, sample, key) for request in batch for sample, key in zip(request.samples, request.keys, strict=True)
    ]
    numbers = torch.stack(
        [
            torch.from_numpy(uniforms(settings.seed, request.prompt.question, sample, settings.max_new_tokens))
            for request, sample, _ in rows
        ]
    )
    texts = decode(batch, numbers, model, tokenizer.pad_token_id, settings)
    seconds = (time.perf_counter() - began) / len(rows)
    return [
        Answer(
            arm=request.arm,
            seed=request.seed,
            condition=request.prompt.condition,
            question=request.prompt.question,
            sample=sample,
            text=tokenizer.decode(tokens[:-1] if stopped else tokens, skip_special_tokens=True).strip(),
            key=key,
            finish="stop" if stopped else "length",
            prompt_tokens=len(request.prompt.tokens),
            tokens=len(tokens),
            seconds=round(seconds, 4),
        )
        for (request, sample, key), tokens in zip(rows, texts, strict=True)
        for stopped in [tokens[-1] in settings.stop]
    ]


def decode(
    batch: Sequence[Request], numbers: torch.Tensor, model: Any, pad: int, settings: Settings
) -> list[list[int]]:
    """The tokens of each answer, the stop token included where it came; `numbers` is answers × new tokens."""
    device = model.device
    longest = max(len(request.prompt.tokens) for request in batch)
    tokens = torch.full((len(batch), longest), pad, device=device)
    mask = torch.zeros_like(tokens)
    for number, request in enumerate(batch):
        # Padded on the left, so that the last column is every prompt's last token.
        tokens[number, longest - len(request.prompt.tokens) :] = torch.tensor(request.prompt.tokens, device=device)
        mask[number, longest - len(request.prompt.tokens) :] = 1
    positions = (mask.cumsum(dim=1) - 1).clamp(min=0)
    cache = DynamicCache(config=model.config)
    logits = model(
        input_ids=tokens, attention_mask=mask, position_ids=positions, past_key_values=cache, logits_to_keep=1
    ).logits[:, -1]
    # The prompt was computed once; from here on each of its samples is a row of its own.
    copies = torch.tensor([len(request.samples) for request in batch], device=device)
    spread = torch.arange(len(batch), device=device).repeat_interleave(copies)
    cache.batch_select_indices(spread)
    logits, mask = logits[spread], mask[spread]
    following = positions[spread, -1] + 1
    stop = torch.tensor(sorted(settings.stop), device=device)
    answers: list[list[int]] = [[] for _ in range(len(numbers))]
    alive = torch.arange(len(numbers))
    for step in range(settings.max_new_tokens):
        drawn = draw(logits, numbers[alive, step], settings.temperature, settings.top_p)
        for row, token in zip(alive.tolist(), drawn.tolist(), strict=True):
            answers[row].append(token)
        going = ~torch.isin(drawn, stop)
        if not going.any() or step + 1 == settings.max_new_tokens:
            break
        if not going.all():
            kept = going.nonzero().flatten()
            cache.batch_select_indices(kept)
            drawn, mask, following, alive = drawn[kept], mask[kept], following[kept], alive[kept.cpu()]
        mask = torch.cat([mask, mask.new_ones(len(mask), 1)], dim=1)
        logits = model(
            input_ids=drawn[:, None],
            attention_mask=mask,
            position_ids=following[:, None],
            past_key_values=cache,
        ).logits[:, -1]
        following = following + 1
    return answers
