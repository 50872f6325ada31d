"""What a person sees of an answer, and what the automatic graders say of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from train.conditions import COUNTERFACTUAL as COUNTERFACTUAL_CONDITION
from train.contexts.build import ContextRules, make_context
from train.errors import UserError
from train.labelling.items import COUNTERFACTUAL, graded_right, items
from train.records import Answer, Context, Findings, Passage, Question, Verdict

QUESTION = Question("q", "환불 기한은?", "30일입니다.", facts=("30일",), forbidden=("45일",))
PASSAGES = (Passage("a.md#b", "환불은 30일.", "a.md", {"kind": "gold"}), Passage("c.md#d", "교환은 없다.", "c.md"))
CONTEXTS = [
    Context("q", "gold+1", PASSAGES, ("a.md#b",), "answer", QUESTION.facts, QUESTION.forbidden),
    Context("q", "counterfactual", PASSAGES[:1], (), "answer", (("60일", "두 달"),), ()),
    Context("q", "distractors@1", PASSAGES[1:], (), "abstain", QUESTION.facts, QUESTION.forbidden),
]


def answer(condition: str, text: str = "30일", key: str = "k") -> Answer:
    return Answer("tuned", 0, condition, "q", 0, text, key)


def said(of: Answer, grader: str, word: str) -> Verdict:
    return Verdict(of.arm, of.seed, of.condition, of.question, of.sample, grader, word, of.key)  # type: ignore[arg-type]


def findings(answers: list[Answer], verdicts: list[Verdict]) -> Findings:
    return Findings({}, [QUESTION], CONTEXTS, answers, verdicts, {}, {}, {}, [], {})


def test_a_person_sees_question_reference_facts_passages_and_answer() -> None:
    ((_, item),) = items("recipe", findings([answer("gold+1")], [])).values()
    assert (item.question, item.reference, item.facts, item.forbidden) == (
        QUESTION.text,
        "30일입니다.",
        ("30일",),
        ("45일",),
    )
    assert (item.expects, item.answer, item.note) == ("answer", "30일", "")
    assert item.passages == (("a.md", "환불은 30일."), ("c.md", "교환은 없다."))
    assert not any(word in str(item) for word in ("gold", "tuned", "a.md#b"))


def test_under_a_counterfactual_passage_its_facts_count_and_not_the_reference() -> None:
    ((_, item),) = items("recipe", findings([answer("counterfactual")], [])).values()
    assert (item.reference, item.facts, item.forbidden, item.note) == ("", ("60일 | 두 달",), (), COUNTERFACTUAL)


def test_a_question_without_an_answer_is_shown_true_passages_and_nobody_is_told_otherwise() -> None:
    """Under `counterfactual` such a question gets passages of the corpus, and abstaining is right."""
    question = replace(QUESTION, answer="", facts=(), forbidden=(), split="unanswerable")
    rules = ContextRules({each.id: each for each in PASSAGES}, [each.id for each in PASSAGES], lambda *_: False, 0)
    context = make_context(COUNTERFACTUAL_CONDITION, question, rules)
    given = replace(findings([answer("counterfactual")], []), questions=[question], contexts=[context])
    ((_, item),) = items("recipe", given).values()
    assert (item.note, item.expects, len(item.passages)) == ("", "abstain", 1)


def test_without_a_context_of_its_own_the_question_s_facts_count() -> None:
    ((_, item),) = items("recipe", findings([answer("elsewhere")], [])).values()
    assert (item.facts, item.passages, item.expects) == (("30일",), (), "answer")


def test_an_id_is_of_one_answer_as_it_is_in_one_run() -> None:
    one = answer("gold+1")
    others = [answer("counterfactual"), answer("gold+1", key="k2"), replace(one, sample=1), replace(one, arm="base")]
    ids = [next(iter(items("recipe", findings([each], [])))) for each in (one, *others)]
    ids.append(next(iter(items("other", findings([one], [])))))
    assert len(set(ids)) == 6
    assert all(len(each) == 12 and each.isalpha() for each in ids)


@pytest.mark.parametrize(
    ("condition", "verdicts", "right"),
    [
        ("gold+1", [("rubric", "correct")], True),
        ("gold+1", [("rubric", "abstained")], False),
        ("distractors@1", [("rubric", "abstained")], True),
        ("distractors@1", [("rubric", "correct")], False),
        ("gold+1", [("rubric", "correct"), ("judge:small", "wrong")], False),
        ("gold+1", [("rubric", "correct"), ("judge:small", "unscored")], True),
        ("gold+1", [("provisional", "correct")], True),
        ("gold+1", [("rubric", "unscored")], None),
        # what people say is what the grader is measured by, and no part of it
        ("gold+1", [("rubric", "correct"), ("person:kim", "wrong"), ("person", "wrong")], True),
    ],
)
def test_right_is_what_the_automatic_graders_together_call_right(condition, verdicts, right) -> None:
    of = answer(condition)
    assert graded_right(findings([of], [said(of, *each) for each in verdicts])) == {of.id: right}


@pytest.mark.parametrize(
    ("answers", "verdicts", "message"),
    [
        ([], [], "there are no answers to label yet"),
        ([answer("gold+1")], [], "not graded yet: 1 of 1 answers"),
        ([answer("gold+1")], [said(answer("gold+1", key="old"), "rubric", "wrong")], "not graded yet: 1 of 1 answers"),
        ([answer("gold+1")], [said(answer("gold+1"), "person:kim", "wrong")], "not graded yet: 1 of 1 answers"),
    ],
)
def test_answers_that_no_automatic_grader_knows_as_they_are_cannot_be_drawn(answers, verdicts, message) -> None:
    with pytest.raises(UserError, match=message):
        graded_right(findings(answers, verdicts))
