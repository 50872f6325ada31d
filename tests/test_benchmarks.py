"""The benchmarks run, at a size that measures nothing, and their figures fit together."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parent.parent / "scripts"
SHARED = ("cost", "rate", "ratio", "peak_gib")


@pytest.fixture
def measure(tmp_path):
    """Runs a benchmark as a person does: what it printed, and the JSON it wrote."""

    def call(script: str, *options: object) -> tuple[str, dict]:
        out = tmp_path / f"{script}.json"
        command = [sys.executable, str(SCRIPTS / script), *map(str, options), "--out", str(out)]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=400)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout, json.loads(out.read_text(encoding="utf-8"))

    return call


@pytest.fixture
def shared(monkeypatch):
    """The module that the benchmarks share."""
    monkeypatch.syspath_prepend(SCRIPTS)
    import benchmark

    return benchmark


def check(figures: dict, repeats: int) -> None:
    """Everything follows from the single measurements, and what is needed to judge them is there."""
    assert figures["hardware"]["processor"]
    assert figures["versions"]["torch"]
    assert figures["options"]["repeats"] == repeats
    for table in figures["tables"]:
        first = next(iter(table["rows"].values()))
        for summary in table["rows"].values():
            if "skipped" in summary:
                continue
            assert len(summary["runs"]) == repeats
            costs = [run["seconds"] / run["units"] for run in summary["runs"]]
            others = [run["seconds"] / run["units"] for run in first["runs"]]
            ratios = [cost / other for cost, other in zip(costs, others, strict=True)]
            assert summary["cost"]["median"] == pytest.approx(statistics.median(costs))
            assert summary["ratio"]["median"] == pytest.approx(statistics.median(ratios))
            assert all(run["peak_gib"] > 0.05 for run in summary["runs"])
            for key in SHARED:
                assert 0 < summary[key]["least"] <= summary[key]["median"] <= summary[key]["greatest"]
        assert first["ratio"] == {"median": 1, "least": 1, "greatest": 1}


def rows_of(figures: dict, table: str) -> list[dict]:
    return [each["rows"] for each in figures["tables"] if each["table"] == table]


def test_training_is_compared_with_sfttrainer_on_the_same_rows(measure):
    printed, figures = measure(
        "bench_training.py", "--model", "tiny", "--steps", 2, "--length", 60, "--repeats", 1,
        "--competitors", "openbook", "trl", "--same-order",
    )  # fmt: skip
    check(figures, 1)
    (rows,) = rows_of(figures, "comparison")
    assert list(rows) == ["openbook", "trl"]
    runs = [run for summary in rows.values() for run in summary["runs"]]
    assert len({(run["tokens"], run["labelled"], run["operations"]) for run in runs}) == 1
    # Four rows of 60 tokens were timed; a vocabulary of 512, two layers of 128, grouped attention, rank 64.
    layers = [(128, 128), (128, 64), (128, 64), (128, 128), (128, 256), (128, 256), (256, 128)] * 2
    blocks = sum(inputs * outputs for inputs, outputs in layers)
    adapters = 64 * sum(inputs + outputs for inputs, outputs in layers)
    run = runs[0]
    assert run["tokens"] == run["units"] == pytest.approx(240, abs=40)
    assert run["operations"] == (4 * blocks + 6 * adapters) * run["tokens"] + 4 * 128 * 512 * run["labelled"]
    assert all(0 < summary["fraction_of_peak"]["median"] < 2 for summary in rows.values())
    assert f"matrix products reach {figures['tables'][0]['peak_gflops']['median']:.4g} GFLOP/s" in printed
    same = figures["same_order"]
    assert [len(losses) for losses in same["losses"].values()] == [4, 4]
    assert same["equal"]
    assert same["largest_difference"] <= 1e-4


def test_arms_and_lengths_are_told_per_training_and_per_token(measure):
    _, figures = measure(
        "bench_training.py", "--model", "tiny", "--steps", 1, "--warm-up", 1, "--length", 40, "--repeats", 1,
        "--competitors", "openbook", "--no-comparison", "--stack", 4, "--one-after-another", 1,
        "--context", 64, "--context-steps", 1,
    )  # fmt: skip
    check(figures, 1)
    (stack,), (context,) = (rows_of(figures, name) for name in ("stack", "context"))
    assert {name: summary["runs"][0]["units"] for name, summary in stack.items()} == {
        "openbook together": 4,
        "openbook one after another": 2,
    }
    together, apart = (summary["runs"][0] for summary in stack.values())
    assert together["tokens"] == 2 * apart["tokens"]
    assert context["openbook"]["runs"][0]["tokens"] == 2 * 64


def test_real_rows_are_as_long_as_asked(tiny_model, monkeypatch):
    monkeypatch.syspath_prepend(SCRIPTS)
    from benchmark_material import make_rows

    from train.recipe import Base

    def lengths(**options: object) -> list[int]:
        rows = make_rows(Base(str(tiny_model)), random_tokens=False, count=12, length=2000, **options)
        return [len(row) for row in rows]

    # A passage of `ml_terms` has about 200 tokens of this tokenizer, which are bytes nearly.
    assert statistics.mean(lengths(spread=0.5)) == pytest.approx(2000, abs=150)
    assert min(lengths(spread=0.5)) < 1500
    assert max(lengths(spread=0.5)) > 2500
    assert max(lengths(spread=0.0, context=False)) < 700
    assert lengths(spread=0.5) == lengths(spread=0.5)


def test_answering_is_compared_at_the_same_length_of_answers(measure):
    _, figures = measure(
        "bench_sampling.py", "--model", "tiny", "--new-tokens", 6, "--questions", 3, "--samples", 2,
        "--context", 40, "--one-by-one", 2, "--repeats", 1,
    )  # fmt: skip
    check(figures, 1)
    (rows,) = rows_of(figures, "comparison")
    assert list(rows) == ["openbook", "openbook-vllm", "generate-one", "generate-padded", "continuous"]
    answers = {name: summary["runs"][0]["units"] for name, summary in rows.items() if summary["runs"]}
    assert {**answers, "continuous": 6} == {"openbook": 6, "generate-one": 2, "generate-padded": 6, "continuous": 6}
    assert all(run["new_tokens"] == 6 * run["units"] for summary in rows.values() for run in summary["runs"])


def test_others_may_be_asked_fewer_questions(measure):
    _, figures = measure(
        "bench_sampling.py", "--model", "tiny", "--new-tokens", 4, "--questions", 2, 4, "--samples", 2,
        "--context", 40, "--competitors", "generate-padded", "--others-at-most", 3, "--repeats", 1,
    )  # fmt: skip
    check(figures, 1)
    found = {table["size"]: [summary["runs"][0]["units"] for summary in table["rows"].values()]
             for table in figures["tables"]}  # fmt: skip
    assert found == {2: [4], 4: [6]}


def test_whole_runs_are_timed_by_stage(measure):
    _, figures = measure(
        "bench_pipeline.py", "quickstart", "--model", "tiny", "--questions", 2, 4, "--repeats", 1,
        "--set", "optimization.epochs=1", "--set", "sampling.max_new_tokens=4",
    )  # fmt: skip
    check(figures, 1)
    (rows,) = rows_of(figures, "runs")
    few, many = (summary["runs"][0] for summary in rows.values())
    # Three arms under four conditions, two samples.
    assert (few["questions"], few["answers"], few["adapters"]) == (2, 48, 2)
    assert (many["questions"], many["answers"], many["adapters"]) == (4, 96, 2)
    for run in (few, many):
        assert sum(run["stages"].values()) == pytest.approx(run["seconds"])
        assert all(run["stages"][stage] > 0 for stage in ("start", "tuning", "sampling", "grading", "report"))
    slope = (many["seconds"] - few["seconds"]) / 2
    assert list(rows.values())[1]["per_question"]["median"] == pytest.approx(slope)


def test_competitors_take_turns_and_a_lost_one_is_not_tried_again(shared, capsys):
    called = []

    def measurement(name: str) -> dict:
        called.append(name)
        if name == "absent":
            return {"skipped": "not here"}
        if name == "broken" and called.count("broken") == 2:
            return {"failed": "out of memory"}
        return {"seconds": 6.0 if name == "ours" else 9.0, "units": 3, "peak_gib": 1.0}

    names = ("ours", "broken", "absent")
    found = shared.compare({name: lambda name=name: measurement(name) for name in names}, 3)
    assert called == ["ours", "broken", "absent", "broken", "ours", "ours"]
    assert found["ours"]["cost"] == {"median": 2, "least": 2, "greatest": 2}
    assert (found["broken"]["failed"], found["broken"]["ratio"]["median"]) == ("out of memory", 1.5)
    assert (found["absent"]["skipped"], found["absent"]["runs"], found["absent"]["cost"]) == ("not here", [], None)
    shared.show("speed", [{"size": None, "rows": found}], {"s": ("cost", 1.0)})
    assert "absent  not measured: not here" in capsys.readouterr().out


def test_reports_are_timed_by_step(measure):
    printed, figures = measure("bench_report.py", "--questions", 4, "--labels", 0, 12, "--repeats", 1)
    check(figures, 1)
    (rows,) = rows_of(figures, "report")
    labelled = "4 questions, 128 answers, 12 labels"
    assert list(rows) == ["4 questions, 128 answers, 0 labels", labelled, f"{labelled}, one new"]
    for summary in rows.values():
        run = summary["runs"][0]
        assert run["units"] == 128
        assert sum(run["steps"].values()) == pytest.approx(run["seconds"])
    assert "grade, s" in printed


@pytest.mark.parametrize(
    ("values", "written"),
    [
        ([2.0, 1.0, 4.0], "2 [1, 4]"),
        ([12.34, 12.34], "12.3 [12.3, 12.3]"),
        ([4321.0], "4,321 [4,321, 4,321]"),
        ([0.00123456], "0.00123 [0.00123, 0.00123]"),
        ([], "–"),
    ],
)
def test_a_spread_is_median_least_and_greatest(shared, values, written):
    assert shared.words(shared.spread(values)) == written


def test_a_model_that_is_not_there_is_told_and_ends_with_1(tmp_path):
    command = [sys.executable, str(SCRIPTS / "bench_sampling.py"), "--model", str(tmp_path / "none"), "--repeats", "1",
               "--competitors", "openbook"]  # fmt: skip
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=100)
    assert done.returncode == 1
    assert "not measured" in done.stdout
    assert "neither a directory" in done.stdout
