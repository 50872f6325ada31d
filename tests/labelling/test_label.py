"""What people said reaches the verdicts, the headline and the report, and stays when the run is made again."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path

import pytest

from train import assess
from train.errors import UserError
from train.findings import load_findings
from train.grading import disputed, sides
from train.labelling.desk import Desk
from train.labelling.items import items
from train.progress import Screen
from train.records import AnswerId
from train.store import Run

from .conftest import labels_in, serving, write_answers


def say(directory: Path, who: str, words: list[str]) -> list[AnswerId]:
    """Somebody labels the first answers of the run, in the order of the file."""
    run = Run.of(directory)
    desk = Desk(run, load_findings(run), who, 240)
    known = items(run.recipe, load_findings(run))
    ids = list(known)[: len(words)]
    for identifier, word in zip(ids, words, strict=True):
        desk.label(identifier, word, "")
    return [known[identifier][0].id for identifier in ids]


def graders(directory: Path) -> Counter[str]:
    """Who has given a verdict, on how many answers."""
    return Counter(verdict.grader for verdict in load_findings(Run.of(directory)).verdicts)


def again(openbook, source: Path, directory: Path) -> None:
    """The answers that lie in `source` compared, over what is in the run."""
    arguments = (source / "answers.csv", "--questions", source / "questions.jsonl", "--out", directory)
    assert openbook("compare", *arguments)[0] == 0


def test_two_people_s_words_and_their_dispute_reach_verdicts_headline_and_report(run_directory: Path, openbook) -> None:
    ids = say(run_directory, "kim", ["wrong", "wrong", "correct", "abstained"])
    say(run_directory, "lee", ["wrong", "correct", "correct", "wrong"])
    say(run_directory, "박", ["wrong", "wrong"])
    with serving(run_directory) as up:
        code, _, err = up.stop()
    assert code == 0, err
    findings = load_findings(Run.of(run_directory))
    by_person = Counter(verdict.grader for verdict in findings.verdicts)
    assert by_person == {"rubric": 240, "person:kim": 4, "person:lee": 4, "person:박": 2}
    assert disputed(findings.verdicts) == {ids[1], ids[3]}
    said = sides(findings.verdicts)[1]
    assert {findings.headline[each].grader for each in ids} == {"rubric"}, "a part of a cell does not count in it"
    assert [said[each].verdict for each in ids] == ["wrong", "wrong", "correct", "unscored"]
    assert said[ids[3]].why == "people disagree: kim says abstained, lee says wrong"
    assert said[ids[1]].grader == "person:박"
    comparison = json.loads((run_directory / "comparison.json").read_text(encoding="utf-8"))
    assert comparison["people"]["labelled"] == 4 and comparison["people"]["disputed"] == 2
    assert openbook("verify", run_directory) == (0, "every number follows from the stored answers\n", "")


def test_new_labels_leave_the_graders_verdicts_and_come_to_what_grading_anew_does(run_directory, monkeypatch) -> None:
    run, files = Run.of(run_directory), ("verdicts.jsonl", "comparison.json", "report.html")

    def assessed(*, by_graders: bool) -> list[bytes]:
        asked = []
        with monkeypatch.context() as patched, run:
            patched.setattr(assess, "ask_graders", lambda *given: asked.append(1) or ask_graders(*given))
            assess.assess_again(run, Screen(quiet=True))
        assert bool(asked) == by_graders
        return [run.path(name).read_bytes() for name in files]

    before = [run.path(name).read_bytes() for name in files]
    ask_graders = assess.ask_graders
    say(run_directory, "kim", ["wrong", "correct", "abstained"])
    once = assessed(by_graders=False)
    assert once[0] != before[0]
    run.unstage("grading")
    assert assessed(by_graders=True) == once
    say(run_directory, "lee", ["wrong", "wrong"])
    assert assessed(by_graders=False) != once
    run.path("labels.jsonl").unlink()
    assert assessed(by_graders=False) == before
    run.amend({"grading": {**run.manifest()["grading"], "nearest_f1": 0.9}})
    assessed(by_graders=True)


@pytest.mark.parametrize("remove", [Path.unlink, lambda path: path.write_bytes(b"")])
def test_verdicts_that_vanish_while_people_label_are_written_again(run_directory: Path, remove) -> None:
    run, findings = Run.of(run_directory), load_findings(Run.of(run_directory))
    say(run_directory, "kim", ["wrong", "correct"])
    path = run.path("verdicts.jsonl")
    remove(path)
    assess.assess_again(run, Screen(quiet=True), findings)
    written = path.read_bytes()
    run.unstage("grading")
    assess.assess_again(run, Screen(quiet=True))
    assert path.read_bytes() == written and written.count(b"person:kim") == 2


def test_a_label_that_was_edited_is_named_and_once_it_is_restored_nothing_is_lost(run_directory, openbook) -> None:
    say(run_directory, "kim", ["wrong"])
    path, manifest = run_directory / "labels.jsonl", (run_directory / "manifest.json").read_bytes()
    before = path.read_bytes()
    path.write_bytes(before.replace(b'"wrong"', b'"correct"'))
    with pytest.raises(UserError, match=r"labels.jsonl:1: was edited"):
        assess.assess_again(Run.of(run_directory), Screen(quiet=True))
    assert (run_directory / "manifest.json").read_bytes() == manifest
    path.write_bytes(before)
    assess.assess_again(Run.of(run_directory), Screen(quiet=True))
    assert openbook("verify", run_directory)[0] == 0


def test_before_the_report_is_made_anew_verify_says_what_is_missing(run_directory: Path, openbook) -> None:
    say(run_directory, "kim", ["wrong"])
    code, out, _ = openbook("verify", run_directory)
    assert code == 1
    assert "verdicts.jsonl: person:kim on " in out and "nothing is stored, wrong recomputed" in out


def test_an_edited_label_is_named(run_directory: Path, openbook) -> None:
    (first, *_) = say(run_directory, "kim", ["wrong", "correct"])
    path = run_directory / "labels.jsonl"
    path.write_text(path.read_text(encoding="utf-8").replace('"wrong"', '"correct"', 1), encoding="utf-8")
    code, out, _ = openbook("verify", run_directory)
    assert code == 1
    assert out.startswith("labels.jsonl:1: was edited (")
    assert f"question {first.question}" in out and "who kim" in out
    code, _, err = openbook("label", run_directory, "--as", "kim")
    assert (code, "labels.jsonl:1: was edited" in err) == (2, True)


def test_labels_stay_when_the_answers_are_compared_again(run_directory: Path, graded: Path, openbook) -> None:
    say(run_directory, "kim", ["wrong"] * 10)
    again(openbook, graded.parent, run_directory)
    assert len(labels_in(run_directory)) == 10
    assert graders(run_directory) == {"rubric": 240, "person:kim": 10}
    assert openbook("verify", run_directory)[0] == 0


def test_a_label_of_an_answer_that_changed_no_longer_counts_until_it_is_back(tmp_path: Path, openbook) -> None:
    run = tmp_path / "run"
    write_answers(tmp_path)
    again(openbook, tmp_path, run)
    say(run, "kim", ["wrong"] * 3)
    write_answers(tmp_path, changed=" Really.")
    again(openbook, tmp_path, run)
    assert graders(run)["person:kim"] == 2
    with serving(run, "kim", "--answers", "all") as up:
        assert up.act("state")["labelled"] == 2
    write_answers(tmp_path)
    again(openbook, tmp_path, run)
    assert graders(run)["person:kim"] == 3


def test_verdicts_that_come_with_a_file_are_nobody_s_and_stand_beside_people_s(tmp_path: Path, openbook) -> None:
    answers, questions = write_answers(tmp_path)
    lines = answers.read_text(encoding="utf-8").splitlines()
    lines = [f"{line},{word}" for line, word in zip(lines, ["verdict", "wrong", *[""] * 239], strict=True)]
    answers.write_text("\n".join(lines) + "\n", encoding="utf-8")
    run = tmp_path / "run"
    for _ in range(2):
        assert openbook("compare", answers, "--questions", questions, "--out", run)[0] == 0
        assert graders(run) == {"rubric": 240, "person": 1}
        assert [record["who"] for record in labels_in(run)] == ["answers.csv"]
    ids = say(run, "kim", ["correct", "correct"])
    assert openbook("compare", answers, "--questions", questions, "--out", run)[0] == 0
    assert len(labels_in(run)) == 3
    findings = load_findings(Run.of(run))
    assert disputed(findings.verdicts) == {ids[0]}
    assert sides(findings.verdicts)[1][ids[0]].why == "people disagree: one says wrong, kim says correct"


def test_labels_survive_a_run_that_is_given_again(finished_run: Path, tmp_path: Path, openbook) -> None:
    run = Path(shutil.copytree(finished_run, tmp_path / "run"))
    known = Run.of(run)
    desk = Desk(known, load_findings(known), "kim", 20)
    for _ in range(12):
        desk.label(desk.state()["item"]["id"], "wrong", "")
    assert len(labels_in(run)) == 12
    assert openbook("run", finished_run.parent / "recipe.py", "--out", run)[0] == 0
    assert len(labels_in(run)) == 12
    assert graders(run)["person:kim"] == 12
    assert openbook("verify", run)[0] == 0


def test_a_directory_without_a_run_or_answers_is_said_so(tmp_path: Path, run_directory: Path, openbook) -> None:
    code, _, err = openbook("label", tmp_path, "--as", "kim")
    assert (code, "holds no run" in err) == (2, True)
    (run_directory / "verdicts.jsonl").unlink()
    code, _, err = openbook("label", run_directory, "--as", "kim")
    assert (code, "not graded yet: 240 of 240 answers" in err) == (2, True)
