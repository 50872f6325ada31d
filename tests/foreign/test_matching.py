"""A tool's item is the question of its id, else of its text; what fits neither is named and counted."""

from __future__ import annotations

import pytest

from train.errors import UserError
from train.foreign.matching import match
from train.foreign.records import Item
from train.records import Question

QUESTIONS = [Question(f"{n}", f"How high is mast {n}?", "9 m") for n in range(1, 7)]
WRAPPED = "Use the passage. How high is it?"


def item(text: str = WRAPPED, **ids: str) -> Item:
    return Item(f"sample {ids or text}", ids, (text,), ())


def asked(n: int) -> str:
    return f"How high is mast {n}?"


@pytest.mark.parametrize(
    ("items", "found", "way"),
    [
        ([item(id="1"), item(id="3")], ("1", "3"), "id"),
        ([item(asked(2), id="2")], ("2",), "id"),
        ([item(asked(1), id="x"), item(asked(4), id="y")], ("1", "4"), "text"),
        ([item("  how HIGH is\nmast 5", id="x")], ("5",), "text"),
        ([item(**{"doc.id": "2", "doc_id": "0"})], ("2",), "doc.id"),
        ([item(**{"doc.id": "x", "doc_id": "2"})], ("2",), "doc_id"),
        # Numbered from 0, where the questions' ids happen to be numbers from 1: the texts say which they are.
        ([item(asked(n + 1), doc_id=str(n)) for n in range(6)], ("1", "2", "3", "4", "5", "6"), "text"),
        ([item(asked(n + 1), doc_id=str(n)) for n in range(1, 4)], ("2", "3", "4"), "text"),
        ([Item("doc", {}, ("9 m", asked(6), "a passage"), ())], ("6",), "text"),
    ],
)
def test_all_items_are_found_in_one_way(items, found, way):
    matched = match(items, QUESTIONS, "log")
    assert (matched.questions, matched.way) == (found, way)


def test_ids_are_the_same_however_hangul_is_composed():
    assert match([item(id="\u1112\u1161\u11ab")], [Question("\ud55c", "?", "!")], "log").questions == ("\ud55c",)


@pytest.mark.parametrize(
    ("items", "says"),
    [
        (
            [item(id="1"), item(id="nine")],
            "log: 1 of 2 items are no question of the questions file, looked for by the id 'id' and by text: "
            "sample {'id': 'nine'} ('Use the passage. How high is it?')",
        ),
        ([item(id="1"), item(asked(2), id="x")], "1 of 2 items"),
        ([item(asked(2), id="1")] * 2, "both question '2'; keep one of them"),
        ([item(asked(9), id=f"x{n}") for n in range(30)], "30 of 30 items"),
        ([item(asked(9), id=f"x{n}") for n in range(30)], " and 25 more; "),
        ([item(asked(1)), item("How high is mast 1 ?")], "are both question '1'"),
    ],
)
def test_what_fits_no_question_is_counted_and_named(items, says):
    with pytest.raises(UserError) as caught:
        match(items, QUESTIONS, "log")
    assert says in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_text_that_two_questions_have_is_neither_s():
    twins = [Question("a", "Who?", "I"), Question("b", "who", "you")]
    with pytest.raises(UserError, match="1 of 1 items"):
        match([item("Who?", id="x")], twins, "log")
    assert match([item("Who?", id="b")], twins, "log").questions == ("b",)


def test_a_near_id_is_offered():
    questions = [Question("lamp-one", "?", "!"), Question("lamp-two", "??", "!")]
    with pytest.raises(UserError, match="did you mean 'lamp-one'"):
        match([item(id="lamp_one")], questions, "log")
