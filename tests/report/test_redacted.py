"""The redacted report holds no text of the data, and every figure of the full one."""

import base64
import dataclasses
import html
import json
import re
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from train.records import Context, Findings, Passage, Question
from train.report import REDACTED_FILES, charts, figures, render, render_redacted
from train.report.redacted import without_texts

from .builders import KINDS, findings
from .test_charts import with_causes

WORDS = tuple(f"zanzibar-{number:02} quokka {number * 7919}" for number in range(17))
OTHERS = tuple(f"Łódź {number * 104729} 비밀 문장 {number:02}" for number in range(17))


def secret(texts: Sequence[str], who: str, host: str) -> Findings:
    """A run whose every text comes from `texts`, graded by people and a judge, with all that later stages may add."""
    data = with_causes(findings(texts=texts, per_split=4, seeds=(0, 1)))
    extra = iter(texts * 50)
    graded = [
        dataclasses.replace(verdict, grader=grader)
        for verdict, grader in zip(data.verdicts, ["rubric", f"person:{who}", f"judge:{host}"] * 500, strict=False)
    ]
    cells = [
        {
            **cell,
            "graders": {f"person:{who}": 3, "rubric": cell["answers"] - 3},
            "topics": [{"topic": next(extra), "questions": 2, "accuracy": 0.5, "interval": [0.1, 0.9]}],
            "corrected": {"rogan_gladen": {"refused": next(extra)}, "prediction_powered": None},
        }
        for cell in data.comparison["cells"]
    ]
    grader = {"grader": f"judge:{host}", "against": "person", "arm": None, "labels": 12, "kappa": 0.5}
    decision = {**data.comparison["decision"], "reasons": [f"judge:{host} was held against people"]}
    return dataclasses.replace(
        data,
        comparison={
            **data.comparison,
            "cells": cells,
            "decision": decision,
            "graders": [grader],
            "people": {"labelled": 9, "labellers": 1, "kappa": None, "disputed": 0, "comment": next(extra)},
        },
        questions=[_with_more(question, extra) for question in data.questions],
        contexts=[_with_passages(context, extra) for context in data.contexts],
        verdicts=graded,
        headline={verdict.id: verdict for verdict in graded},
        audit={**data.audit, next(extra): {"count": 3}, "dropped_training_rows": [next(extra)]},
        training=[{**entry, "fingerprint": next(extra), "card": next(extra)} for entry in data.training],
        manifest={
            **data.manifest,
            "base": {"name": f"/srv/{host}/model.gguf", "commit": None, "dtype": "float32"},
            "recipe": {
                "name": "quickstart",
                "base": {"model": f"/srv/{host}/model.gguf"},
                "data": {"questions": f"/home/{who}/questions.csv", "limit": 7},
                "prompt": {"system": next(extra)},
                "arms": {"open-book": {"condition": "gold", "adapter": {"rank": 64, "target_modules": [next(extra)]}}},
                "grading": {"endpoint": f"https://{host}/v1"},
                "costs": {"price_per_hour": 2.5, "currency": "€"},
                next(extra): 1,
            },
            "hardware": {"cores": 2, "host": host, "processes": 1},
            "answers": f"{who}.csv",
            "judging": {"judge": f"judge:{host}", "where": host, "models": [host], "asked": 9, "judged": 4},
        },
    )


def _with_more(question: Question, extra: Iterator[str]) -> Question:
    return dataclasses.replace(question, group=next(extra), paraphrases=(next(extra),), evidence=(next(extra),))


def _with_passages(context: Context, extra: Iterator[str]) -> Context:
    passages = tuple(Passage(next(extra), next(extra), next(extra), {next(extra): next(extra)}) for _ in range(2))
    return dataclasses.replace(context, passages=passages, gold=(passages[0].id,))


