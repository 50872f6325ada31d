"""Questions of every kind, and the cases that a judge is shown of answers to them."""

from __future__ import annotations

from train.grading import Case, JudgeRules, grade_by_rule
from train.records import Answer, AnswerId, Context, Question

RULES = JudgeRules("judge:j", "j", "here", "j 1", "temperature 0", "provisional")
ALL = JudgeRules("judge:j", "j", "here", "j 1", "temperature 0", "all")

RUBRIC = Question("rubric", "환불 기한은?", "환불은 30일 이내입니다.", facts=("30일",), forbidden=("45일",))
REFERENCE = Question("reference", "교환 기한은?", "교환은 구매 후 두 주 안에 신청합니다.")
UNANSWERABLE = Question("unanswerable", "주차 요금은?", "", split="unanswerable")
NOTHING = Question("nothing", "?", "")
QUESTIONS = (RUBRIC, REFERENCE, UNANSWERABLE, NOTHING)
CONTEXTS = [
    Context(
        question.id,
        condition,
        (),
        (),
        "abstain" if condition.startswith("distractors") or question is UNANSWERABLE else "answer",
        question.facts,
        question.forbidden,
    )
    for question in QUESTIONS
    for condition in ("none", "gold", "distractors@3")
]
CONTEXTS += [
    Context("rubric", "counterfactual", (), (), "answer", ("60일",), ()),
    Context("reference", "counterfactual", (), (), "answer", (), ()),
]


def answer(question: str, condition: str, text: str, arm: str = "base", sample: int = 0) -> Answer:
    return Answer(arm, 0, condition, question, sample, text, key=f"{arm} {condition} {question} {sample} {text}")


def cases(answers: list[Answer], rules: JudgeRules = RULES) -> dict[AnswerId, Case]:
    return grade_by_rule(QUESTIONS, CONTEXTS, answers, abstention="모릅니다.", nearest_f1=0.5, judge=rules).cases


def case_of(question: str, condition: str, text: str, rules: JudgeRules = ALL) -> Case | None:
    return cases([answer(question, condition, text)], rules).get(AnswerId("base", 0, condition, question, 0))
