"""Three hundred hostile texts in every field: nothing runs, the layout holds, and all of them are found."""

import dataclasses
import random
from typing import Any

import pytest

from train.records import Findings, Verdict
from train.report import render, texts

from .builders import HOSTILE, findings
from .conftest import READ, until

ALPHABETS = (
    "<>\"'&/=` script onerror=alert(1)", "\x00\x07\x1b[31m\x9b\x7f\x85", "\u202e\u202d\u2066\u2069\u200f\u061cאבג",
    "\u200b\u200c\u200d\ufeff\u00ad\u034f", "👩‍👩‍👧🇰🇷👍🏽❤️", "\ud800\udfff\udc00a", "{}%$#\\|*_~[]()!",
    "한국어 답변은ㆍㅋ",
    "i\u0307e\u0301\u0489\u0336" * 3, "\t\n\r \u2028\u2029\u3000", "=+-@,;\"",
)  # fmt: skip
LONG = ("x" * 100_000, "가" * 100_000, "word " * 20_000)


def hostile_texts(count: int) -> list[str]:
    draw = random.Random(7)
    made = [
        f"u{place}{''.join(draw.choices(ALPHABETS[place % len(ALPHABETS)], k=draw.randint(1, 40)))}"
        for place in range(count)
    ]
    return [*HOSTILE, *LONG, *made][:count]


TEXTS = hostile_texts(301)
"""An odd number, so that every field gets all of them in turn."""


def everywhere() -> Findings:
    """Questions, answers, references, topics, facts, reasons, arms, conditions and the manifest are hostile."""
    draw = random.Random(1)
    arms = [TEXTS[0], TEXTS[8], "y" * 3_000]
    data = findings(
        texts=TEXTS, per_split=40, samples=2, splits=("seen", "unseen"),
        kinds=dict(zip(arms, ("untouched", "tuned", "tuned"), strict=True)), conditions=("none", "gold", TEXTS[2]),
    )  # fmt: skip
    comparison = dict(data.comparison)
    comparison["decision"] = {
        **comparison["decision"],
        "sentence": " ".join(draw.sample(TEXTS, 3)),
        "reasons": TEXTS[:9],
    }
    comparison["graders"] = [{"grader": text, "arm": text, "labels": 1} for text in TEXTS[:5]]
    comparison["cells"] = [
        {
            **cell,
            "causes": {TEXTS[3]: 1},
            "topics": [{"topic": text, "questions": 1, "accuracy": 0.5, "interval": None} for text in TEXTS[:3]],
        }
        for cell in comparison["cells"]
    ]
    return dataclasses.replace(data, comparison=comparison)


def commented() -> tuple[Findings, list[str]]:
    """A person has commented on every answer; the comments are the 301 texts in turn, numbered."""
    data = findings(per_split=26, samples=2, conditions=("none", "gold"), splits=("seen", "unseen"))
    comments = [f"c{place:03} {text}" for place, text in enumerate(TEXTS)]
    said = [
        Verdict.on(answer, f"person:{TEXTS[place % 301]}", "wrong", why=comments[place % 301])
        for place, answer in enumerate(data.answers)
    ]
    assert len(said) > len(TEXTS)
    return dataclasses.replace(data, verdicts=[*data.verdicts, *said]), comments


def laid_out_alike(page: Any) -> None:
    """Nothing ran, and nothing sticks out of the window."""
    wide, window = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert wide <= window
    assert page.evaluate("typeof window.owned") == "undefined" and "owned" not in page.title()


@pytest.mark.parametrize("width", [1280, 390])
def test_hostile_comments_are_all_shown_and_found(show: Any, width: int) -> None:
    data, comments = commented()
    page = show(render(data)["report.html"], viewport={"width": width, "height": 900})
    shown = ""
    for cell in range(6):  # a question's answers of one cell are open at a time
        page.evaluate(f"for (const one of document.querySelectorAll('button[data-cell=\"{cell}\"]')) one.click()")
        until(page, "[...document.querySelectorAll('tr.panel')].every((panel) => panel.querySelector('h3'))")
        page.evaluate("for (const details of document.querySelectorAll('details')) details.open = true")
        laid_out_alike(page)
        shown += page.evaluate("document.body.textContent")
    for place, comment in enumerate(comments):
        assert texts.visible(comment) in shown, place
    for place in range(0, len(comments), 10):
        page.fill("#filter-text", f"c{place:03}")
        until(page, READ)
        assert page.locator("tr[data-row]:visible").count() >= 1, place


ARMS = 43
"""Of 301 arms so many are on one page."""


@pytest.mark.parametrize("start", range(0, len(TEXTS), ARMS))
def test_hostile_names_of_arms_are_all_shown(show: Any, start: int) -> None:
    names = [f"a{start + place} {text}" for place, text in enumerate(TEXTS[start : start + ARMS])]
    kinds = {name: "tuned" if place else "untouched" for place, name in enumerate(names)}
    data = findings(kinds=kinds, per_split=2, samples=1, splits=("unseen",), conditions=("none",))
    page = show(render(data)["report.html"])
    page.evaluate("for (const one of document.querySelectorAll('tr:nth-child(1) button[data-cell]')) one.click()")
    until(page, "[...document.querySelectorAll('tr.panel')].every((panel) => panel.querySelector('h3'))")
    laid_out_alike(page)
    shown = page.evaluate("document.body.textContent")
    for name in names:
        assert texts.visible(name) in shown, name[:80]


@pytest.mark.parametrize("width", [1280, 390])
def test_hostile_texts_neither_run_nor_break_the_layout_nor_get_lost(show: Any, width: int) -> None:
    data = everywhere()
    page = show(render(data)["report.html"], viewport={"width": width, "height": 900})
    page.evaluate(
        "for (const button of document.querySelectorAll(\"tr:nth-child(7n) button[data-cell='1']\")) button.click()"
    )
    until(page, "[...document.querySelectorAll('tr.panel')].every((panel) => panel.querySelector('h3'))")
    page.evaluate("for (const details of document.querySelectorAll('details')) details.open = true")
    assert page.locator("tr.panel").count() >= 10
    laid_out_alike(page)
    shown = page.evaluate("document.body.textContent")
    for question in data.questions:
        assert texts.visible(question.text) in shown
    used = {texts.visible(answer.text) for answer in data.answers}
    assert len(used) > 290
    for text in random.Random(2).sample(sorted(used), 25):
        words = " ".join(text.split())[:2_000]
        page.fill("#filter-text", words)
        until(page, READ)
        assert page.locator("tr[data-row]:visible").count() >= 1, repr(text[:80])
