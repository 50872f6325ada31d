"""`openbook compare`: answers made elsewhere, judged by people or by rubrics, in English and in Korean."""

from __future__ import annotations

import csv
import html
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

TERMS = Path(__file__).parent / "data_files" / "ml_terms.jsonl"
WITHOUT = [0, 0, 0, 0, 0, 1, 3] + [4] * 23
"""Right answers of 4 to each question in the seed experiment's weaker cell: 96 of 120 (METHOD.md)."""

Rows = Sequence[Mapping[str, Any]]


def write(path: Path, rows: Rows, encoding: str = "utf-8") -> Path:
    """Rows as CSV or JSON Lines, as the suffix says."""
    out = io.StringIO(newline="")
    if path.suffix == ".csv":
        writer = csv.DictWriter(out, list(rows[0]))
        writer.writeheader()
        for row in rows:
            cells = {name: json.dumps(c, ensure_ascii=False) if isinstance(c, list) else c for name, c in row.items()}
            writer.writerow(cells)
    else:
        out.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_bytes(out.getvalue().encode(encoding))
    return path


def answer(cell: str, question: str, sample: int, text: str, **more: str) -> dict[str, Any]:
    arm, condition = cell.split("/")
    return {"arm": arm, "condition": condition, "question": question, "sample": sample, "answer": text, **more}


def judged(cells: Mapping[str, Sequence[int]], samples: int = 4) -> tuple[Rows, Rows]:
    """Questions without a rubric, and answers with people's verdicts: so many right ones to each question."""
    count = max(map(len, cells.values()))
    questions = [{"id": f"q{n:02}", "question": f"What is term {n}?", "answer": f"It is {n}."} for n in range(count)]
    answers = [
        answer(cell, f"q{n:02}", sample, f"Some text {n}.", verdict="correct" if sample < right else "wrong")
        for cell, rights in cells.items()
        for n, right in enumerate(rights)
        for sample in range(samples)
    ]
    return questions, answers


def comparison_at(report: str) -> dict[str, Any]:
    """The comparison beside the report whose path was printed last."""
    path = Path(report.splitlines()[-1])
    assert path.is_absolute()
    assert path.name == "report.html"
    assert "<html" in path.read_text(encoding="utf-8")
    return json.loads((path.parent / "comparison.json").read_text(encoding="utf-8"))


def counts(comparison: Mapping[str, Any], split: str = "all") -> dict[str, tuple[int, ...]]:
    """answers, correct, wrong, abstained, unscored and right of each cell."""
    words = ("answers", "correct", "wrong", "abstained", "unscored", "right")
    return {
        f"{cell['arm']}/{cell['condition']}": tuple(cell[word] for word in words)
        for cell in comparison["cells"]
        if cell["split"] == split
    }


@pytest.mark.parametrize("kind", [".csv", ".jsonl"])
def test_people_s_verdicts_on_240_answers_give_the_published_comparison(kind, tmp_path, openbook):
    questions, answers = judged({"open-book/gold": [4] * 30, "closed-book/none": WITHOUT})
    assert len(answers) == 240
    paths = write(tmp_path / f"questions{kind}", questions), write(tmp_path / f"answers{kind}", answers)
    code, out, _ = openbook("compare", paths[1], "--questions", paths[0])
    assert code == 0
    first = out.splitlines()[0]
    assert first.startswith("open-book/gold − closed-book/none (all, 30 questions): ")
    assert first.endswith("difference .200, interval [.054, .346], p .0156")
    comparison = comparison_at(out)
    assert counts(comparison) == {
        "open-book/gold": (120, 120, 0, 0, 0, 120),
        "closed-book/none": (120, 96, 24, 0, 0, 96),
    }
    assert [cell["graders"] for cell in comparison["cells"]] == [{"person": 120}] * 2
    assert [len(comparison["contrasts"]), comparison["contrasts"][0]["differing"]] == [1, 7]
    assert openbook("verify", Path(out.splitlines()[-1]).parent)[0] == 0


@pytest.fixture(scope="module")
def terms() -> Rows:
    """Questions on machine learning in Korean, each with answers that are right and some that only sound so."""
    return [json.loads(line) for line in TERMS.read_text(encoding="utf-8").splitlines()]


def asked(terms: Rows) -> Rows:
    return [{name: cell for name, cell in term.items() if name not in ("right", "wrong")} for term in terms]


def said(terms: Rows, style: str = "{}") -> Rows:
    """Four right answers each in one cell; in the other, question n has n mod 3 wrong ones."""
    rows = []
    for number, term in enumerate(terms):
        right, wrong = [term["answer"], *term["right"]], term["wrong"]
        for cell, texts in {"tuned/gold": right, "base/none": [*wrong[: number % 3], *right][:4]}.items():
            rows += [answer(cell, term["id"], sample, style.format(text)) for sample, text in enumerate(texts)]
    return rows


