"""What the normal form keeps and what it drops."""

import random
import re
import time

import pytest

import train.grading.normalise as normalise_module
from train.grading.normalise import Normalised, normalise

SAME = [
    ("full-width letters and digits", "ＢＭ２５ 점수", "bm25 점수"),
    ("case", "LoRA Rank", "lora rank"),
    ("whitespace", " 코사인\t유사도\n\n는\u3000높다 ", "코사인 유사도 는 높다"),
    ("decomposed Hangul, as macOS writes it", "\u1112\u1161\u11ab\u1100\u1173\u11af", "한글"),
    ("emoji", "정답은 😀 30일 👍🏽입니다 ❤️", "정답은 30일 입니다"),
    ("flags and keycaps", "🇰🇷 1️⃣ 서울", "1 서울"),
    ("bold", "**30일** 이내", "30일 이내"),
    ("bold before a particle", "코**사인**유사도", "코사인유사도"),
    ("bold italics", "***중요***", "중요"),
    ("italics", "*강조*는 _밑줄_을", "강조는 밑줄을"),
    ("underlined", "__주의__ 하세요", "주의 하세요"),
    ("struck through", "~~이전~~ 이후", "이전 이후"),
    ("code marks", "`learning_rate`를 ``3e-4``로", "learning_rate를 3e-4로"),
    ("a fenced block", "```python\nprint(x)\n```", "print(x)"),
    ("headings", "## 결론\n### 답", "결론 답"),
    ("bullets", "- 하나\n* 둘\n+ 셋\n  - 넷\n• 다섯", "하나 둘 셋 넷 다섯"),
    ("a link", "[문서](https://example.com/a_(b) \"제목\")를 보라", "문서를 보라"),
    ("an image", "![그림](./a.png)", "그림"),
    ("ChatML's end tag", "30일입니다.<|im_end|>", "30일입니다."),
    ("Llama's end tag", "30일<|eot_id|>", "30일"),
    ("EXAONE's end tag", "30일[|endofturn|]", "30일"),
    ("other end tags", "30일</s><|end|><|endoftext|><end_of_turn><eos>", "30일"),
    ("full-width end tag", "30일<｜end▁of▁sentence｜>", "30일"),
    ("typographic quotes", "‘가’ “나” it’s", "'가' \"나\" it's"),
    ("dashes and minus signs", "−3 – 5 — 7 ‐ 9", "-3 - 5 - 7 - 9"),
    ("middle dots", "사과ㆍ배・감", "사과·배·감"),
    ("zero-width characters", "30\u200d일\ufeff 이\u00ad내", "30일 이내"),
    ("circled digits stay apart from what they number", "①30일 ②45일", "1 30일 2 45일"),
    ("escaped marks", r"snake\_case \*별", "snake_case *별"),
    ("line breaks in table cells", "30일<br>45일", "30일 45일"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "same"), [case[1:] for case in SAME], ids=[case[0] for case in SAME])
def test_what_does_not_matter_is_dropped(text: str, same: str) -> None:
    assert normalise(text).text == normalise(same).text
    assert normalise(text).spaced == same


@pytest.mark.parametrize(
    "value",
    [
        "snake_case", "a_b_c", "_private_name", "4*5", "4 * 5 * 6", "2**3", "x**2 + y**3", "x**2 (y)**2", "-3",
        "10~20", "a*와 d*.", "*주1 과 *주2", "f[0](x)", "a | b", "c#", "1. 가", "2024. 3. 5.", "#태그", "3 > 2",
        "p < .05", "50%", "**열린", "(1,200)", "http://a.b/c_d_e",
    ],
)  # fmt: skip
def test_marks_inside_values_stay(value: str) -> None:
    assert normalise(value).spaced == value.strip()


def test_where_whitespace_stood_is_kept_beside_the_text() -> None:
    assert normalise(" within  30\ndays ") == Normalised("within30days", frozenset({6, 8}))
    assert normalise(" \n\t ") == normalise("") == Normalised("", frozenset())


@pytest.mark.parametrize(
    ("text", "ungrouped"),
    [
        ("1,200원", "1200원"),
        ("1,234,567.89", "1234567.89"),
        ("1, 200", "1, 200"),
        ("1,2,3", "1,2,3"),
        ("1,200,30", "1,200,30"),
        ("0,123", "0,123"),
        ("3.1,200", "3.1,200"),
        ("1,2000", "1,2000"),
        ("값 1,200, 2,400", "값 1200, 2400"),
    ],
)
def test_only_thousands_separators_leave_numbers(text: str, ungrouped: str) -> None:
    assert normalise(text).ungrouped.spaced == ungrouped


PIECES = [
    *"*_~`#-+[]()<>|/!.,'\"\\ \n\t0129abAZé가나다①²½", "<|", "|>", "<|end|>", "</s>", "**", "__", "```", "](", "](a.b)",
    "\u200b", "\u200d", "\ufe0f", "😀", "👍🏽", "🇰🇷", "ㆍ", "İ", "ß", "Σ", "ﬁ", "\u1100", "\u1161", "\u0301", "–", "’",
    "１", "\x00", "\x85", "1,200",
]  # fmt: skip


def random_texts(count: int) -> list[str]:
    generator = random.Random(0)
    texts = ["".join(generator.choices(PIECES, k=generator.randint(0, 40))) for _ in range(count)]
    return texts + ["".join(map(chr, generator.choices(range(0xD7FF), k=20))) for _ in range(count // 4)]


def test_normalising_twice_changes_nothing() -> None:
    for text in random_texts(6000):
        once = normalise(text)
        assert normalise(once.spaced) == once, repr(text)
        assert not any(map(str.isspace, once.text)), repr(text)
        assert once.ungrouped.ungrouped == once.ungrouped, repr(text)


def test_a_text_without_marks_is_normalised_at_once_to_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    printable = "".join(map(chr, range(0x20, 0x7F))) + "\n\t\x00"
    generator = random.Random(1)
    pieces = [*printable, " ", "\n", "가", "다", "힣", "30일", "THE", "ﬀ", "é", "ㄱ", "](/a)", "1. ", "> "]
    texts = ["".join(generator.choices(pieces, k=generator.randint(0, 12))) for _ in range(20_000)]
    at_once = [normalise(text) for text in texts]
    plain = [normalise_module._PLAIN.fullmatch(text) is not None for text in texts]
    assert 2_000 < sum(plain) < 18_000
    monkeypatch.setattr(normalise_module, "_PLAIN", re.compile("(?!)"))
    for text, found in zip(texts, at_once, strict=True):
        assert normalise(text) == found, repr(text)


UNITS = [
    "a", "가", "*", "*a ", "**a", "_a ", "~~a", "[", "[a](", "[](.(a)", '[](.x "', "<|", "- ", "1,200", "1,", " ", "😀",
    "'", "do not ", "모르겠", "문서에 대한 ", "the document ",
]  # fmt: skip
NESTED = [("<|", "|>"), ("*_", "_*"), ("[", "](.)"), ("**", "**")]
HOSTILE = [unit * (100_000 // len(unit)) for unit in UNITS]
HOSTILE += [opening * 20_000 + "a" + closing * 20_000 for opening, closing in NESTED]


@pytest.mark.parametrize("text", HOSTILE, ids=[repr(text[:12]) for text in HOSTILE])
def test_a_hostile_line_of_100_kb_normalises_at_once(text: str) -> None:
    start = time.perf_counter()
    once = normalise(text)
    assert time.perf_counter() - start < 1
    assert normalise(once.spaced) == once
