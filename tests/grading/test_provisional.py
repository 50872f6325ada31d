"""The provisional grader: character 2-grams shared with the reference, and no reference nearer."""

import random
import time
from collections import Counter

import pytest

from train.grading.normalise import normalise
from train.grading.provisional import bigram_f1, bigrams, index_references, resembles
from train.records import Question


def f1(one: str, other: str) -> float:
    return bigram_f1(bigrams(normalise(one)), bigrams(normalise(other)))


@pytest.mark.parametrize(
    ("one", "other", "score"),
    [
        ("가나다", "가나다", 1.0),
        ("가 나다", "**가나** 다.", 2 * 2 / (2 + 3)),
        ("가나다", "가나라", 0.5),
        ("aaaa", "aa", 2 * 1 / (3 + 1)),  # a repeated pair counts as often as it occurs
        ("가", "가", 1.0),
        ("가", "나", 0.0),
        ("가", "가나", 0.0),
        ("", "", 0.0),
        ("", "가나", 0.0),
    ],
)
def test_f1_is_that_of_multisets_of_pairs(one: str, other: str, score: float) -> None:
    assert f1(one, other) == pytest.approx(score)
    assert f1(other, one) == f1(one, other)


def test_f1_agrees_with_counting() -> None:
    generator = random.Random(0)
    for _ in range(500):
        texts = ["".join(generator.choices("가나다ab1", k=generator.randint(2, 30))) for _ in range(2)]
        pairs = [Counter(text[at : at + 2] for at in range(len(text) - 1)) for text in texts]
        expected = 2 * (pairs[0] & pairs[1]).total() / (pairs[0].total() + pairs[1].total())
        assert f1(*texts) == pytest.approx(expected)


QUESTIONS = [
    Question("short", "?", "환불은 30일 이내에 신청합니다.", group="refund"),
    Question("reworded", "?", "환불은 30일 이내에 신청해야 합니다.", group="refund"),
    Question("other", "?", "환불은 45일 이내에 신청합니다.", group="exchange"),
    Question("none", "?", ""),
    Question("unanswerable", "?", "알 수 없습니다.", split="unanswerable"),
]


@pytest.mark.parametrize(
    ("question", "answer", "expected", "why"),
    [
        ("short", "환불은 30일 이내에 신청합니다", True, "the nearest of 3"),
        ("short", "환불은 30일 이내에 신청해야 합니다.", True, "the nearest of 3"),  # its own group is no rival
        ("short", "환불은 45일 이내에 신청합니다.", False, "1.00 with that of 'other'"),
        ("other", "환불은 30일 이내에 신청합니다.", False, "with that of 'short'"),
        ("short", "사과는 빨갛다.", False, "F1 0.10 with the reference, below 0.5"),
    ],
)
def test_an_answer_must_be_near_its_reference_and_nearer_no_other(
    question: str, answer: str, expected: bool, why: str
) -> None:
    resembling, reason = resembles(index_references(QUESTIONS), question, normalise(answer), 0.5)
    assert resembling is expected
    assert why in reason


def test_equal_references_are_no_rivals_of_each_other() -> None:
    references = index_references(
        [Question("a", "?", "환불 가능", group="x"), Question("b", "?", "환불 가능", group="y")]
    )
    assert resembles(references, "a", normalise("환불 가능"), 0.5)[0]
    assert resembles(references, "b", normalise("환불 가능합니다"), 0.5)[0]


def test_the_nearest_rival_is_the_one_that_comparing_all_finds() -> None:
    generator = random.Random(1)
    texts = ["".join(generator.choices("가나다라마 ", k=generator.randint(1, 25))) + "바" for _ in range(80)]
    questions = [Question(f"q{n}", "?", text, group=generator.choice(["", "g", "h"])) for n, text in enumerate(texts)]
    references = index_references(questions)
    for question in questions:
        answer = "".join(generator.choices("가나다라마", k=12))
        rivals = [
            f1(answer, other.answer)
            for other in questions
            if other.id != question.id and not (question.group and other.group == question.group)
        ]
        found = references.nearest_rival(question.id, bigrams(normalise(answer)))
        assert (found[1] if found else 0.0) == pytest.approx(max(rivals))


def test_ten_thousand_answers_against_a_thousand_references_take_seconds() -> None:
    generator = random.Random(2)
    words = ["".join(map(chr, generator.choices(range(0xAC00, 0xAE58), k=3))) for _ in range(1500)]
    questions = [Question(f"q{n}", "?", " ".join(generator.choices(words, k=25))) for n in range(1000)]
    references = index_references(questions)
    answers = [(question.id, normalise(f"{question.answer} {generator.choice(words)}")) for question in questions] * 10
    start = time.perf_counter()
    assert all(resembles(references, question, answer, 0.5)[0] for question, answer in answers)
    assert time.perf_counter() - start < 15
