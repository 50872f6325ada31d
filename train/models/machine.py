"""The memory of the device that a model is loaded on, and what is said when it does not suffice."""

from __future__ import annotations

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


def out_of_memory(error: Exception) -> bool:
    """Whether the error says that memory did not suffice, on a GPU or a CPU."""
    import torch

    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return any(words in str(error) for words in SHORT_OF_MEMORY)
