"""The verdicts of all graders side by side, and the one that counts."""

import time

import pytest

from train.errors import UserError
from train.grading import Label, disputed, grade, headline
from train.records import Answer, AnswerId, Context, Fact, Question, Verdict, Word

ABSTENTION = "제공된 문서에서 답을 찾지 못했습니다."
RUBRIC = Question(
    "rubric", "환불 기한은?", "환불은 30일 이내입니다.", facts=("30일",), forbidden=("45일",), split="seen"
)
REFERENCE = Question("reference", "교환 기한은?", "교환은 구매 후 두 주 안에 신청합니다.", split="seen")
UNANSWERABLE = Question("unanswerable", "주차 요금은?", "", split="unanswerable")
NOTHING = Question("nothing", "?", "")
FORBIDDEN = Question("forbidden", "?", "교환은 신청서로 합니다.", forbidden=("전화",))
QUESTIONS = (RUBRIC, REFERENCE, UNANSWERABLE, NOTHING, FORBIDDEN)


def context(question: Question, condition: str, facts: tuple[Fact, ...]) -> Context:
    abstain = condition.startswith("distractors") or question is UNANSWERABLE
    return Context(question.id, condition, (), (), "abstain" if abstain else "answer", facts, question.forbidden)


CONTEXTS = [
    context(question, condition, question.facts)
    for question in QUESTIONS
    for condition in ("none", "gold", "distractors@3")
]
CONTEXTS += [context(RUBRIC, "counterfactual", ("60일",)), context(REFERENCE, "counterfactual", ())]


def only(question: str, condition: str, text: str) -> Verdict:
    (verdict,) = grade(
        QUESTIONS, CONTEXTS, [Answer("base", 0, condition, question, 0, text, "key")], abstention=ABSTENTION
    )
    return verdict


@pytest.mark.parametrize(
    ("asked", "text", "grader", "word", "why"),
    [
        # a rubric decides; passing it is correct even with a hedge
        ("rubric/gold", "30일입니다.", "rubric", "correct", "states: 30일"),
        ("rubric/gold", "문서에는 나와 있지 않지만 30일로 알고 있습니다.", "rubric", "correct", "states: 30일"),
        ("rubric/gold", "I don't know, maybe 30일?", "rubric", "correct", "states: 30일"),
        ("rubric/gold", "45일입니다.", "rubric", "wrong", "missing: 30일. forbidden: 45일"),
        ("rubric/gold", "30일 또는 45일", "rubric", "wrong", "forbidden: 45일"),
        ("rubric/gold", "알 수 없습니다.", "rubric", "abstained", "abstains: 알수없습니다"),
        ("rubric/gold", ABSTENTION, "rubric", "abstained", f"abstains: {ABSTENTION}"),
        ("rubric/gold", "", "rubric", "wrong", "empty"),
        ("rubric/gold", " **🙂**<|im_end|>", "rubric", "wrong", "empty"),
        ("rubric/gold", " 🙂<|im_end|>", "rubric", "wrong", "empty"),
        # no gold in the context: being correct from memory is still correct
        ("rubric/distractors@3", "30일입니다.", "rubric", "correct", "states: 30일"),
        ("rubric/distractors@3", "모르겠습니다.", "rubric", "abstained", "abstains: 모르겠"),
        ("rubric/distractors@3", "60일입니다.", "rubric", "wrong", "missing: 30일"),
        ("rubric/distractors@3", "", "rubric", "wrong", "empty"),
        # the context's own facts count
        ("rubric/counterfactual", "60일입니다.", "rubric", "correct", "states: 60일"),
        ("rubric/counterfactual", "30일입니다.", "rubric", "wrong", "missing: 60일"),
        ("reference/counterfactual", "교환은 구매 후 두 주 안에 신청합니다.", "rubric", "unscored", "no rubric"),
        # a condition that made no context: the question's own facts
        ("rubric/elsewhere", "30일입니다.", "rubric", "correct", "states: 30일"),
        ("unanswerable/elsewhere", "모릅니다.", "rubric", "abstained", "abstains: 모릅니다"),
        # no rubric: the reference, provisionally
        ("reference/gold", "교환은 구매 후 두 주 안에 신청해요.", "provisional", "correct", "nearest of 3"),
        ("reference/gold", "사과는 빨갛다.", "provisional", "wrong", "below 0.5"),
        ("reference/gold", "잘 모르겠어요.", "provisional", "abstained", "abstains: 모르겠"),
        ("reference/distractors@3", "교환은 구매 후 두 주 안에 신청해요.", "provisional", "correct", "nearest of 3"),
        ("reference/distractors@3", "잘 모르겠어요.", "provisional", "abstained", "abstains: 모르겠"),
        ("reference/gold", "", "rubric", "wrong", "empty"),
        # only something forbidden: stating it is wrong, else the reference decides
        ("forbidden/gold", "교환은 전화로 합니다.", "rubric", "wrong", "forbidden: 전화"),
        ("forbidden/gold", "교환은 신청서로 합니다.", "provisional", "correct", "nearest of 3"),
        # nothing to find
        ("unanswerable/none", "문서에 없는 내용입니다.", "rubric", "abstained", "abstains: "),
        ("unanswerable/none", "시간당 3,000원입니다.", "rubric", "wrong", "nothing supports"),
        ("unanswerable/none", "문서에는 없지만 보통 3,000원입니다.", "rubric", "wrong", "nothing supports"),
        ("unanswerable/none", "", "rubric", "wrong", "empty"),
        # nothing to go by
        ("nothing/none", "30일입니다.", "rubric", "unscored", "no rubric and no reference"),
        ("nothing/none", "모르겠습니다.", "rubric", "abstained", "abstains: 모르겠"),
    ],
)
def test_each_answer_gets_the_word_of_the_grader_that_can_judge_it(
    asked: str, text: str, grader: str, word: Word, why: str
) -> None:
    question, condition = asked.split("/")
    verdict = only(question, condition, text)
    assert (verdict.grader, verdict.verdict) == (grader, word)
    assert why in verdict.why


