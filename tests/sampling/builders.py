"""Questions without words, and what the engine computed for them beside what the model itself computes."""

from __future__ import annotations

import random
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model

from tests.architectures.builders import Family, write_model
from train import models, sampling
from train.models import Source
from train.recipe import Base, QLoRA
from train.records import Answer, Prompt
from train.sampling import Request, Settings
from train.sampling.draw import draw, margin
from train.sampling.engine import answer_together, parts_of
from train.sampling.rows import Row

LENGTHS = (1, 90, 7, 41, 41, 200, 12, 90, 33, 2)
"""Very different, and some alike."""


CLOSE = 1e-4
"""Logits and draws that differ by less are the same up to rounding, in float32."""


def load(
    family: Family, directory: Path, quantization: QLoRA | None = None, dtype: Any = "float32", **changes: Any
) -> tuple[Any, Any]:
    """A tiny model of that family and its tokenizer."""
    source = Source(family.name, write_model(family, directory, **changes), "of no matter")
    base = Base(str(directory), dtype=dtype)
    return models.load_model(source, base, quantization), models.load_tokenizer(source, base)


def adapted(model: Any, *names: str) -> Any:
    """The model with adapters of random weights beside one another, of different ranks."""
    for number, name in enumerate(names):
        # Not as they begin, when their second matrix is zero.
        config = LoraConfig(r=4 + 2 * number, lora_alpha=8, target_modules="all-linear", init_lora_weights=False)
        if number:
            model.add_adapter(name, config)
        else:
            model = get_peft_model(model, config, adapter_name=name)
    return model.eval()


def settings(**changes: Any) -> Settings:
    """Some tokens end an answer, so that answers end at different times."""
    return Settings(**{"temperature": 0.8, "top_p": 1.0, "max_new_tokens": 30, "seed": 0, "stop": (3, 5, 8)} | changes)


def requests(
    vocabulary: int, samples: int = 3, adapters: Sequence[str | None] = (None,), lengths: Sequence[int] = LENGTHS
) -> list[Request]:
    """Questions of those lengths, asked of each adapter in turn; many of them begin alike."""
    generator = random.Random(0)
    beginning = [generator.randrange(10, vocabulary) for _ in range(max(lengths))]
    found = []
    for number, length in enumerate(lengths):
        alike = generator.choice([0, length // 2, length - 1])
        tokens = beginning[:alike] + [generator.randrange(10, vocabulary) for _ in range(length - alike)]
        prompt, adapter = Prompt(f"q{number}", "none", "", tuple(tokens)), adapters[number % len(adapters)]
        keys = tuple(f"q{number} {sample}" for sample in range(samples))
        found.append(Request(adapter or "base", 0, prompt, adapter, tuple(range(samples)), keys))
    return found


@dataclass
class Watched:
    """What the engine computed: each answer's logits, token by token; and how many rows each draw had."""

    answers: list[Answer] = field(default_factory=list)
    rows: dict[str, Row] = field(default_factory=dict)
    logits: dict[str, list[torch.Tensor]] = field(default_factory=dict)
    drawn: list[list[str]] = field(default_factory=list)

    def __call__(self, rows: Sequence[Row], logits: torch.Tensor) -> None:
        keys = [row.request.keys[row.place] for row in rows]
        self.drawn.append(keys)
        for key, row, each in zip(keys, rows, logits.float().cpu(), strict=True):
            self.rows[key] = row
            self.logits.setdefault(key, []).append(each)


def watch(
    asked: Sequence[Request], model: Any, tokenizer: Any, how: Settings, batch_size: int | None = None
) -> Watched:
    """Asks the engine that shares prompts."""
    watched, parts = Watched(), parts_of(model, asked, how)
    assert parts is not None
    with torch.inference_mode():
        answer_together(asked, parts, tokenizer, how, watched.answers.extend, batch_size, watched)
    return watched


def plain_logits(model: Any, row: Row) -> torch.Tensor:
    """The model's own logits for each of the row's tokens, computed at once."""
    adapter, tokens = row.request.adapter, [*row.request.prompt.tokens, *row.tokens]
    if adapter:
        model.set_adapter(adapter)
    base = model.disable_adapter() if adapter is None and hasattr(model, "disable_adapter") else nullcontext()
    with torch.inference_mode(), base:
        logits = model(input_ids=torch.tensor([tokens], device=model.device)).logits[0].float().cpu()
    return logits[len(row.request.prompt.tokens) - 1 : -1]


def check(watched: Watched, model: Any, how: Settings, expected: int, close: float = CLOSE) -> None:
    """Every logit is the model's own, and every token the one that these draw, unless it was a close call."""
    assert len(watched.answers) == len(watched.rows) == expected
    clear = []
    for key, row in watched.rows.items():
        own = plain_logits(model, row)
        torch.testing.assert_close(torch.stack(watched.logits[key]), own, atol=close, rtol=0)
        numbers = torch.from_numpy(row.numbers[: len(own)])
        if how.temperature:
            sure = margin(own, numbers, how.temperature) > close
        else:
            first, second = own.topk(2).values.unbind(dim=1)
            sure = first - second > close
        drawn = draw(own, numbers, how.temperature, how.top_p)
        assert drawn[sure].tolist() == torch.tensor(row.tokens)[sure].tolist()
        clear += sure.tolist()
    assert sum(clear) > 0.75 * len(clear)


def told(asked: list[Request], model: Any, tokenizer: Any, how: Settings, **options: Any) -> dict:
    """Every answer by its key, without the seconds."""
    answers: list[Answer] = []
    sampling.answer(asked, model, tokenizer, how, answers.extend, **options)
    assert len(answers) == sum(len(each.samples) for each in asked)
    return {answer.key: replace(answer, seconds=0.0) for answer in answers}
