"""LoRA against QLoRA at the mission's shapes: tokens a second, peak memory and the ratio of their step times.

Weights are random, which changes neither speed nor memory. Each adapter kind is trained through openbook's own trainer
on the same random rows, alternating over the repeats, after a warm-up that is not counted. Figures are medians, with
the least and the greatest in brackets. On a CPU only `--shape tiny` is sensible.

    python scripts/gpu_check.py --shape kanana phi3 --steps 20 --repeats 3 --out gpu.json
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from benchmark_material import SHAPES, byte_tokenizer, write_random_model
from transformers import AutoConfig

from train import models, provenance, tuning
from train.pipeline import quiet_libraries
from train.recipe import Base, LoRA, Optimization, QLoRA

ADAPTERS = {"LoRA": LoRA, "QLoRA": QLoRA}


def rows(vocabulary: int, count: int, length: int) -> list[tuning.TokenRow]:
    """Random rows of about that many tokens, the last fifth of each learnt."""
    rng = random.Random(0)
    found = []
    for _ in range(count):
        size = rng.randint(length * 3 // 4, length * 5 // 4)
        tokens = tuple(rng.randrange(5, vocabulary) for _ in range(size))
        found.append(tuning.TokenRow(tokens[: size * 4 // 5], tokens[size * 4 // 5 :]))
    return found


def train(directory: Path, kind: str, options: argparse.Namespace, scratch: Path) -> dict[str, float]:
    """One training: median seconds of a step after the warm-up, tokens a second, and peak memory in GiB."""
    base = Base(str(directory))
    vocabulary = AutoConfig.from_pretrained(directory).vocab_size
    given = rows(vocabulary, (options.warm_up + options.steps) * options.batch, options.length)
    job = tuning.Job(
        arm=kind.lower(),
        seed=0,
        condition="none",
        rows=given,
        epochs=1,
        validation=(),
        adapter=ADAPTERS[kind](rank=64, alpha=16.0, dropout=0.05),
        optimization=Optimization(batch_size=options.batch, gradient_checkpointing=options.checkpointing),
        fingerprint=f"{kind} {time.time()}",
        directory=scratch / kind,
    )
    moments: list[float] = []

    def tick(_job: tuning.Job, _step: int, _loss: float) -> None:
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        moments.append(time.perf_counter())

    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    load = lambda four_bit: models.load_model(models.resolve(base), base, four_bit)  # noqa: E731
    list(tuning.tune([job], load, byte_tokenizer(), tick))
    steps = [after - before for before, after in pairwise(moments[options.warm_up - 1 :])]
    tokens = sum(map(len, given[options.warm_up * options.batch :]))
    peak = torch.cuda.max_memory_allocated() / 2**30 if torch.cuda.is_available() else float("nan")
    return {"step": statistics.median(steps), "tokens_per_second": tokens / sum(steps), "peak_gib": peak}


def spread(values: list[float]) -> str:
    """Median with the least and the greatest."""
    return f"{statistics.median(values):.4g} [{min(values):.4g}, {max(values):.4g}]"


def main() -> None:
    """Prints the table and writes it as JSON where asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", nargs="+", choices=SHAPES, default=["kanana", "phi3"])
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--warm-up", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--length", type=int, default=300, help="mean tokens of a row")
    parser.add_argument("--checkpointing", action="store_true", help="recompute activations")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    quiet_libraries()
    print(json.dumps({"hardware": provenance.hardware(), "versions": provenance.versions()}))
    table: dict[str, Any] = {}
    for shape in options.shape:
        with tempfile.TemporaryDirectory() as scratch:
            directory = Path(scratch) / "model"
            write_random_model(shape, directory)
            runs: dict[str, list[dict[str, float]]] = {kind: [] for kind in ADAPTERS}
            for _ in range(options.repeats):
                for kind in ADAPTERS:
                    runs[kind].append(train(directory, kind, options, Path(scratch)))
        ratios = [four_bit["step"] / full["step"] for full, four_bit in zip(runs["LoRA"], runs["QLoRA"], strict=True)]
        for kind, measured in runs.items():
            figures = {name: spread([each[name] for each in measured]) for name in measured[0]}
            print(f"{shape:<8} {kind:<6} " + ", ".join(f"{name} {value}" for name, value in figures.items()))
        print(f"{shape:<8} QLoRA step time / LoRA step time: {spread(ratios)}")
        table[shape] = {**runs, "ratio": ratios}
    if options.out:
        options.out.write_text(json.dumps(table, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
