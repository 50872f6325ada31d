"""An answer streams: each token as soon as it is drawn, each piece of text once, and all of them are the whole."""

from __future__ import annotations

import random

import pytest
from tokenizers import Tokenizer, decoders, models
from transformers import PreTrainedTokenizerFast

from train.sampling import Settings
from train.serving.stored import load, stored_arm
from train.serving.stream import answer_tokens, pieces
from train.store import Run

SETTINGS = Settings(temperature=0.8, top_p=0.9, max_new_tokens=8, seed=0, stop=())


@pytest.fixture(scope="module")
def respondent(finished_run):
    return load(stored_arm(Run.of(finished_run), "open-book", None), lambda line: None)


@pytest.fixture(scope="module")
def tokenizer(respondent):
    """Byte-level: letters beyond ASCII are several tokens."""
    return respondent.format.tokenizer


def streamed(tokenizer, tokens: list[int], stop: tuple[int, ...] = ()) -> tuple[list[str], str]:
    """The pieces, and the text as asking stores it."""

    def decode(said: list[int]) -> str:
        return tokenizer.decode(said, skip_special_tokens=True)

    return list(pieces(tokens, stop, decode)), decode(tokens).strip()


@pytest.mark.parametrize(
    "text",
    [
        "The lamp of pier 2 is blue.",
        "부두 2의 등은 파랗다. 🚢 끝",
        " \n  Blanks around,  and\n\n\nbetween. \t\n",
        "🏴󠁧󠁢󠁥󠁮󠁧󠁿 and 👩‍👩‍👧, é and 각",
        "a real \ufffd inside",
        "\r\n1. one\r\n2. two\r\n",
    ],
)
def test_pieces_are_the_whole_text_and_never_half_a_letter(tokenizer, text):
    given, whole = streamed(tokenizer, tokenizer(text, add_special_tokens=False)["input_ids"])
    assert "".join(given) == whole == text.strip()
    assert len(given) > 5
    assert "".join(given).count("\ufffd") == text.count("\ufffd")
    assert not any(piece.startswith("\n ") for piece in given[:1])


def test_pieces_of_whatever_a_model_says_are_the_whole_text(tokenizer):
    rng = random.Random(0)
    broken = 0
    for _ in range(400):
        given, whole = streamed(tokenizer, [rng.randrange(len(tokenizer)) for _ in range(rng.randrange(1, 25))])
        assert "".join(given) == whole
        assert all(given)
        broken += "\ufffd" in whole
    assert broken > 100, "no text had a broken letter, so nothing was tried"


@pytest.mark.parametrize("text", ["", "  ", "\n\n"])
def test_a_text_of_blanks_has_no_piece(tokenizer, text):
    assert streamed(tokenizer, tokenizer(text, add_special_tokens=False)["input_ids"]) == ([], "")


def test_nothing_is_said_from_the_stop_token_on(tokenizer):
    said, after = (tokenizer(text, add_special_tokens=False)["input_ids"] for text in ("It is red.", "No more."))
    stop = tokenizer.convert_tokens_to_ids("<|end|>")
    assert "".join(streamed(tokenizer, [*said, stop, *after], (stop,))[0]) == "It is red."


def test_a_decoder_that_takes_back_what_it_said_is_followed_by_the_whole():
    """Byte fallback gives up a whole run of bytes once one of them fits nowhere."""
    vocabulary = {"<unk>": 0, "It": 1, "▁costs▁": 2, **{f"<0x{byte:02X}>": 3 + byte for byte in range(256)}}
    core = Tokenizer(models.BPE(vocabulary, [], unk_token="<unk>", byte_fallback=True))
    core.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=core, unk_token="<unk>")
    euro = [3 + byte for byte in "€".encode()]
    assert streamed(tokenizer, [1, 2, *euro, 1]) == (["It", " costs", " €", "It"], "It costs €It")
    given, whole = streamed(tokenizer, [1, 2, *euro, euro[0]])
    assert whole == "It costs \ufffd\ufffd\ufffd\ufffd"
    assert given == ["It", " costs", " €", f"\n{whole}"]


def test_a_token_is_there_as_soon_as_it_is_drawn(respondent):
    lengths: list[int] = []
    hook = respondent.model.get_input_embeddings().register_forward_hook(
        lambda module, inputs, output: lengths.append(inputs[0].shape[1])
    )
    try:
        tokens = answer_tokens(respondent.model, [0, 5, 6, 7], "q", 0, SETTINGS)
        for number in range(1, SETTINGS.max_new_tokens + 1):
            next(tokens)
            assert lengths == [4, *[1] * (number - 1)]
        assert list(tokens) == []
        assert len(lengths) == SETTINGS.max_new_tokens, "a token was computed that nobody gets"
    finally:
        hook.remove()


def test_the_same_question_and_sample_draw_the_same_answer(respondent):
    def draw(question: str, sample: int) -> list[int]:
        return list(answer_tokens(respondent.model, [0, 5, 6, 7], question, sample, SETTINGS))

    assert draw("q", 0) == draw("q", 0)
    assert len({tuple(draw(question, sample)) for question in "qr" for sample in (0, 1)}) > 1


def test_gradients_are_as_before_between_two_tokens(respondent):
    import torch

    tokens = answer_tokens(respondent.model, [0, 5, 6, 7], "q", 0, SETTINGS)
    next(tokens)
    assert not torch.is_inference_mode_enabled()
