"""SIGINT and SIGTERM as exceptions that cannot get lost.

A handler raises wherever the interpreter happens to be. In a destructor or a callback of a library the exception is
printed and dropped, and the program would run on; so the signal is remembered, and work that reports progress asks.
"""

from __future__ import annotations

import signal
from types import FrameType


class Terminated(BaseException):
    """SIGTERM arrived; like KeyboardInterrupt, no ordinary handler may swallow it."""


_pending: list[type[BaseException]] = []


def watch() -> None:
    """From now on both signals raise, and are remembered."""
    _pending.clear()
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) != signal.SIG_IGN:  # as in a job that a shell started in the background
            signal.signal(number, _raise)


def check() -> None:
    """Raises what a signal raised before, if that got lost."""
    if _pending:
        raise _pending[0]


def _raise(number: int, _frame: FrameType | None) -> None:
    _pending.append(KeyboardInterrupt if number == signal.SIGINT else Terminated)
    raise _pending[0]