def texts_of(value: Any) -> Iterator[str]:
    """Every text in records and nested data."""
    if isinstance(value, str):
        yield value
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from texts_of(getattr(value, field.name))
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from texts_of(key)
            yield from texts_of(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from texts_of(each)


def opened(content: str) -> str:
    """The file, and what is packed in it as base64, deflated or not."""
    packed = []
    for run in re.findall(r"[A-Za-z0-9+/]{40,}={0,2}", content):
        raw = base64.b64decode(run + "=" * (-len(run) % 4))
        packed.append(raw.decode("utf-8", errors="ignore"))
        for bits in (15, 31, -15):
            try:
                packed.append(zlib.decompress(raw, bits).decode("utf-8", errors="ignore"))
            except zlib.error:
                continue
    return html.unescape("\n".join([content, *packed]))


def test_whatever_the_texts_say_the_files_are_the_same() -> None:
    one = render_redacted(secret(WORDS, "ann-of-the-ward", "gpu7.hospital.example"))
    other = render_redacted(secret(OTHERS, "박서연", "10.1.2.3"))
    assert list(one) == list(REDACTED_FILES)
    assert one == other


def test_no_text_of_the_data_is_in_any_file() -> None:
    data = secret(WORDS, "ann-of-the-ward", "gpu7.hospital.example")
    stay = {*KINDS, *(cell["condition"] for cell in data.comparison["cells"]), "quickstart", "Answer briefly."}
    stay |= {question.split for question in data.questions} | {"answer", "abstain", "correct", "wrong", "abstained"}
    stay |= {"unscored", "rubric"}
    texts = {
        text
        for part in (data.questions, data.contexts, data.answers, data.verdicts, list(data.prompts.values()))
        for text in texts_of(part)
        if len(text) >= 4 and text not in stay
    }
    texts |= set(WORDS) | {"ann-of-the-ward", "hospital", "/srv/", "/home/", "questions.csv", "hours.md"}
    assert len(texts) > 100
    for name, content in render_redacted(data).items():
        whole = opened(content)
        found = [text for text in texts if text in whole or json.dumps(text)[1:-1] in content]
        assert not found, f"{name}: {found[:3]}"
        for word in ("zanzibar", "quokka"):
            assert word not in whole
    for name in charts.FIGURE_FILES:
        assert "zanzibar" not in render(data)[name]


def test_every_figure_of_the_full_report_is_there() -> None:
    data = findings(per_split=8)
    files = render_redacted(data)
    for cell in data.comparison["cells"]:
        for text in (html.unescape(files["report-redacted.html"]), files["report-redacted.md"]):
            assert figures.percent(cell["accuracy"]) in text
            assert figures.percent_interval(cell["interval"]) in text
    full = render(data)
    marks = r"[✅⚠❌❔](?:&nbsp;| )\d/\d"
    assert len(re.findall(marks, files["report-redacted.md"])) == len(re.findall(marks, full["report.md"])) > 200
    assert len(re.findall(marks, files["report-redacted.html"])) == len(re.findall(marks, full["report.html"]))
    assert files["contrasts-redacted.csv"] == full["contrasts.csv"]
    assert files["cells-redacted.csv"] == full["cells.csv"]
    assert files["answers-redacted.csv"].count("\r\n") == full["answers.csv"].count("\r\n")


def test_the_figures_are_those_of_the_full_report() -> None:
    data = secret(WORDS, "ann", "host")
    assert charts.figure_files(without_texts(data)) == charts.figure_files(data)


def test_questions_are_numbered_in_their_order_and_nothing_can_be_opened() -> None:
    data = findings()
    files = render_redacted(data)
    page = files["report-redacted.html"]
    assert re.findall(r'<span class="id"><bdi>(q\d+)</bdi>', page) == [
        f"q{place:02}"
        for split in ("unseen", "seen", "unanswerable")
        for place, question in enumerate(data.questions, 1)
        if question.split == split
    ]
    assert "<button" not in page and "<script" not in page
    for text in (page.split("<main>")[0], files["report-redacted.md"].split("##")[0]):
        assert "Redacted." in text


def test_that_a_judge_is_not_finished_stays() -> None:
    files = render_redacted(secret(WORDS, "ann-of-the-ward", "gpu7.hospital.example"))
    for name in ("report-redacted.html", "report-redacted.md"):
        assert "judge not finished" in files[name]
        assert "it has judged 4 of the 9 answers" in files[name]


def test_people_and_judges_are_told_apart_without_their_names() -> None:
    bare = without_texts(secret(WORDS, "ann", "host"))
    assert {verdict.grader for verdict in bare.verdicts} == {"rubric", "person:1", "judge:1"}
    assert bare.comparison["graders"][0]["grader"] == "judge:1"
    assert bare.comparison["decision"]["reasons"] == ["judge:1 was held against people"]
    assert bare.comparison["cells"][0]["graders"].keys() == {"person:1", "rubric"}


@pytest.mark.parametrize("case", [{"elsewhere": True, "splits": ("",)}, {"unscored": 1.0}, {"per_split": 1}])
def test_other_runs_can_be_redacted(case: dict[str, Any]) -> None:
    assert list(render_redacted(findings(**case))) == list(REDACTED_FILES)


def test_the_name_of_a_run_of_answers_made_elsewhere_is_their_files_and_goes() -> None:
    data = findings(elsewhere=True, splits=("",))
    named = dataclasses.replace(
        data,
        comparison={**data.comparison, "recipe": "compare-patients-hiv-abc123"},
        manifest={"recipe": {"name": "compare-patients-hiv-abc123", "answers": "patients-hiv.csv"}},
    )
    for content in render_redacted(named).values():
        assert "hiv" not in content
