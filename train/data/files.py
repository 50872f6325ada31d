"""Files as text: which kind a file is, which encoding it has, and errors that name the file.

Texts are UTF-8, with or without a byte order mark, or CP949, which is what a Korean Excel writes for "CSV".
"""

from __future__ import annotations

import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from train.data.cells import BadCell, optional_name
from train.data.problems import did_you_mean
from train.errors import UserError

_SAVE_AS = {".xls": ".csv", ".xlsx": ".csv", ".ods": ".csv", ".tsv": ".csv", ".json": ".jsonl", ".ndjson": ".jsonl"}


def kind(path: Path, kinds: Sequence[str], what: str) -> str:
    """The file's suffix in lower case, if it is one of `kinds`.

    Raises:
        UserError: the suffix is another one.
    """
    suffix = path.suffix.lower()
    if suffix in kinds:
        return suffix
    offered = ", ".join(kinds)
    wanted = _SAVE_AS.get(suffix, "")
    if wanted not in kinds:
        hint = did_you_mean(suffix, kinds) if suffix else ""
    else:
        hint = f"save it as {wanted}" + (", one JSON object a line" if wanted == ".jsonl" else ", encoded in UTF-8")
    raise UserError(
        f"{path}: {what} cannot be read from {f'a {suffix} file' if suffix else 'a file without suffix'}; "
        + (f"{hint} (it reads {offered})" if hint else f"it reads {offered}")
    )


@contextmanager
def file_errors(path: Path) -> Iterator[None]:
    """Turns what the operating system says about `path`, or about a file below it, into a `UserError` with the mend."""
    try:
        yield
    except FileNotFoundError as error:
        siblings = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
        hint = did_you_mean(path.name, siblings, "check the path, relative to the working directory")
        raise UserError(f"{path}: no such file or directory; {hint}") from error
    except NotADirectoryError as error:
        raise UserError(f"{path}: leads through a file as if it were a directory; check the path") from error
    except PermissionError as error:
        raise UserError(f"{error.filename or path}: may not be read; give yourself permission to read it") from error
    except OSError as error:
        raise UserError(f"{error.filename or path}: cannot be read: {error.strerror or error}") from error


def require_readable_name(path: Path) -> None:
    """Raises `UserError` for a path that no manifest could hold or that would break the line of a message."""
    try:
        optional_name(str(path))
    except BadCell as bad:
        raise UserError(f"{str(path)!r}: the path {bad.what}; rename the file or folder") from None


def require_file(path: Path) -> None:
    """Raises `UserError` unless `path` is a regular file: a named pipe or a device would be waited for, for ever."""
    require_readable_name(path)
    with file_errors(path):
        mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise UserError(f"{path}: is a directory; name the file in it")
    if not stat.S_ISREG(mode):
        raise UserError(f"{path}: is not a regular file; name a file")


def read_bytes(path: Path) -> bytes:
    """The content of a regular file; raises `UserError` where there is none or it may not be read."""
    require_file(path)
    with file_errors(path):
        return path.read_bytes()


def read_text(path: Path) -> tuple[str, tuple[str, ...]]:
    """The file's text with `\\n` for every kind of line end, and warnings about how it was read.

    Raises:
        UserError: the file cannot be read, is binary, or is neither UTF-8 nor CP949.
    """
    text, warnings = decode(read_bytes(path), str(path))
    return text.replace("\r\n", "\n").replace("\r", "\n"), warnings


def decode(data: bytes, place: str) -> tuple[str, tuple[str, ...]]:
    """The text of `data`, and a warning where it was not UTF-8.

    Raises:
        UserError: naming `place`, the byte offset at which the text breaks off, and the mend.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UserError(f"{place}: byte 0: is UTF-16, not UTF-8; save it as UTF-8")
    if (zero := data.find(b"\0")) >= 0:
        raise UserError(f"{place}: byte {zero}: is a binary file (zero byte), not text; save it as UTF-8 text")
    try:
        return data.decode("utf-8-sig"), ()
    except UnicodeDecodeError as error:
        # The codec counts from behind the byte order mark.
        offset = error.start + (3 if data.startswith(b"\xef\xbb\xbf") else 0)
    byte = f"byte {offset} (0x{data[offset]:02x})"
    if _mostly_utf8(data):
        raise UserError(f"{place}: {byte}: is damaged UTF-8; restore the character there and save it as UTF-8")
    try:
        text = data.decode("cp949")
    except UnicodeDecodeError as error:
        raise UserError(
            f"{place}: {byte}: is not UTF-8, and from byte {error.start} on not CP949; save it as UTF-8"
        ) from error
    return text, (f"{place}: is not UTF-8, so it was read as CP949; if letters look wrong, save it as UTF-8",)


def _mostly_utf8(data: bytes) -> bool:
    """Whether the bytes outside ASCII are for the most part well-formed UTF-8.

    A UTF-8 file with one broken character often *is* decodable as CP949, into nonsense that nobody would notice.
    """
    outside = [character for character in data.decode("utf-8", errors="replace") if character > "\x7f"]
    return len(outside) > 2 * outside.count("�")
