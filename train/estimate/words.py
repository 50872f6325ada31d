"""Figures in words, no more exact than an estimate is."""

from __future__ import annotations

import math

GIB = 2**30


def two_digits(value: float) -> str:
    """The value rounded to two digits: 0.14, 3.1, 12, 140."""
    rounded = float(f"{value:.1e}")
    return f"{rounded:,.{max(0, 1 - math.floor(math.log10(rounded)))}f}" if rounded > 0 else "0"


def gib(count: float) -> str:
    """Bytes in GiB."""
    return f"{two_digits(count / GIB)} GiB"


def span(seconds: float) -> str:
    """Seconds, minutes or hours, whichever is readable."""
    if seconds < 90:
        return f"{two_digits(seconds)} s"
    return f"{two_digits(seconds / 60)} min" if seconds < 90 * 60 else f"{two_digits(seconds / 3600)} h"
