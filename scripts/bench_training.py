"""LoRA training: openbook against TRL's SFTTrainer, on the same rows in the same batches.

`openbook` is `tuning.tune`. `trl` is SFTTrainer as SFTConfig has it, which recomputes activations, on rows that are
tokenized already and labelled on the completion; `trl-plain` is the same with gradient_checkpointing=False. On a CPU
both get use_cpu=True and bf16=False, without which they do not run; rows come in the order given, and nothing is saved
or reported anywhere. All train the same adapter (rank 64, alpha 16, all
linear layers) on the base as openbook loads it: float32 on a CPU, bfloat16 where the accelerator computes in it.

Only steps are timed, without the first ones, loading and saving. Tokens are the rows' own: padding does not count, and
what is computed once for several rows counts for each. Every measurement runs in a process of its own.

The fraction of the peak is operations / seconds / peak. Operations are those that the rows need: 4 per weight of the
blocks' linear layers and token (forward, and backward to the input; the weights are frozen), 6 per adapter weight and
token, 4 per weight of the head and labelled token; attention is left out. The peak is what matrix products of this
model's shapes reach on this machine, by the fastest code that openbook knows of: x Wᵀ and g W for each layer, at as
many rows as a step has tokens.

    python scripts/bench_training.py --model smollm2 --out training.json
    python scripts/bench_training.py --model tiny --steps 2 --length 60 --same-order     # seconds
"""

from __future__ import annotations

import argparse
import gc
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmark import GIB, Measurement, arguments, compare, finish, in_child, show, spread, start
from benchmark_material import MODELS, byte_tokenizer, model_named
from benchmark_trainers import Sizes, Ticks, make_jobs, matmul_rate, with_openbook, with_trl

from train import models
from train.recipe import Base

COMPETITORS = ("openbook", "trl", "trl-plain")
SAME_LOSSES = ("openbook", "trl-plain")
"""Who must have the same losses."""
SAME = 1e-4
"""Losses of the same step that differ by no more than this, in float32, count as equal."""


def perform(task: Measurement) -> Measurement:
    """One measurement, in a process that does nothing else."""
    if task["competitor"] == "peak":
        base = Base(task["model"])
        dtype = models.pick_dtype(base, models.pick_device())
        return matmul_rate(Sizes.of(base), dtype, task["batch"] * task["length"])
    if task["losses"]:
        return {name: train_all({**task, "competitor": name})["losses"] for name in SAME_LOSSES}
    return train_all(task)


def train_all(task: Measurement) -> Measurement:
    """The trainings of a task: their time, work, memory and losses."""
    base = Base(task["model"])
    sizes = Sizes.of(base)
    source = models.resolve(base)
    tokenizer = byte_tokenizer() if task["random"] else models.load_tokenizer(source, base)
    loaded: list[int] = []

    def load(four_bit: Any) -> Any:
        model = models.load_model(source, base, four_bit)
        loaded.append(models.peak_bytes())
        return model

    with tempfile.TemporaryDirectory() as scratch:
        jobs = make_jobs(task, base, Path(scratch))
        ticks = Ticks(task["warm_up"])
        began = time.perf_counter()
        for group in [jobs] if task["together"] else [[job] for job in jobs]:
            if task["competitor"] == "openbook":
                with_openbook(group, load, tokenizer, ticks)
            else:
                plain = {"gradient_checkpointing": False} if task["competitor"] == "trl-plain" else {}
                each_step = {"logging_steps": 1} if task["losses"] else {}
                with_trl(group[0], load, tokenizer, ticks, **plain, **each_step)
            gc.collect()
        whole = time.perf_counter() - began
    counted = [row for job in jobs for row in job.rows[task["warm_up"] * task["batch"] :]]
    tokens, labelled = sum(map(len, counted)), sum(len(row.completion) for row in counted)
    return {
        "seconds": ticks.seconds,
        "units": len(jobs) if task["per_training"] else tokens,
        "trainings": len(jobs),
        "tokens": tokens,
        "labelled": labelled,
        "operations": sizes.operations(jobs[0].adapter.rank, tokens, labelled),
        "whole_seconds": whole,
        "peak_gib": models.peak_bytes() / GIB,
        "loaded_gib": loaded[0] / GIB,
        "losses": ticks.losses if task["losses"] else [],
    }


def comparison(options: argparse.Namespace, task: Measurement, length: int | None = None) -> dict[str, Any]:
    """The competitors on the recipe's kind of rows, or, with `length`, on rows that are all about that long."""
    if length is not None:
        task = {**task, "length": length, "spread": 0.0, "steps": options.context_steps, "warm_up": 1}
    measures = {name: partial(in_child, __file__, {**task, "competitor": name}) for name in options.competitors}
    if length is not None:
        rows = compare(measures, options.repeats, f", {length} tokens")
        return {"table": "context", "size": length, "unit": "token", "rows": rows}
    rows = compare({**measures, "peak": partial(in_child, __file__, {**task, "competitor": "peak"})}, options.repeats)
    peak = rows.pop("peak")
    for summary in rows.values():
        rates = [run["operations"] / run["seconds"] for run in summary["runs"]]
        peaks = [1e9 * run["units"] / run["seconds"] for run in peak["runs"]]
        summary["fraction_of_peak"] = spread([rate / most for rate, most in zip(rates, peaks, strict=False)])
    own = spread([run["units"] / run["own_seconds"] for run in peak["runs"]])
    peaks_here = {"peak_gflops": peak["rate"], "torch_mm_gflops": own}
    return {"table": "comparison", "size": None, "unit": "token", "rows": rows, **peaks_here}


