"""What a finished run's report takes afterwards: a redacted copy, a price for the machine. `verify` covers both."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import train.report
from train.report import REDACTED_FILES
from train.sealing import numbered_records
from train.store import read_manifest

from .test_compare import TERMS, Rows, answer, asked, said, write

Openbook = Callable[..., tuple[int, str, str]]
WHOLE = "every number follows from the stored answers\n"


@pytest.fixture
def run(finished_run, tmp_path) -> Path:
    """A finished run of this test's own."""
    return Path(shutil.copytree(finished_run, tmp_path / "run"))


@pytest.fixture
def terms() -> Rows:
    return [json.loads(line) for line in TERMS.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def command(finished_run, run) -> tuple[object, ...]:
    return (finished_run.parent / "recipe.py", "--out", run)


def texts_of(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for each in value.values() if isinstance(value, dict) else value:
            yield from texts_of(each)


def own_words() -> str:
    """All that the report says by itself."""
    folder = Path(train.report.__file__).parent
    return "\n".join(path.read_text(encoding="utf-8") for path in folder.iterdir() if path.is_file())


def texts_in(run: Path, *, kept: set[str]) -> set[str]:
    """Every text of at least four characters in the run's records that is not the report's own by chance."""
    files = ("questions", "passages", "contexts", "training", "answers", "verdicts")
    records = [record for name in files for _, record in numbered_records(run / f"{name}.jsonl")]
    found = {text.strip() for record in records for text in texts_of(record)}
    own = own_words()
    return {text for text in found if len(text) >= 4 and text not in own and text not in kept}


def test_the_redacted_report_of_a_run_holds_none_of_its_texts(run, command, openbook: Openbook):
    code, out, _ = openbook("report", *command, "--redacted")
    assert (code, out.splitlines()[-1]) == (0, str(run / "report-redacted.html"))
    manifest = read_manifest(run)
    kept = {*manifest["recipe"]["arms"], *manifest["recipe"]["conditions"]}
    texts = texts_in(run, kept=kept) | {str(run), manifest["base"]["name"], *manifest["hashes"].values()}
    assert len(texts) > 200
    for name in REDACTED_FILES:
        content = (run / name).read_text(encoding="utf-8")
        assert not {text for text in texts if text in content or json.dumps(text)[1:-1] in content}, name
    for path in (run / "figures").iterdir():
        assert not {text for text in texts if text in path.read_text(encoding="utf-8")}


def test_a_redacted_report_is_verified_and_kept_up_to_date(run, command, openbook: Openbook):
    assert openbook("report", *command, "--redacted")[0] == 0
    assert openbook("verify", run) == (0, WHOLE, "")
    page = (run / "report-redacted.html").read_bytes()
    assert openbook("report", *command, "--set", "comparison.alpha=0.1")[0] == 0
    assert (run / "report-redacted.html").read_bytes() != page
    assert openbook("verify", run)[0] == 0
    for name in REDACTED_FILES:
        before = (run / name).read_bytes()
        (run / name).write_bytes(
            re.sub(rb"\d(?=\D*\Z)", lambda digit: b"%d" % ((int(digit[0]) + 1) % 10), before, count=1)
        )
        code, out, _ = openbook("verify", run)
        assert code == 1 and out.startswith(f"{name}:"), out
        (run / name).unlink()
        code, out, _ = openbook("verify", run)
        assert code == 1 and out.startswith(f"{name}: cannot be read"), out
        (run / name).write_bytes(before)
    assert openbook("verify", run) == (0, WHOLE, "")


def test_without_the_option_nothing_redacted_is_written(run, command, openbook: Openbook):
    assert openbook("report", *command)[1].splitlines()[-1] == str(run / "report.html")
    assert not {path.name for path in run.iterdir()} & set(REDACTED_FILES)


def test_figures_are_verified_and_those_of_an_earlier_report_go(run, command, openbook: Openbook):
    figures = sorted((run / "figures").iterdir())
    assert {"forest.svg", "contrasts.svg", "loss.svg", "costs.svg"} <= {path.name for path in figures}
    for path in figures:
        before = path.read_bytes()
        path.write_bytes(before.replace(b"</svg>", b"<!-- mine --></svg>"))
        code, out, _ = openbook("verify", run)
        assert code == 1 and out.startswith(f"figures/{path.name}:"), out
        path.write_bytes(before)
    stale = run / "figures" / "causes.svg"
    if not stale.exists():
        stale.write_text("<svg/>", encoding="utf-8")
        assert openbook("verify", run)[1].startswith("figures/causes.svg: is of another report")
        (run / "figures" / "notes.txt").write_text("mine", encoding="utf-8")
        assert openbook("report", *command)[0] == 0
        assert not stale.exists() and (run / "figures" / "notes.txt").exists()
    assert openbook("verify", run)[0] == 0


def test_a_price_can_be_named_afterwards_and_changes_no_answer(run, command, openbook: Openbook):
    answers, verdicts = ((run / name).read_bytes() for name in ("answers.jsonl", "verdicts.jsonl"))
    comparison = (run / "comparison.json").read_bytes()
    rate = ("--set", "costs.price_per_hour=7200", "--set", "costs.currency=€")
    assert openbook("report", *command, *rate)[0] == 0
    markdown = (run / "report.md").read_text(encoding="utf-8")
    assert "Prices: €7,200 for an hour of the machine." in markdown
    seconds = sum(summary["seconds"] for summary in read_manifest(run)["training"])
    assert seconds > 0 and "| price |" in markdown and "price of 1,000" in markdown
    assert (run / "answers.jsonl").read_bytes() == answers and (run / "verdicts.jsonl").read_bytes() == verdicts
    assert (run / "comparison.json").read_bytes() == comparison
    assert openbook("verify", run)[0] == 0
    plan = openbook("run", *command, *rate, "--dry-run")[2]
    assert " do " not in plan and "go on" not in plan
    assert openbook("report", *command)[0] == 0
    assert "Prices" not in (run / "report.md").read_text(encoding="utf-8")


def test_a_run_from_before_there_were_prices_can_be_reported_on(run, command, openbook: Openbook):
    from train.store import Run

    with Run.of(run) as stored:
        recipe = {name: value for name, value in stored.manifest()["recipe"].items() if name != "costs"}
        stored.amend({"recipe": recipe})
    assert openbook("report", *command)[0] == 0
    assert openbook("verify", run)[0] == 0


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("costs.price_per_hour=-1", "should be greater than or equal to 0"),
        ("costs.price_per_hour=cheap", "it takes a number or null"),
        ("costs.currency=", "costs.currency"),
        ("costs.currency=US dollars each", "costs.currency"),
        ("costs.price=2", "did you mean"),
    ],
)
def test_a_price_that_is_none_is_refused(setting, message, run, command, openbook: Openbook):
    code, _, err = openbook("report", *command, "--set", setting)
    assert code == 2
    assert setting in err and message in err


