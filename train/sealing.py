"""Hashes of data and files, and record files whose every line tells whether somebody edited it.

Record files are JSON lines; each line ends with a `check`, a hash of the rest of the line, so that `verify` can name
the one line that somebody edited.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from train.errors import UserError

CHECK = "check"
Record = dict[str, Any]


def digest(value: Any) -> str:
    """A hash of JSON-ready data; the same for the same data, whatever the order of keys."""
    return _hash(canonical(value).encode())


def file_digest(path: Path) -> str:
    """The file's SHA-256 in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _hash(written: bytes) -> str:
    return hashlib.sha256(written).hexdigest()


def canonical(value: Any) -> str:
    """The one way in which data is written before it is hashed."""
    return _CANONICAL.encode(value)


# Made once: `json.dumps` makes one for every record, which takes as long as writing it.
_DECODER = json.JSONDecoder()
_CANONICAL = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"), check_circular=False)


def seal(record: Record) -> Record:
    """The record with its check, which changes when anything else in it does."""
    return {**record, CHECK: digest(unsealed(record))[:16]}


def is_sealed(record: Record) -> bool:
    """Whether the record is as it was when it was sealed."""
    return bool(record.get(CHECK) == digest(unsealed(record))[:16])


def unsealed(record: Record) -> Record:
    """The record without its check."""
    rest = dict(record)
    rest.pop(CHECK, None)
    return rest


def line(record: Record) -> str:
    """A sealed record as one line of a record file: what is hashed, and the hash.

    Written so, a line can be checked as it stands.
    """
    rest = canonical(unsealed(record) if CHECK in record else record)
    comma = "," if len(rest) > len("{}") else ""
    return f'{rest[:-1]}{comma}"{CHECK}":"{_hash(rest.encode())[:16]}"}}\n'


def is_as_written(text: bytes) -> bool:
    """Whether a line's check fits its bytes, which takes a fraction of the time that `is_sealed` takes.

    A line that was written otherwise, say by an earlier version, may be sealed all the same.
    """
    rest, _, check = text.rpartition(f',"{CHECK}":"'.encode())
    return check == f'{_hash(rest + b"}")[:16]}"}}\n'.encode()


def numbered_records(path: Path) -> Iterator[tuple[int, Record]]:
    """Line number and record of each line; an unfinished last line is left out, a damaged one raises `UserError`."""
    return ((number, record) for number, _, record in _lines(path))


def sound_records(path: Path) -> Iterator[Record]:
    """The records of a file; none where there is no such file. Raises `UserError` for a damaged or edited line."""
    for number, text, record in _lines(path):
        if not (is_as_written(text) or is_sealed(record)):
            raise UserError(f"{path}:{number}: was edited; restore the line, or remove it to have it made again")
        yield record


def _lines(path: Path) -> Iterator[tuple[int, bytes, Record]]:
    if not path.exists():
        return
    with path.open("rb") as file:  # as bytes: a kill may have cut a letter in two
        for number, text in enumerate(file, start=1):
            if not text.endswith(b"\n"):
                return
            try:
                record = _DECODER.decode(text.decode())
                if not isinstance(record, dict):
                    raise ValueError("not an object")
            except ValueError as error:
                raise UserError(f"{path}:{number}: is damaged ({error}); restore it or remove the line") from None
            yield number, text, record
