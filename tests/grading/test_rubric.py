"""What a rubric finds in an answer, and which rubrics are refused when they are read."""

import random
import time

import pytest

from train.errors import UserError
from train.grading.normalise import normalise
from train.grading.rubric import check_rubric, compile_rubric, find_crossings, rubric_passes
from train.records import Fact, Question

STATED: list[tuple[Fact, str]] = [
    # spacing and particles
    ("코사인 유사도", "코사인 유사도는 방향을 본다"),
    ("코사인 유사도", "이때 코사인유사도를 쓴다"),
    ("코사인유사도", "**코사인** 유사도로 잰다"),
    ("과적합", "모델이 과적합되면"),
    ("30일", "30일이내에"),
    ("30 일", "30일까지"),
    ("BM25", "bm25는 어휘 기반이다"),
    ("RAG", "RAG(검색 증강 생성)은"),
    ("이메일", "사내이메일로"),
    # Latin words and numbers end at whitespace, marks and Hangul
    ("30 days", "within 30 days of"),
    ("30 days", "30days"),
    ("30 days", "You have **30** days."),
    ("30 days", "약 30 days까지"),
    ("4", "It costs 4."),
    ("4", "4.그리고 5"),
    ("4.2", "값은 4.2."),
    ("4.2", "4.2%"),
    ("2", "계층 1,2,3"),
    ("200", "1, 200 and more"),
    ("-3", "값은 −3이다"),
    ("30일", "①30일 ②45일"),
    ("epoch", "it's the epoch's end"),
    # thousands separators
    ("1,200", "1200원"),
    ("1200", "가격은 1,200원"),
    ("1200", "가격은 1 200원"),
    ("1,234,567", "총 １，２３４，５６７개"),
    # values that look like Markdown
    ("snake_case", "`snake_case`를 쓴다"),
    ("learning_rate", "**learning_rate**는"),
    ("4*5", "4 * 5는 20"),
    ("2**3", "2**3은 8"),
    ("A*", "A*와 D*."),
    # alternatives and regexes
    (("30일", "한 달"), "한달 안에"),
    (("30일", "/삼십일/"), "삼십일"),
    ("/x축.{0,10}예측/", "x 축은 예측 값"),
    ("/(?<![0-9])30(일|days)/", "30 Days"),
    ("/1,200/", "1,200원"),
    ("/1200/", "1,200원"),
    ("/[가-힣]+율/", "학습률과 감쇠율"),
    ("/(?P<Unit>kg|lb)당/", "1KG당"),
    # a file from macOS
    ("\u1112\u1161\u11ab\u1100\u1173\u11af", "한글은"),
    ("/\u1112\u1161\u11ab\u1100\u1173\u11af/", "한글은"),
]

NOT_STATED: list[tuple[Fact, str]] = [
    ("30 days", "130 days"),
    ("30 days", "30 dayslong"),
    ("30 days", "30 business days"),
    ("4.2", "4.20"),
    ("4.2", "14.2"),
    ("4", "4.20"),
    ("20", "4.20"),
    ("200", "1,200"),
    ("1", "1,200"),
    ("1,200", "11,200"),
    ("1200", "1,2003"),
    (".5", "3.5"),
    ("cat", "concatenate"),
    ("cat", "category"),
    ("RAG", "storage"),
    ("lora", "qlora"),
    ("GPT", "GPT4"),
    ("é", "café"),
    ("30일", "130일"),
    (("30일", "한 달"), "두 주"),
    ("/x축.{0,10}예측/", "y축은 예측, x축은 아주 길고 긴 설명 뒤에 실제"),
]


@pytest.mark.parametrize(("fact", "answer"), STATED)
def test_a_fact_is_found_however_it_is_written(fact: Fact, answer: str) -> None:
    assert rubric_passes((fact,), (), answer)
    assert not rubric_passes(("답", fact), (fact,), f"답: {answer}")


@pytest.mark.parametrize(("fact", "answer"), NOT_STATED)
def test_a_fact_is_not_found_inside_another_number_or_word(fact: Fact, answer: str) -> None:
    assert not rubric_passes((fact,), (), answer)


AXES: tuple[Fact, ...] = ("/x축[은는이]?예측/", "/y축[은는이]?실제/")


@pytest.mark.parametrize(
    ("facts", "forbidden", "answer", "passes"),
    [
        (AXES, (), "x축은 예측, y축은 실제입니다.", True),
        (AXES, (), "x축은 실제, y축은 예측입니다.", False),
        (("허용",), ("/허용(되|하)지않/", "불허"), "반려견은 허용됩니다.", True),
        (("허용",), ("/허용(되|하)지않/", "불허"), "반려견은 허용되지 않습니다.", False),
        (("30일",), ("45일",), "30일입니다. 45일이 아닙니다.", False),
        (("30일", "영수증"), (), "30일입니다.", False),
        (("30일", "영수증"), (), "영수증을 내면 30일입니다.", True),
        (("30일",), (), "문서에는 없지만 30일로 알고 있습니다.", True),
        ((), (), "무엇이든", False),
        ((), ("45일",), "무엇이든", False),
    ],
)
def test_every_fact_must_be_there_and_nothing_forbidden(
    facts: tuple[Fact, ...], forbidden: tuple[Fact, ...], answer: str, passes: bool
) -> None:
    assert rubric_passes(facts, forbidden, answer) is passes


