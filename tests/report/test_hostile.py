"""Three hundred hostile texts in every field: nothing runs, the layout holds, and all of them are found."""

import dataclasses
import random
from typing import Any

import pytest

from train.records import Findings
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


@pytest.mark.parametrize("width", [1280, 390])
def test_hostile_texts_neither_run_nor_break_the_layout_nor_get_lost(show: Any, width: int) -> None:
    data = everywhere()
    page = show(render(data)["report.html"], viewport={"width": width, "height": 900})
    title = page.title()
    page.evaluate(
        "for (const button of document.querySelectorAll(\"tr:nth-child(7n) button[data-cell='1']\")) button.click()"
    )
    until(page, "[...document.querySelectorAll('tr.panel')].every((panel) => panel.querySelector('h3'))")
    page.evaluate("for (const details of document.querySelectorAll('details')) details.open = true")
    assert page.locator("tr.panel").count() >= 10
    wide, window = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert wide <= window
    assert page.title() == title and page.evaluate("typeof window.owned") == "undefined"
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