def test_a_verdict_carries_the_answers_coordinates_key_and_facts() -> None:
    verdict = only("rubric", "gold", "30일이나 45일")
    assert verdict.id == AnswerId("base", 0, "gold", "rubric", 0)
    assert (verdict.answer, verdict.found, verdict.missing, verdict.violated) == ("key", ("30일",), (), ("45일",))


def test_an_unanswerable_question_may_have_a_refusal_as_its_reference() -> None:
    question = Question("u", "?", ABSTENTION)
    contexts = [Context("u", "none", (), (), "abstain")]
    words = [
        grade([question], contexts, [Answer("base", 0, "none", "u", 0, text)], abstention=ABSTENTION)[0].verdict
        for text in (ABSTENTION, "알 수 없습니다.", "3,000원입니다.")
    ]
    assert words == ["abstained", "abstained", "wrong"]


def test_all_verdicts_are_kept_in_the_order_of_the_answers() -> None:
    answers = [
        Answer("base", 0, "gold", "rubric", sample, text) for sample, text in enumerate(("30일", "45일", "30일"))
    ]
    labels = [
        Label(answers[2].id, "wrong", "b", "2026-02-01"),
        Label(answers[1].id, "correct", "a", "2026-01-02"),
        Label(answers[2].id, "abstained", "a", "2026-01-01"),
    ]
    verdicts = grade(QUESTIONS, CONTEXTS, reversed(answers), abstention=ABSTENTION, labels=labels)
    assert [(verdict.sample, verdict.grader, verdict.verdict) for verdict in verdicts] == [
        (2, "rubric", "correct"),
        (2, "person:a", "abstained"),
        (2, "person:b", "wrong"),
        (1, "rubric", "wrong"),
        (1, "person:a", "correct"),
        (0, "rubric", "correct"),
    ]
    assert grade(QUESTIONS, CONTEXTS, reversed(answers), abstention=ABSTENTION, labels=labels) == verdicts
    assert [headline(verdicts)[answer.id].verdict for answer in answers] == ["correct", "correct", "unscored"]


def said(grader: str, word: Word) -> Verdict:
    return Verdict("base", 0, "gold", "rubric", 0, grader, word)