def test_the_korean_terms_are_thirty_and_every_text_is_there_once(terms):
    texts = [text for term in terms for text in (term["answer"], *term["right"], *term["wrong"])]
    assert len({term["id"] for term in terms}) == 30
    assert len(texts) == 30 * (1 + 3 + 2)
    assert all(len({term["answer"], *term["right"], *term["wrong"]}) == 6 for term in terms)


@pytest.mark.parametrize(
    ("kind", "encoding", "style"),
    [
        (".jsonl", "utf-8", "{}"),
        (".csv", "utf-8-sig", "**{}** ✅<|im_end|>"),
        (".csv", "cp949", "{}\n"),
    ],
)
def test_rubrics_grade_korean_answers(kind, encoding, style, terms, tmp_path, openbook):
    questions = write(tmp_path / f"questions{kind}", asked(terms), encoding)
    answers = write(tmp_path / f"answers{kind}", said(terms, style), encoding)
    code, out, err = openbook("compare", answers, "--questions", questions)
    assert code == 0
    assert ("CP949" in err) == (encoding == "cp949")
    comparison = comparison_at(out)
    assert counts(comparison) == {"tuned/gold": (120, 120, 0, 0, 0, 120), "base/none": (120, 90, 30, 0, 0, 90)}
    assert comparison["cells"][0]["graders"] == {"rubric": 120}
    per_question = {cell["arm"]: cell["per_question"] for cell in comparison["cells"]}
    wrong = {entry["question"]: entry["wrong"] for entry in per_question["base"]}
    assert wrong == {term["id"]: number % 3 for number, term in enumerate(terms)}
    assert out.startswith("tuned/gold − base/none (all, 30 questions): difference .250, interval [")
    assert openbook("verify", Path(out.splitlines()[-1]).parent)[0] == 0


def test_verdicts_on_a_part_measure_the_rubric_and_do_not_count(terms, tmp_path, openbook):
    rows = [{**row, "verdict": "wrong" if row["sample"] == 3 else ""} for row in said(terms)]
    questions, answers = write(tmp_path / "q.csv", asked(terms)), write(tmp_path / "a.csv", rows)
    code, out, _ = openbook("compare", answers, "--questions", questions)
    assert code == 0
    comparison = comparison_at(out)
    assert counts(comparison)["tuned/gold"] == (120, 120, 0, 0, 0, 120)
    cell = comparison["cells"][0]
    assert (cell["graders"], cell["labelled"]) == ({"rubric": 120}, 30)
    refused = {"refused": "the labels carry no sampling probability"}
    assert cell["corrected"] == {"rogan_gladen": refused, "prediction_powered": refused}
    assert comparison["people"]["labelled"] == 60
    rubric = comparison["graders"][0]
    assert (rubric["arm"], rubric["labels"], rubric["weighted"], rubric["tp"]) == (None, 60, False, 0)
    assert "25.0 % checked by people" in (Path(out.splitlines()[-1]).parent / "report.md").read_text(encoding="utf-8")
    assert openbook("verify", Path(out.splitlines()[-1]).parent)[0] == 0


def test_verdicts_on_all_of_a_cell_override_the_rubric(terms, tmp_path, openbook):
    rows = [
        {**row, "verdict": "" if row["arm"] == "base" else "wrong" if row["sample"] == 3 else "correct"}
        for row in said(terms)
    ]
    questions, answers = write(tmp_path / "q.csv", asked(terms)), write(tmp_path / "a.csv", rows)
    code, out, _ = openbook("compare", answers, "--questions", questions)
    assert code == 0
    comparison = comparison_at(out)
    assert counts(comparison) == {"tuned/gold": (120, 90, 30, 0, 0, 90), "base/none": (120, 90, 30, 0, 0, 90)}
    assert comparison["cells"][0]["graders"] == {"person": 120}
    assert comparison["cells"][0]["causes"] == {"gold unused": 30}
    # Only one of the cells is judged: the contrast is the rubric's on both sides.
    assert (comparison["contrasts"][0]["difference"], comparison["contrasts"][0]["graded_by"]) == (0.25, "graders")
    note = "tuned with gold counts by people's verdicts in its own row, and here by the graders'"
    for name in ("report.md", "report.html"):
        text = html.unescape((Path(out.splitlines()[-1]).parent / name).read_text(encoding="utf-8"))
        assert text.count(note) >= 2, "at the decision and at the contrast"


def test_where_the_context_holds_no_gold_abstaining_is_right(terms, tmp_path, openbook):
    told = "주어진 자료만으로는 답할 수 없습니다."
    texts = [told, "문서에 나와 있지 않습니다."]
    rows = [
        row
        for term in terms[:10]
        for row in (
            *(answer("base/distractors@2", term["id"], n, text) for n, text in enumerate([*texts, term["answer"]])),
            *(answer("base/gold", term["id"], n, text) for n, text in enumerate([told, *term["right"][:2]])),
        )
    ]
    questions, answers = write(tmp_path / "q.jsonl", asked(terms)), write(tmp_path / "a.jsonl", rows)
    code, out, _ = openbook("compare", answers, "--questions", questions, "--abstention", told)
    assert code == 0
    comparison = comparison_at(out)
    assert counts(comparison) == {"base/distractors@2": (30, 10, 0, 20, 0, 20), "base/gold": (30, 20, 0, 10, 0, 20)}
    assert {cell["condition"]: cell["expects"] for cell in comparison["cells"]} == {
        "distractors@2": "abstain",
        "gold": "answer",
    }


