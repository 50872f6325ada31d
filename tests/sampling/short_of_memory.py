"""Answers with so little address space left that an allocation fails, and prints what came of it.

Run as `python -m tests.sampling.short_of_memory MODEL MEBIBYTES…`, once for each number, 0 being no limit; as a process
of its own, whose limits end with it.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path
from typing import Any

import psutil

from tests.sampling.builders import requests, settings, watch
from train import models
from train.models import Source
from train.recipe import Base

LONG = settings(max_new_tokens=50_000, stop=tuple(range(3, 40)))
"""Room is made for long answers, and all of them are short."""
SAMPLES = 3


def answer(model: Any, tokenizer: Any, mebibytes: int) -> dict[str, Any]:
    """The answers and how many were made together, or the error."""
    limit = psutil.Process().memory_info().vms + mebibytes * 2**20 if mebibytes else resource.RLIM_INFINITY
    resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
    try:
        watched = watch(requests(model.config.vocab_size, SAMPLES), model, tokenizer, LONG)
    except MemoryError as error:
        return {"error": str(error)}
    texts = {answer.key: answer.text for answer in watched.answers}
    return {"texts": texts, "together": max(map(len, watched.drawn))}


def main(directory: str, *limits: str) -> None:
    base, source = Base(directory, dtype="float32"), Source("tiny", Path(directory), "of no matter")
    model, tokenizer = models.load_model(source, base), models.load_tokenizer(source, base)
    watch(requests(model.config.vocab_size, 1), model, tokenizer, settings())  # whatever is made at the first use
    for limit in limits:
        print(json.dumps(answer(model, tokenizer, int(limit))))


if __name__ == "__main__":
    main(*sys.argv[1:])
