"""report.html in a real browser, where there is one: what a reviewer does with it."""

import csv
import dataclasses
import io
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from train.records import Verdict
from train.report import page as page_module
from train.report import payload, render

from .builders import HOSTILE, findings
from .conftest import READ, until
from .pages import Page

SHARE = re.compile(r"(\d+)/(\d+)")


def ids(page: Any) -> list[str]:
    """The ids of the questions that can be seen, from top to bottom."""
    return page.locator("tr[data-row]:visible .id").all_text_contents()


def rows_of(page: Any) -> dict[str, list[tuple[int, int] | None]]:
    """The visible rows: right and scored by cell."""
    found = {}
    for row in page.locator("tr[data-row]:visible").all():
        entries = [SHARE.search(text) for text in row.locator("td").all_text_contents()]
        found[row.locator(".id").text_content()] = [(int(each[1]), int(each[2])) if each else None for each in entries]
    return found


def opened(page: Any, row: int = 0, cell: int = 1) -> Any:
    """An opened cell's panel."""
    page.locator(f"tr[data-row='{row}'] button[data-cell='{cell}']").click()
    panel = page.locator(f"tr[data-row='{row}'] + tr.panel")
    panel.locator("h3").wait_for()
    return panel


def test_it_opens_offline_without_a_complaint_and_shows_every_question(show: Any) -> None:
    page = show(render(findings())["report.html"])
    assert page.locator("#filter-count").inner_text() == "12 of 12 questions"
    assert len(ids(page)) == 12


@pytest.mark.parametrize("in_markup", [True, False], ids=["rows in the markup", "rows made by the script"])
def test_filters_show_what_they_say(show: Any, in_markup: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_module, "MOST_ENTRIES", 2_000 if in_markup else 0)
    data = findings(per_split=6, unscored=0.03)
    page = show(render(data)["report.html"])
    rows = rows_of(page)
    assert len(rows) == 18
    words = page.locator("tr[data-row] button[data-cell]")
    labels = [each.get_attribute("aria-label") for each in words.all()]
    assert all(re.search(r": \d+ of \d+ right", str(label)) for label in labels)
    unscored = {row["question"] for cell in data.comparison["cells"] for row in cell["per_question"] if row["unscored"]}
    expected = {
        "all": set(rows),
        "wrong": {name for name, row in rows.items() if any(each and each[0] < each[1] for each in row)},
        "different": {
            name for name, row in rows.items() if len({each[0] / each[1] for each in row if each and each[1]}) > 1
        },
        "unscored": unscored,
    }
    assert unscored and unscored != set(rows)
    for value, names in expected.items():
        page.select_option("#filter-show", value)
        assert set(ids(page)) == names
    page.select_option("#filter-show", "all")
    page.select_option("#filter-split", label="seen")
    assert set(ids(page)) == {name for name in rows if name.startswith("seen")}
    page.select_option("#filter-topic", label="places")
    topics = {question.id: question.topic for question in data.questions}
    assert set(ids(page)) == {name for name in rows if name.startswith("seen") and topics[name] == "places"}
    page.click("#reset")
    assert set(ids(page)) == set(rows)


