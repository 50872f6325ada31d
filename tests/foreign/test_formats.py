"""Every format gives the same answers, graded alike, whatever tool wrote it."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from tests.foreign.material import (
    QUESTIONS,
    answer_rows,
    as_csv,
    comparison_at,
    eval_parts,
    harness_lines,
    inspect_header,
    inspect_samples,
    jsonl,
    right,
    said,
    text_of,
    write_answers,
    write_harness,
    write_inspect,
    write_questions,
    write_zstandard,
)

RESPONSES = said(6)
CELL = "openai/small/gold"


def write(folder: Path, form: str) -> Path:
    """The same answers in each form."""
    rows = answer_rows({CELL: RESPONSES})
    plain = [{name: cell for name, cell in row.items() if name not in ("arm", "condition")} for row in rows]
    match form:
        case "csv":
            return write_answers(folder / "a.csv", {CELL: RESPONSES})
        case "csv with a byte order mark":
            (folder / "a.csv").write_text(as_csv(rows), encoding="utf-8-sig")
            return folder / "a.csv"
        case "csv without arm and condition":
            (folder / "a.csv").write_text(as_csv(plain), encoding="utf-8")
            return folder / "a.csv"
        case "jsonl":
            return write_answers(folder / "a.jsonl", {CELL: RESPONSES})
        case "jsonl called json":
            (folder / "a.json").write_text(jsonl(rows), encoding="utf-8")
            return folder / "a.json"
        case "harness":
            return write_harness(folder, RESPONSES)
        case "harness, two filters":
            return write_harness(folder, RESPONSES, filters=("strict-match", "flexible-extract"))
        case "harness, only filtered":
            lines = harness_lines({question: texts[:1] for question, texts in RESPONSES.items()})
            bare = [{**line, "filtered_resps": line["resps"][0]} for line in lines]
            path = folder / "samples.jsonl"
            path.write_text(jsonl([{k: v for k, v in line.items() if k != "resps"} for line in bare]))
            return path
        case "inspect":
            return write_inspect(folder / "log.json", inspect_samples(RESPONSES))
        case "inspect on one line":
            path = folder / "log.jsonl"
            path.write_text(json.dumps({**inspect_header(), "samples": inspect_samples(RESPONSES)}))
            return path
        case "inspect, numbered":
            return write_inspect(folder / "log.json", inspect_samples(RESPONSES, ids=False))
        case "inspect archive":
            return write_inspect(folder / "log.eval", inspect_samples(RESPONSES))
        case "inspect archive by another name":
            return write_inspect(folder / "log.eval", inspect_samples(RESPONSES)).rename(folder / "answers.csv")
        case "zstandard":
            return write_zstandard(folder / "log.eval", eval_parts(inspect_samples(RESPONSES)))
        case "zstandard, several frames":
            return write_zstandard(folder / "log.eval", eval_parts(inspect_samples(RESPONSES)), frames=3)
    raise AssertionError(form)


NAMED = ("csv", "csv with a byte order mark", "jsonl", "jsonl called json")


@pytest.mark.parametrize(
    "form",
    [
        *NAMED,
        "csv without arm and condition",
        "harness",
        "harness, two filters",
        "inspect",
        "inspect on one line",
        "inspect, numbered",
        "inspect archive",
        "inspect archive by another name",
        "zstandard",
        "zstandard, several frames",
    ],
)
def test_every_form_gives_the_same_cells_and_texts(form, tmp_path, openbook):
    path = write(tmp_path, form)
    name = () if form in NAMED else ("--name", f"{path}={CELL}")
    code, out, err = openbook("compare", path, "--questions", write_questions(tmp_path), *name)
    assert code == 0, err
    assert right(comparison_at(out)) == {CELL: (16, 12)}
    folder = Path(out.splitlines()[-1]).parent
    stored = [json.loads(line) for line in (folder / "answers.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {(row["question"], row["sample"], row["text"]) for row in stored} == {
        (question, n, text) for question, texts in RESPONSES.items() for n, text in enumerate(texts)
    }
    assert (folder / "labels.jsonl").read_text() == ""
    assert openbook("verify", folder)[0] == 0


def test_only_what_filters_left_is_read_where_the_responses_are_not_there(tmp_path, openbook):
    path = write(tmp_path, "harness, only filtered")
    code, out, _ = openbook("compare", path, "--questions", write_questions(tmp_path))
    assert code == 0
    assert right(comparison_at(out)) == {"samples/none": (8, 6)}


@pytest.mark.parametrize(
    ("form", "cell"),
    [
        ("harness", "org/small/none"),
        ("inspect", "ollama/small/none"),
        ("zstandard", "ollama/small/none"),
        ("csv", CELL),
    ],
)
def test_an_arm_is_called_after_the_model_that_the_log_names(form, cell, tmp_path, openbook):
    code, out, _ = openbook("compare", write(tmp_path, form), "--questions", write_questions(tmp_path))
    assert code == 0
    assert list(right(comparison_at(out))) == [cell]


def test_without_results_beside_them_samples_are_called_after_their_file(tmp_path, openbook):
    path = tmp_path / "samples_lamps.jsonl"
    path.write_text(jsonl(harness_lines(RESPONSES)))
    _, out, _ = openbook("compare", path, "--questions", write_questions(tmp_path))
    assert list(right(comparison_at(out))) == ["samples_lamps/none"]


@pytest.mark.parametrize(
    ("given", "cell"),
    [("small", "small/none"), ("small/gold+2", "small/gold+2"), ("ollama/small", "ollama/small/none")],
)
def test_a_name_is_an_arm_and_a_condition_unless_it_is_the_model_s(given, cell, tmp_path, openbook):
    path = write(tmp_path, "inspect")
    questions = write_questions(tmp_path)
    for file in (path, path.name):
        _, out, _ = openbook("compare", path, "--questions", questions, "--name", f"{file}={given}")
        assert list(right(comparison_at(out))) == [cell]


@pytest.mark.parametrize("form", ["harness", "inspect"])
def test_scores_of_another_tool_are_not_read_and_it_says_so(form, tmp_path, openbook):
    _, out, err = openbook("compare", write(tmp_path, form), "--questions", write_questions(tmp_path))
    assert "the scores of " in err and "are not read: they are no person's word" in err
    assert {name for cell in comparison_at(out)["cells"] for name in cell["graders"]} == {"rubric"}


def test_what_a_log_says_of_tokens_seconds_and_ends_is_kept(tmp_path, openbook):
    samples = inspect_samples(RESPONSES)
    samples[0]["output"]["choices"][0]["stop_reason"] = "max_tokens"
    path = write_inspect(tmp_path / "log.json", samples)
    _, out, _ = openbook("compare", path, "--questions", write_questions(tmp_path))
    stored = [json.loads(line) for line in Path(out.splitlines()[-1]).with_name("answers.jsonl").open()]
    assert [row["finish"] for row in stored[:2]] == ["length", "stop"]
    assert {(row["prompt_tokens"], row["tokens"], row["seconds"]) for row in stored} == {(66, 7, 0.25)}


def test_every_choice_of_every_epoch_is_a_sample(tmp_path, openbook):
    samples = inspect_samples(RESPONSES)
    for sample in samples:
        (choice,) = sample["output"]["choices"]
        message = choice["message"]
        sample["output"]["choices"] = [
            {**choice, "message": {**message, "content": f"{message['content']} {sample['epoch']}, {n}"}}
            for n in range(3)
        ]
    path = write_inspect(tmp_path / "log.json", samples[::-1])
    _, out, _ = openbook("compare", path, "--questions", write_questions(tmp_path))
    assert right(comparison_at(out)) == {"ollama/small/none": (48, 36)}
    stored = [json.loads(line) for line in Path(out.splitlines()[-1]).with_name("answers.jsonl").open()]
    own = {row["sample"]: row["text"] for row in stored if row["question"] == "lamp0"}
    assert [own[n][-4:] for n in range(6)] == ["1, 0", "1, 1", "1, 2", "2, 0", "2, 1", "2, 2"]


def test_messages_in_parts_and_attachments_are_put_together_and_reasoning_is_left_out(tmp_path, openbook):
    samples = inspect_samples(said(8, samples=1), ids=False)
    for sample, row in zip(samples, QUESTIONS, strict=True):
        parts = [{"type": "reasoning", "reasoning": "black?"}, {"type": "text", "text": f"It is {row['facts'][0]}."}]
        sample["output"]["choices"][0]["message"]["content"] = parts
        sample["input"] = [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "attachment://abc"},
        ]
        sample["attachments"] = {"abc": text_of(row["id"])}
    _, out, err = openbook(
        "compare", write_inspect(tmp_path / "log.eval", samples), "--questions", write_questions(tmp_path)
    )
    assert right(comparison_at(out)) == {"ollama/small/none": (8, 8)}
    assert "questions found by text" in err


def test_samples_that_failed_or_were_marked_are_left_out_and_counted(tmp_path, openbook):
    samples = inspect_samples(RESPONSES)
    samples[0] |= {"error": {"message": "timeout"}, "output": {"choices": []}}
    samples[1]["invalidation"] = {"author": "someone"}
    samples[2]["output"] = {"choices": []}
    path = write_inspect(tmp_path / "log.json", samples, inspect_header(status="error"))
    code, out, err = openbook("compare", path, "--questions", write_questions(tmp_path))
    assert code == 0
    assert right(comparison_at(out)) == {"ollama/small/none": (13, 9)}
    for words in ("1 sample(s) failed", "1 sample(s) were marked as invalid", "1 sample(s) have no output"):
        assert words in err
    assert "status is 'error'" in err
    assert "3 of 16 answers are missing" not in err  # a question without any answer is not known to be missing
    assert "1 of 14 answers are missing" in err


def test_a_log_that_was_not_finished_is_read_from_its_journal(tmp_path, openbook):
    finished = write_inspect(tmp_path / "log.eval", inspect_samples(RESPONSES))
    path = tmp_path / "begun.eval"
    with zipfile.ZipFile(finished) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            if name != "header.json":
                new.writestr(name, old.read(name))
    code, out, err = openbook("compare", path, "--questions", write_questions(tmp_path))
    assert code == 0
    assert right(comparison_at(out)) == {"ollama/small/none": (16, 12)}
    assert "status is 'started'" in err


def test_a_sample_written_twice_into_an_archive_counts_as_it_was_written_last(tmp_path, openbook):
    samples = inspect_samples(said(0))
    path = write_inspect(tmp_path / "log.eval", samples)
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(path, "a") as archive:
        for sample in inspect_samples(said(8)):
            archive.writestr(f"samples/{sample['id']}_epoch_{sample['epoch']}.json", json.dumps(sample))
    _, out, _ = openbook("compare", path, "--questions", write_questions(tmp_path))
    assert right(comparison_at(out)) == {"ollama/small/none": (16, 16)}


def test_a_sample_whose_messages_are_kept_apart_is_read(tmp_path, openbook):
    parts = {
        f"samples/{sample['id']}_epoch_{sample['epoch']}/sample.json": {**sample, "input": "attachment://0"}
        for sample in inspect_samples(RESPONSES)
    }
    parts["samples/lamp0_epoch_1/messages/0.json"] = []
    path = write_zstandard(tmp_path / "log.eval", {**parts, "header.json": inspect_header()})
    _, out, _ = openbook("compare", path, "--questions", write_questions(tmp_path))
    assert right(comparison_at(out)) == {"ollama/small/none": (16, 12)}


@pytest.mark.parametrize("at", [0.2, 0.5, 0.8])
def test_a_damaged_part_in_zstandard_is_named(at, tmp_path, openbook):
    path = write_zstandard(tmp_path / "log.eval", {"header.json": inspect_header()})
    content = bytearray(path.read_bytes())
    size = len(content) - len("header.json") * 2 - 30 - 46 - 22
    content[30 + len("header.json") + int(size * at)] ^= 0xFF
    path.write_bytes(content)
    code, _, err = openbook("compare", path, "--questions", write_questions(tmp_path))
    assert code == 2
    assert f"error: {path}: header.json: is damaged (" in err
    assert err.rstrip().endswith("; copy the log anew")


def test_a_line_of_many_megabytes_is_an_answer_like_any_other(tmp_path, openbook):
    long = {**RESPONSES, "lamp0": [RIGHT_AT_THE_END] * 2}
    for path in (write_answers(tmp_path / "a.csv", {CELL: long}), write_harness(tmp_path, long)):
        code, out, _ = openbook("compare", path, "--questions", write_questions(tmp_path))
        assert code == 0
        assert list(right(comparison_at(out)).values()) == [(16, 12)]


RIGHT_AT_THE_END = "hm, " * 500_000 + "it is red."
