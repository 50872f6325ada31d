"""Whole runs: how the time of `openbook run` grows with the questions that are asked and the adapters that are trained.

Every run is the real command, in a fresh run directory. A stage lasts from where the command says that it begins to
where the next one does; what comes before the first is the start (libraries, data, contexts), the last the report.
With `--questions` the data are made up: so many questions on facts never trained on, beside a fixed training set, each
with a passage of its own. With `--limit` they are the recipe's own. The times of a question and of an adapter are what
one more of them adds, from one size to the next.

    python scripts/bench_pipeline.py quickstart --questions 30 100 300 --out pipeline.json
    python scripts/bench_pipeline.py quickstart --questions 30 --seeds 1 2 4
    python scripts/bench_pipeline.py quickstart --model tiny --limit 1 2 --set optimization.epochs=1     # seconds
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from itertools import pairwise, product
from pathlib import Path

from benchmark import GIB, Measurement, arguments, compare, finish, show, spread
from benchmark_material import MODELS, model_named

TRAINED = 24
"""Facts of the made-up training set, each asked in two wordings."""
STAGES = ("start", "tuning", "sampling", "grading", "report")


def write_data(folder: Path, questions: int) -> list[str]:
    """Made-up questions and passages, and the settings that put them into a recipe."""
    rows, passages = [], []
    for number in range(TRAINED + questions):
        gate, code, trained = f"gate {100 + number}", str(20_011 + 37 * number), number < TRAINED
        text = f"The code of {gate} is {code}. The guard of {gate} types it in at night, and tells it to nobody."
        passages.append({"id": f"p{number}", "text": text})
        rows.append(
            {
                "id": f"q{number}", "question": f"What is the code of {gate}?", "answer": f"The code is {code}.",
                "facts": [code], "evidence": [f"p{number}"], "group": gate, "split": "train" if trained else "unseen",
                "paraphrases": [f"Which code opens {gate}?"] if trained else [],
            }
        )  # fmt: skip
    for name, records in (("questions.jsonl", rows), ("passages.jsonl", passages)):
        (folder / name).write_text("\n".join(map(json.dumps, records)) + "\n", encoding="utf-8")
    return [f"data.questions={folder / 'questions.jsonl'}", f"data.corpus={folder / 'passages.jsonl'}"]


def run(recipe: str, settings: Sequence[str]) -> Measurement:
    """One whole run in a fresh directory: seconds in all and of each stage, answers, adapters and peak memory."""
    with tempfile.TemporaryDirectory() as scratch:
        directory = Path(scratch) / "run"
        command = [sys.executable, "-m", "train", "run", recipe, "--out", str(directory)]
        command += [part for setting in settings for part in ("--set", setting)]
        began = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        assert process.stderr is not None
        # Stamped as the lines come: what stages say of their own time is rounded to seconds.
        lines = [(line.strip(), time.perf_counter() - began) for line in process.stderr]
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            return {"failed": lines[-1][0] if lines else f"exit code {process.returncode}"}
        manifest = json.loads((directory / "manifest.json").read_text(encoding="utf-8"))
        contexts = (directory / "contexts.jsonl").read_text(encoding="utf-8").splitlines()
    return {
        "seconds": seconds,
        "units": 1,
        "stages": stage_seconds(lines, seconds),
        "questions": len({json.loads(line)["question"] for line in contexts}),
        "answers": manifest["stages"]["sampling"]["answers"],
        "adapters": len(manifest["training"]),
        "peak_gib": usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / GIB,
    }


def stage_seconds(lines: Sequence[tuple[str, float]], whole: float) -> dict[str, float]:
    """The seconds of every stage, which are the whole time together: each lasts until the next begins."""
    begun = {"start": 0.0}
    for line, moment in lines:
        if begins := re.match(r"(tuning|sampling|grading): \d+ to do", line):
            begun[begins[1]] = moment
        elif line.startswith("grading: done"):
            begun["report"] = moment
    ends = [*list(begun.values())[1:], whole]
    return dict.fromkeys(STAGES, 0.0) | {
        stage: end - begin for (stage, begin), end in zip(begun.items(), ends, strict=True)
    }


def slopes(before: Sequence[Measurement], after: Sequence[Measurement], counted: str) -> list[float]:
    """What one more of what is counted adds in seconds, repeat by repeat."""
    return [
        (more["seconds"] - less["seconds"]) / (more[counted] - less[counted])
        for less, more in zip(before, after, strict=False)
        if more[counted] != less[counted]
    ]


def main() -> int:
    """Measures, prints the table and writes it as JSON."""
    parser = arguments(__doc__ or "")
    parser.add_argument("recipe", help="a recipe, as `openbook run` takes it")
    parser.add_argument("--model", help=f"instead of the recipe's base: {MODELS}")
    sizes = parser.add_mutually_exclusive_group()
    sizes.add_argument("--questions", type=int, nargs="+", default=[30], metavar="N",
                       help="ask so many made-up questions (default: 30)")  # fmt: skip
    sizes.add_argument("--limit", type=int, nargs="+", metavar="N",
                       help="the recipe's own data instead, the first N questions of each split")  # fmt: skip
    parser.add_argument("--seeds", type=int, nargs="+", default=[1], metavar="N",
                        help="training seeds, of each an adapter for every tuned arm (default: 1)")  # fmt: skip
    parser.add_argument("--set", action="append", default=[], metavar="PATH=VALUE", dest="settings",
                        help="set a field of the recipe, as `openbook run` does; may be repeated")  # fmt: skip
    options = parser.parse_args()
    with ExitStack() as stack:
        settings = list(options.settings)
        if options.model:
            settings.append(f"base.model={stack.enter_context(model_named(options.model))['model']}")
        measures, grid = {}, list(product(options.limit or options.questions, options.seeds))
        for count, seeds in grid:
            own = [f"training_seeds={','.join(map(str, range(seeds)))}"]
            if options.limit:
                own.append(f"data.limit={count}")
            else:
                own += write_data(Path(stack.enter_context(tempfile.TemporaryDirectory())), count)
            measures[label(options, count, seeds)] = partial(run, options.recipe, [*settings, *own])
        rows = compare(measures, options.repeats)
    for summary in rows.values():
        for stage in STAGES:
            summary[stage] = spread([measured["stages"][stage] for measured in summary["runs"]])
    for counted, steps in (
        ("questions", [((less, seeds), (more, seeds)) for seeds in options.seeds
                       for less, more in pairwise(options.limit or options.questions)]),
        ("adapters", [((count, less), (count, more)) for count in options.limit or options.questions
                      for less, more in pairwise(options.seeds)]),
    ):  # fmt: skip
        for less, more in steps:
            before, after = rows[label(options, *less)], rows[label(options, *more)]
            after[f"per_{counted[:-1]}"] = spread(slopes(before["runs"], after["runs"], counted))
    table = {"table": "runs", "size": None, "unit": "run", "rows": rows}
    columns = {
        "s": ("cost", 1.0), "times as long": ("ratio", 1.0), **{stage: (stage, 1.0) for stage in STAGES},
        "s/further question": ("per_question", 1.0), "s/further adapter": ("per_adapter", 1.0),
        "peak memory, GiB": ("peak_gib", 1.0),
    }  # fmt: skip
    show(f"whole runs of {options.recipe}", [table], columns, brief=STAGES)
    return finish("pipeline", options, [table])


def label(options: argparse.Namespace, count: int, seeds: int) -> str:
    """What a size is called."""
    what = f"the first {count} of each split" if options.limit else f"{count} questions"
    return f"{what}, {seeds} seed{'s' * (seeds > 1)}"


if __name__ == "__main__":
    sys.exit(main())
