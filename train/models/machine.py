"""The memory of the device that a model is loaded on, and what is said when it does not suffice."""

from __future__ import annotations

import resource
import sys
from contextlib import suppress
from pathlib import Path

SHORT_OF_MEMORY = ("can't allocate memory", "not enough memory", "out of memory", "bad_alloc", "ALLOC_FAILED")
"""What libraries say; PyTorch has an error of its own for it on a GPU only."""


def memory_of(device: str) -> tuple[int, int]:
    """The bytes of memory there are for the model, and those of them that are free; a container's limit counts."""
    import psutil
    import torch

    if device == "cuda":
        free, total = torch.cuda.mem_get_info()
        return total, free
    total, free = psutil.virtual_memory().total, psutil.virtual_memory().available
    for file in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        limit = Path(file).read_text(encoding="ascii").strip() if Path(file).is_file() else ""
        total = min(total, int(limit)) if limit.isdigit() else total
    return total, min(free, total)


_PEAKS = {"aside": 0}
"""The highest peak before the last `forget_peak`, which the system no longer knows."""


def forget_peak() -> None:
    """Lets `peak_since` begin anew, where the system allows it: on a GPU, and on Linux."""
    _PEAKS["aside"] = peak_bytes()
    if _on_gpu():
        import torch

        torch.cuda.reset_peak_memory_stats()
        return
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak, says proc(5), and nothing else


def peak_bytes() -> int:
    """The most memory this process has held: on the GPU where it used one, else its resident set."""
    return max(_PEAKS["aside"], peak_since())


def peak_since() -> int:
    """The most memory this process has held since `forget_peak`; since it began where nothing can be forgotten."""
    if _on_gpu():
        import torch

        return int(torch.cuda.max_memory_allocated())
    try:
        # ru_maxrss also counts what the parent held when it started this process.
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        return int(next(line.split()[1] for line in lines if line.startswith("VmHWM:"))) * 1024
    except (OSError, StopIteration):
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _on_gpu() -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and torch.cuda.is_available() and torch.cuda.is_initialized()


def out_of_memory(error: Exception) -> bool:
    """Whether the error says that memory did not suffice, on a GPU or a CPU."""
    import torch

    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return any(words in str(error) for words in SHORT_OF_MEMORY)
