"""A judge on this machine: that it is there, and how it is asked."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import TemplateError

from train import models, sampling
from train.decoder.kinds import unsupported
from train.errors import UserError
from train.estimate import Judging, gib, shape_of, weight_bytes
from train.grading import Reply
from train.judges import LocalJudge
from train.judging.bench import Bench, Handover, rules_of
from train.judging.under_test import UnderTest, check_weights
from train.models.source import package_file
from train.prompts import ChatFormat, encode
from train.recipe import Base
from train.records import Answer, Prompt
from train.sampling.requests import ENGINE


def bench(judge: LocalJudge, under_test: UnderTest, say: models.Say = models.silent) -> Bench:
    """The judge; it is loaded when it is asked.

    Raises:
        UserError: the judge is not there, or is the model under test.
    """
    with_revision = Base(judge.model, revision=judge.revision, dtype=judge.dtype)
    try:
        source = models.resolve(with_revision, say)
    except UserError as error:
        raise UserError(blamed(error)) from None
    check_weights(judge.model, source, under_test)
    dtype = str(models.pick_dtype(with_revision, models.pick_device())).removeprefix("torch.")
    return Bench(
        rules=rules_of(judge, "this machine", f"{source.fingerprint} {dtype} {ENGINE}"),
        sentence=f"judge: {judge.model}, on this machine",
        ask=lambda prompts, handover: ask(judge, source, with_revision, prompts, handover),
        check=lambda: check(source, with_revision),
        size=lambda: size(source, with_revision, dtype),
        weigh=lambda prompts: weigh(judge, source, with_revision, dtype, prompts),
    )


def size(source: models.Source, base: Base, dtype: str) -> str:
    """What the judge takes, in words: its files, which a machine that has them not yet downloads, and its weights."""
    on_disk = sum(path.stat().st_size for path in files_of(source))
    weights = weight_bytes(shape_of(models.load_config(source, base), base), 4 if dtype == "float32" else 2)
    return f"files of {gib(on_disk)}, weights of about {gib(weights)} in {dtype}"


def files_of(source: models.Source) -> list[Path]:
    """The files as they were published: of a GGUF file itself, and not what it was converted to."""
    if source.name.startswith("package:"):
        return [package_file(source.name)]
    if source.name.endswith(".gguf"):
        return [Path(source.name).expanduser()]
    return [path for path in source.directory.iterdir() if path.is_file()]


def weigh(
    judge: LocalJudge, source: models.Source, base: Base, dtype: str, prompts: Mapping[str, int]
) -> Judging | None:
    """What it would take to ask these prompts, each so many times; None where there is none that it can be asked."""
    tokenizer, _ = chat_of(source, base)
    config = models.load_config(source, base)
    window = models.window(config) or sys.maxsize
    lengths: list[int] = []
    for prompt, times in prompts.items():
        length = len(encode(tokenizer, as_chat(tokenizer, prompt)))
        if length + judge.max_new_tokens <= window:
            lengths += [length] * times
    if not lengths:
        return None
    return Judging(
        shape=shape_of(config, base),
        dtype=dtype,
        prompts=tuple(sorted(lengths, reverse=True)),
        reply=judge.max_new_tokens,
        stock=unsupported(config) is not None,
    )


def blamed(error: Exception) -> str:
    """The error, which is of a base, as one of the judge."""
    text = str(error).replace("base.model", "grading.judge.model", 1)
    return text if "grading.judge" in text else f"grading.judge.model: {text}; use another instruct model"


def ask(judge: LocalJudge, source: models.Source, base: Base, prompts: Mapping[str, str], handover: Handover) -> None:
    """Loads the judge and has it reply, always with the likeliest token."""
    tokenizer, chat = chat_of(source, base)
    window = models.window(models.load_config(source, base))
    requests = []
    for key, prompt in prompts.items():
        tokens = tuple(encode(tokenizer, as_chat(tokenizer, prompt)))
        if window is not None and len(tokens) + judge.max_new_tokens > window:
            problem = f"its prompt of {len(tokens)} tokens is too long for the judge's window of {window}"
            handover([Reply(key, "", problem=problem)])
            continue
        requests.append(sampling.Request("judge", 0, Prompt(key, "", prompt, tokens), None, (0,), (key,)))
    if not requests:
        return
    settings = sampling.Settings(
        temperature=0.0, top_p=1.0, max_new_tokens=judge.max_new_tokens, seed=0, stop=tuple(sorted(chat.stop))
    )

    def take(answers: list[Answer]) -> None:
        handover([Reply(each.key, each.text, "", each.prompt_tokens, each.tokens, each.seconds) for each in answers])

    sampling.answer(requests, models.load_model(source, base), tokenizer, settings, take)


def chat_of(source: models.Source, base: Base) -> tuple[Any, ChatFormat]:
    """The judge's tokenizer and chat format; raises `UserError` where it cannot be talked to."""
    try:
        tokenizer = models.load_tokenizer(source, base)
        return tokenizer, ChatFormat.of(tokenizer, models.stop_tokens(source))
    except (UserError, TemplateError) as error:
        raise UserError(blamed(error)) from None


def check(source: models.Source, base: Base) -> None:
    """Raises `UserError` where the judge could not be asked."""
    chat_of(source, base)


def as_chat(tokenizer: Any, prompt: str) -> str:
    """The prompt as the judge's chat template writes it, without room for thinking aloud where that can be refused.

    The template's own tokens are broken where the prompt holds them, so that an answer cannot end its turn.
    """
    added = tokenizer.added_tokens_decoder.values()
    # Also `<think>`, which few call special; but no words, which some have added to their vocabulary.
    control = {str(token) for token in added if token.special or str(token).startswith(("<", "["))}
    for token in sorted({*control, *tokenizer.all_special_tokens}):
        prompt = prompt.replace(token, f"{token[0]} {token[1:]}")
    try:
        text = tokenizer.apply_chat_template(
            [{"role": "user", "content": prompt}], tokenize=False, add_generation_prompt=True, enable_thinking=False
        )
    except TemplateError as error:
        raise UserError(blamed(error)) from error
    return str(text)
