"""Bad input is refused in one or two lines that name the place, the value and the mend; nothing is lost."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from .bad_input import CASES
from .bad_input.case import Case

ERROR = "error: "


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below the folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES])
def test_bad_input_is_refused_with_place_value_and_mend(case: Case, project, openbook, monkeypatch, tmp_path):
    monkeypatch.chdir(project)
    monkeypatch.setenv("OPENBOOK_CACHE", str(tmp_path / "cache"))
    for change in case.changes:
        change(project)
    before = contents(project)
    code, out, err = openbook(*shlex.split(case.command))
    said = err[err.find("openbook") :]
    print("###", case.name, "|", code, "\n", err)
    assert code == 2
    assert "Traceback" not in err + out
    for part in (case.place, case.value, case.mend):
        assert part in err
    lines = err.split(ERROR, 1)[1].splitlines()
    assert len(lines) == case.problems if case.problems else len(lines) <= 2
    assert before.items() <= contents(project).items()
