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
from transformers import AutoConfig, AutoModelForCausalLM, LlamaConfig, Phi3Config, PreTrainedTokenizerFast

from train import models, provenance, tuning
from train.models.repairs import allow_explicit_head_sizes
from train.pipeline import quiet_libraries
from train.recipe import Base, LoRA, Optimization, QLoRA

SHAPES: dict[str, dict[str, Any]] = {
    "kanana": {
        "kind": "llama", "hidden_size": 1792, "intermediate_size": 8064, "num_hidden_layers": 32,
        "num_attention_heads": 24, "head_dim": 128, "num_key_value_heads": 8, "vocab_size": 128_256,
        "tie_word_embeddings": True,
    },
    "phi3": {
        "kind": "phi3", "hidden_size": 3072, "intermediate_size": 8192, "num_hidden_layers": 32,
        "num_attention_heads": 32, "num_key_value_heads": 32, "vocab_size": 32_064, "tie_word_embeddings": False,
        "pad_token_id": 0,
    },
    "tiny": {
        "kind": "llama", "hidden_size": 128, "intermediate_size": 256, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 512, "tie_word_embeddings": True,
    },
}  # fmt: skip
ADAPTERS = {"LoRA": LoRA, "QLoRA": QLoRA}


def write_random_model(name: str, directory: Path) -> None:
    """A model of that shape with random weights, as a directory."""
    allow_explicit_head_sizes()
    shape = dict(SHAPES[name])
    config = {"llama": LlamaConfig, "phi3": Phi3Config}[shape.pop("kind")](**shape)
    with torch.device(models.pick_device()):
        model = AutoModelForCausalLM.from_config(config, dtype=models.pick_dtype(Base("x"), models.pick_device()))
    model.save_pretrained(directory)


def rows(vocabulary: int, count: int, length: int) -> list[tuning.TokenRow]:
    """Random rows of about that many tokens, the last fifth of each learnt."""
    rng = random.Random(0)
    found = []
    for _ in range(count):
        size = rng.randint(length * 3 // 4, length * 5 // 4)
        tokens = tuple(rng.randrange(5, vocabulary) for _ in range(size))
        found.append(tuning.TokenRow(tokens[: size * 4 // 5], tokens[size * 4 // 5 :]))
    return found


class Tokenizer(PreTrainedTokenizerFast):
    """What the trainer needs of a tokenizer: rows come as tokens already."""

    def __init__(self) -> None:
        from tokenizers import Tokenizer as Core
        from tokenizers.models import WordLevel

        super().__init__(tokenizer_object=Core(WordLevel({"<pad>": 0}, "<pad>")), pad_token="<pad>", eos_token="<pad>")


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
    list(tuning.tune([job], load, Tokenizer(), tick))
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
