"""The CSV files read back as what was written, in Python and, as far as that can be known, in a spreadsheet."""

import csv
import io

from train.records import is_right
from train.report import render
from train.report.texts import encodable, unsheet

from .builders import HOSTILE, findings


def rows(text: str) -> list[dict[str, str]]:
    assert text.startswith("\ufeff")
    read = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True))
    assert all(None not in row and None not in row.values() for row in read)
    return read


def test_every_answer_reads_back_as_it_was() -> None:
    data = findings(texts=HOSTILE, per_split=12)
    read = rows(render(data)["answers.csv"])
    by_id = {
        (*(unsheet(row[name]) for name in ("arm", "condition", "question")), int(row["seed"]), int(row["sample"])): row
        for row in read
    }
    assert len(read) == len(by_id) == len(data.answers)
    contexts = {(context.question, context.condition): context for context in data.contexts}
    for answer in data.answers:
        verdict = data.headline[answer.id]
        row = by_id[answer.arm, answer.condition, encodable(answer.question), answer.seed, answer.sample]
        assert unsheet(row["answer"]) == encodable(answer.text)
        assert (row["graded"], row["grader"]) == (verdict.verdict, verdict.grader)
        assert unsheet(row["why"]) == encodable(verdict.why)
        assert float(row["seconds"]) == answer.seconds
        expected = contexts[answer.question, answer.condition].expects
        right = "" if verdict.verdict == "unscored" else str(is_right(verdict.verdict, expected)).lower()
        assert row["right"] == right


def test_no_text_cell_begins_like_a_formula() -> None:
    data = findings(texts=HOSTILE, per_split=12)
    for row in rows(render(data)["answers.csv"]):
        for column in ("arm", "condition", "question", "answer", "why", "finish"):
            assert not row[column] or row[column][0] not in "=+-@\t\r\n＝＋－＠"


def test_cells_and_contrasts_stand_in_full_precision() -> None:
    data = findings()
    report = render(data)
    cells, contrasts = rows(report["cells.csv"]), rows(report["contrasts.csv"])
    for row, cell in zip(cells, data.comparison["cells"], strict=True):
        assert (row["arm"], row["condition"], row["split"]) == (cell["arm"], cell["condition"], cell["split"])
        assert float(row["accuracy"]) == cell["accuracy"]
        assert [float(row["interval_low"]), float(row["interval_high"])] == cell["interval"]
        assert int(row["right"]) == cell["right"]
    for row, contrast in zip(contrasts, data.comparison["contrasts"], strict=True):
        assert float(row["difference"]) == contrast["difference"]  # a number: no apostrophe before its minus
        assert row["a_arm"] == contrast["a"]["arm"]
        assert row["planned"] == str(contrast["planned"]).lower()
        assert (row["p_holm"] == "") == (contrast["p_holm"] is None)


def test_lines_end_as_the_standard_says() -> None:
    text = render(findings())["cells.csv"]
    assert text.count("\r\n") == text.count("\n")
