"""`--limit N`: a smoke run on a part of the questions, beside the real run and marked as what it is."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from train.sealing import numbered_records


def test_a_smoke_run_takes_the_first_questions_of_each_split_in_a_directory_of_its_own(project, openbook):
    code, out, _ = openbook("run", project / "recipe.py", "--limit", "2")
    assert code == 0
    run = Path("runs/tiny-limit-2").resolve()
    assert out.splitlines()[-1] == str(run / "report.html")
    splits = Counter(record["split"] for _, record in numbered_records(run / "questions.jsonl"))
    assert splits == {"train": 2, "seen": 2, "unseen": 2, "validation": 2, "unanswerable": 1}
    for name in ("report.md", "report.html"):
        assert "smoke run" in (run / name).read_text(encoding="utf-8")
    assert openbook("verify", run)[0] == 0
    assert openbook("report", project / "recipe.py", "--limit", "2")[0] == 0
    assert not Path("runs/tiny").exists()


@pytest.mark.parametrize("limit", ["0", "-3"])
def test_a_limit_leaves_something(limit, project, openbook):
    code, out, err = openbook("run", project / "recipe.py", "--limit", limit)
    assert (code, out) == (2, "")
    assert f"--set data.limit={limit}" in err


def test_a_whole_run_is_not_called_a_smoke_run(finished_run):
    assert "smoke run" not in (finished_run / "report.md").read_text(encoding="utf-8")
