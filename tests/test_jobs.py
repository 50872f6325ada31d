"""Training rows that are too long: refused with their names, or left out of everything and counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from train.errors import InputProblems
from train.loading import load_recipe
from train.prepare import prepare
from train.sealing import numbered_records
from train.store import Run
from train.tuning import TokenRow, select_rows

ROWS = [TokenRow((1,) * length, (2,)) for length in (4, 9, 5, 11)]
NAMES = ["a", "b", "a", "b"]


def test_rows_that_fit_are_kept_in_order_and_the_others_named_once_with_the_longest():
    assert select_rows(ROWS, NAMES, 6, drop=True) == ([0, 2], ["b: 12 tokens, more than 6"])
    assert select_rows(ROWS, NAMES, 12, drop=False) == ([0, 1, 2, 3], [])
    assert select_rows(ROWS, NAMES, None, drop=False)[0] == [0, 1, 2, 3]


def test_a_row_that_is_too_long_is_refused_unless_asked_otherwise():
    with pytest.raises(InputProblems, match=r"b: 12 tokens, more than 6\ntoo long: 1 in all; .*too_long=drop"):
        select_rows(ROWS, NAMES, 6, drop=False)


def limits(project: Path) -> tuple[int, int]:
    """The shortest and the longest training row of the open-book arm in tokens."""
    prepared = prepare(load_recipe(str(project / "recipe.py"), []))
    lengths = [len(row) for job in prepared.jobs if job.arm == "open-book" for row in job.rows]
    assert min(lengths) < max(lengths)
    return min(lengths), max(lengths)


def test_only_what_is_trained_on_is_recorded_and_the_report_says_what_is_not(project, openbook):
    longest = limits(project)[1]
    settings = ("--set", f"optimization.max_length={longest - 1}", "--set", "optimization.too_long=drop")
    out = project / "run"
    code, _, said = openbook("run", project / "recipe.py", "--out", out, *settings)
    assert code == 0
    assert "too long and left out, the first: training row, arm open-book, question " in said
    prepared = prepare(load_recipe(str(project / "recipe.py"), list(settings[1::2])))
    stored = [record["arm"] for _, record in numbered_records(out / "training.jsonl")]
    for job in prepared.jobs:
        assert stored.count(job.arm) == len(job.rows) == len(prepared.rows[job.arm, job.seed])
        assert max(map(len, job.rows)) < longest
    assert stored.count("open-book") < stored.count("closed-book")
    assert prepared.audit["training_rows"] == len(stored)
    left_out = Run.of(out).manifest()["audit"]["dropped_training_rows"]
    assert left_out == list(prepared.dropped)
    for name in ("report.md", "report.html"):
        assert f"{len(left_out)} rows too long" in (out / name).read_text(encoding="utf-8")
    assert openbook("verify", out)[0] == 0


def test_an_arm_without_a_row_that_fits_is_refused(project, openbook):
    command = (
        "run",
        project / "recipe.py",
        "--set",
        "optimization.too_long=drop",
        "--set",
        "optimization.max_length=5",
    )
    code, out, err = openbook(*command)
    assert (code, out) == (2, "")
    assert "arms.closed-book: no training row fits into 5 tokens; shorten the passages" in err
