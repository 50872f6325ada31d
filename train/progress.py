"""What a person sees while a run works: bars with an ETA on a terminal, a line a stage elsewhere. All on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from train import interruption

Advance = Callable[[int, str], None]
"""Called with how much more is done, and a note for the end of the bar."""


class Screen:
    """Says things to the person at the terminal; a `quiet` one nothing."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.console = Console(stderr=True, highlight=False, soft_wrap=True)
        self.quiet = quiet

    def say(self, text: str) -> None:
        """One line of what is going on."""
        if not self.quiet:
            self.console.print(escape(text))

    def warn(self, text: str) -> None:
        """Something the person should know although the run goes on."""
        if not self.quiet:
            self.console.print(f"[yellow]note:[/] {escape(text)}")

    @contextmanager
    def stage(self, title: str, total: int, done: int = 0) -> Iterator[Advance]:
        """A bar (on a terminal) or a line at the end (elsewhere) for work of `total` pieces, `done` from before."""
        began = time.perf_counter()
        if self.console.is_terminal and not self.quiet:
            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TextColumn("ETA"),
                TimeRemainingColumn(),
                TextColumn("{task.fields[note]}"),
            )
            with Progress(*columns, console=self.console) as progress:
                task = progress.add_task(escape(title), total=total, completed=done, note="")

                def advance(pieces: int, note: str) -> None:
                    interruption.check()
                    progress.update(task, advance=pieces, note=escape(note))

                yield advance
        else:
            self.say(f"{title}: {total - done} to do …")
            sys.stderr.flush()
            yield lambda pieces, note: interruption.check()
            self.say(f"{title}: done in {time.perf_counter() - began:.0f} s")
