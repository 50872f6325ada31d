"""A page of 8,000 cells is on the screen at once and filters at once; `scripts/bench_page.py` has the strict limits."""

from pathlib import Path

import pytest

from train.report import render

from .conftest import CHROMIUM

SLACK = 5
"""This machine may be busy, or slow."""


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_eight_thousand_cells_are_shown_and_filtered_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("playwright.sync_api")
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "scripts")
    from bench_page import MOST, made, measured

    text = render(made(questions=1_000, samples=2))["report.html"]
    assert "octet-stream" in text
    path = tmp_path / "report.html"
    path.write_text(text, encoding="utf-8", newline="")
    figures = measured(path, str(CHROMIUM))
    assert figures["megabytes"] < MOST["megabytes"] / 8  # an eighth of the samples
    assert figures["first paint"] < MOST["first paint"] * SLACK
    assert figures["slowest filter"] < MOST["slowest filter"] * SLACK