@pytest.mark.parametrize(
    ("verdicts", "counts"),
    [
        ([("provisional", "correct")], 0),
        ([("rubric", "wrong"), ("provisional", "correct")], 0),
        ([("provisional", "correct"), ("rubric", "wrong")], 1),
        ([("judge:small", "correct"), ("rubric", "wrong")], 0),
        ([("person", "abstained"), ("judge", "correct"), ("rubric", "wrong")], 0),
        ([("person:kim", "wrong"), ("judge:small", "correct")], 0),
        ([("person:kim", "unscored"), ("rubric", "wrong")], 1),
        ([("person:kim", "correct"), ("person:lee", "wrong"), ("person:park", "wrong")], 2),
        ([("person:kim", "wrong"), ("person:lee", "correct"), ("person:park", "wrong"), ("rubric", "correct")], 2),
        ([("person:a", "wrong"), ("person:b", "wrong"), ("person:c", "correct"), ("person:d", "abstained")], 1),
        ([("judge", "unscored"), ("rubric", "wrong")], 1),
        ([("rubric", "unscored"), ("provisional", "correct")], 1),
        ([("provisional", "unscored"), ("rubric", "unscored")], 1),
    ],
)
def test_a_person_counts_before_a_judge_a_rubric_and_the_provisional_grader(
    verdicts: list[tuple[str, Word]], counts: int
) -> None:
    made = [said(*verdict) for verdict in verdicts]
    assert headline(made) == {made[0].id: made[counts]}


def test_an_unknown_grader_is_an_error() -> None:
    with pytest.raises(ValueError, match="'oracle'"):
        headline([said("oracle", "correct")])


def test_an_answer_to_no_question_is_an_error_that_names_it() -> None:
    with pytest.raises(UserError, match="question 'typo', seed 0, sample 0: there is no such question"):
        only("typo", "gold", "30일")


def test_the_provisional_threshold_can_be_set() -> None:
    answer = Answer("base", 0, "gold", "reference", 0, "교환은 두 주 안에 하면 된다고 되어 있습니다.")
    words = [
        grade(QUESTIONS, CONTEXTS, [answer], abstention=ABSTENTION, nearest_f1=threshold)[0].verdict
        for threshold in (0.2, 0.9)
    ]
    assert words == ["correct", "wrong"]


def test_an_answer_of_100_kb_is_graded_at_once() -> None:
    questions = [RUBRIC, REFERENCE, UNANSWERABLE]
    answers = [
        Answer("base", 0, "none", question.id, sample, text)
        for question in questions
        for sample, text in enumerate(("가나 " * 33_000, "문서에 " * 25_000, "**a" * 33_000))
    ]
    start = time.perf_counter()
    verdicts = grade(questions, [], answers, abstention=ABSTENTION)
    assert time.perf_counter() - start < 5
    assert {verdict.verdict for verdict in verdicts} == {"wrong"}


@pytest.mark.parametrize(
    ("verdicts", "why"),
    [
        ([("person:kim", "correct"), ("person:lee", "wrong")], "kim says correct, lee says wrong"),
        ([("person", "correct"), ("rubric", "correct"), ("person:lee", "wrong")], "one says correct, lee says wrong"),
        ([("person:a:b", "wrong"), ("person:c", "abstained")], "a:b says wrong, c says abstained"),
        (
            [("person:a", "wrong"), ("person:b", "wrong"), ("person:c", "correct"), ("person:d", "correct")],
            "a says wrong, b says wrong, c says correct, d says correct",
        ),
    ],
)
def test_where_people_are_evenly_divided_nobody_s_word_counts(verdicts: list[tuple[str, Word]], why: str) -> None:
    made = [said(*verdict) for verdict in verdicts]
    counts = headline(made)[made[0].id]
    assert (counts.grader, counts.verdict, counts.why) == ("person", "unscored", f"people disagree: {why}")
    assert disputed(made) == {made[0].id}


@pytest.mark.parametrize(
    ("verdicts", "is_disputed"),
    [
        ([], False),
        ([("person:kim", "correct"), ("person:lee", "correct")], False),
        ([("person:kim", "correct"), ("rubric", "wrong"), ("judge:small", "wrong")], False),
        ([("person:kim", "correct"), ("person:lee", "unscored")], False),
        ([("personality", "correct"), ("person:lee", "wrong")], False),
        ([("person:kim", "correct"), ("person:lee", "abstained"), ("person:park", "correct")], True),
        ([("person", "correct"), ("person", "wrong")], True),
    ],
)
def test_disputed_are_answers_of_which_people_said_different_things(
    verdicts: list[tuple[str, Word]], is_disputed: bool
) -> None:
    assert bool(disputed([said(*verdict) for verdict in verdicts])) == is_disputed
