"""The passage in which the asked fact is another one, and the rubric for that fact."""

from __future__ import annotations

import json

import pytest

from train.data import load_questions
from train.errors import InputProblems
from train.grading import check_rubric
from train.records import Counterfactual

TRUE = {
    "id": "q1",
    "question": "반품은 며칠 안에 할 수 있나요?",
    "answer": "30일 안에 할 수 있습니다.",
    "facts": ["30일"],
}
PASSAGE = "상품을 받은 날부터 5일 안에 반품할 수 있다."
OTHER = {"id": "q2", "question": "교환은 어디에서 하나요?", "answer": "본점에서 합니다."}

READ = [
    ({"text": PASSAGE, "facts": ["5일", ["반품", "환불"]]}, Counterfactual(PASSAGE, ("5일", ("반품", "환불")))),
    ({"text": PASSAGE, "facts": ["5일"], "forbidden": ["30일"]}, Counterfactual(PASSAGE, ("5일",), ("30일",))),
    ({"text": f" {PASSAGE}\n"}, Counterfactual(PASSAGE)),
    ({"text": PASSAGE, "facts": None, "fact": None}, Counterfactual(PASSAGE)),
    (f"  {PASSAGE} ", Counterfactual(PASSAGE)),
    ("", None),
    ("nan", None),
    (None, None),
]


@pytest.mark.parametrize(("cell", "wanted"), READ)
@pytest.mark.parametrize("form", ["jsonl", "jsonl with JSON text", "csv"])
def test_a_counterfactual_is_read_from_every_form_of_cell(write, form, cell, wanted):
    if form == "jsonl with JSON text" and isinstance(cell, dict):
        cell = json.dumps(cell, ensure_ascii=False, indent=1)
    path = write(f"q.{form.split()[0]}", [{**TRUE, "counterfactual": cell}, OTHER])
    first, second = load_questions(path, check_rubric=check_rubric).questions
    assert (first.counterfactual, second.counterfactual) == (wanted, None)


def test_a_parquet_file_may_hold_objects_and_rows_without_one(write):
    given = {"text": PASSAGE, "facts": ["5일"]}
    rows = [{**TRUE, "counterfactual": given}, {**TRUE, "id": "q2", "counterfactual": None}]
    rows.append({**TRUE, "id": "q3", "counterfactual": {"text": None, "facts": None}})
    read = load_questions(write("q.parquet", rows)).questions
    assert [question.counterfactual for question in read] == [Counterfactual(PASSAGE, ("5일",)), None, None]


BAD_CELLS = [
    ({"txt": PASSAGE}, "has the unknown key 'txt'; did you mean 'text'?"),
    ({"text": PASSAGE, "answer": "5일"}, "unknown key 'answer'; it may have 'text', 'facts' and 'forbidden'"),
    ({"facts": ["5일"]}, "has no 'text' ({'facts': ['5일']}); write {\"text\": "),
    ({}, "has no 'text' ({})"),
    ({"text": " "}, "'text' is empty"),
    ({"text": ["a"]}, "'text' is a list (['a']); write a text, in quotes"),
    ({"text": PASSAGE, "facts": 5}, "'facts' is a number (5); write a list"),
    ({"text": PASSAGE, "forbidden": ["", "30일"]}, "'forbidden' holds an empty item"),
    ('{"text": "a"', "begins like a JSON object but is none: "),
    ('{"text": "a\\d"}', r"a backslash as \\"),
    ('{"text": "a"} {}', "begins like a JSON object but is none: Extra data"),
    (5, "is a number (5)"),
    (["a"], "is a list (['a'])"),
]


@pytest.mark.parametrize(("cell", "message"), BAD_CELLS)
def test_a_bad_counterfactual_is_named_with_row_and_column(write, cell, message):
    with pytest.raises(InputProblems) as caught:
        load_questions(write("q.jsonl", [OTHER, {**TRUE, "counterfactual": cell}]), check_rubric=check_rubric)
    assert str(caught.value).partition("q.jsonl:")[2].startswith("row 2, column 'counterfactual': ")
    assert message in str(caught.value)
    assert len(caught.value.problems) == 1


BAD_RUBRICS = [
    # facts, forbidden, what is said of it
    (["6일"], [], ["the text lacks its own fact '6일'; reword the fact"]),
    (["5일", ["6일", "엿새"]], [], ["the text lacks its own fact '6일 | 엿새'"]),
    (["5일"], ["반품"], ["the text states '반품', which it forbids; narrow what is forbidden"]),
    (["5일", "6일"], ["반품", "30일"], ["lacks its own fact '6일'", "states '반품', which it forbids"]),
    (["6일"], ["반품"], ["lacks its own fact '6일'"]),
    (["안에"], [], ["the reference answer passes the counterfactual rubric ('안에') too; ask for what only"]),
    (["30일"], [], ["the text lacks its own fact '30일'", "the reference answer passes the counterfactual rubric"]),
    (["/5 일/"], [], ["facts[0]: '/5 일/' can never match"]),
    (["5일"], ["/A/", "/(/"], ["forbidden[0]: '/A/' can never match", "forbidden[1]: '/(/' is not a valid regex"]),
    ([], ["/A/"], ["forbidden[0]: '/A/' can never match"]),
]


@pytest.mark.parametrize(("facts", "forbidden", "messages"), BAD_RUBRICS)
def test_a_counterfactual_rubric_must_fit_its_text_and_not_the_true_answer(write, facts, forbidden, messages):
    cell = {"text": PASSAGE, "facts": facts, "forbidden": forbidden}
    with pytest.raises(InputProblems) as caught:
        load_questions(write("q.jsonl", [{**TRUE, "counterfactual": cell}]), check_rubric=check_rubric)
    assert len(caught.value.problems) == len(messages)
    for problem, message in zip(caught.value.problems, messages, strict=True):
        assert "q.jsonl:row 1, column 'counterfactual': " in problem
        assert message in problem


def test_rubrics_are_looked_at_only_where_somebody_can_check_them(write):
    cell = {"text": PASSAGE, "facts": ["6일"]}
    (question,) = load_questions(write("q.jsonl", [{**TRUE, "counterfactual": cell}])).questions
    assert question.counterfactual == Counterfactual(PASSAGE, ("6일",))


def test_an_unanswerable_question_has_no_counterfactual(write):
    row = {"id": "u", "question": "사장님 생일은?", "split": "unanswerable", "counterfactual": PASSAGE}
    with pytest.raises(InputProblems, match="row 1, column 'counterfactual': an unanswerable question has a counterf"):
        load_questions(write("q.jsonl", [row]))
