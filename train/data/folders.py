"""A directory that the `datasets` library wrote, or that it can read, as a table."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from train.data.problems import Problems
from train.data.tables import Row, Table
from train.errors import UserError, nearest

_EMPTY = ("EmptyDatasetError", "DataFilesNotFoundError")


def read_folder(directory: Path, split: str, columns: Sequence[str], place: str) -> Table:
    """The rows of one split, counted from 1; only `columns` are decoded.

    Args:
        directory: written by `save_to_disk`, or with Parquet, JSON Lines, CSV or Arrow files.
        split: which one; empty for the only one.
        columns: the columns that are wanted, where they are there.
        place: what errors call it.

    Raises:
        UserError: there is nothing that can be read, or it is not clear which split is meant.
    """
    with _quiet():
        try:
            splits = _load(directory)
        except Exception as error:  # the library raises whatever its readers stumble over
            raise _explained(error, place) from error
    dataset = _chosen(splits, split, place)
    names = tuple(map(str, dataset.column_names))
    wanted = [name for name in dict.fromkeys(columns) if name in names]
    # Columns of images or embeddings beside ours would be decoded for nothing.
    records = dataset.select_columns(wanted).to_list() if wanted else []
    rows = tuple(Row(number, cells) for number, cells in enumerate(records, start=1))
    return Table(names, rows, Problems(place), known=tuple(columns))


def _load(directory: Path) -> dict[str, Any]:
    """Every split by name. Nothing in the directory is run: the library has given up loading scripts."""
    import datasets

    if (directory / "dataset_dict.json").is_file() or (directory / "state.json").is_file():
        saved = datasets.load_from_disk(str(directory))
        return dict(saved) if isinstance(saved, dict) else {str(saved.split or "train"): saved}
    # Absolute, because a relative "json" would be the library's own reader of that name.
    path = str(directory.resolve())
    # A cache of its own, because the common one could keep the rows of files that have changed since.
    with TemporaryDirectory(prefix="openbook-") as scratch:
        loaded = datasets.load_dataset(path, cache_dir=scratch, keep_in_memory=True)
        if datasets.load_dataset_builder(path, cache_dir=scratch).name == "csv":
            # Else 007 would become 7, and the words NA and None nothing.
            names = next(iter(loaded.values())).column_names
            texts = datasets.Features({name: datasets.Value("string") for name in names})
            loaded = datasets.load_dataset(
                path, cache_dir=scratch, keep_in_memory=True, features=texts, keep_default_na=False
            )
        return dict(loaded)


def _chosen(splits: dict[str, Any], split: str, place: str) -> Any:
    if split:
        if split not in splits:
            raise UserError(f"{place}: there is no split {split!r}{nearest(split, splits)}")
        return splits[split]
    if len(splits) > 1:
        first = next(iter(splits))
        raise UserError(f"{place}: holds the splits {', '.join(splits)}; choose one, such as {place}#{first}")
    return next(iter(splits.values()))


def _explained(error: Exception, place: str) -> UserError:
    if type(error).__name__ in _EMPTY:
        return UserError(
            f"{place}: is a directory without Parquet, JSON Lines, CSV or Arrow files; "
            "name the file in it that has the questions, or another directory"
        )
    cause = error.__cause__ if isinstance(error.__cause__, Exception) else error
    reason = (str(cause).strip() or type(cause).__name__).splitlines()[0]
    return UserError(
        f"{place}: cannot be read by the datasets library ({reason[:200]}); "
        "name one of its files, or a directory of Parquet or JSON Lines files that have the same columns"
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the library's bars and log lines: what goes wrong is said by us, once."""
    import datasets

    before, silent = logging.root.manager.disable, datasets.are_progress_bars_disabled()
    logging.disable(logging.ERROR)
    datasets.disable_progress_bars()
    try:
        yield
    finally:
        logging.disable(before)
        if not silent:
            datasets.enable_progress_bars()
