"""A judge on this machine: that it is there, and how it is asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jinja2 import TemplateError

from train import models, sampling
from train.errors import UserError
from train.grading import Reply
from train.judges import LocalJudge
from train.judging.bench import Bench, Handover, rules_of
from train.judging.under_test import UnderTest, check_weights
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
