"""What must be equal where vLLM answers; needs vLLM."""

from __future__ import annotations

from dataclasses import replace

import pytest

from train import sampling
from train.records import Answer
from train.sampling import Request, Settings, vllm

pytest.importorskip("vllm")


@pytest.fixture
def requests(prepared) -> list[Request]:
    return [
        Request("base", 0, prompt, None, (0,), (f"{prompt.question} {prompt.condition}",))
        for prompt in prepared.prompts.values()
    ]


@pytest.fixture
def loaded(prepared):
    longest = max(len(prompt.tokens) for prompt in prepared.prompts.values()) + prepared.settings.max_new_tokens
    return vllm.load(vllm.Weights(prepared.source.directory, prepared.dtype, {}), longest)


def test_vllm_answers_as_openbook_does(prepared, model, loaded, requests):
    """Greedily the same words; drawn, the same ones again."""

    def ask(settings: Settings) -> dict[str, str]:
        answers: list[Answer] = []
        vllm.answer_with(loaded, requests, {}, prepared.chat.tokenizer, settings, answers.extend)
        return {answer.key: answer.text for answer in answers}

    greedy = replace(prepared.settings, temperature=0.0)
    own: list[Answer] = []
    sampling.answer(requests, model, prepared.chat.tokenizer, greedy, own.extend)
    assert ask(greedy) == {answer.key: answer.text for answer in own}
    drawn = ask(prepared.settings)
    assert drawn == ask(prepared.settings)
    assert drawn != ask(greedy)
