"""People who cannot see colours, use a keyboard or a screen reader can read it: axe-core finds nothing serious."""

from typing import Any

import pytest

from train.report import render

from .builders import findings
from .test_browser import opened
from .test_tables import GRADER, with_cells, with_comparison


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_no_serious_violation(show: Any, scheme: str, width: int) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    data = with_cells(
        findings(),
        causes={"memory": 2},
        topics=[{"topic": t, "questions": 2, "accuracy": 0.5, "interval": None} for t in "ab"],
    )
    data = with_comparison(data, graders=[GRADER], people={"labelled": 9, "labellers": 2, "kappa": None, "disputed": 1})
    page = show(render(data)["report.html"], color_scheme=scheme, viewport={"width": width, "height": 900})
    opened(page, 0, 1)
    comparing = opened(page, 4, 1)
    comparing.locator("select").select_option("1")
    page.evaluate("for (const details of document.querySelectorAll('details')) details.open = true")
    found = [
        (each["id"], each["impact"], [node["html"][:200] for node in each["nodes"][:3]])
        for each in axe.run(page).response["violations"]
        if each["impact"] in ("serious", "critical")
    ]
    assert found == []
