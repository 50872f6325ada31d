"""The documents as passages: a folder of Markdown and text files, one such file, or JSON Lines.

JSONL rows have `id, text` and optionally `source, metadata`; other keys go into the metadata. In a folder, every file
is read whose name does not begin with a dot; passages come in the order of the files' relative paths.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from train.data.cells import BadCell, is_absent, optional_text, required_name, required_text
from train.data.files import file_errors, kind, read_text, require_file
from train.data.markdown import sections
from train.data.problems import named, shown
from train.data.tables import CellReader, check_columns, read_table
from train.data.text import verbatim
from train.errors import UserError
from train.records import Passage

MARKDOWN = (".md", ".markdown")
DOCUMENTS = (*MARKDOWN, ".txt")
KEYS = ("id", "text", "source", "metadata")


@dataclass(frozen=True, slots=True)
class Corpus:
    """The passages, at least one, with distinct ids; and warnings for a person to read."""

    passages: tuple[Passage, ...]
    warnings: tuple[str, ...] = ()


def load_corpus(path: str | Path) -> Corpus:
    """Reads a corpus.

    A Markdown section with text under its heading is the passage `<relative path>#<slug of the heading>`; text before
    the first heading, and a whole text file, is the passage `<relative path>`. Empty files give none.

    Raises:
        UserError: a file cannot be read, or nothing in the corpus has text.
        InputProblems: every problem in a JSONL file, with its row.
    """
    path = Path(path)
    is_folder = path.is_dir()
    if not is_folder:
        require_file(path)
        if kind(path, (".jsonl", *DOCUMENTS), "a corpus") == ".jsonl":
            return _jsonl(path)
    passages: list[Passage] = []
    found, warnings = _documents(path) if is_folder else ([(path.name, path)], [])
    for name, file in found:
        text, read_warnings = read_text(file)
        warnings.extend(read_warnings)
        passages.extend(document_passages(name, text))
    if not passages:
        raise UserError(f"{path}: there is no passage in it; put text into {', '.join(DOCUMENTS)} files")
    repeated = [name for name, count in Counter(passage.id for passage in passages).items() if count > 1]
    if repeated:
        raise UserError(f"{path}: two files give the passage id {named(map(repr, repeated))}; rename one of them")
    return Corpus(tuple(passages), (*warnings, *repeated_texts(passages, str(path))))


def repeated_texts(passages: Sequence[Passage], place: str) -> list[str]:
    """A warning about passages that have the same text, naming them.

    A search cannot tell them apart, and one that is not named as evidence holds the answer all the same.
    """
    by_text: dict[str, list[str]] = {}
    for passage in passages:
        by_text.setdefault(verbatim(passage.text), []).append(passage.id)
    groups = [" = ".join(map(repr, ids)) for ids in by_text.values() if len(ids) > 1]
    if not groups:
        return []
    return [
        f"{place}: {len(groups)} text(s) are there more than once: {named(groups)}; keep one of each, or name all of "
        "them as evidence"
    ]


def document_passages(name: str, text: str) -> list[Passage]:
    """The passages of one document; `name` is its path relative to the corpus, with `/`, and decides its kind."""
    if not name.lower().endswith(MARKDOWN):
        title = Path(name).stem
        return [Passage(name, text.strip(), name, {"title": title, "heading": ""})] if text.strip() else []
    return [
        Passage(
            id=f"{name}#{section.slug}" if section.slug else name,
            text=f"{section.heading}\n{section.body}" if section.heading else section.body,
            source=name,
            metadata={**section.metadata, "title": section.title or Path(name).stem, "heading": section.heading},
        )
        for section in sections(text)
    ]


def _documents(folder: Path) -> tuple[list[tuple[str, Path]], list[str]]:
    """(relative POSIX path, file) of every document, sorted; and a warning about files of other kinds."""
    found: list[tuple[str, Path]] = []
    others: Counter[str] = Counter()
    visited: set[str] = set()

    def failed(error: OSError) -> None:
        raise error

    with file_errors(folder):
        for directory, folders, files in os.walk(folder, followlinks=True, onerror=failed):
            real = os.path.realpath(directory)
            # A link to a folder above would otherwise be followed until the path is too long.
            if real in visited:
                folders.clear()
                continue
            visited.add(real)
            # Links last, so that what is there twice is named by where it really lies.
            folders[:] = sorted(
                (name for name in folders if not name.startswith(".")),
                key=lambda name: (Path(directory, name).is_symlink(), name),
            )
            for file in (Path(directory, name) for name in files if not name.startswith(".")):
                if file.suffix.lower() in DOCUMENTS:
                    found.append((_name(file, folder), file))
                else:
                    others[file.suffix.lower() or "no suffix"] += 1
    warnings = []
    if others:
        kinds = named(f"{count} × {suffix}" for suffix, count in others.most_common())
        warnings.append(f"{folder}: only {', '.join(DOCUMENTS)} files are read, not {kinds}")
    return sorted(found), warnings


def _name(file: Path, folder: Path) -> str:
    try:
        return required_name(file.relative_to(folder).as_posix())
    except BadCell as bad:
        raise UserError(f"{str(file)!r}: the file's name {bad.what}; rename the file") from bad


def _jsonl(path: Path) -> Corpus:
    table = read_table(path, KEYS, (".jsonl",), "a corpus")
    problems = table.problems
    check_columns(table, ("id", "text"))  # Its warnings are beside the point: other keys are metadata.
    if not table.rows and not problems:
        problems.add(None, None, "there is no passage in it", "write one JSON object with id and text a line")
    first: dict[str, int] = {}
    passages = []
    for row in table.rows:
        cell = CellReader(table, row, ("id", "text"))
        passage = Passage(
            id=cell("id", required_name, ""),
            text=cell("text", required_text, ""),
            source=cell("source", optional_text, ""),
            metadata={k: v for k, v in row.cells.items() if k not in KEYS} | cell("metadata", _object, _object(None)),
        )
        earlier = first.setdefault(passage.id, row.number)
        if passage.id and earlier != row.number:
            problems.add(row.number, "id", f"{passage.id!r} is the id of row {earlier} too", "give each its own")
        passages.append(passage)
    problems.raise_if_any()
    return Corpus(tuple(passages), (*table.warnings, *repeated_texts(passages, str(path))))


def _object(value: object) -> dict[str, Any]:
    if is_absent(value):
        return {}
    if isinstance(value, dict):
        return value
    raise BadCell(f"is no object ({shown(value)})", 'write {"name": "value"}')
