"""What a search takes for the same word, and what it keeps apart."""

import random
import unicodedata
from itertools import pairwise

import pytest

from train.retrieval.terms import PARTICLES, singular, terms

CASES = [
    ("case and full width", "ＬｏＲＡ Rank", "lora rank"),
    ("accents", "café İstanbul Straße", "cafe istanbul strasse"),
    ("a soft hyphen", "re\u00adfund", "refund"),
    ("a decimal number", "costs 4.35.", "cost 4.35"),
    ("a thousands separator", "1,200 or 1,234,567.5", "1200 or 1234567.5"),
    ("commas of a list", "1,2,30", "1 2 30"),
    ("a time", "05:52", "05 52"),
    ("a code", "B-17", "b 17 b17"),
    ("a code without a hyphen", "b17", "b 17 b17"),
    ("a code in two words", "B 17", "b 17"),
    ("a non-breaking hyphen", "b\u201117", "b 17 b17"),
    ("a model's name", "Qwen2.5-7B", "qwen 2.5 7 b qwen2.57b"),
    ("an identifier", "learning_rate", "learning rate learningrate"),
    ("a hyphenated word", "first-aid", "first aid firstaid"),
    ("plurals", "piers and ferries", "pier and ferry"),
    ("possessives", "a driver's, the drivers’", "a driver the driver"),
    ("marks around words", "**'Quoted'** (x) `y`", "quoted x y"),
    ("particles", "코사인 유사도는", "코사 사인 유사 사도 도는"),
    ("one syllable", "이 문", "이 문"),
    ("a noun of one syllable with its particle", "문은", "문은 문"),
    ("a word of two syllables without a particle", "문서", "문서"),
    ("a particle after a Latin word", "LoRA를", "lora"),
    ("a particle after a bracket", "유사도(similarity)가", "유사 사도 similarity"),
    ("another syllable after a Latin letter", "B형", "b 형"),
    ("a unit after a number", "30일 3도", "30 일 3 도"),
    ("a Latin word inside Hangul", "새LoRA학습", "새 lora 학습"),
    ("a circled number", "①LoRA ②30일", "1 lora 2 30 일"),
    ("the Korean middle dot", "사람ㆍ문서", "사람 문서"),
    ("Chinese characters", "大韓民", "大 韓 民 大韓 韓民"),
    ("half-width kana", "ｶﾅ", "カ ナ カナ"),
    ("another script", "ПИРС", "пирс"),
    ("repeated words", "the the", "the the"),
    ("nothing", "", ""),
    ("marks alone", " \n?! … 😀 -_- ''", ""),
]


@pytest.mark.parametrize(("text", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_terms(text: str, expected: str) -> None:
    assert terms(text) == expected.split()


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("lines", "line"),
        ("tickets", "ticket"),
        ("ferries", "ferry"),
        ("boxes", "box"),
        ("classes", "class"),
        ("batches", "batch"),
        ("caches", "cache"),
        ("cases", "case"),
        ("class", "class"),
        ("bus", "bus"),
        ("corpus", "corpus"),
        ("analysis", "analysis"),
        ("gas", "gas"),
        ("s", "s"),
        ("4.35", "4.35"),
    ],
)
def test_singular(word: str, expected: str) -> None:
    assert singular(word) == expected


PIECES = [*"가각문은는ㄱㆍ大カー aAzZ09.,-_'’/\n①½²éßﬁİΣ\u0301\u00ad\u1100\u1161", "1,200", "b-17", "'s", "LoRA"]


def random_texts(count: int) -> list[str]:
    generator = random.Random(0)
    return ["".join(generator.choices(PIECES, k=generator.randint(0, 30))) for _ in range(count)]


def test_composition_and_case_change_no_term() -> None:
    for text in random_texts(3000):
        expected = terms(text)
        assert terms(unicodedata.normalize("NFD", text)) == expected, repr(text)
        assert terms(unicodedata.normalize("NFC", text)) == expected, repr(text)
        assert terms(text.casefold()) == expected, repr(text)


def test_terms_are_never_blank_and_end_at_white_space() -> None:
    texts = random_texts(3000)
    for left, right in pairwise(texts):
        assert all(term.strip() == term and term for term in terms(left)), repr(left)
        assert terms(f"{left}\n{right}") == terms(left) + terms(right), repr((left, right))


def test_every_particle_is_one_syllable() -> None:
    assert PARTICLES and all(len(particle) == 1 and "가" <= particle <= "힣" for particle in PARTICLES)
