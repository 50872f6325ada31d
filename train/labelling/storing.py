"""Labels on the disk: appended one by one while people label, replaced as a whole when a sheet is read."""

from __future__ import annotations

import fcntl
import os
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from train.errors import UserError
from train.grading import Label
from train.serialising import to_json
from train.store import Run

LABELS = "labels.jsonl"


def now() -> str:
    """The time as labels have it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def append(run: Run, labels: Sequence[Label]) -> None:
    """Adds labels and returns when they are on the disk. Several processes may do so at once."""
    path = run.path(LABELS)
    with path.open("a", encoding="utf-8") as mine:
        fcntl.flock(mine, fcntl.LOCK_EX)
        run.mend(LABELS)  # a line that a kill left unfinished would swallow the next
        run.append_records(LABELS, [to_json(label) for label in labels])
    directory = os.open(run.directory, os.O_RDONLY)
    try:
        os.fsync(directory)  # the file's name too is on the disk
    finally:
        os.close(directory)


def labeller(name: str, labels: Iterable[Label]) -> str:
    """The name as labels have it. Raises `UserError` for one that is no name, or almost that of someone else."""
    plain = unicodedata.normalize("NFC", name).strip()
    if not plain or len(plain) > 64 or not plain.isprintable():
        raise UserError(f"--as {name!r}: is no name; give up to 64 printable characters, such as --as kim")
    for label in labels:
        if label.when and label.who != plain and label.who.casefold() == plain.casefold():
            raise UserError(f"--as {name!r}: {label.who!r} has labelled here; give the name as it was, or another")
    return plain
