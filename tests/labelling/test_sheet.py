"""Labelling in a spreadsheet: what is written, and what of it is read back."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest

from train.findings import load_findings, stored_labels
from train.grading import standing
from train.report.texts import unsheet
from train.store import Run

from .conftest import labels_in

COLUMNS = [
    "id", "question", "expected", "reference", "facts", "forbidden", "context", "answer", "verdict", "comment", "drawn",
]  # fmt: skip
Rows = list[dict[str, str]]


def read(path: Path) -> Rows:
    text = path.read_bytes().decode("utf-8")
    assert text.startswith("\ufeff"), "or a spreadsheet takes Korean for Latin"
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True))


def write(path: Path, rows: Rows, encoding: str = "utf-8") -> Path:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    path.write_bytes(out.getvalue().encode(encoding))
    return path


@pytest.fixture
def rows(openbook, run_directory: Path, tmp_path: Path) -> Rows:
    code, out, err = openbook("label", run_directory, "--export", tmp_path / "sheet.csv", "--answers", "40")
    assert (code, err) == (0, "")
    assert out.startswith("40 answers in ")
    assert f"--import {tmp_path / 'sheet.csv'} --as NAME" in out
    return read(tmp_path / "sheet.csv")


def test_a_sheet_holds_the_drawn_answers_blind_and_safe(rows: Rows, run_directory: Path) -> None:
    assert list(rows[0]) == COLUMNS
    assert len(rows) == len({row["id"] for row in rows}) == 40
    answers = {answer.text for answer in load_findings(Run.of(run_directory)).answers}
    for row in rows:
        assert row["id"].isalpha()
        assert not any(word in " ".join(row.values()) for word in ("tuned", "distractors", "gold", "rubric"))
        assert unsheet(row["answer"]) in answers
        assert not any(value[:1] in ("=", "+", "-", "@") for value in row.values())
        assert (row["facts"], row["forbidden"], row["verdict"], row["comment"]) == ("red | 빨간색", "blue", "", "")
        assert row["expected"] in ("answer", "abstain")
    assert any(row["answer"].startswith("'=1+") for row in rows)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949"])
def test_what_is_filled_in_comes_back_as_labels(openbook, rows: Rows, run_directory: Path, tmp_path, encoding) -> None:
    words = {row["id"]: word for row, word in zip(rows, ["correct", " Wrong", "ABSTAINED", ""] * 10, strict=True)}
    filled = [
        {**row, "verdict": words[row["id"]], "comment": "축이 바뀜" if n == 1 else ""} for n, row in enumerate(rows)
    ]
    path = write(tmp_path / "filled.csv", filled, encoding)
    code, out, err = openbook("label", run_directory, "--import", path, "--as", "lee")
    assert code == 0, err
    assert ("CP949" in err) == (encoding == "cp949")
    assert "30 labels new or changed" in out
    assert out.splitlines()[-1] == str(run_directory / "report.html")
    run = Run.of(run_directory)
    labels = standing(load_findings(run).answers, stored_labels(run))
    assert sorted(label.verdict for label in labels) == ["abstained"] * 10 + ["correct"] * 10 + ["wrong"] * 10
    assert {label.who for label in labels} == {"lee"}
    assert [label.why for label in labels if label.why] == ["축이 바뀜"]
    assert all(label.when and label.key and 0 < (label.probability or 0) <= 1 for label in labels)
    assert openbook("verify", run_directory)[0] == 0


def test_a_label_by_sheet_has_the_probability_of_one_by_page(openbook, rows: Rows, run_directory, tmp_path) -> None:
    from train.labelling.desk import Desk

    path = write(tmp_path / "filled.csv", [{**row, "verdict": "wrong"} for row in rows])
    assert openbook("label", run_directory, "--import", path, "--as", "lee")[0] == 0
    run = Run.of(run_directory)
    desk = Desk(run, load_findings(run), "kim", 40)
    while item := desk.state()["item"]:
        desk.label(item["id"], "correct", "")
    labels = standing(load_findings(run).answers, stored_labels(run))
    rates = {who: {each.answer: each.probability for each in labels if each.who == who} for who in ("lee", "kim")}
    assert rates["lee"] == rates["kim"]
    assert len(rates["lee"]) == 40


def test_a_sheet_read_twice_changes_nothing_and_a_changed_row_that_row_alone(openbook, rows, run_directory, tmp_path):
    filled = [{**row, "verdict": "wrong"} for row in rows[:5]]
    path = write(tmp_path / "filled.csv", filled)
    assert "5 labels new" in openbook("label", run_directory, "--import", path, "--as", "lee")[1]
    assert "0 labels new" in openbook("label", run_directory, "--import", path, "--as", "lee")[1]
    assert len(labels_in(run_directory)) == 5
    filled[2]["comment"] = "no"
    filled[3]["verdict"] = ""
    path = write(tmp_path / "filled.csv", filled)
    assert "1 label new" in openbook("label", run_directory, "--import", path, "--as", "lee")[1]
    run = Run.of(run_directory)
    assert len(standing(load_findings(run).answers, stored_labels(run))) == 5, "what is left empty stays as it was"


def test_a_sheet_for_somebody_holds_what_they_said_already(openbook, rows, run_directory, tmp_path) -> None:
    filled = [{**row, "verdict": "wrong", "comment": "=HYPERLINK(1)"} for row in rows[:3]]
    openbook("label", run_directory, "--import", write(tmp_path / "filled.csv", filled), "--as", "lee")
    for who, number in (("lee", 3), ("kim", 0)):
        path = tmp_path / f"{who}.csv"
        assert openbook("label", run_directory, "--export", path, "--answers", "40", "--as", who)[0] == 0
        again = read(path)
        assert {row["id"] for row in again} == {row["id"] for row in rows}
        assert sum(row["verdict"] == "wrong" for row in again) == number
        assert sum(row["comment"] == "'=HYPERLINK(1)" for row in again) == number
        assert "0 labels new" in openbook("label", run_directory, "--import", path, "--as", who)[1]


def changed(number: int, column: str, value: str) -> Callable[[Rows], Rows]:
    def change(rows: Rows) -> Rows:
        return [{**row, column: value} if n == number else row for n, row in enumerate(rows)]

    return change


def without(*columns: str) -> Callable[[Rows], Rows]:
    return lambda rows: [{name: cell for name, cell in row.items() if name not in columns} for row in rows]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (changed(3, "verdict", "corect"),
         "row 5, column 'verdict': 'corect' is not one of correct, wrong, abstained; did you mean 'correct'?"),
        (changed(0, "verdict", "1"), "row 2, column 'verdict': '1' is not one of"),
        (changed(0, "verdict", "unscored"), "row 2, column 'verdict': 'unscored' is not one of"),
        (changed(1, "id", "nowhere"), "row 3, column 'id': no answer has the id 'nowhere'"),
        (changed(1, "id", ""), "row 3, column 'id': no answer has the id ''"),
        (lambda rows: [*rows, rows[4]], "row 42, column 'id': {id4} is in row 6 too; keep one of them"),
        (without("id"), "column 'id' is missing"),
        (without("verdict"), "column 'verdict' is missing"),
        (lambda rows: [{name.replace("verdict", "Verdict"): cell for name, cell in row.items()} for row in rows],
         "did you mean 'Verdict'? rename it to 'verdict'"),
        (changed(1, "drawn", "many"), "row 3, column 'drawn': 'many' is not a number; leave it as it was exported"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_sheet_is_named_and_nothing_of_it_stored(
    openbook, rows: Rows, run_directory: Path, tmp_path: Path, change, message: str
) -> None:
    before = {path.name: path.read_bytes() for path in run_directory.iterdir() if path.is_file()}
    filled = change([{**row, "verdict": "wrong"} for row in rows])
    path = write(tmp_path / "filled.csv", filled)
    code, out, err = openbook("label", run_directory, "--import", path, "--as", "lee")
    assert (code, out) == (2, "")
    assert f"{path}:" in err
    assert message.format(id4=rows[4]["id"]) in err
    assert {path.name: path.read_bytes() for path in run_directory.iterdir() if path.is_file()} == before


def test_every_problem_of_a_sheet_is_named_at_once(openbook, rows, run_directory, tmp_path) -> None:
    filled = changed(2, "id", "nowhere")(changed(1, "verdict", "yes")(rows))
    code, _, err = openbook("label", run_directory, "--import", write(tmp_path / "filled.csv", filled), "--as", "lee")
    assert code == 2
    assert "row 3, column 'verdict'" in err and "row 4, column 'id'" in err


def test_another_run_s_sheet_is_refused(openbook, rows, run_directory, tmp_path, graded) -> None:
    from .conftest import write_answers

    (tmp_path / "other").mkdir()
    answers, questions = write_answers(tmp_path / "other")
    assert openbook("compare", answers, "--questions", questions, "--out", tmp_path / "other" / "run")[0] == 0
    path = write(tmp_path / "filled.csv", [{**row, "verdict": "wrong"} for row in rows])
    code, _, err = openbook("label", tmp_path / "other" / "run", "--import", path, "--as", "lee")
    assert code == 2
    assert "no answer has the id" in err and "exported from this run" in err


def test_an_empty_sheet_is_a_note_and_no_error(openbook, rows, run_directory, tmp_path) -> None:
    code, out, err = openbook("label", run_directory, "--import", tmp_path / "sheet.csv", "--as", "lee")
    assert (code, "0 labels new" in out, "has no verdicts" in err) == (0, True, True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--export", "{tmp}/sheet.csv"], "--export {tmp}/sheet.csv: cannot be written (File exists)"),
        (["--export", "{tmp}/sheet.xlsx"], "is not the name of a .csv file"),
        (["--export", "{tmp}/no/sheet.csv"], "cannot be written (No such file or directory)"),
        (["--import", "{tmp}/shet.csv", "--as", "lee"], "no such file or directory; did you mean 'sheet.csv'?"),
        (["--import", "{tmp}/sheet.csv"], "--as: is missing; name the person who labels"),
        (["--import", "{tmp}/sheet.csv", "--as", " "], "--as ' ': is no name"),
        ([], "--as: is missing"),
        (["--as", "kim", "--answers", "0"], "argument --answers: '0' is no number of answers"),
        (["--as", "kim", "--port", "70000"], "argument --port: '70000' is no port"),
        (["--import", "a.csv", "--export", "b.csv"], "not allowed with argument"),
    ],
)
def test_wrong_use_is_said_so(openbook, rows, run_directory, tmp_path, arguments, message) -> None:
    given = [argument.format(tmp=tmp_path) for argument in arguments]
    code, out, err = openbook("label", run_directory, *given)
    assert (code, out) == (2, "")
    assert message.format(tmp=tmp_path) in err


def test_rows_that_were_removed_do_not_change_how_likely_the_others_were_drawn(openbook, rows, run_directory, tmp_path):
    def probabilities() -> dict[object, float | None]:
        run = Run.of(run_directory)
        return {label.answer: label.probability for label in standing(load_findings(run).answers, stored_labels(run))}

    path = write(tmp_path / "few.csv", [{**row, "verdict": "wrong"} for row in rows[:3]])
    assert openbook("label", run_directory, "--import", path, "--as", "lee")[0] == 0
    few = probabilities()
    path = write(tmp_path / "all.csv", [{**row, "verdict": "wrong"} for row in rows])
    assert openbook("label", run_directory, "--import", path, "--as", "lee")[0] == 0
    assert len(few) == 3
    assert few.items() <= probabilities().items()