def many(options: argparse.Namespace, task: Measurement, count: int, arms: Sequence[str]) -> dict[str, Any]:
    """So many trainings in one call, against one after another; of those only the first seeds where that is asked."""
    seeds = list(range(count // len(arms)))
    some = seeds[: options.one_after_another]
    task = {**task, "arms": list(arms), "per_training": True}
    apart = {"together": False, "seeds": some}
    measures = {
        "openbook together": {**task, "competitor": "openbook", "together": True, "seeds": seeds},
        **{f"{name} one after another": {**task, "competitor": name, **apart} for name in options.competitors},
    }
    if count == 1:
        measures.pop("openbook one after another", None)  # the same thing
    rows = compare(
        {name: partial(in_child, __file__, each) for name, each in measures.items()},
        options.repeats,
        f", {count} trainings",
    )
    return {"table": "arms" if len(arms) == 1 else "stack", "size": count, "unit": "training", "rows": rows}


def same_order(task: Measurement) -> dict[str, Any]:
    """The losses of each step, of openbook and of SFTTrainer, from the same seed, in the same order, without dropout.

    Both make the adapter's A from that seed as PEFT does, and B zero. So the first losses agree whatever A is, and the
    following ones only if A, gradients and optimizer do.
    """
    losses = in_child(__file__, {**task, "competitor": "", "dropout": 0.0, "losses": True})
    if "failed" in losses:
        print(f"\nlosses were not compared: {losses['failed']}")
        return {"failed": losses["failed"], "equal": False}
    largest = max(abs(ours - theirs) for ours, theirs in zip(*losses.values(), strict=True))
    print(f"\nlosses of {len(losses['openbook'])} steps in the same order differ by {largest:.2g} at most")
    return {"largest_difference": largest, "equal": largest <= SAME, "losses": losses}


def main() -> int:
    """Measures, prints the tables and writes them as JSON."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--model", default="smollm2", help=MODELS)
    parser.add_argument("--competitors", nargs="+", choices=COMPETITORS, default=list(COMPETITORS), metavar="NAME",
                        help=f"of {', '.join(COMPETITORS)}; ratios are to the first")  # fmt: skip
    parser.add_argument("--steps", type=int, default=6, help="steps that are timed")
    parser.add_argument("--warm-up", type=int, default=2, help="steps before them, at least 1")
    parser.add_argument("--batch", type=int, default=2, help="rows of a step")
    parser.add_argument("--length", type=int, default=320, help="mean tokens of a row")
    parser.add_argument("--spread", type=float, default=0.5, help="row lengths are uniform in length · (1 ± this)")
    parser.add_argument("--dropout", type=float, default=0.0, help="of the adapters")
    parser.add_argument("--no-comparison", action="store_true", help="only the tables that are asked for below")
    parser.add_argument("--arms", type=int, nargs="+", default=[], metavar="K",
                        help="a table of K seeds of one arm in one call, against one after another")  # fmt: skip
    parser.add_argument("--stack", type=int, metavar="K", help="the same of two arms with K/2 seeds each")
    parser.add_argument("--one-after-another", type=int, metavar="N",
                        help="of each arm, train only N seeds one after another; times are per training")  # fmt: skip
    parser.add_argument("--context", type=int, nargs="+", default=[], metavar="TOKENS",
                        help="a table of row lengths: time per token, and memory")  # fmt: skip
    parser.add_argument("--context-steps", type=int, default=2, help="steps timed there, after one that is not")
    parser.add_argument("--same-order", action="store_true", help="check that losses are those of SFTTrainer")
    options = parser.parse_args()
    if options.warm_up < 1:
        parser.error(f"--warm-up {options.warm_up}: the first step cannot be told from loading; give at least 1")
    if options.stack and options.stack % 2:
        parser.error(f"--stack {options.stack}: it is shared by two arms; give an even number")
    shared = {key: getattr(options, key) for key in ("steps", "warm_up", "batch", "length", "spread", "dropout")}
    tables, more = [], {}
    with model_named(options.model) as model:
        task = {**model, **shared, "arms": ["open-book"], "seeds": [0], "together": False, "losses": False,
                "per_training": False}  # fmt: skip
        if not options.no_comparison:
            tables.append(comparison(options, task))
        tables += [many(options, task, count, ["open-book"]) for count in options.arms]
        if options.stack:
            tables.append(many(options, task, options.stack, ["closed-book", "open-book"]))
        tables += [comparison(options, task, length) for length in options.context]
        if options.same_order:
            more["same_order"] = same_order(task)
    memory = {"times as long": ("ratio", 1.0), "peak memory, GiB": ("peak_gib", 1.0)}
    speed = {"tokens/s": ("rate", 1.0), "ms/token": ("cost", 1e3)}
    for name, title, columns in (
        ("comparison", f"training, {options.model}", {**speed, **memory, "of the peak": ("fraction_of_peak", 1.0)}),
        ("arms", "seeds of one arm", {"s/training": ("cost", 1.0), **memory}),
        ("stack", "two arms, several seeds", {"s/training": ("cost", 1.0), **memory}),
        ("context", "tokens of a row", {**speed, **memory}),
    ):
        if chosen := [table for table in tables if table["table"] == name]:
            show(title, chosen, columns)
            if "peak_gflops" in chosen[0] and (peak := chosen[0]["peak_gflops"]):
                own = chosen[0]["torch_mm_gflops"]["median"]
                print(f"matrix products reach {peak['median']:.4g} GFLOP/s here, those of torch.mm {own:.4g}")
    code = finish("training", options, tables, **more)
    return code or int(not more.get("same_order", {"equal": True})["equal"])


if __name__ == "__main__":
    start(main, perform)
