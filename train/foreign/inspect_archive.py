"""The `.eval` logs of inspect_ai: a ZIP archive of JSON files, which since 0.3.206 are compressed with Zstandard.

`header.json` is the log without its samples (`_journal/start.json` its beginning, in a log that was not finished), and
`samples/<id>_epoch_<n>.json` is one sample, or `samples/<id>_epoch_<n>/sample.json` where its messages are kept apart.
Python's own zipfile reads Zstandard from 3.14 on; before, the library that reads Parquet does it.
"""

from __future__ import annotations

import json
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from train.data.files import file_errors
from train.errors import UserError
from train.foreign.inspect_logs import is_log, read_log
from train.foreign.records import ToolLog

MAGIC = b"PK\x03\x04"
ZSTANDARD = 93
"""The number of the method in the ZIP format."""

CONVERT = "write it as JSON: inspect log convert {name} --to json --output-dir json"
_SAMPLE = re.compile(r"samples/.+_epoch_\d+(?:\.json|/sample\.json)", re.DOTALL)


def read_archive(path: Path) -> ToolLog:
    """Reads an `.eval` log; raises `UserError` where it is none, is damaged, or is compressed in an unknown way."""
    with file_errors(path), path.open("rb") as file:
        mend = CONVERT.format(name=path.name)
        try:
            archive = zipfile.ZipFile(file)
        except NotImplementedError as error:
            raise UserError(f"{path}: is a ZIP archive of a kind that is not read here ({error}); {mend}") from error
        except (zipfile.BadZipFile, EOFError, struct.error, OSError, ValueError) as error:
            raise UserError(f"{path}: is a damaged ZIP archive ({error}); copy it anew") from error
        # A log is written by adding to it: of two parts of one name the later one counts.
        parts = {info.filename: info for info in archive.infolist()}
        start = next((name for name in ("header.json", "_journal/start.json") if name in parts), None)
        header = load(archive, file, parts[start], path) if start else None
        if not is_log(header):
            raise UserError(f"{path}: is {other_archive(parts)}")

        def samples() -> Iterator[Any]:
            for name, info in parts.items():
                if _SAMPLE.fullmatch(name):
                    yield load(archive, file, info, path)

        there = any(map(_SAMPLE.fullmatch, parts))
        return read_log(header, samples() if there else None, str(path))


def load(archive: zipfile.ZipFile, file: IO[bytes], info: zipfile.ZipInfo, path: Path) -> Any:
    """One part of the archive, as what its JSON says."""
    try:
        packed = info.compress_type == ZSTANDARD
        return json.loads(unpacked(file, info) if packed else archive.read(info))
    except NotImplementedError as error:
        mend = CONVERT.format(name=path.name)
        raise UserError(f"{path}: {info.filename}: is compressed in a way that is not read here; {mend}") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, struct.error, OSError, ValueError, RuntimeError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise UserError(f"{path}: {info.filename}: is damaged ({reason}); copy the log anew") from error


def unpacked(file: IO[bytes], info: zipfile.ZipInfo) -> bytes:
    """The bytes of a part that is compressed with Zstandard, in one frame or in several."""
    import pyarrow

    if not pyarrow.Codec.is_available("zstd"):
        raise NotImplementedError
    file.seek(info.header_offset)
    header = file.read(30)
    name, extra = struct.unpack("<HH", header[26:])
    file.seek(name + extra, 1)
    packed = file.read(info.compress_size)
    with pyarrow.CompressedInputStream(pyarrow.BufferReader(packed), "zstd") as stream:
        data = bytes(stream.read())
    if zlib.crc32(data) != info.CRC:
        raise zipfile.BadZipFile("its checksum is another")
    return data


def other_archive(parts: dict[str, zipfile.ZipInfo]) -> str:
    """What a ZIP archive is that is no log."""
    if "[Content_Types].xml" in parts:
        return "a spreadsheet or document of an office program; save it as CSV, encoded in UTF-8"
    return "a ZIP archive and no log of inspect_ai; unpack it and name the files in it"
