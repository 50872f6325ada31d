"""The memory of the device that a model is loaded on."""

from __future__ import annotations

from pathlib import Path


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
