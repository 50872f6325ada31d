"""What made the run: on what, and in how many goes."""

import dataclasses
from typing import Any

import pytest

from train.records import Findings
from train.report import provenance, render, render_redacted

from .builders import findings

FIRST = {
    "when": "2026-11-21T12:03:37+0000", "openbook": "0.1.0", "adapters": 0, "of_adapters": 2, "steps": 0,
    "answers": 0, "of_answers": 1488,
}  # fmt: skip
LATER = {**FIRST, "when": "2026-11-22T08:00:00+0900", "adapters": 1, "steps": 12, "answers": 240}
BASE = {"created": FIRST["when"], "base": {"name": "SmolLM2", "dtype": "float32"}}


def with_manifest(**changed: Any) -> Findings:
    data = findings()
    return dataclasses.replace(data, manifest={**data.manifest, **changed})


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        ({**BASE, "starts": [FIRST]}, "in one go"),
        (
            {**BASE, "starts": [FIRST, LATER]},
            "continued once: 2026-11-22 08:00 +0900, with 1 of 2 adapters and 12 steps of unfinished adapters and "
            "240 of 1,488 answers there",
        ),
        (
            {**BASE, "starts": [FIRST, {**LATER, "steps": 0, "answers": 0, "of_adapters": 1}, FIRST]},
            "continued 2 times: 2026-11-22 08:00 +0900, with 1 of 1 adapter there; 2026-11-21 12:03 UTC, with nothing "
            "there that could be used",
        ),
        (BASE, "in how many goes is not recorded"),  # an earlier version began it
        ({"made_by": "openbook compare"}, ""),
    ],
)
def test_the_report_says_in_how_many_goes_the_run_was_made(manifest: dict[str, Any], said: str) -> None:
    assert provenance.course(manifest) == said
    report = render(with_manifest(**manifest))
    for file in ("report.html", "report.md"):
        assert said.replace("<", "&lt;") in report[file]


def test_the_redacted_report_says_it_too_and_neither_model_nor_path() -> None:
    files = render_redacted(with_manifest(**BASE, starts=[FIRST, LATER]))
    for file in ("report-redacted.html", "report-redacted.md"):
        assert "continued once" in files[file] and "SmolLM2" not in files[file]


def test_what_made_the_run_is_said_in_a_few_lines() -> None:
    manifest = {
        **BASE, "openbook": "0.1.0", "starts": [FIRST], "source": {"commit": "0123456789abcdef", "changed": True},
        "hardware": {"processor": "AMD EPYC", "cores": 2, "memory_gib": 23.5, "accelerators": ["H200, 139 GiB"]},
        "versions": {"python": "3.11.7", "torch": "2.13.0", "scipy": "1.17.1"},
    }  # fmt: skip
    assert provenance.made(with_manifest(**manifest)) == [
        ("model", "SmolLM2, float32"),
        ("machine", "AMD EPYC, 2 cores, 23.5 GiB of memory, H200, 139 GiB"),
        ("software", "python 3.11.7, torch 2.13.0"),
        ("openbook", "0.1.0, commit 0123456789ab, with changes"),
        ("made", "2026-11-21 12:03 UTC, in one go"),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2026-11-21T12:03:37+0000", "2026-11-21 12:03 UTC"),
        ("2026-11-21T12:03:37-0330", "2026-11-21 12:03 -0330"),
        ("yesterday <b>", "yesterday <b>"),
        ("", ""),
    ],
)
def test_times_are_shortened_and_other_texts_kept(text: str, said: str) -> None:
    assert provenance.moment(text) == said
