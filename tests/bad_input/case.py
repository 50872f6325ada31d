"""One row of the table."""

from __future__ import annotations

from dataclasses import dataclass

from .changes import Change

CHECK = "check recipe.py"


@dataclass(frozen=True, slots=True)
class Case:
    """A good project, changed in one thing, and a command, given in the project's folder.

    The error names `place` (a file, row and column, a field or an option), `value` (what stands there) and `mend`
    (what to do about it). `problems` is the number of lines of an error that lists problems; 0 allows one or two.
    """

    name: str
    changes: tuple[Change, ...]
    command: str
    place: str
    value: str
    mend: str
    problems: int


def case(
    name: str, *changes: Change, command: str = CHECK, place: str, value: str, mend: str, problems: int = 0
) -> Case:
    """A row of the table; most are found by `openbook check`."""
    return Case(name, changes, command, place, value, mend, problems)
