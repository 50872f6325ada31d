"""What the page makes of an answer's text: found facts in their right places, and differences that add up."""

import dataclasses
import random
from typing import Any

import pytest

from train.grading import grade, headline
from train.grading.normalise import normalise
from train.records import Answer, Context, Fact, Findings, Passage, Question
from train.report import render

from .builders import HOSTILE, findings


def asked(
    answers: list[str], facts: tuple[Fact, ...] = (), forbidden: tuple[Fact, ...] = (), reference: str = "-"
) -> Findings:
    """Findings with one question whose answers were graded by its rubric; the comparison is another's, cut down."""
    data = findings(kinds={"base": "untouched"}, conditions=("gold",), splits=("unseen",), per_split=1, samples=1)
    question = Question("unseen-000", "What?", reference, facts, forbidden, split="unseen")
    context = Context(question.id, "gold", (Passage("p", "text"),), ("p",), "answer", facts, forbidden)
    given = [Answer("base", 0, "gold", question.id, place, text) for place, text in enumerate(answers)]
    verdicts = grade([question], [context], given, abstention="I do not know.")
    return dataclasses.replace(
        data,
        questions=[question], contexts=[context], answers=given, verdicts=verdicts, headline=headline(verdicts),
    )  # fmt: skip


def panel(show: Any, data: Findings) -> Any:
    page = show(render(data)["report.html"], "#/open=0.0")
    page.locator("tr.panel h3").wait_for()
    return page.locator("tr.panel")


@pytest.mark.parametrize(
    ("answer", "fact", "marks"),
    [
        ("Within 30 days, not 130 days or 30 daysx.", "30 days", ["30 days"]),
        ("코사인 유사도는 1입니다. 코사인유사도!", "코사인 유사도", ["코사인 유사도", "코사인유사도"]),
        ("It costs **4.35** crowns.", "4.35", ["4.35"]),
        ("It costs **4.35** crowns.", "4.35 crowns", ["4.35** crowns"]),
        ("The fare is 1,200 won, was 21,200 won.", "1200 won", ["1,200 won"]),
        ("① 30일, ③0일", "30일", ["30일", "③0일"]),
        ("at ８：３０ or 8:30", "8:30", ["８：３０", "8:30"]),
        ("4.20 and 4", "4", ["4"]),
        ("x**2 + y", "x**2", ["x**2"]),
        ("THIRTY Days", "/thirty-?days/", ["THIRTY Days"]),
        ("seventeen days or seventeendays", "/seventeen-?days/", []),  # which of the two is not known: none
        ("👍🏽 30\u200b days 🇰🇷", "30 days", ["30\u200b days"]),
        ("유사도 가 높다", "유사도", ["유사도"]),
        ("plain", "absent", []),
    ],
)
def test_a_found_fact_is_marked_where_it_stands(show: Any, answer: str, fact: str, marks: list[str]) -> None:
    inside = panel(show, asked([answer], (fact,)))
    assert inside.locator("mark.found").all_text_contents() == marks


def test_a_forbidden_statement_is_marked_as_one(show: Any) -> None:
    inside = panel(show, asked(["At 8:30, not at 9:15."], ("8:30",), ("9:15",)))
    assert inside.locator("mark.found").all_text_contents() == ["8:30"]
    assert inside.locator("mark.violated").all_text_contents() == ["9:15"]
    assert "✗ forbidden, but said" in inside.inner_text()


def test_marks_are_never_in_a_wrong_place(show: Any) -> None:
    """Whatever the texts: a marked stretch normalises to the fact, as the graders' own normal form has it."""
    draw = random.Random(3)
    own = "30|30 days|130| |days|일|30일|**|`|*|_|４|é|e\u0301|가|각|👍|\u200b|1,200|1200|,|.|-|–"
    pieces = [*HOSTILE[:6], *HOSTILE[8:12], *own.split("|")]
    answers = sorted({"".join(draw.choices(pieces, k=draw.randint(1, 9))) for _ in range(150)})
    facts = ("30", "30 days", "1,200", "각", "é", "days", "일", "-")
    data = asked(answers, (facts,))
    inside = panel(show, data)
    found = 0
    for mark in inside.locator("mark").all_text_contents():
        found += 1
        assert normalise(mark).ungrouped.text in {normalise(fact).ungrouped.text for fact in facts}, repr(mark)
    assert found > 20


PAIRS = [
    ("코사인 유사도는 1입니다.", "코사인 유사도가 1입니다.", ["는"], ["가"]),
    ("It opens at 8:30.", "It opens at 9:30.", ["8"], ["9"]),
    ("the reading room", "the locked room", ["reading"], ["locked"]),
    ("one two three", "one three", ["two "], []),
    ("An Amber ferry leaves every 11 minutes.", "The line has it every 12 minutes.",
     ["An Amber ferry leaves", "11"], ["The line has it", "12"]),
    ("", "all new", [], ["all new"]),
    ("same", "same", [], []),
]  # fmt: skip


@pytest.mark.parametrize(("reference", "answer", "less", "more"), PAIRS)
def test_differences_are_by_word_and_within_a_single_word_of_hangul(
    show: Any, reference: str, answer: str, less: list[str], more: list[str]
) -> None:
    inside = panel(show, asked([answer], reference=reference))
    inside.locator("select").select_option("1")
    shown = inside.locator(".answer .text-block")
    assert shown.locator("del").all_text_contents() == less
    assert shown.locator("ins").all_text_contents() == more


def test_what_is_shown_as_difference_adds_up_to_both_texts(show: Any) -> None:
    draw = random.Random(5)
    words = ["a", "bb", "유사도는", "유사도가", " ", "  ", "\n", ".", "👍", "é", "8:30", *HOSTILE[:4]]
    texts = sorted({"x" + "".join(draw.choices(words, k=draw.randint(1, 25))) + "x" for _ in range(60)})
    inside = panel(show, asked(texts, reference=texts[0]))
    script = """(element, tag) => [...element.querySelectorAll('.answer .text-block')].map((block) =>
        [...block.childNodes].filter((node) => node.nodeName !== tag).map((node) => node.textContent).join(''))"""
    blocks = len(texts)
    for option in ("1", "2"):  # the reference, then the first answer
        inside.locator("select").select_option(option)
        assert inside.evaluate(script, "DEL")[:blocks] == texts
        assert set(inside.evaluate(script, "INS")[:blocks]) == {texts[0]}


def test_texts_too_long_to_compare_are_shown_and_said_to_be(show: Any) -> None:
    words = " ".join(map(str, range(5_000)))
    inside = panel(show, asked([words], reference=" ".join(map(str, range(5_000, 10_000)))))
    inside.locator("select").select_option("1")
    assert "Too long to be compared" in inside.inner_text() and words in inside.inner_text()


def test_an_answer_can_be_held_against_another_arms(show: Any) -> None:
    data = findings()
    page = show(render(data)["report.html"], "#/open=0.2")
    inside = page.locator("tr.panel")
    inside.locator("h3").wait_for()
    groups = inside.locator("optgroup").evaluate_all("groups => groups.map((group) => group.label)")
    assert len(groups) == 12 and "open-book / gold" in groups and "base / gold (this cell)" in groups
    value = inside.locator("optgroup[label='open-book / gold'] option").first.get_attribute("value")
    inside.locator("select").select_option(value)
    assert "only in open-book / gold" in inside.inner_text()