def test_sorting_orders_the_questions_of_each_split(show: Any) -> None:
    page = show(render(findings(per_split=8))["report.html"])
    asked = ids(page)

    def keys(of: Any) -> list[list[float]]:
        rows = rows_of(page)
        return [[of(row) for name, row in rows.items() if name.startswith(f"{split}-")] for split in ("unseen", "seen")]

    def mean(row: list[Any]) -> float:
        shares = [right / scored for right, scored in row if scored]
        return sum(shares) / len(shares)

    page.select_option("#sort", "worst")
    assert keys(mean) == [sorted(each) for each in keys(mean)] and ids(page) != asked
    page.select_option("#sort", "best")
    assert keys(mean) == [sorted(each, reverse=True) for each in keys(mean)]
    page.select_option("#sort", "difference")
    page.select_option("#sort-a", "9")
    page.select_option("#sort-b", "1")
    differences = keys(lambda row: row[9][0] / row[9][1] - row[1][0] / row[1][1] if row[9][1] and row[1][1] else -9)
    assert differences == [sorted(each, reverse=True) for each in differences]
    page.select_option("#sort", "order")
    assert ids(page) == asked


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("seen-003", {"seen-003", "unseen-003"}),
        ("HALDEN reading unseen", {"unseen-001", "unseen-002"}),
        ("열람실", {"seen-000", "seen-003", "unseen-000", "unseen-003", "unanswerable-000", "unanswerable-003"}),
        ("opening seen-001", {"seen-001", "unseen-001"}),
        ("ｔｗｉｇｓ", {"unseen-002"}),
        ("nowhere to be found", set()),
    ],
)
def test_search_looks_at_questions_topics_and_answers(show: Any, typed: str, names: set[str]) -> None:
    data = findings()
    answer = next(answer for answer in data.answers if answer.question == "unseen-002")
    object.__setattr__(answer, "text", "It is made of Twigs.")
    page = show(render(data)["report.html"])
    page.fill("#filter-text", typed)
    until(page, READ)
    assert set(ids(page)) == names


def test_an_opened_cell_shows_all_that_a_doubter_needs(show: Any) -> None:
    data = findings(samples=8, seeds=(0, 1), unscored=0)
    page = show(render(data)["report.html"])
    cell = page.locator("button[data-cell='10']").first  # open-book with gold
    row = cell.locator("xpath=ancestor::tr")
    name = row.locator(".id").inner_text()
    cell.click()
    panel = page.locator("tr.panel")
    panel.locator("h3").wait_for()
    text = panel.inner_text()
    folded = [int(number) for number in re.findall(r"(?:correct|wrong|abstained) ×(\d+)", text)]
    singles = panel.locator(".inside > div > .answer").count() - len(folded)
    assert sum(folded) + singles == 16
    question = next(each for each in data.questions if each.id == name)
    for part in (
        name,
        "open-book / gold",
        question.text,
        question.answer,
        "must say",
        "graded by rubric",
        "ended its turn",
    ):
        assert part in text
    panel.locator("summary", has_text="Context: 1 shown, 1 gold").click()
    assert f"p-{name}" in panel.inner_text() and panel.locator(".text-block.gold").count() == 1
    panel.locator("summary", has_text="The exact prompt").click()
    assert panel.locator("pre").inner_text().strip() == data.prompts[name, "gold"].strip()
    panel.locator("summary", has_text="samples").first.click()
    assert re.search(r"seed 1 sample 7: 150 prompt tokens, \d+ tokens, 0\.\d\d s", panel.inner_text())
    cell.click()
    assert page.locator("tr.panel").count() == 0


def test_dark_is_dark_and_light_is_light(show: Any) -> None:
    text = render(findings())["report.html"]
    lightness = {}
    for scheme in ("light", "dark"):
        page = show(text, color_scheme=scheme)
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        lightness[scheme] = sum(map(int, re.findall(r"\d+", colour)[:3]))
    assert lightness["light"] > 700 and lightness["dark"] < 120


def test_it_prints_to_pages_with_the_matrix_on_them(show: Any, tmp_path: Path) -> None:
    page = show(render(findings(per_split=6))["report.html"])
    opened(page)
    path = tmp_path / "report.pdf"
    path.write_bytes(page.pdf(prefer_css_page_size=True, print_background=True))
    pages = len(re.findall(rb"/Type\s*/Page\b", path.read_bytes()))
    assert 2 <= pages < 40
    page.emulate_media(media="print")
    assert page.locator("#filters").is_hidden()
    assert len(ids(page)) == 18
    box = page.locator(".tall").first.bounding_box()
    assert box and box["height"] == pytest.approx(page.locator(".tall table").first.bounding_box()["height"], abs=4)
    if reader := shutil.which("pdftotext"):
        words = subprocess.run([reader, "-layout", str(path), "-"], capture_output=True, text=True, check=True).stdout
        for name in ids(page):
            assert name in words


