"""report.html in a real browser, where there is one: its script runs, and no other."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from train.report import render

from .builders import HOSTILE, findings
from .pages import Page

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")

OPEN_ALL = """
for (const button of document.querySelectorAll("[data-cell='1']")) button.click();
for (const details of document.querySelectorAll("details")) details.open = true;
"""


def opened(page: str, directory: Path) -> str:
    """The page's DOM after its scripts ran, from `file://` with no network."""
    path = directory / "report.html"
    path.write_text(page, encoding="utf-8", newline="")
    command = [
        str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
        f"--user-data-dir={directory / 'profile'}", "--virtual-time-budget=2000", "--enable-logging=stderr",
        "--dump-dom", path.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=120, check=True)
    assert "CONSOLE" not in done.stderr
    return done.stdout


def test_the_script_runs_under_the_pages_own_policy(tmp_path: Path) -> None:
    dom = opened(render(findings())["report.html"], tmp_path)
    assert 'class="scripted"' in dom and "12 of 12 questions" in dom


def test_hostile_texts_run_nothing_even_without_the_policy(tmp_path: Path) -> None:
    page = render(findings(texts=HOSTILE, per_split=8))["report.html"]
    bare = re.sub(r"<meta http-equiv[^>]*>", "", page).replace("</body>", f"<script>{OPEN_ALL}</script></body>")
    dom = opened(bare, tmp_path)
    assert "<title>quickstart · openbook</title>" in dom
    Page(dom).has_only_own_markup()
    assert dom.count('<tr class="panel">') == 24
    assert "&lt;/script&gt;&lt;script&gt;document.title = 'owned'&lt;/script&gt;" in dom
