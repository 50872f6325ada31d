"""What a search finds, in which order, and that it is the same every time."""

import json
import math
import os
import random
import subprocess
import sys
from collections import Counter
from itertools import permutations
from pathlib import Path

import pytest

from recipes import DATA
from train.data import load_corpus, load_questions
from train.records import Passage
from train.retrieval import BM25
from train.retrieval.bm25 import K1, B
from train.retrieval.terms import terms

TEXTS = {
    "cosine": "코사인 유사도\n코사인 유사도는 두 벡터 사이의 각도를 잽니다. 벡터의 크기는 보지 않습니다.",
    "overfitting": "과적합\n과적합이란 모델이 훈련 데이터에 지나치게 맞춰져 새 데이터에서 성능이 떨어지는 현상이다.",
    "lora": "LoRA\nLoRA는 작은 행렬 두 개만 학습한다. 나머지 가중치는 그대로 둔다.",
    "rate": "학습률\n학습률(learning rate)은 3e-4에서 시작하고 검증 손실이 늘면 줄인다.",
    "bm25": "BM25\nBM25는 단어의 빈도와 문서의 길이로 점수를 매긴다.",
    "door": "문단속\n사무실 문은 19시에 잠근다.",
    "document": "문서 보관\n문서와 장부를 캐비닛에 넣고 열쇠로 잠근다.",
    "fare": "Amber line single fare\nAn adult single ticket on the Amber line costs 4.35 crowns.",
    "other fare": "Cobalt line single fare\nAn adult single ticket on the Cobalt line costs 5.85 crowns.",
    "discount": "Groups\nGroups of 35 passengers travel for 4 crowns each.",
    "gate": "Staff gate\nThe gate for crew members has the code B-17.",
    "other gate": "Yard gate\nThe gate for carts has the code C-17.",
    "budget": "예산\n한 해 예산은 1,200만 원이다.",
    "café": "Soup and coffee\nThe café is called the Brass Limpet.",
}
PASSAGES = [Passage(name, text) for name, text in TEXTS.items()]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("코사인 유사도가 재는 것은?", "cosine"),
        ("코사인유사도를 설명해 주세요", "cosine"),
        ("과적합이 무엇인가요?", "overfitting"),
        ("LoRA를 쓰면 무엇이 학습되나요?", "lora"),
        ("lora adapter가 뭐야", "lora"),
        ("learning rate는 얼마에서 시작해?", "rate"),
        ("검증 loss가 늘면 learning_rate를 어떻게 하나", "rate"),
        ("BM25의 점수는 어떻게 매기나", "bm25"),
        ("bm-25란?", "bm25"),
        ("문이 언제 잠기나", "door"),
        ("What costs 4.35?", "fare"),
        ("5.85 crowns", "other fare"),
        ("group of 35", "discount"),
        ("code b-17", "gate"),
        ("code B17", "gate"),
        ("코드 C17의 gate", "other gate"),
        ("1200만 원", "budget"),
        ("Where is the cafe?", "café"),
        ("ＡＭＢＥＲ　ＬＩＮＥ", "fare"),
    ],
)
def test_the_right_passage_comes_first(query: str, found: str) -> None:
    assert BM25(PASSAGES).search(query, 1) == [found]


def test_scores_follow_the_formula() -> None:
    counts = {name: Counter(terms(text)) for name, text in TEXTS.items()}
    average = sum(map(Counter.total, counts.values())) / len(counts)

    def score(name: str, query: str) -> float:
        total = 0.0
        for term in terms(query):
            holding = sum(term in count for count in counts.values())
            here = counts[name][term]
            weight = math.log(1 + (len(counts) - holding + 0.5) / (holding + 0.5))
            total += weight * here / (here + K1 * (1 - B + B * counts[name].total() / average))
        return total

    index = BM25(PASSAGES)
    for query in TEXTS.values():
        expected = sorted(TEXTS, key=lambda name: -round(score(name, query), 9))  # sorting is stable
        assert index.search(query, len(TEXTS)) == expected


