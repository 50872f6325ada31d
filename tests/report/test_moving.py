"""Moving about in the page: its address keeps what is seen, back undoes it, and the keyboard reaches everything."""

from pathlib import Path
from typing import Any

import pytest

from train.report import render

from .builders import findings
from .conftest import until
from .test_browser import ids, opened


def test_the_address_keeps_what_is_seen_and_back_undoes_it(show: Any, tmp_path: Path) -> None:
    path = tmp_path / "shared.html"
    path.write_text(render(findings(per_split=6))["report.html"], encoding="utf-8", newline="")
    page = show(path)
    everything = ids(page)
    page.select_option("#filter-show", "wrong")
    page.select_option("#sort", "worst")
    opened(page, 2, 5)
    page.fill("#filter-text", "reading room")
    until(page, "location.hash.includes('q=reading')")
    page.fill("#filter-text", "reading room 2")
    until(page, "location.hash.includes('room%202')")
    seen, address = ids(page), page.evaluate("location.hash")
    assert seen and seen != everything

    other = show(path, address)
    other.locator("tr.panel h3").wait_for(state="attached")
    assert ids(other) == seen
    assert other.input_value("#filter-text") == "reading room 2" and other.input_value("#sort") == "worst"
    assert other.locator("tr[data-row='2'] button[data-cell='5']").get_attribute("aria-expanded") == "true"

    page.go_back()  # the search, all of its letters
    assert page.input_value("#filter-text") == "" and page.locator("tr.panel").count() == 1
    page.go_back()
    until(page, "!document.querySelector('tr.panel')")
    assert page.input_value("#sort") == "worst"
    page.go_back()
    page.go_back()
    assert ids(page) == everything and page.input_value("#filter-show") == "all"
    page.go_forward()
    assert page.input_value("#filter-show") == "wrong"


def test_a_link_shows_the_same_question_where_others_were_added_since(show: Any) -> None:
    page = show(render(findings(per_split=4))["report.html"])
    name = ids(page)[10]
    opened(page, 10, 5)
    page.select_option("#filter-split", label="unanswerable")
    page.select_option("#sort", "difference")
    page.select_option("#sort-a", label="closed-book / gold")
    until(page, "location.hash.includes('a=')")
    address = page.evaluate("location.hash")
    other = show(render(findings(per_split=6, conditions=("none", "gold", "distractors@3")))["report.html"], address)
    until(other, "document.querySelector('tr.panel h3')")
    row = other.locator("tr:has(+ tr.panel)")
    assert row.locator("th").first.text_content().split()[0] == name
    assert other.locator("tr.panel").count() == 1
    assert all(name.startswith("unanswerable") for name in ids(other)) and len(ids(other)) == 6
    chosen = "document.getElementById('sort-a').selectedOptions[0].textContent"
    assert other.evaluate(chosen) == page.evaluate(chosen)


@pytest.mark.parametrize(
    "fragment", ["#/show=nonsense&open=99.99 a.b&a=-1&split=7&q=%E0%A4%A", "#cells", "#/", "#/__proto__=1"]
)
def test_an_address_that_says_nothing_sensible_does_no_harm(show: Any, fragment: str) -> None:
    page = show(render(findings())["report.html"], fragment)
    assert len(ids(page)) == 12


def test_the_matrix_can_be_used_without_a_mouse(show: Any) -> None:
    page = show(render(findings())["report.html"])

    def where() -> Any:
        return page.evaluate(
            "[document.activeElement.closest('tr')?.dataset.row, document.activeElement.dataset.cell].map(Number)"
        )

    stops = "document.querySelectorAll('.matrix button[data-cell][tabindex=\"0\"]').length"
    assert page.evaluate(stops) == page.locator("table.matrix").count() == 3
    page.locator("tr[data-row='0'] button[data-cell='0']").focus()
    for key, place in [
        ("ArrowRight", [0, 1]), ("ArrowDown", [1, 1]), ("End", [1, 11]), ("ArrowRight", [1, 11]), ("Home", [1, 0]),
        ("ArrowUp", [0, 0]), ("ArrowUp", [0, 0]), ("PageDown", [3, 0]), ("Control+Home", [0, 0]),
        ("Control+End", [3, 11]), ("ArrowLeft", [3, 10]),
    ]:  # fmt: skip
        page.keyboard.press(key)
        assert where() == place, key
    assert page.evaluate(stops) == 3
    page.keyboard.press("Enter")
    panel = page.locator("tr[data-row='3'] + tr.panel")
    panel.locator("h3").wait_for()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowDown")
    assert where() == [3, 10]
    page.keyboard.press("Tab")
    assert panel.evaluate("element => element.contains(document.activeElement)")
    page.keyboard.press("Escape")
    assert where() == [3, 10] and page.locator("tr.panel").count() == 0


def test_hidden_rows_are_passed_over_by_the_arrow_keys(show: Any) -> None:
    page = show(render(findings(per_split=6))["report.html"], "#/split=0&q=열람실")
    assert len(ids(page)) == 2
    page.locator("tr[data-row='0'] button[data-cell='2']").focus()
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.closest('tr').dataset.row") == "3"
