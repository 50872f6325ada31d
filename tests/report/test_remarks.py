"""Why answers were wrong and whether people disagree: shown in the matrix, in an opened cell, and filtered by."""

import dataclasses
from collections import defaultdict
from typing import Any

from train import grading
from train.records import Findings
from train.report import render

from .builders import findings
from .test_browser import ids


def test_the_matrix_can_be_filtered_by_cause(show: Any) -> None:
    data = findings(per_split=6)
    by_cause = defaultdict(set)
    for answer, cause in data.causes.items():
        by_cause[cause].add(answer.question)
    assert len(by_cause) >= 3
    page = show(render(data)["report.html"])
    for cause, names in by_cause.items():
        page.select_option("#filter-cause", label=cause)
        assert set(ids(page)) == names
    page.locator("tr[data-row]:visible button[data-cell='0']").first.click()
    page.locator("tr.panel h3").wait_for()
    assert "cause: " in page.locator("tr.panel").inner_text()


def labelled_twice(data: Findings) -> tuple[Findings, str]:
    """The findings with one answer on which two people disagree, and its question."""
    answer = data.answers[5]
    verdicts = [
        dataclasses.replace(data.headline[answer.id], grader=f"person:{who}", verdict=word, why=f"{who} says so")
        for who, word in (("ann", "correct"), ("bob", "wrong"))
    ]
    every = [*data.verdicts, *verdicts]
    return dataclasses.replace(data, verdicts=every, disputed=frozenset(grading.disputed(every))), answer.question


def test_disputed_answers_are_flagged_and_can_be_filtered(show: Any) -> None:
    data, question = labelled_twice(findings())
    page = show(render(data)["report.html"], "#/show=disputed")
    assert ids(page) == [question]
    flagged = page.locator("tr[data-row]:visible button", has_text="⚑")
    assert flagged.count() == 1 and "1 disputed" in str(flagged.get_attribute("aria-label"))
    flagged.click()
    page.locator("tr.panel h3").wait_for()
    text = page.locator("tr.panel").inner_text()
    assert "people disagree" in text and "bob says so" in text and "also graded by person:ann" in text


def test_without_disputes_there_is_no_such_filter(show: Any) -> None:
    page = show(render(findings())["report.html"], "#/show=disputed")
    assert page.locator("#filter-show option[value='disputed']").count() == 0 and len(ids(page)) == 12