def test_equal_scores_come_in_the_order_of_the_passages() -> None:
    texts = ["other words", "red boat", "no match", "boat red", "red boat"]
    for order in ([0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [2, 4, 0, 1, 3]):
        passages = [Passage(str(number), texts[number]) for number in order]
        best = [str(number) for number in order if number in (1, 3, 4)]
        rest = [str(number) for number in order if number in (0, 2)]
        assert BM25(passages).search("red boat", 5) == best + rest
        assert BM25(passages).search("red boat", 2) == best[:2]


def test_sums_that_differ_only_by_rounding_are_equal() -> None:
    # The two passages hold the same weights, those of a term once, twice and so on, which the query adds up in two
    # orders; in floating point, some of these sums differ in their last digits.
    for order in permutations(range(1, 5)):
        texts = {"up": " ".join(f"w{n} " * n for n in order), "down": " ".join(f"v{n} " * n for n in order)}
        query = " ".join(f"w{n}" for n in order) + " " + " ".join(f"v{n}" for n in sorted(order))
        for names in (["up", "down"], ["down", "up"]):
            passages = [Passage(name, texts[name]) for name in names] + PASSAGES
            assert BM25(passages).search(query, 2) == names


@pytest.mark.parametrize("query", ["", " \n", "?!", "😀", "zzz", "\x00", "Ж" * 10_000])
def test_a_query_that_fits_nothing_finds_the_first_passages(query: str) -> None:
    assert BM25(PASSAGES).search(query, 3) == list(TEXTS)[:3]


def test_no_more_is_found_than_there_is() -> None:
    index = BM25(PASSAGES)
    assert sorted(index.search("Amber line", 1000)) == sorted(TEXTS)
    assert index.search("Amber line", 0) == []
    with pytest.raises(ValueError, match="count = -1"):
        index.search("Amber line", -1)


@pytest.mark.parametrize(
    ("texts", "query", "found"),
    [
        ([], "boat", []),
        (["boat"], "boat", ["0"]),
        (["", "boat"], "boat", ["1", "0"]),
        (["", " ", "?!"], "boat", ["0", "1", "2"]),
        (["", " ", "?!"], "", ["0", "1", "2"]),
    ],
)
def test_odd_corpora(texts: list[str], query: str, found: list[str]) -> None:
    assert BM25([Passage(str(number), text) for number, text in enumerate(texts)]).search(query, 5) == found


def test_more_passages_asked_for_begin_with_those_found_before() -> None:
    index = BM25(PASSAGES)
    for query in TEXTS.values():
        everything = index.search(query, len(TEXTS))
        assert all(index.search(query, count) == everything[:count] for count in range(len(TEXTS)))


SEARCH = """
import json, sys
from train.records import Passage
from train.retrieval import BM25
assert not {"bm25s", "numpy", "scipy"} & set(sys.modules), "imported before there is anything to search"
texts = json.load(sys.stdin)
index = BM25([Passage(name, text) for name, text in texts.items()])
print(json.dumps([index.search(text, 5) for text in texts.values()]))
"""


def test_every_process_finds_the_same_and_leaves_nothing_behind(tmp_path: Path) -> None:
    outputs = set()
    for seed in ("0", "1", "2"):
        finished = subprocess.run(
            [sys.executable, "-c", SEARCH],
            input=json.dumps(TEXTS),
            cwd=tmp_path,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parents[2])},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (finished.returncode, finished.stderr) == (0, "")
        outputs.add(finished.stdout)
    assert len(outputs) == 1
    assert json.loads(outputs.pop()) == [BM25(PASSAGES).search(text, 5) for text in TEXTS.values()]
    assert list(tmp_path.iterdir()) == []


def test_a_passage_is_found_among_twenty_thousand() -> None:
    generator = random.Random(0)
    words = ["".join(generator.choices("abcdefgh", k=5)) for _ in range(2000)]
    words += ["".join(generator.choices("가나다라마바사아자차", k=3)) for _ in range(2000)]
    passages = [Passage(str(number), " ".join(generator.choices(words, k=20))) for number in range(20_000)]
    index = BM25(passages)
    for number in generator.sample(range(20_000), 100):
        # Some words of a passage, in another order, as a question would have them.
        query = " ".join(generator.sample(passages[number].text.split(), 12))
        assert index.search(query, 1) == [str(number)]


def test_the_evidence_of_the_handbook_is_found() -> None:
    corpus = load_corpus(DATA / "handbook" / "corpus").passages
    questions = load_questions(DATA / "handbook" / "questions.jsonl", corpus=corpus).questions
    asked = [question for question in questions if question.split in ("seen", "unseen")]
    assert len(asked) == 50
    index = BM25(corpus)
    found = {question.id: index.search(question.text, 5) for question in asked}
    hits = {}
    for count in (1, 3, 5):
        hits[count] = {q.id for q in asked if set(q.evidence) & set(found[q.id][:count])}
        print(f"handbook, seen and unseen: hit@{count} {len(hits[count])} of {len(asked)}")
    assert len(hits[1]) >= 36
    assert len(hits[3]) >= 42
    assert {question.id for question in asked if question.split == "unseen"} <= hits[3]
