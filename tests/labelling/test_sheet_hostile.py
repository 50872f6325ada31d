"""Sheets of labels in which one cell is what nobody was asked to write."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.foreign.test_hostile import BYTES, CELLS

from .test_sheet import Rows, read, write

SHEET = "sheet.csv"


@pytest.fixture
def rows(openbook, run_directory: Path, tmp_path: Path) -> Rows:
    assert openbook("label", run_directory, "--export", tmp_path / SHEET, "--answers", "4")[0] == 0
    return [{**row, "verdict": "wrong"} for row in read(tmp_path / SHEET)]


def assert_read_or_refused(openbook, run: Path, path: Path, where: object) -> None:
    """Labels that `verify` finds whole; or exit code 2 and messages that name the file, line by line."""
    code, out, err = openbook("label", run, "--import", path, "--as", "lee")
    assert "Traceback" not in err and "--debug" not in err, where
    if code == 0:
        assert openbook("verify", run)[0] == 0, where
        return
    assert (code, out) == (2, ""), where
    message = err.split("openbook: error: ", 1)[1]
    assert all(line.startswith(str(path)) for line in message.splitlines()), (where, message[:500])
    assert len(message) < 2000 and "\x1b" not in message, where


@pytest.mark.parametrize("value", CELLS)
def test_one_odd_cell_anywhere(value, openbook, rows: Rows, run_directory: Path, tmp_path: Path) -> None:
    for column in rows[0]:
        path = write(tmp_path / "filled.csv", [{**rows[0], column: CELLS[value]}, *rows[1:]])
        assert_read_or_refused(openbook, run_directory, path, column)


@pytest.mark.parametrize("inserted", BYTES)
def test_odd_bytes_anywhere(inserted, openbook, rows: Rows, run_directory: Path, tmp_path: Path) -> None:
    path = write(tmp_path / "filled.csv", rows)
    whole = path.read_bytes()
    for part in range(6):
        at = len(whole) * part // 5
        path.write_bytes(whole[:at] + BYTES[inserted] + whole[at:])
        assert_read_or_refused(openbook, run_directory, path, at)