def test_fewer_than_six_questions_have_no_interval_and_it_says_so(tmp_path, openbook):
    questions, answers = judged({"a/none": [4, 4, 4, 4, 4], "b/none": [0, 1, 2, 3, 4]})
    paths = write(tmp_path / "q.csv", questions), write(tmp_path / "a.csv", answers)
    code, out, _ = openbook("compare", paths[1], "--questions", paths[0])
    assert code == 0
    assert "(all, 5 questions): difference .500, interval none, p .125" in out
    assert comparison_at(out)["contrasts"][0]["interval"] is None
    folder = Path(out.splitlines()[-1]).parent
    for name in ("report.html", "report.md"):
        assert "too few questions (fewer than 6)" in (folder / name).read_text(encoding="utf-8")


def test_one_cell_is_enough(tmp_path, openbook):
    questions, answers = judged({"only/gold": [4, 3, 2, 4, 4, 4]})
    paths = write(tmp_path / "q.csv", questions), write(tmp_path / "a.csv", answers)
    code, out, _ = openbook("compare", paths[1], "--questions", paths[0], "--out", tmp_path / "one")
    assert code == 0
    assert out.splitlines()[-1] == str(tmp_path / "one" / "report.html")
    comparison = comparison_at(out)
    assert comparison["contrasts"] == []
    assert counts(comparison) == {"only/gold": (24, 21, 3, 0, 0, 21)}
    assert "87.5 %" in out
    assert openbook("verify", tmp_path / "one")[0] == 0


def test_the_same_directory_takes_changed_answers_anew(tmp_path, openbook):
    results = []
    for right in ([4] * 8, [4, 4, 4, 4, 0, 0, 0, 0], [4] * 8):
        questions, answers = judged({"a/none": right, "b/none": [2] * 8})
        paths = write(tmp_path / "q.csv", questions), write(tmp_path / "a.csv", answers)
        code, out, _ = openbook("compare", paths[1], "--questions", paths[0])
        assert code == 0
        results.append(comparison_at(out)["contrasts"][0]["difference"])
        assert openbook("verify", Path(out.splitlines()[-1]).parent)[0] == 0
    assert results == [0.5, 0.0, 0.5]


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("labels.jsonl", '"correct"', '"wrong"'),
        ("answers.jsonl", "Some text 3", "Some text 4"),
        ("questions.jsonl", "It is 5", "It is 6"),
        ("comparison.json", '"difference": 0.5', '"difference": 0.6'),
    ],
)
def test_an_edit_of_what_was_compared_is_found(name, old, new, tmp_path, openbook):
    questions, answers = judged({"a/none": [4] * 8, "b/none": [2] * 8})
    paths = write(tmp_path / "q.csv", questions), write(tmp_path / "a.csv", answers)
    folder = Path(openbook("compare", paths[1], "--questions", paths[0])[1].splitlines()[-1]).parent
    text = (folder / name).read_text(encoding="utf-8")
    assert old in text
    (folder / name).write_text(text.replace(old, new, 1), encoding="utf-8")
    code, out, _ = openbook("verify", folder)
    assert code == 1
    assert out.startswith(name)


def test_contrasts_are_those_that_were_asked_for(tmp_path, openbook):
    questions, answers = judged({"a/none": [4] * 8, "b/none": [2] * 8, "c/gold": [0] * 8})
    paths = write(tmp_path / "q.csv", questions), write(tmp_path / "a.csv", answers)
    command = ("compare", paths[1], "--questions", paths[0], "--out", tmp_path / "run")
    _, out, _ = openbook(*command)
    assert [line.split(" (")[0] for line in out.splitlines()[:3]] == [
        "a/none − b/none",
        "a/none − c/gold",
        "b/none − c/gold",
    ]
    _, out, _ = openbook(*command, "--contrast", "c/gold vs a/none")
    planned = [row for row in comparison_at(out)["contrasts"] if row["planned"]]
    assert [(row["a"]["arm"], row["b"]["arm"], row["difference"]) for row in planned] == [("c", "a", -1.0)]
    assert out.startswith("c/gold − a/none (all, 8 questions): difference −1.000, interval none, p .0078")


def test_files_of_the_same_name_or_with_korean_names_have_runs_of_their_own(tmp_path, openbook):
    questions, answers = judged({"a/none": [4, 0]})
    asked = write(tmp_path / "questions.jsonl", questions)
    reports = []
    for name in ("one/답변.csv", "one/결과.csv", "one/answers.csv", "two/answers.csv", "two/answers.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        code, out, _ = openbook("compare", write(tmp_path / name, answers), "--questions", asked)
        assert code == 0
        reports.append(out.splitlines()[-1])
    assert len(set(reports)) == 4
    assert reports[3] == reports[4]
