"""report.html: nothing from a model or the data becomes markup, and the page loads and runs nothing but its own."""

import dataclasses
import re
import zlib
from functools import partial
from importlib.resources import files
from typing import Any

import pytest

from train.report import payload, render, texts
from train.report.page import SCRIPTS, SECTIONS, STYLES

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
    types = [attributes.get("type") for tag, attributes in page.tags if tag == "script"]
    assert types == ["application/json"] * (len(types) - 1) + [None]
    assert [content for tag, content in page.inside if tag == "style"] == ["".join(map(own, STYLES))]
    script = [content for tag, content in page.inside if tag == "script"][-1]
    assert script == '"use strict";\n(() => {\n' + "".join(own(f"script/{name}.js") for name in SCRIPTS) + "})();\n"


@pytest.mark.parametrize(
    ("folder", "named"),
    [
        ("script", {f"{name}.js" for name in SCRIPTS}),
        ("sections", {f"{name}.html.j2" for name in SECTIONS}),
    ],
)
def test_no_part_of_the_page_is_left_out(folder: str, named: set[str]) -> None:
    there = {part.name for part in files("train.report").joinpath(folder).iterdir() if part.is_file()}
    assert there == named


def test_every_text_is_still_there() -> None:
    data = findings(texts=HOSTILE, per_split=12)
    page = Page(render(data)["report.html"])
    held = {text for block in page.blocks() for text in block["texts"]}
    for answer in data.answers:
        assert texts.visible(answer.text) in held
    for question in data.questions:
        assert texts.visible(question.text) in page.text
        assert texts.visible(question.answer) in held


@pytest.mark.parametrize("longest_plain", [payload.LONGEST_PLAIN, 0], ids=["plain", "packed"])
def test_the_embedded_data_lead_from_a_cell_to_its_answers_context_and_prompt(
    longest_plain: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(payload, "LONGEST_PLAIN", longest_plain)
    data = findings(seeds=(0, 1), per_split=20)
    page = Page(render(data)["report.html"])
    assert page.packed() == (longest_plain == 0)
    assert len(page.blocks()) == 2
    head, rows = page.head(), page.rows()
    assert len(rows) == len(head["rows"]) == len(data.questions)
    splits = {question.id: question.split for question in data.questions}
    seen = set()
    for (question, _, _, split, _, _), row in zip(head["rows"], rows, strict=True):
        text = row["texts"].__getitem__
        assert head["splits"][split] == splits[question]
        for cell, (arm, condition, number) in enumerate(head["cells"]):
            for fold in row["answers"][cell]:
                for seed, sample, prompt_tokens, tokens, _ in fold[-1]:
                    coordinates = (arm, seed, condition, question, sample)
                    seen.add((*coordinates, text(fold[0]), text(fold[1]), text(fold[3]), prompt_tokens, tokens))
            expects, _, _, passages = row["contexts"][number]
            assert text(expects) in ("answer", "abstain")
            assert any(gold for *_, gold in passages) == (
                condition.startswith("gold") and splits[question] != "unanswerable"
            )
            assert text(row["prompts"][number]) == data.prompts[question, condition]
    assert seen == {
        (
            answer.arm, answer.seed, answer.condition, answer.question, answer.sample, answer.text,
            data.headline[answer.id].verdict, data.headline[answer.id].why, answer.prompt_tokens, answer.tokens,
        )
        for answer in data.answers
    }  # fmt: skip


def test_another_graders_word_stands_beside_the_one_that_counts() -> None:
    rows = Page(render(findings())["report.html"]).rows()
    others = [
        [row["texts"][place] for place in other]
        for row in rows
        for cell in row["answers"]
        for fold in cell
        for other in fold[10]
    ]
    assert others == [["judge", "wrong", "missing: 8:30 a second opinion"]]


def test_identical_answers_of_a_cell_are_folded() -> None:
    data = findings(samples=16)
    rows = Page(render(data)["report.html"]).rows()
    assert sum(len(cell) for row in rows for cell in row["answers"]) < len(data.answers) / 2


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


@pytest.mark.parametrize(("korean", "language"), [(12, "ko"), (6, ""), (0, "")])
def test_texts_are_marked_as_korean_where_most_questions_are(korean: int, language: str) -> None:
    data = findings()
    for place, question in enumerate(data.questions):
        text = "열람실은 몇 시에 열리나요?" if place < korean else "When does it open?"
        object.__setattr__(question, "text", text)
    page = Page(render(data)["report.html"])
    assert page.head()["lang"] == language
    marked = [attributes.get("lang") for tag, attributes in page.tags if attributes.get("class") == "text"]
    assert len(marked) == 12 and set(marked) == {language or None}


def test_pages_that_differ_in_their_packing_alone_are_equal_when_laid_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payload, "LONGEST_PLAIN", 0)
    data = findings()
    page = render(data)["report.html"]
    monkeypatch.setattr(payload.zlib, "compressobj", partial(zlib.compressobj, strategy=zlib.Z_HUFFMAN_ONLY))
    other = render(data)["report.html"]
    assert other != page
    assert payload.unpacked(other) == payload.unpacked(page) != page
    answers = [dataclasses.replace(answer, text="Never.") for answer in data.answers]
    assert payload.unpacked(render(dataclasses.replace(data, answers=answers))["report.html"]) != payload.unpacked(page)
    damaged = page.replace('id="block-0">', 'id="block-0">!')
    assert payload.unpacked(damaged) == damaged != page
