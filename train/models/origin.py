"""What a model directory that openbook wrote says of where its weights are from."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

ORIGIN = "openbook.json"
MERGED = "merged"
"""The key in the file, which beside an adapter holds other things."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The arm whose adapter was merged into its base: recipe, arm and training seed, the base's fingerprint and the
    digest of its weights (see `Source`; empty where the run did not note it), and the adapter's SHA-256."""

    recipe: str
    arm: str
    seed: int
    base: str
    weights: str
    adapter: str


def write_origin(directory: Path, origin: Origin) -> None:
    """Puts it down beside the weights."""
    text = json.dumps({MERGED: asdict(origin)}, indent=1, ensure_ascii=False)
    (directory / ORIGIN).write_text(text + "\n", encoding="utf-8")


def origin_of(directory: Path) -> Origin | None:
    """What the directory says; None where it says nothing that can be read."""
    try:
        return Origin(**json.loads((directory / ORIGIN).read_text(encoding="utf-8"))[MERGED])
    except (OSError, ValueError, KeyError, TypeError):
        return None