def test_the_outcome_says_what_is_there_what_is_missing_and_what_must_not_be() -> None:
    rubric = compile_rubric(("30일", ("영수증", "receipt"), "/환[불급]/"), ("45일",))
    outcome = rubric.judge(normalise("30 일이나 45 일 안에 환급"))
    assert outcome.found == ("30일", "환급")
    assert outcome.missing == ("영수증 | receipt",)
    assert outcome.violated == ("45일",)
    assert outcome.why == "missing: 영수증 | receipt. forbidden: 45일"
    assert compile_rubric(("30일",)).judge(normalise("30일")).why == "states: 30일"


def test_a_rubric_is_compiled_once() -> None:
    assert compile_rubric(("가", ("나", "/다/")), ("라",)) is compile_rubric(("가", ("나", "/다/")), ("라",))


REFUSED: list[tuple[Fact, str]] = [
    ("", "is empty"),
    ("  ", "is empty"),
    ("😀", "is empty"),
    ("<|im_end|>", "is empty"),
    ((), "without alternatives"),
    (("30일", ""), "is empty"),
    ("//", "empty regex"),
    ("/(/", "not a valid regex"),
    (("30일", "/[/"), "not a valid regex"),
    ("/30 일/", "whitespace is removed"),
    ("/30\\s일/", "whitespace is removed"),
    ("/30\\s*일/", "whitespace is removed"),
    ("/30\\x20일/", "whitespace is removed"),
    ("/\\bcat\\b/", "word boundaries"),
    ("/LoRA/", "write 'l'"),
    ("/[A-Z]+/", "case is folded"),
    ("/\\u0041/", "case is folded"),
    ("/“가”/", "does not hold it; write '\"'"),
    ("/10–20/", "does not hold it; write '-'"),
    ("/`가`/", "does not hold it"),
    ("/１０/", "does not hold it; write '1'"),
    ("/.*/", "matches any text"),
    ("/(가)?/", "matches any text"),
]


@pytest.mark.parametrize(("fact", "why"), REFUSED)
def test_a_fact_that_could_never_be_stated_is_refused(fact: Fact, why: str) -> None:
    for column, problems in (
        ("facts", check_rubric(("가", fact))),
        ("forbidden", check_rubric((), ("가", fact))),
    ):
        assert problems
        assert all(problem.startswith(f"{column}[1]: ") for problem in problems)
        assert why in problems[0]
    with pytest.raises(UserError, match="fact"):
        compile_rubric((fact,))


@pytest.mark.parametrize(
    "fact",
    ["/\\d+일/", "/\\D\\W\\S\\B/", "/(?P<Name>가)(?P=Name)/", "/10[-–~]20/",
     "/(?!.*아니)가/", "/가/나/", "/", "/usr/bin", "가 나", "ABC"],
)  # fmt: skip
def test_other_facts_are_taken(fact: Fact) -> None:
    assert check_rubric((fact,)) == []


def test_a_reference_must_pass_its_own_rubric() -> None:
    assert check_rubric(("30일", ("영수증", "receipt")), ("45일",), "영수증이 있으면 30일입니다.") == []
    assert check_rubric(("30일",), (), "") == []
    assert check_rubric((), ("45일",), "45일") == []
    lacks, states = check_rubric(("30일", ("영수증", "receipt")), ("45일",), "30일이나 45일입니다.")
    assert "lacks the fact '영수증 | receipt'" in lacks
    assert "states '45일'" in states


def test_a_rubric_that_another_reference_passes_is_named() -> None:
    questions = [
        Question("a", "?", "환불은 30일 이내입니다.", facts=("30일",), group="g1"),
        Question("b", "?", "교환은 30 일 이내입니다.", facts=("교환", "30일"), group="g2"),
        Question("c", "?", "환불은 30일 안에.", facts=("/30일/",), group="g1"),
        Question("d", "?", "130일", facts=("130일",)),
        Question("e", "?", "아무 말"),
    ]
    crossings = find_crossings(questions)
    assert crossings.others == {"a": ("b",), "c": ("b", "d")}
    assert crossings.complete
    assert not find_crossings(questions, limit=1).complete


def test_crossings_of_thousands_of_questions_are_found_soon() -> None:
    generator = random.Random(0)
    words = [f"낱말{number}은" for number in range(500)]
    questions = [
        Question(
            f"q{number}", "?", " ".join(generator.choices(words, k=30)), facts=tuple(generator.choices(words, k=3))
        )
        for number in range(3000)
    ]
    start = time.perf_counter()
    crossings = find_crossings(questions)
    assert time.perf_counter() - start < 10
    for question in questions[:10]:
        passing = [
            other.id for other in questions if other is not question and rubric_passes(question.facts, (), other.answer)
        ]
        assert crossings.others.get(question.id, ()) == tuple(passing[:3])


@pytest.mark.parametrize("fact", ["30 days", "/가.*나/", "/[^가]+나/", "/a+b/"])
@pytest.mark.parametrize("text", ["가" * 100_000, "30 days" * 14_000, "a " * 50_000, "다" * 100_000])
def test_a_hostile_line_of_100_kb_is_matched_at_once(fact: str, text: str) -> None:
    start = time.perf_counter()
    rubric_passes((fact,), (), text)
    assert time.perf_counter() - start < 2


def test_a_regex_finds_its_fact_anywhere_in_a_very_long_answer() -> None:
    for padding in (0, 300, 5000, 49_999):
        assert rubric_passes(("/x축.*예측/",), (), "가" * padding + "x축은 예측" + "나" * 50_000)
