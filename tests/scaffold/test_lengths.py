"""How many tokens an answer may have is read off the references, in the model's own tokens where they can be had."""

from __future__ import annotations

import shutil

import pytest

from tests.conftest import tiny_rows, write_corpus
from tests.scaffold.material import korean_rows, without, write_questions
from train.loading import load_recipe
from train.scaffold import write_recipe
from train.scaffold.lengths import ESTIMATE, Ruler, estimated, room_for, ruler_of, tokenizer_file

BY_LETTER = Ruler(len, "by letter")


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("abc", 1),
        ("abcd", 2),
        ("한글", 6),
        ("\u1112\u1161\u11ab\u1100\u1173\u11af", 6),
        ("é", 2),
        ("漢", 3),
        ("3천 원", 7),
        ("\ud800", 1),
    ],
)
def test_a_syllable_of_hangul_may_take_three_tokens(text, count):
    assert estimated(text) == count


@pytest.mark.parametrize(
    ("references", "abstention", "tokens", "usual", "longer"),
    [
        ([], "", 48, 0, 0),
        ([""], "", 48, 0, 0),
        (["x" * 10] * 20, "", 48, 10, 0),
        (["x" * 32] * 20, "", 48, 32, 0),
        (["x" * 33] * 20, "", 64, 33, 0),
        (["x" * 10] * 19 + ["x" * 900], "", 48, 10, 1),
        (["x" * 10] * 18 + ["x" * 100] * 2, "", 160, 100, 0),
        (["x"], "x" * 62, 64, 1, 0),
        (["x" * 5000] * 4, "", 1024, 5000, 4),
    ],
)
def test_there_is_room_for_95_of_100_references_and_half_as_much_again(references, abstention, tokens, usual, longer):
    room = room_for(references, abstention, BY_LETTER)
    assert (room.tokens, room.usual, room.longer) == (tokens, usual, longer)
    assert room.tokens % 16 == 0
    assert f"up to {tokens} tokens" in room.reason() and "by letter" in room.reason()
    assert ("the least" in room.reason(), "the most" in room.reason()) == (tokens == 48, tokens == 1024)


def test_a_tokenizer_in_a_directory_counts(tiny_model):
    from transformers import AutoTokenizer

    ruler = ruler_of(str(tiny_model))
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    for text in ("The lamp of pier 2 is blue.", "부두 요금은 3천 원입니다.", ""):
        assert ruler.count(text) == len(tokenizer(text, add_special_tokens=False)["input_ids"])
    assert ruler.how == "in the model's own tokens"


def test_a_tokenizer_in_the_hub_s_cache_counts_and_nothing_is_downloaded(tiny_model, tmp_path, monkeypatch):
    cache = tmp_path / "hub"
    commit = "0123456789abcdef0123456789abcdef01234567"
    snapshot = cache / "models--org--tiny" / "snapshots" / commit
    snapshot.mkdir(parents=True)
    (cache / "models--org--tiny" / "refs").mkdir()
    (cache / "models--org--tiny" / "refs" / "main").write_text(commit)
    shutil.copy(tiny_model / "tokenizer.json", snapshot)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(cache))
    assert tokenizer_file("org/tiny") == snapshot / "tokenizer.json"
    assert tokenizer_file("org/other") is None


@pytest.mark.parametrize("model", ["org/unknown", "package:some/model.gguf", "models/model.gguf", "nothing", "a/b/c"])
def test_without_a_tokenizer_the_length_is_estimated(model, tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    assert ruler_of(model) is ESTIMATE


def test_a_damaged_tokenizer_is_no_reason_to_refuse(tmp_path):
    (tmp_path / "tokenizer.json").write_text('{"model": 3')
    assert ruler_of(str(tmp_path)) is ESTIMATE


def test_korean_answers_get_more_room_on_a_tokenizer_that_knows_no_korean(tiny_model, folder):
    rows = [{**row, "answer": f"{row['answer']} 어른 한 사람이 편도로 탈 때 내는 금액입니다."} for row in korean_rows()]
    questions = write_questions(folder / "q.csv", without(rows, "evidence"))
    path, said = write_recipe(questions, None, str(tiny_model))
    ruler = ruler_of(str(tiny_model))
    longest = max(ruler.count(row["answer"]) for row in rows)
    room = load_recipe(str(path)).sampling.max_new_tokens
    assert room >= 1.5 * longest > 100
    (line,) = (line for line in said if line.startswith("answers "))
    assert line == (
        f"answers    up to {room} tokens: 95% of the references have at most {longest}, and half as many are spare "
        "(in the model's own tokens)"
    )


def test_references_that_are_longer_than_the_room_are_counted(folder):
    rows = [row for row in tiny_rows() if row["split"] != "unanswerable"]
    rows[3]["answer"] = rows[3]["answer"] * 100
    write_corpus(folder / "docs")
    path, said = write_recipe(write_questions(folder / "q.jsonl", rows), folder / "docs", "org/model")
    assert load_recipe(str(path)).sampling.max_new_tokens == 48
    (line,) = (line for line in said if "could not be said whole" in line)
    assert f"1 of {len(rows)} references are longer than 48 tokens" in line
    assert "raise sampling.max_new_tokens" in line