def test_reasons_and_comments_are_found(show: Any) -> None:
    data = findings()
    commented, reasoned = data.answers[5], data.answers[40]
    comment = Verdict.on(commented, "person:ann", "wrong", why="ann, 2026-11-22: the platform, not the pier")
    headline = dict(data.headline)
    headline[reasoned.id] = dataclasses.replace(headline[reasoned.id], why="forbidden: quarter past nine")
    data = dataclasses.replace(data, verdicts=[*data.verdicts, comment], headline=headline)
    page = show(render(data)["report.html"])
    for words, answer in (("not the pier", commented), ("quarter past", reasoned)):
        page.fill("#filter-text", words)
        until(page, READ)
        assert ids(page) == [answer.question]


def test_a_browser_that_cannot_unpack_the_answers_says_so(show: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payload, "LONGEST_PLAIN", 0)
    page = show(render(findings())["report.html"])
    page.evaluate("delete window.DecompressionStream")
    page.fill("#filter-text", "reading room")
    until(page, READ)
    assert "answers not searched. This browser cannot unpack the answers" in page.inner_text("#filter-count")
    assert len(ids(page)) > 0, "questions are searched all the same"
    page.click("button[data-download='answers.json']")
    until(page, "document.getElementById('filter-count').textContent.startsWith('This browser cannot')")


def test_files_made_in_the_page_hold_the_questions_shown(show: Any) -> None:
    data = findings()
    page = show(render(data)["report.html"], "#/split=0")

    def made(name: str) -> str:
        with page.expect_download() as waiting:
            page.click(f"button[data-download='{name}']")
        assert waiting.value.suggested_filename == name
        return Path(waiting.value.path()).read_text(encoding="utf-8-sig")

    theirs = [answer for answer in data.answers if answer.question.startswith("unseen")]
    coordinates = {(each.arm, each.seed, each.condition, each.question, each.sample): each for each in theirs}
    records = json.loads(made("answers.json"))
    rows = list(csv.DictReader(io.StringIO(made("answers.csv"), newline=""), strict=True))
    assert len(records) == len(rows) == len(theirs)
    for record, row in zip(records, rows, strict=True):
        answer = coordinates[record["arm"], record["seed"], record["condition"], record["question"], record["sample"]]
        assert record["answer"] == row["answer"] == answer.text
        assert record["graded"] == row["graded"] == data.headline[answer.id].verdict
        assert record["tokens"] == int(row["tokens"]) == answer.tokens
    matrix = list(csv.DictReader(io.StringIO(made("matrix.csv"), newline=""), strict=True))
    assert [row["question"] for row in matrix] == ids(page)


def test_without_javascript_the_matrix_can_be_read(show: Any) -> None:
    text = render(findings(per_split=6))["report.html"]
    page = show(text, ready=False, java_script_enabled=False)
    assert len(ids(page)) == 18 and "answers.csv" in page.locator("noscript").inner_text()
    assert page.locator("#filters").is_hidden()


def test_without_javascript_a_large_matrix_says_where_it_is(show: Any) -> None:
    text = render(findings(per_split=60))["report.html"]
    page = show(text, ready=False, java_script_enabled=False)
    assert ids(page) == [] and "2,160 entries are too many" in page.locator("noscript").inner_text()


def test_a_redacted_page_shows_the_counts_and_has_nothing_to_open(show: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_module, "MOST_ENTRIES", 0)
    text = page_module.page(findings(), redacted=True)
    assert "<script" not in text and "<button" not in text
    page = show(text, ready=False)
    assert len(ids(page)) == 12 and all(entry for row in rows_of(page).values() for entry in row)
    assert "Redacted." in page.locator("header").inner_text()


def test_hostile_texts_run_nothing_even_without_the_policy(show: Any) -> None:
    text = render(findings(texts=HOSTILE, per_split=8))["report.html"]
    page = show(re.sub(r"<meta http-equiv[^>]*>", "", text))
    for row in range(24):
        opened(page, row)
    page.evaluate("for (const details of document.querySelectorAll('details')) details.open = true")
    assert page.title() == "quickstart · openbook"
    dom = page.content()
    Page(dom).has_only_own_markup()
    assert page.locator("tr.panel").count() == 24
    assert "&lt;/script&gt;&lt;script&gt;document.title = 'owned'&lt;/script&gt;" in dom
