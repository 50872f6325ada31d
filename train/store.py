"""The run directory: the only state between stages.

Whole files are replaced atomically; answers are appended and synced batch by batch, and a line that a kill cut short is
dropped when the file is next opened. A record that was edited is refused wherever it is read but in `verify`, so that
nothing is computed from it or sealed anew over it.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from train.errors import UserError
from train.sealing import Record, is_sealed, line, seal, sound_records


class Busy(UserError):
    """Another process holds the run."""


class Run:
    """A run directory that this process alone writes to.

    Raises `UserError` where the directory belongs to another recipe, `Busy` where another process is at work in it.
    """

    def __init__(self, directory: Path, recipe: str) -> None:
        self.directory = Path(os.path.abspath(directory))  # noqa: PTH100 (resolve() would follow links)
        self.recipe = recipe
        if self.directory.exists() and not self.directory.is_dir():
            raise UserError(f"--out {directory}: is a file; name a directory")
        owner = read_manifest(self.directory).get("recipe", {}).get("name")
        if owner not in (None, recipe):
            raise UserError(
                f"{self.directory}: holds a run of recipe {owner!r}, not {recipe!r}; give another --out or remove it"
            )
        # What a run that was killed before its first manifest leaves is no reason to refuse.
        names = {path.name for path in self.directory.iterdir()} if self.directory.is_dir() else set()
        if owner is None and names - {".lock", ".manifest.json.new"}:
            raise UserError(f"{self.directory}: is not empty and holds no run; give another --out")
        self._lock: IO[str] | None = None

    @classmethod
    def of(cls, directory: Path) -> Run:
        """The run that is in that directory, of whatever recipe; raises `UserError` where there is none."""
        try:
            recipe = json.loads((directory / "manifest.json").read_text(encoding="utf-8"))["recipe"]["name"]
        except (OSError, ValueError, KeyError, TypeError):
            raise UserError(f"{directory}: holds no run, or its manifest.json is damaged") from None
        return cls(directory, recipe)

    def __enter__(self) -> Run:
        self._take(fcntl.LOCK_EX)
        return self

    def __exit__(self, *_: object) -> None:
        if self._lock is not None:
            self._lock.close()

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Keeps out whoever would change the run, but not others that only look and label as well."""
        self._take(fcntl.LOCK_SH)
        try:
            yield
        finally:
            self.__exit__()

    def _take(self, kind: int) -> None:
        """Takes the run's lock, shared or for this process alone."""
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"{self.directory}: cannot be made ({error.strerror}); give another --out") from error
        self._lock = (self.directory / ".lock").open("w", encoding="utf-8")
        try:
            fcntl.flock(self._lock, kind | fcntl.LOCK_NB)
        except OSError:
            self._lock.close()
            raise Busy(f"{self.directory}: another openbook is at work in it; wait for it or end it") from None

    def path(self, name: str) -> Path:
        """The file of that name in the run."""
        return self.directory / name

    def adapter(self, arm: str, seed: int) -> Path:
        """Where that arm's adapter of that training seed lives."""
        return self.directory / "adapters" / arm / f"seed-{seed}"

    def manifest(self) -> Record:
        """What made this run; empty before its first step. Raises `UserError` where it is damaged or was edited."""
        manifest = read_manifest(self.directory)
        if manifest and not is_sealed(manifest):
            raise UserError(f"{self.path('manifest.json')}: was edited; restore it or remove the run directory")
        return manifest

    def amend(self, changes: Record) -> None:
        """Writes the manifest with these top-level entries changed."""
        self.write("manifest.json", json.dumps(seal({**self.manifest(), **changes}), indent=1, ensure_ascii=False))

    def stage(self, name: str, made_from: str, **details: Any) -> None:
        """Notes that a stage is finished and from what."""
        stages = self.manifest().get("stages", {})
        entry = {"made_from": made_from, "finished": time.strftime("%Y-%m-%dT%H:%M:%S%z"), **details}
        self.amend({"stages": {**stages, name: entry}})

    def unstage(self, *names: str) -> None:
        """Notes that these stages are no longer finished."""
        stages = self.manifest().get("stages", {})
        self.amend({"stages": {key: value for key, value in stages.items() if key not in names}})

    def made_from(self, stage: str) -> str | None:
        """What the finished stage was made from, None if it is not finished."""
        value = self.manifest().get("stages", {}).get(stage, {}).get("made_from")
        return str(value) if value is not None else None

    def write(self, name: str, text: str) -> None:
        """Replaces a file: whoever looks finds the old text or the new one, also after a power cut.

        `name` may begin with a folder, which is made.
        """
        self.write_lines(name, (text,))

    def write_records(self, name: str, records: Iterable[Record]) -> None:
        """Replaces a record file in the same way."""
        self.write_lines(name, map(line, records))

    def write_lines(self, name: str, lines: Iterable[str]) -> None:
        """Replaces a file in the same way by these lines, each with its line end."""
        target = self.path(name)
        scratch = target.with_name(f".{target.name}.new")
        try:
            if target.parent != self.directory:
                target.parent.mkdir(exist_ok=True)
            with scratch.open("w", encoding="utf-8", newline="") as file:
                file.writelines(lines)
                file.flush()
                os.fsync(file.fileno())
            scratch.replace(target)
        except BaseException as error:
            scratch.unlink(missing_ok=True)
            if isinstance(error, OSError):
                error.filename = str(target)  # what the system says of a full disk names no file
            raise

    def append_records(self, name: str, records: Sequence[Record]) -> None:
        """Adds records and waits until they are on the disk; what was there before cannot be harmed."""
        path = self.path(name)
        before = path.stat().st_size if path.exists() else 0
        try:
            with path.open("a", encoding="utf-8", newline="") as file:
                file.write("".join(line(record) for record in records))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            # A disk that filled up half-way through: go back to whole lines.
            if path.exists():
                os.truncate(path, before)
            error.filename = str(path)
            raise

    def records(self, name: str) -> list[Record]:
        """The records of a file; none where there is no such file. Raises `UserError` for a damaged or edited line."""
        return list(sound_records(self.path(name)))

    def lines(self, name: str) -> list[str]:
        """The lines of a record file as they stand there, each with its line end; none where there is no such file."""
        try:
            with self.path(name).open(encoding="utf-8", newline="\n") as file:
                return list(file)
        except FileNotFoundError:
            return []

    def mend(self, name: str) -> None:
        """Cuts off a last line that a kill left unfinished."""
        path = self.path(name)
        if not path.exists():
            return
        data = path.read_bytes()
        whole = data.rfind(b"\n") + 1
        if whole != len(data):
            os.truncate(path, whole)


def read_manifest(directory: Path) -> Record:
    """The directory's manifest as it stands there, edited or not; empty where there is none."""
    path = directory / "manifest.json"
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except ValueError as error:
        raise UserError(f"{path}: is damaged ({error}); remove the run directory") from None
    return manifest if isinstance(manifest, dict) else {}
