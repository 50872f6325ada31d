"""Sheets of labels in which one cell is what nobody was asked to write."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.foreign.test_hostile import BYTES, CELLS, refusal
from train.findings import load_graded
from train.labelling.sheet import read_sheet
from train.store import Run

from .test_sheet import Rows, read, write


@pytest.fixture
def rows(openbook, run_directory: Path, tmp_path: Path) -> Rows:
    assert openbook("label", run_directory, "--export", tmp_path / "sheet.csv", "--answers", "4")[0] == 0
    return [{**row, "verdict": "wrong"} for row in read(tmp_path / "sheet.csv")]


@pytest.mark.parametrize("value", CELLS)
def test_one_odd_cell_anywhere(value, rows: Rows, run_directory: Path, tmp_path: Path) -> None:
    run = Run.of(run_directory)
    findings = load_graded(run)
    for column in rows[0]:
        path = write(tmp_path / "filled.csv", [{**rows[0], column: CELLS[value]}, *rows[1:]])
        refusal(lambda: read_sheet(run, findings, path, "lee"), column, path)  # noqa: B023 (called at once)


@pytest.mark.parametrize("inserted", BYTES)
def test_odd_bytes_anywhere(inserted, rows: Rows, run_directory: Path, tmp_path: Path) -> None:
    run, path = Run.of(run_directory), tmp_path / "filled.csv"
    findings = load_graded(run)
    whole = write(path, rows).read_bytes()
    for part in range(4):
        at = len(whole) * part // 3
        path.write_bytes(whole[:at] + BYTES[inserted] + whole[at:])
        refusal(lambda: read_sheet(run, findings, path, "lee"), at, path)
