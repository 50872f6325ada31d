"""A real browser for the report's page, where there is one: offline, and with every complaint of the page noted."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def until(page: Any, condition: str) -> None:
    """Waits for a condition in the page; Playwright's own way evaluates text, which the page's policy forbids."""
    for _ in range(600):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never came true: {condition}")


READ = "!document.getElementById('filter-count').textContent.includes('reading')"
"""That a search has looked at all answers."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium, driven by Playwright."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as running:
        # Of module scope: while Playwright runs, nothing else in this process can run an event loop.
        launched = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield launched
        launched.close()


@pytest.fixture
def show(browser: Any, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Opens a page's text from `file://` with no network, ready to use; at the end it must not have complained."""
    complaints: list[str] = []
    contexts = []

    def call(text: str | Path, fragment: str = "", *, ready: bool = True, **options: Any) -> Any:
        path = text if isinstance(text, Path) else tmp_path / f"report-{len(contexts)}.html"
        if not isinstance(text, Path):
            path.write_text(text, encoding="utf-8", newline="")
        context = browser.new_context(offline=True, **{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(f"dialog: {dialog.message}"))
        page.goto(path.as_uri() + fragment)
        if ready:
            page.wait_for_selector("html[data-ready]", state="attached", timeout=60_000)
        return page

    yield call
    for context in contexts:
        context.close()
    assert complaints == []
