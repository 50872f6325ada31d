"""Where a run would happen: its memory, and its speeds as measured in a moment."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from train import models
from train.estimate.shape import Shape
from train.estimate.words import GIB


@dataclass(frozen=True, slots=True)
class Machine:
    """Where it would run: memory in bytes, operations and bytes a second, and the seconds that the least call takes."""

    device: str
    memory: int
    free: int
    rate: float
    bandwidth: float
    call: float

    @property
    def has(self) -> str:
        """How much memory there is, and where."""
        return f"{self.memory / GIB:.1f} GiB {'on the GPU' if self.device == 'cuda' else 'here'}"


def measure(shape: Shape, dtype: str, tokens: int) -> Machine:
    """This machine's speeds in about 0.3 s, on the model's own layers with that many tokens.

    The best of many tries is taken, on a CPU that of one thread times the threads, so that what else runs just now
    changes little.
    """
    import torch

    from train.decoder.products import linear

    device = models.pick_device()

    def tensor(*size: int) -> Any:
        return torch.full(size, 0.01, dtype=getattr(torch, dtype), device=device)

    # No matrix of more than 2²⁴ weights, and no more rows than keep the device busy: the rate is the same.
    sizes = {(inputs, min(outputs, 2**24 // inputs)) for _, inputs, outputs in shape.linear}
    rows = max(1, min(tokens, 256 if device == "cpu" else 4096))
    with one_thread(device) as threads:
        seconds = 0.0
        for inputs, outputs in sizes:
            left, right = tensor(rows, inputs), tensor(outputs, inputs)
            product = lambda left=left, right=right: linear(left, right)  # noqa: E731
            seconds += least_seconds(product, device, 0.2 / len(sizes))
        large, small = tensor(2**25), tensor(4)
        bandwidth = large.nbytes / least_seconds(large.sum, device, 0.05)
        call = least_seconds(lambda: [small + 1 for _ in range(100)], device, 0.02) / 100
    operations = 2 * rows * sum(inputs * outputs for inputs, outputs in sizes)
    return Machine(device, *models.memory_of(device), threads * operations / seconds, bandwidth, call)


@contextmanager
def one_thread(device: str) -> Iterator[int]:
    """On a CPU, work by one thread only, restored afterwards; gives how many it stands for."""
    import torch

    threads = torch.get_num_threads()
    if device != "cpu":
        yield 1
        return
    torch.set_num_threads(1)
    try:
        yield threads
    finally:
        torch.set_num_threads(threads)


def least_seconds(work: Callable[[], Any], device: str, budget: float) -> float:
    """The least time that the work took, tried again for `budget` seconds after a first time that does not count."""
    import torch

    wait = {"cuda": torch.cuda.synchronize, "mps": torch.mps.synchronize}.get(device, lambda: None)

    def once() -> float:
        began = time.perf_counter()
        work()
        wait()
        return time.perf_counter() - began

    once()
    end = time.perf_counter() + budget
    least = once()
    while time.perf_counter() < end:
        least = min(least, once())
    return least