def test_answers_made_elsewhere_can_be_redacted(terms, tmp_path, openbook: Openbook):
    rows = [{**row, "verdict": "correct" if row["sample"] else ""} for row in said(terms)]
    questions = write(tmp_path / "patients.csv", asked(terms))
    answers = write(tmp_path / "patients-answers.csv", rows)
    code, out, _ = openbook("compare", answers, "--questions", questions, "--redacted", "--out", tmp_path / "run")
    run = tmp_path / "run"
    assert (code, out.splitlines()[-1]) == (0, str(run / "report-redacted.html"))
    texts = texts_in(run, kept={"tuned", "gold", "base", "none"}) | {"patients"}
    assert len(texts) > 100
    for name in REDACTED_FILES:
        content = (run / name).read_text(encoding="utf-8")
        assert not {text for text in texts if text in content}, name
    assert openbook("verify", run) == (0, WHOLE, "")


def test_what_planned_contrasts_show_of_models_made_elsewhere_is_said(tmp_path, openbook: Openbook):
    questions = [{"id": f"q{n}", "question": f"Term {n}?", "answer": f"It is {n}."} for n in range(12)]
    right = {"gpt/gold": 12, "llama/gold": 2, "llama/none": 2}
    answers = [
        answer(cell, f"q{n}", 0, f"Some text {n}.", verdict="correct" if n < number else "wrong")
        for cell, number in right.items()
        for n in range(12)
    ]
    paths = write(tmp_path / "q.jsonl", questions), write(tmp_path / "a.jsonl", answers)
    code, out, _ = openbook("compare", paths[1], "--questions", paths[0])
    assert code == 0
    sentence = out.splitlines()[-2]
    assert sentence.startswith("gpt with gold is better than llama with gold by 83.3 points [")
    assert "No difference is shown between llama with gold and llama with none (0.0 points" in sentence
    assert "untouched" not in sentence and "Undetermined" not in sentence
