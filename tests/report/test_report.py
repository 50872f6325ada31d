"""The report as a whole: a pure function that shows every figure, whatever the findings lack."""

import dataclasses
import html
import json
import random
import re
from typing import Any

import pytest

from train.records import Findings
from train.report import FIGURE_FILES, figures, render

from .builders import HOSTILE, findings

FILES = ["report.html", "report.md", "cells.csv", "contrasts.csv", "answers.csv"]

CASES: dict[str, dict[str, Any]] = {
    "a run": {},
    "three seeds": {"seeds": (0, 1, 2)},
    "hostile texts": {"texts": HOSTILE, "per_split": 8},
    "hostile names": {
        "kinds": {HOSTILE[0]: "untouched", HOSTILE[5]: "tuned", "a\nb|c": "given"},
        "conditions": ("none", "gold", HOSTILE[2]),
    },
    "answers made elsewhere": {"elsewhere": True, "splits": ("",), "grader": "people:ann"},
    "nothing graded": {"unscored": 1.0},
    "one question, one sample": {"per_split": 1, "samples": 1, "splits": ("unseen",)},
    "one arm": {"kinds": {"base": "untouched"}},
    "only unanswerable": {"splits": ("unanswerable",)},
    "provisional grader": {"grader": "provisional"},
    "a retriever": {"conditions": ("none", "retrieved@3")},
}


def text_of(page: str) -> str:
    """The page's words as a reader sees them."""
    body = page.split("</style>")[1].split('<script type="application/json"', maxsplit=1)[0]
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", body)))


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_every_accuracy_difference_and_p_value_is_in_page_and_markdown(case: dict[str, Any]) -> None:
    data = findings(**case)
    report = render(data)
    assert list(report)[: len(FILES)] == FILES
    assert {name for name in report if name not in FILES} <= set(FIGURE_FILES)
    shown = text_of(report["report.html"]), html.unescape(report["report.md"])
    for cell in data.comparison["cells"]:
        for text in shown:
            assert figures.percent(cell["accuracy"]) in text
            assert figures.percent_interval(cell["interval"]) in text
    for contrast in data.comparison["contrasts"]:
        for text in shown:
            assert figures.points(contrast["difference"]) in text
            assert figures.p_value(contrast["p_value"]) in text
            assert figures.p_value(contrast["p_holm"]) in text


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_same_findings_give_the_same_bytes(case: dict[str, Any]) -> None:
    data = findings(**case)
    first = render(data)
    assert render(data) == first
    assert render(shuffled(data)) == first
    for content in first.values():
        content.encode("utf-8")


def test_findings_read_back_from_their_files_give_the_same_bytes() -> None:
    data = findings(texts=HOSTILE)
    stored = {
        name: json.loads(json.dumps(getattr(data, name), sort_keys=True))
        for name in ("comparison", "audit", "training", "manifest")
    }
    assert render(dataclasses.replace(data, **stored)) == render(data)


def shuffled(data: Findings) -> Findings:
    """The same findings in another order, where order has no meaning."""
    draw = random.Random(1)

    def mix(values: Any) -> list[Any]:
        return draw.sample(list(values), len(values))

    return dataclasses.replace(
        data,
        contexts=mix(data.contexts),
        answers=mix(data.answers),
        verdicts=mix(data.verdicts),
        headline=dict(mix(data.headline.items())),
        prompts=dict(mix(data.prompts.items())),
        audit=dict(mix(data.audit.items())),
        training=mix(data.training),
        manifest=dict(mix(data.manifest.items())),
    )


@pytest.mark.parametrize(
    ("case", "badge"),
    [
        ({}, "one training seed"),
        ({}, "gold context only"),
        ({}, "0.0 % checked by people"),
        ({}, "leakage audit: 1 warning"),
        ({"grader": "provisional"}, "provisional grader"),
        ({"elsewhere": True}, "leakage not audited"),
        ({"grader": "person:ann", "unscored": 0.0}, "100.0 % checked by people"),
        ({"unscored": 1.0}, "unscored"),
        ({"splits": ("unanswerable",)}, "no unseen facts"),
    ],
)
def test_what_weakens_the_decision_is_on_top(case: dict[str, Any], badge: str) -> None:
    report = render(findings(**case))
    assert badge in text_of(report["report.html"]).split("Planned contrasts", maxsplit=1)[0]
    assert badge in report["report.md"].split("## Planned contrasts", maxsplit=1)[0]


@pytest.mark.parametrize(
    ("case", "absent"),
    [({"seeds": (0, 1)}, "one training seed"), ({"conditions": ("none", "gold", "retrieved@3")}, "gold context only")],
)
def test_a_badge_goes_where_it_does_not_apply(case: dict[str, Any], absent: str) -> None:
    assert absent not in text_of(render(findings(**case))["report.html"])


def test_leakage_is_an_alarm() -> None:
    data = findings()
    leaks = ["3 unseen question(s) have a gold passage that occurs in training"]
    report = render(dataclasses.replace(data, audit={**data.audit, "leaks": leaks}))
    assert "✖ leakage found" in report["report.md"] and leaks[0] in text_of(report["report.html"])


def test_keys_that_the_contract_does_not_promise_may_be_missing() -> None:
    data = findings(seeds=(0, 1))
    promised = {
        "cells": {"arm", "kind", "condition", "split", "questions", "seeds", "answers", "correct", "wrong", "abstained",
                  "unscored", "right", "distinct", "accuracy", "interval", "per_seed", "per_question"},
        "contrasts": {"a", "b", "split", "questions", "differing", "difference", "interval", "p_value", "p_holm",
                      "detectable"},
    }  # fmt: skip
    bare = {
        **{key: data.comparison[key] for key in ("schema", "recipe", "questions", "samples", "seeds", "decision")},
        **{
            name: [{key: value for key, value in row.items() if key in keys} for row in data.comparison[name]]
            for name, keys in promised.items()
        },
    }
    assert "abstaining is right here" in render(dataclasses.replace(data, comparison=bare))["report.md"]


def test_a_run_without_a_decision_renders() -> None:
    data = findings()
    report = render(dataclasses.replace(data, comparison={**data.comparison, "decision": {}}, manifest={}))
    assert "No decision was made." in report["report.html"] and "No decision was made." in report["report.md"]


def test_a_loss_that_is_not_a_number_is_said_and_breaks_nothing() -> None:
    data = findings()
    broken = {**data.training[0], "loss": [[1, float("nan")]], "validation_loss": [[1, None], [2, float("inf")]]}
    report = render(dataclasses.replace(data, training=[broken]))
    assert "validation loss was not a number at 2 steps" in text_of(report["report.html"])
    assert "nan" not in report["report.html"].split('id="training"')[1].split("</section>")[0]
