"""report.html: nothing from a model or the data becomes markup, and the page loads and runs nothing but its own."""

import json
import re
from importlib.resources import files
from typing import Any

import pytest

from train.report import render, texts

from .builders import HOSTILE, findings
from .pages import Page


def own(name: str) -> str:
    return files("train.report").joinpath(name).read_text(encoding="utf-8")


HOSTILE_CASES: list[dict[str, Any]] = [
    {"texts": HOSTILE, "per_split": 12},
    {"kinds": {text or "none": "tuned" for text in HOSTILE}, "per_split": 1, "samples": 1},
    {"conditions": ("none", *filter(None, HOSTILE)), "per_split": 1, "samples": 1},
]


@pytest.mark.parametrize("case", HOSTILE_CASES)
def test_no_text_becomes_an_element_an_attribute_or_a_script(case: dict[str, Any]) -> None:
    page = Page(render(findings(**case))["report.html"])
    page.has_only_own_markup()
    assert [attributes.get("type") for tag, attributes in page.tags if tag == "script"] == ["application/json", None]
    assert [content for tag, content in page.inside if tag == "style"] == [own("style.css") + own("charts.css")]
    assert [content for tag, content in page.inside if tag == "script"][1] == own("script.js")


def test_every_text_is_still_there() -> None:
    data = findings(texts=HOSTILE, per_split=12)
    page = Page(render(data)["report.html"])
    payload = json.loads(page.inside[1][1])
    for answer in data.answers:
        assert texts.visible(answer.text) in payload["texts"]
    for question in data.questions:
        assert texts.visible(question.text) in page.text
        assert texts.visible(question.answer) in payload["texts"]


def test_the_embedded_data_lead_from_a_cell_to_its_answers_context_and_prompt() -> None:
    data = findings(seeds=(0, 1))
    page = Page(render(data)["report.html"])
    payload = json.loads(page.inside[1][1])
    text = payload["texts"].__getitem__
    seen = set()
    for place, question in enumerate(data.questions):
        for cell, (arm, condition, number) in enumerate(payload["cells"]):
            for fold in payload["answers"][place][cell]:
                for seed, sample, tokens, _ in fold[-1]:
                    coordinates = (text(arm), seed, text(condition), question.id, sample)
                    seen.add((*coordinates, text(fold[0]), text(fold[1]), text(fold[3]), tokens))
            expects, _, _, passages = payload["contexts"][place][number]
            assert text(expects) in ("answer", "abstain")
            assert any(gold for *_, gold in passages) == (
                text(condition).startswith("gold") and question.split != "unanswerable"
            )
            assert text(payload["prompts"][place][number]) == data.prompts[question.id, text(condition)]
    assert seen == {
        (
            answer.arm, answer.seed, answer.condition, answer.question, answer.sample, answer.text,
            data.headline[answer.id].verdict, data.headline[answer.id].why, answer.tokens,
        )
        for answer in data.answers
    }  # fmt: skip


def test_another_graders_word_stands_beside_the_one_that_counts() -> None:
    payload = json.loads(Page(render(findings())["report.html"]).inside[1][1])
    folds = [fold for row in payload["answers"] for cell in row for fold in cell]
    others = [other for fold in folds for other in fold[8]]
    assert [[payload["texts"][place] for place in other] for other in others] == [
        ["judge", "wrong", "missing: 8:30 a second opinion"]
    ]


def test_identical_answers_of_a_cell_are_folded() -> None:
    data = findings(samples=16)
    payload = json.loads(Page(render(data)["report.html"]).inside[1][1])
    assert sum(len(cell) for row in payload["answers"] for cell in row) < len(data.answers) / 2


def test_every_entry_of_the_matrix_has_a_sign_and_k_of_n() -> None:
    page = render(findings())["report.html"]
    entries = re.findall(r'<span class="mark">(.)&nbsp;(\d+)/(\d+)</span>', page)
    assert len(entries) == 12 * 12
    for sign, right, scored in entries:
        assert sign == ("❔" if scored == "0" else "✅" if right == scored else "⚠" if right != "0" else "❌")


def test_the_policy_allows_only_the_pages_own_script_and_style() -> None:
    page = Page(render(findings())["report.html"])
    policy = next(attributes["content"] for tag, attributes in page.tags if "http-equiv" in attributes)
    assert policy and "default-src 'none'" in policy and "unsafe" not in policy


def test_a_large_run_stays_small() -> None:
    report = render(findings(per_split=100))
    assert len(report["report.html"].encode()) < 5_000_000
