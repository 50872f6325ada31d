"""`openbook verify` on a run that a judge has graded: it needs no judge, and finds what was edited."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from train.sealing import seal

EDITS: dict[str, tuple[dict[str, Any], str]] = {
    "a letter": ({"letter": "A"}, "judgements.jsonl:1: the letter 'A' is stored, but the reply says"),
    "a reply": ({"reply": "A"}, "judgements.jsonl:1: "),
    "reply and letter": ({"reply": "A", "letter": "A"}, "verdicts.jsonl: judge:judge-x on "),
    "the letters offered": ({"letters": "A"}, "judgements.jsonl:1: "),
    "a key": ({"key": "0" * 32}, "verdicts.jsonl: judge:judge-x on "),
    "the tokens": ({"tokens": 7}, "manifest.json.judging: "),
    "the cost": ({"cost": 0.5}, "manifest.json.judging: "),
}


def test_verify_recomputes_a_judges_verdicts_without_it(openbook, judged):
    assert openbook("verify", judged) == (0, "every number follows from the stored answers\n", "")


@pytest.mark.parametrize(("changes", "named"), EDITS.values(), ids=list(EDITS))
@pytest.mark.parametrize("sealed", [False, True])
def test_verify_finds_an_edited_judgement(changes, named, sealed, openbook, judged, tmp_path):
    run = Path(shutil.copytree(judged, tmp_path / "run"))
    path = run / "judgements.jsonl"
    first, *others = path.read_text(encoding="utf-8").splitlines()
    edited = json.loads(first) | changes
    assert edited != json.loads(first)
    edited = seal(edited) if sealed else edited
    path.write_text("\n".join([json.dumps(edited, ensure_ascii=False), *others]) + "\n", encoding="utf-8")
    code, out, _ = openbook("verify", run)
    assert code == 1
    assert (named if sealed else "judgements.jsonl:1: was edited (question ") in out


def test_verify_finds_a_judgement_less_and_one_twice(openbook, judged, tmp_path):
    lines = (judged / "judgements.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    for name, changed, named in (
        ("less", lines[1:], "judge:judge-x on "),
        ("twice", [*lines, lines[0]], f"judgements.jsonl:{len(lines) + 1}: the same case stands there twice"),
        ("none", [], "verdicts.jsonl: judge:judge-x on "),
    ):
        run = Path(shutil.copytree(judged, tmp_path / name))
        (run / "judgements.jsonl").write_text("".join(changed), encoding="utf-8")
        code, out, _ = openbook("verify", run)
        assert (code, named in out) == (1, True), name
