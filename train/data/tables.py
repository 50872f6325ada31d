"""CSV, JSON Lines and Parquet as rows of raw cells. What a cell means is the business of `cells`."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from train.data.cells import BadCell
from train.data.files import file_errors, kind, read_text, require_file
from train.data.problems import Problems, closest, did_you_mean, named, shown
from train.errors import UserError

T = TypeVar("T")
D = TypeVar("D")


@dataclass(frozen=True, slots=True)
class Row:
    """One row; `number` is the row that a spreadsheet shows (CSV: the header is row 1), the line of a JSONL file, or
    the record of a Parquet file, counted from 1. A column that the row lacks is not in `cells`.
    """

    number: int
    cells: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Table:
    """A file's columns and rows, the problems met so far, warnings, and the columns that its reader knows."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    problems: Problems
    warnings: tuple[str, ...] = ()
    known: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CellReader:
    """Converts the cells of one row; what cannot be converted is noted as a problem, and `default` stands for it.

    A column that the whole table lacks is one problem (`check_columns`), not one a row.
    """

    table: Table
    row: Row
    required: tuple[str, ...]

    def __call__(self, column: str, convert: Callable[[Any], T], default: D) -> T | D:
        """What `convert` makes of the row's cell in `column`."""
        if column in self.required and column not in self.row.cells:
            if column in self.table.columns:
                near = closest(column, [name for name in self.row.cells if name not in self.table.known])
                mend = f"did you mean {near!r}?" if near else "write it"
                self.table.problems.add(self.row.number, column, "is missing", mend)
            return default
        try:
            return convert(self.row.cells.get(column))
        except BadCell as bad:
            self.table.problems.add(self.row.number, column, bad.what, bad.mend)
            return default


def read_table(
    path: Path, columns: Sequence[str], kinds: Sequence[str], what: str, *, suffix: str | None = None
) -> Table:
    """Reads a table; `columns` are those wanted (others are not decoded from Parquet), `what` names it in errors.

    `suffix` says of what kind it is, where the name of the file does not.

    Malformed rows are left out and noted in `problems`, so that a caller goes on and reports everything at once.

    Raises:
        UserError: the file cannot be read at all.
    """
    require_file(path)
    suffix = suffix or kind(path, kinds, what)
    if suffix == ".parquet":
        table = _read_parquet(path, columns)
    else:
        text, warnings = read_text(path)
        table = (_read_csv if suffix == ".csv" else _read_jsonl)(text, Problems(str(path)), warnings)
    return replace(table, known=tuple(columns))


def rename_columns(table: Table, columns: Mapping[str, str], known: Sequence[str]) -> Table:
    """The table with some columns under our names, and `known` as those that its reader knows.

    Args:
        columns: our name of a column -> what the table calls it. Errors go on calling it as the table does. A column
            that has our name, but is not the one to be read under it, gives way.
        known: our names of all columns.

    Raises:
        InputProblems: a name that is none of ours, or a column that is not there.
    """
    before, problems = len(table.problems), table.problems
    there = f"the columns are {', '.join(map(shown, table.columns)) or 'none'}"
    for ours, theirs in columns.items():
        if ours not in known:
            mend = did_you_mean(ours, known, f"there are {', '.join(known)}")
            problems.add(None, None, f"columns: {theirs!r} cannot be read as {ours!r}, which is no column", mend)
        elif theirs not in table.columns and (table.columns or table.rows):
            mend = did_you_mean(theirs, table.columns, there)
            problems.add(None, None, f"columns: {ours!r} is to be read from {theirs!r}, which is not there", mend)
    if len(problems) > before:
        problems.raise_if_any()
    gone = {*columns, *columns.values()}
    warnings = [
        f"{problems.place}: column {ours!r} is not read; {theirs!r} is read as {ours!r}"
        for ours, theirs in columns.items()
        if ours in table.columns and ours not in columns.values()
    ]

    def renamed(cells: Mapping[str, Any]) -> dict[str, Any]:
        kept = {name: cell for name, cell in cells.items() if name not in gone}
        return kept | {ours: cells[theirs] for ours, theirs in columns.items() if theirs in cells}

    problems.names |= columns
    return replace(
        table,
        columns=(*columns, *(name for name in table.columns if name not in gone)) if table.columns else (),
        rows=tuple(Row(row.number, renamed(row.cells)) for row in table.rows),
        warnings=(*table.warnings, *warnings),
        known=tuple(known),
    )


