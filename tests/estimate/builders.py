"""Shapes, jobs and a machine to estimate with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from train.estimate import (
    GIB,
    Machine,
    Shape,
    shape_of,
)
from train.recipe import Base, LoRA, Optimization
from train.tuning import Job, Stacked, TokenRow

MACHINE = Machine("cpu", memory=16 * GIB, free=12 * GIB, rate=1e11, bandwidth=2e10, call=0.0)
BASE = Base("not read")

SIZES: dict[str, dict[str, Any]] = {
    # Kanana 1.5 2.1B: the queries together are wider than the model, and the embeddings are the head.
    "llama": {"V": 128256, "h": 1792, "i": 8064, "L": 32, "heads": 24, "kv": 8, "head": 128, "tied": True},
    # Phi-3-mini 4k: one projection for queries, keys and values, one for gate and up.
    "phi3": {"V": 32064, "h": 3072, "i": 8192, "L": 32, "heads": 32, "kv": 32, "head": 96, "tied": False},
    # SmolLM2-135M, which the quickstart tunes.
    "smollm2": {"V": 49152, "h": 576, "i": 1536, "L": 30, "heads": 9, "kv": 3, "head": 64, "tied": True},
}


def config_of(name: str, **changes: Any) -> Any:
    """The configuration of that model, with other sizes where given."""
    from transformers import LlamaConfig, Phi3Config

    sizes = SIZES[name] | changes
    settings = {
        "vocab_size": sizes["V"],
        "hidden_size": sizes["h"],
        "intermediate_size": sizes["i"],
        "num_hidden_layers": sizes["L"],
        "num_key_value_heads": sizes["kv"],
        "tie_word_embeddings": sizes["tied"],
        "pad_token_id": 0,
        "bos_token_id": 1,
        "eos_token_id": 2,
    }
    if name == "phi3":
        return Phi3Config(num_attention_heads=sizes["heads"], **settings)
    # Some releases of transformers refuse heads that do not divide the width when the configuration is made.
    config = LlamaConfig(num_attention_heads=sizes["h"] // 64, head_dim=sizes["head"], **settings)
    config.num_attention_heads = sizes["heads"]
    return config


def shape(name: str) -> Shape:
    return shape_of(config_of(name), BASE)


def job(
    rows: int = 16,
    prompt: int = 100,
    completion: int = 20,
    adapter: LoRA | None = None,
    *,
    shared: int = 0,
    **changes: Any,
) -> Job:
    """A job of rows of one length, of which so many tokens are a common beginning."""
    return Job(
        arm="open-book",
        seed=0,
        condition="gold",
        rows=[
            TokenRow((0,) * shared + (number,) * (prompt - shared), (2,) * completion) for number in range(1, 1 + rows)
        ],
        epochs=1,
        validation=(),
        adapter=adapter or LoRA(rank=16),
        optimization=Optimization(**{"batch_size": 8, **changes}),
        fingerprint="",
        directory=Path("nowhere"),
    )


def together(*jobs: Job, room: int = 1024, checkpointing: bool = False) -> Stacked:
    """Jobs that the decoder trains together."""
    return Stacked(jobs, None, room, checkpointing, "")


def stock(one: Job) -> Stacked:
    """A job that PEFT's own code trains."""
    return Stacked((one,), "for the test", 0, bool(one.optimization.gradient_checkpointing), "")
