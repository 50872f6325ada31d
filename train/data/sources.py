"""Where a table comes from: a file, a directory that the `datasets` library reads, or the hub."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from train.data.files import file_errors
from train.data.folders import read_folder
from train.data.hub import fetch
from train.data.tables import Table, read_table
from train.fields import HUB


def read_source(source: str | Path, columns: Sequence[str], kinds: Sequence[str], what: str) -> Table:
    """The table that is meant by a path, by `DIRECTORY#SPLIT`, or by `hub:ORG/NAME` with what may follow it.

    Args:
        source: the path or the text.
        columns: the columns that are wanted; others need not be decoded.
        kinds: the suffixes that a file may have.
        what: what errors call such a file.

    Raises:
        UserError: it cannot be read at all.
    """
    place = str(source)
    if place.startswith(HUB):
        fetched = fetch(place)
        table = read_folder(fetched.directory, fetched.split, columns, place)
        return replace(table, warnings=(*fetched.warnings, *table.warnings))
    path = Path(source)
    folder, sign, split = place.rpartition("#")
    with file_errors(path):
        is_folder = path.is_dir()
        is_split = bool(sign and split) and not path.exists() and Path(folder).is_dir()
    if is_folder or is_split:
        return read_folder(Path(folder) if is_split else path, split if is_split else "", columns, place)
    return read_table(path, columns, kinds, what)
