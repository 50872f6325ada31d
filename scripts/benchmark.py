"""What the benchmarks share: measurements in processes of their own, in turns; medians and spreads; tables and JSON.

A measurement is a dict with `seconds`, `units` (the work that was done: tokens, answers, trainings), `peak_gib` and
what else there is to keep; or with `failed` or `skipped` and the reason. What is compared does the same work, and takes
turns over the repeats, in another order each time, so that a machine that grows slower or busier does so for all alike.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from train import provenance

Measurement = dict[str, Any]
Summary = dict[str, Any]

GIB = 2**30
LOST = ("failed", "skipped")
"""Why there is no measurement: something went wrong, or it cannot be had here."""


def arguments(description: str) -> argparse.ArgumentParser:
    """A command line with what all benchmarks take."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3, metavar="N", help="times that everything is measured")
    parser.add_argument("--out", type=Path, metavar="FILE.json", help="write all figures there")
    return parser


def start(main: Callable[[], int], perform: Callable[[Measurement], Measurement]) -> None:
    """The entry of a benchmark: `perform` one task that a parent process gave, else `main`."""
    if sys.argv[1:2] == ["--child"]:
        # One process works on one GPU; the stock trainer would put a batch on each of several.
        os.environ.setdefault("CUDA_VISIBLE_DEVICES", "0")
        print(f"\n{json.dumps(perform(json.loads(sys.argv[2])))}")
    else:
        sys.exit(main())


def in_child(script: str, task: Mapping[str, Any]) -> Measurement:
    """What the script's `perform` makes of the task in a process of its own, whose memory nothing else has used."""
    command = [sys.executable, script, "--child", json.dumps(task)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode < 0:
        return {"failed": f"ended by signal {-done.returncode}" + " (out of memory?)" * (done.returncode == -9)}
    if done.returncode:
        return {"failed": (done.stderr.strip() or f"exit code {done.returncode}").splitlines()[-1]}
    measured: Measurement = json.loads(done.stdout.splitlines()[-1])
    return measured


def compare(measures: Mapping[str, Callable[[], Measurement]], repeats: int, heading: str = "") -> dict[str, Summary]:
    """Every measure taken `repeats` times, in turns; the first is what the others are set against.

    Returns, for each: `runs`; `rate`, units a second; `cost`, seconds a unit; `ratio`, its cost over that of the first
    in the same repeat; `peak_gib`. All but the runs are spreads. One that failed or was skipped has the reason, and is
    not tried again.
    """
    names = list(measures)
    runs: dict[str, list[Measurement]] = {name: [] for name in names}
    lost: dict[str, Measurement] = {}
    for repeat in range(repeats):
        first = repeat % len(names)
        for name in names[first:] + names[:first]:
            if name in lost:
                continue
            run = measures[name]()
            if reason := next((run[key] for key in LOST if key in run), None):
                lost[name] = run
                note = str(reason)
            else:
                runs[name].append(run)
                note = f"{run['seconds']:.4g} s for {run['units']:g}, {run['peak_gib']:.2f} GiB"
            print(f"repeat {repeat + 1} of {repeats}{heading}: {name}: {note}", file=sys.stderr, flush=True)
    return {name: summarise(runs[name], runs[names[0]]) | lost.get(name, {}) for name in names}


def summarise(runs: Sequence[Measurement], reference: Sequence[Measurement]) -> Summary:
    """The spreads of what was measured; the ratios are to the reference's runs of the same repeats."""
    costs = [run["seconds"] / run["units"] for run in runs]
    others = [run["seconds"] / run["units"] for run in reference]
    return {
        "runs": list(runs),
        "cost": spread(costs),
        "rate": spread([1 / cost for cost in costs]),
        "ratio": spread([cost / other for cost, other in zip(costs, others, strict=False)]),
        "peak_gib": spread([run["peak_gib"] for run in runs]),
    }


def spread(values: Sequence[float]) -> dict[str, float] | None:
    """The median, the least and the greatest; None of nothing."""
    if not values:
        return None
    return {"median": statistics.median(values), "least": min(values), "greatest": max(values)}


def words(found: Mapping[str, float] | None, scale: float = 1.0) -> str:
    """A spread in words, as `12.3 [11.9, 12.8]`."""
    if found is None:
        return "–"
    scaled = (found[key] * scale for key in ("median", "least", "greatest"))
    median, least, greatest = (f"{value:,.0f}" if value >= 1000 else f"{value:.3g}" for value in scaled)
    return f"{median} [{least}, {greatest}]"


def show(
    title: str, tables: Sequence[Mapping[str, Any]], columns: Mapping[str, tuple[str, float]], brief: Sequence[str] = ()
) -> None:
    """Prints tables of the same kind as one.

    `columns` has the title of each column, and the key and the scale of what stands in it; in the `brief` ones only the
    medians are shown.
    """

    def cell(summary: Summary, column: str) -> str:
        key, scale = columns[column]
        text = words(summary.get(key), scale)
        return text.partition(" ")[0] if column in brief else text

    lines = [["", *columns]]
    for table in tables:
        for name, summary in table["rows"].items():
            label = f"{table['size']:,} {name}" if table["size"] is not None else name
            reason = next((summary[key] for key in LOST if key in summary), None)
            if reason is not None and not summary["runs"]:
                lines.append([label, f"not measured: {reason}"])
            else:
                lines.append([label, *(cell(summary, column) for column in columns)])
    whole = [line for line in lines if len(line) == len(lines[0])]
    widths = [max(len(line[column]) for line in whole) for column in range(len(lines[0]))]
    widths[0] = max(len(line[0]) for line in lines)
    print(f"\n{title}: median [least, greatest]")
    for line in lines:
        print("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=False)).rstrip())


def finish(name: str, options: argparse.Namespace, tables: Sequence[Mapping[str, Any]], **more: Any) -> int:
    """Writes the JSON where it is wanted, and returns the exit code: 1 where anything failed."""
    figures = {
        "benchmark": name,
        "command": shlex.join(["python", *sys.argv]),
        "options": {key: str(value) if isinstance(value, Path) else value for key, value in vars(options).items()},
        "hardware": provenance.hardware(),
        "versions": provenance.versions(),
        "source": provenance.source_revision(),
        "tables": list(tables),
        **more,
    }
    hardware = figures["hardware"]
    where = ", ".join(hardware.get("accelerators", [f"{hardware['processor']}, {hardware['threads']} threads"]))
    print(f"\n{where}; torch {figures['versions']['torch']}, transformers {figures['versions']['transformers']}")
    if options.out:
        options.out.write_text(json.dumps(figures, indent=1), encoding="utf-8")
    return int(any("failed" in summary for table in tables for summary in table["rows"].values()))