def check_columns(
    table: Table,
    required: Sequence[str],
    called_elsewhere: Mapping[str, Sequence[str]] = MappingProxyType({}),
    mends: Mapping[str, str] = MappingProxyType({}),
) -> tuple[str, ...]:
    """Notes missing columns as problems; returns a warning for each column that is not read.

    `called_elsewhere` has other names of a column, `mends` what to do where it is there under none.
    """
    if not table.columns and not table.rows:
        return ()  # An empty file is its own problem.
    unknown = [column for column in table.columns if column not in table.known]
    # A row of a JSONL file may misspell a key that the others spell right.
    open_names = [name for name in table.known if unknown and any(name not in row.cells for row in table.rows)]
    for column in required:
        if column not in table.columns:
            folded = {name.casefold(): name for name in reversed(unknown)}
            others = (folded[name] for name in called_elsewhere.get(column, ()) if name in folded)
            near = closest(column, unknown) or next(others, "")
            there = ", ".join(map(shown, table.columns))
            mend = f"the columns are {there or 'none'}" + (f"; {mends[column]}" if column in mends else "")
            mend = f"did you mean {near!r}? rename it to {column!r}" if near else mend
            table.problems.add(None, None, f"column {column!r} is missing", mend)
    warnings = []
    for column in unknown:
        near = closest(column, open_names, cutoff=0.7)
        hint = f"; did you mean {near!r}?" if near else ""
        warnings.append(f"{table.problems.place}: column {shown(column)} is not read{hint}")
    return tuple(warnings)


def _read_csv(text: str, problems: Problems, warnings: tuple[str, ...]) -> Table:
    # A cell may hold a whole document; the module's limit is 128 kB and its type a C long.
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    # Strict, because an unclosed quote would otherwise swallow the rest of the file as one cell.
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    records: list[tuple[int, list[str]]] = []
    try:
        # Blank lines are counted: a spreadsheet shows them as rows.
        for number, record in enumerate(reader, start=1):
            records.append((number, record))
    except csv.Error as error:
        mend = "close the quote, and write a quote inside a cell twice"
        problems.add(len(records) + 1, None, f"is not CSV ({error}, at line {reader.line_num})", mend)
    while records and not any(cell.strip() for cell in records[0][1]):
        del records[0]
    if not records:
        problems.add(None, None, "is empty", "the first row names the columns")
        return Table((), (), problems, warnings)
    header = [name.strip() for name in records[0][1]]
    if len(header) == 1 and (separator := next((s for s in ";\t" if s in header[0]), "")):
        problems.add(records[0][0], None, f"cells are separated by {separator!r}", "save the file with commas")
        return Table((), (), problems, warnings)
    _check_repeated(header, problems)
    rows = []
    for number, cells in records[1:]:
        if not any(cell.strip() for cell in cells):
            continue
        if any(cell.strip() for cell in cells[len(header) :]):
            what = f"has {len(cells)} cells, the header {len(header)} ({shown(cells[len(header)])} is left over)"
            problems.add(number, None, what, "put quotes around a cell that holds a comma")
            continue
        rows.append(Row(number, dict(zip(header, cells, strict=False))))
    return Table(tuple(name for name in header if name), tuple(rows), problems, warnings)


def _read_jsonl(text: str, problems: Problems, warnings: tuple[str, ...]) -> Table:
    rows = []
    columns: dict[str, None] = {}
    # Only \n ends a line: splitlines() would also break at U+2028, which JSON allows inside a text.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            cells = json.loads(line)
        except (ValueError, RecursionError) as error:
            # A row is one line, so the message's own line number would mislead.
            what = f"{error.msg}, character {error.colno}" if isinstance(error, json.JSONDecodeError) else str(error)
            problems.add(number, None, f"is not JSON ({what}): {shown(line)}", "write one JSON object a line")
            if number == 1 and line.strip() in "[{":
                break  # A JSON document over many lines: every further line would be one more problem.
            continue
        if not isinstance(cells, dict):
            problems.add(number, None, f"is not a JSON object: {shown(cells)}", "write one JSON object a line")
            continue
        columns.update(dict.fromkeys(cells))
        rows.append(Row(number, cells))
    return Table(tuple(columns), tuple(rows), problems, warnings)


def _read_parquet(path: Path, columns: Sequence[str]) -> Table:
    import pyarrow
    import pyarrow.parquet

    problems = Problems(str(path))
    with file_errors(path):
        try:
            # Opened here: pyarrow's own messages for a missing file or a directory name no mend.
            with path.open("rb") as stream:
                file = pyarrow.parquet.ParquetFile(stream)
                names = [str(name) for name in file.schema_arrow.names]
                _check_repeated(names, problems)
                wanted = list(dict.fromkeys(name for name in columns if names.count(name) == 1))
                # Columns of images or embeddings beside ours would be read for nothing.
                records = file.read(columns=wanted).to_pylist() if wanted else []
        except pyarrow.ArrowException as error:
            reason = str(error).splitlines()[0]
            raise UserError(f"{path}: is not a Parquet file that can be read ({reason}); write it anew") from error
    return Table(tuple(names), tuple(Row(n, cells) for n, cells in enumerate(records, start=1)), problems)


def _check_repeated(names: Sequence[str], problems: Problems) -> None:
    repeated = sorted({name for name in names if name and names.count(name) > 1})
    if repeated:
        problems.add(None, None, f"column {named(map(repr, repeated))} is there twice", "rename or remove one")
