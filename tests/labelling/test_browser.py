"""The page in a real browser, where there is one: fifty labels by keyboard, a server killed in between, none lost."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from train.findings import load_findings, stored_labels
from train.grading import standing
from train.labelling.items import items
from train.store import Run

from .conftest import HOSTILE, Server, labels_in, serving

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
api = pytest.importorskip("playwright.sync_api")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")

KEYS = {"correct": "1", "wrong": "2", "abstained": "3"}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A page on which nothing goes wrong in the console, but for a server that is not there."""
    page = browser.new_page()
    page.set_default_timeout(15_000)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    yield page
    page.close()
    assert [text for text in said if "Failed to load resource" not in text] == []


def labelled(page: Any, number: int, planned: int = 60) -> None:
    """Waits until the page says so."""
    page.wait_for_function("words => document.getElementById('count').textContent === words",
                           arg=f"{number} of {planned} labelled")  # fmt: skip


def truth(page: Any) -> str:
    said = page.text_content("#answer")
    return "correct" if "빨간색" in said else "abstained" if "know" in said else "wrong"


def open_page(page: Any, up: Server, number: int = 0, planned: int = 60) -> None:
    page.goto(up.url)
    labelled(page, number, planned)


def test_fifty_labels_by_keyboard_with_a_kill_in_the_middle_are_fifty_labels(page: Any, run_directory: Path) -> None:
    run = Run.of(run_directory)
    known = items(run.recipe, load_findings(run))
    told: list[tuple[str, str]] = []

    def hear(response: Any) -> None:
        if response.url.endswith("/label") and response.ok:
            given = json.loads(response.request.post_data)
            told.append((known[given["id"]][0].key, given["verdict"]))

    page.on("response", hear)
    with serving(run_directory, "kim", "--answers", "60") as up:
        open_page(page, up)
        for number in range(1, 26):
            page.keyboard.press(KEYS[truth(page)])
            labelled(page, number)
        page.keyboard.press(KEYS[truth(page)])
        up.process.send_signal(signal.SIGKILL)
        up.process.communicate(timeout=20)
        for _ in range(100):  # a key is passed over while the answer to the one before is still on its way
            page.keyboard.press("2")
            if page.is_visible("#message.alarm"):
                break
            page.wait_for_timeout(100)
        assert "start openbook label again" in page.text_content("#message")
        assert page.is_visible("#answer"), "the answer stays, to be labelled later"
    stored = labels_in(run_directory)
    assert 25 <= len(stored) <= 26
    assert {key for key, _ in told} <= {record["key"] for record in stored}
    with serving(run_directory, "kim", "--answers", "60") as up:
        open_page(page, up, len(stored))
        for number in range(len(stored) + 1, 51):
            page.keyboard.press(KEYS[truth(page)])
            labelled(page, number)
        # The grader was right every time, but these are samples of few questions, which are alike.
        assert not page.is_visible("#enough")
        assert up.stop()[0] == 0
    records = labels_in(run_directory)
    assert len(records) == len({record["key"] for record in records}) == 50
    assert set(told) <= {(record["key"], record["verdict"]) for record in records}
    assert len(told) >= 49


def test_a_comment_is_typed_and_kept_and_a_label_is_taken_back(page: Any, run_directory: Path) -> None:
    with serving(run_directory, "kim", "--answers", "60") as up:
        open_page(page, up)
        first = page.text_content("#question")
        page.keyboard.press("c")
        page.keyboard.type("1 and 2, s and u: 축이 바뀜")
        page.keyboard.press("Escape")
        page.keyboard.press("2")
        labelled(page, 1)
        assert page.input_value("#comment") == "", "a comment is of one answer"
        page.keyboard.press("u")
        labelled(page, 0)
        assert page.text_content("#question") == first
        assert "“wrong”" in page.text_content("#before")
        assert page.input_value("#comment") == "1 and 2, s and u: 축이 바뀜"
        page.keyboard.press("1")
        labelled(page, 1)
    run = Run.of(run_directory)
    (label,) = standing(load_findings(run).answers, stored_labels(run))
    assert (label.verdict, label.why) == ("correct", "1 and 2, s and u: 축이 바뀜")
    assert len(labels_in(run_directory)) == 3


def test_with_the_mouse_it_goes_as_well_and_skipped_ones_come_last(page: Any, run_directory: Path) -> None:
    with serving(run_directory, "lee", "--answers", "2") as up:
        open_page(page, up, 0, 2)
        skipped = page.text_content("#question") + page.text_content("#answer")
        page.keyboard.press("s")
        page.wait_for_selector("#message:has-text('Skipped')")
        page.click("[data-verdict=wrong]")
        labelled(page, 1, 2)
        assert page.text_content("#question") + page.text_content("#answer") == skipped
        page.click("[data-verdict=abstained]")
        labelled(page, 2, 2)
        page.wait_for_selector("#done")
        assert not page.is_visible("#verdict")
        assert "238 more" in page.text_content("#done")
        page.keyboard.press("u")
        labelled(page, 1, 2)
        assert page.is_visible("#verdict")


def test_a_korean_keyboard_has_the_same_keys_and_they_can_be_turned_off(page: Any, run_directory: Path) -> None:
    press = "([key, code]) => document.body.dispatchEvent(new KeyboardEvent('keydown', {key, code, bubbles: true}))"
    with serving(run_directory, "kim", "--answers", "60") as up:
        open_page(page, up)
        page.evaluate(press, ["ㅊ", "KeyC"])
        assert page.evaluate("document.activeElement.id") == "comment"
        page.keyboard.press("Escape")
        page.evaluate(press, ["Process", "Digit2"])
        labelled(page, 1)
        page.evaluate(press, ["ㅕ", "KeyU"])
        labelled(page, 0)
        page.keyboard.press("Control+1")
        page.uncheck("#keys")
        page.keyboard.press("1")
        page.wait_for_timeout(300)
        labelled(page, 0)


def test_an_answer_is_shown_as_it_is_and_does_nothing(page: Any, run_directory: Path) -> None:
    with serving(run_directory, "kim", "--answers", "all") as up:
        state = up.act("state")
        while state["item"]["answer"] != HOSTILE:
            state = up.act("skip", {"id": state["item"]["id"]})
        open_page(page, up, 0, 240)
        assert page.text_content("#answer") == HOSTILE
        assert page.title() == "Label answers · openbook"
        assert page.locator("#item img, #item script").count() == 0


def test_an_old_address_says_what_to_do(page: Any, run_directory: Path) -> None:
    with serving(run_directory, "kim", "--answers", "60") as up:
        open_page(page, up)
        port = up.port
    with serving(run_directory, "kim", "--answers", "60", "--port", str(port)):
        page.keyboard.press("1")
        page.wait_for_selector("#message.alarm")
        assert "open the address that it printed last" in page.text_content("#message")
    assert labels_in(run_directory) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_it_is_accessible(browser: Any, run_directory: Path, scheme: str, width: int) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    with serving(run_directory, "kim", "--answers", "1") as up:
        page = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 900})
        open_page(page, up, 0, 1)
        found = axe.Axe().run(page).response["violations"]
        assert page.evaluate("document.documentElement.scrollWidth") <= width, "nothing is cut off"
        page.keyboard.press("1")
        labelled(page, 1, 1)
        found += axe.Axe().run(page).response["violations"]
        page.close()
    assert [(each["id"], each["help"]) for each in found] == []
