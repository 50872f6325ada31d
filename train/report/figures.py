"""The one place that turns numbers into text, so that the page, the Markdown and the tests say the same.

A missing figure (None, or not a finite number) is a dash, never a zero.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeGuard

DASH = "—"
MINUS = "−"

Number = float | int | None


def finite(value: object) -> bool:
    """Whether the value is a number that can be shown."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def percent(share: Number) -> str:
    """A share in [0, 1] as `83.3 %`."""
    return f"{_fixed(100 * share)} %" if share is not None and finite(share) else DASH


def percent_interval(interval: Sequence[float] | None) -> str:
    """The interval of a share as `66.4–92.7 %`."""
    if not _is_interval(interval):
        return DASH
    return f"{_fixed(100 * interval[0])}–{_fixed(100 * interval[1])} %"


def points(difference: Number, *, signed: bool = True) -> str:
    """A difference of shares in percentage points: `+20.0`, `−3.3`, `0.0`."""
    if difference is None or not finite(difference):
        return DASH
    text = _fixed(100 * difference)
    return f"+{text}" if signed and not text.startswith(MINUS) and text != "0.0" else text


def points_interval(interval: Sequence[float] | None) -> str:
    """The interval of a difference as `+5.4 to +34.6`."""
    return f"{points(interval[0])} to {points(interval[1])}" if _is_interval(interval) else DASH


def p_value(value: Number) -> str:
    """A p-value with up to four decimals, `< 0.0001` below them."""
    if value is None or not finite(value):
        return DASH
    if 0 < value < 0.0001:
        return "< 0.0001"
    return f"{value:.4f}".rstrip("0").rstrip(".") or "0"


def count(value: Number) -> str:
    """A whole number with separators: `12,345`; a mean keeps one decimal."""
    if value is None or not finite(value):
        return DASH
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"


def plural(number: int, noun: str) -> str:
    """`1 question`, `2 questions`."""
    return f"{count(number)} {noun}" + ("" if number == 1 else "s")


def loss(value: Number) -> str:
    """A loss with four significant digits."""
    return f"{value:.4g}" if value is not None and finite(value) else DASH


def duration(seconds: Number) -> str:
    """Seconds as people say them: `0.84 s`, `12.3 s`, `3 min 20 s`, `1 h 05 min`."""
    if seconds is None or not finite(seconds):
        return DASH
    if seconds < 9.995:
        return f"{seconds:.2f} s"
    if seconds < 99.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def size(number: Number) -> str:
    """Bytes in decimal units: `18.5 MB`."""
    if number is None or not finite(number):
        return DASH
    if number < 1000:
        return f"{number:.0f} B"
    for unit in ("kB", "MB", "GB"):
        number /= 1000
        if number < 999.95:
            return f"{number:.1f} {unit}"
    return f"{number / 1000:.1f} TB"


def memory(number: Number) -> str:
    """Bytes of memory in binary units, as machines have it: `912 MiB`, `5.0 GiB`."""
    if number is None or not finite(number):
        return DASH
    return f"{number / 2**20:.0f} MiB" if number < 2**30 else f"{number / 2**30:.1f} GiB"


def price(amount: Number, currency: str) -> str:
    """Money: `$12.50`, `$0.042`, `KRW 5,200`; two digits that count below 1, whole numbers from 100 on."""
    if amount is None or not finite(amount):
        return DASH
    power = int(f"{amount:.1e}".partition("e")[2])
    digits = 0 if power > 1 else 2 if power >= 0 or not amount else 1 - power
    gap = " " if currency[-1:].isalpha() else ""
    return f"{currency}{gap}{amount:,.{digits}f}"


def _fixed(value: float) -> str:
    text = f"{value:.1f}"
    return "0.0" if text == "-0.0" else text.replace("-", MINUS)


def _is_interval(interval: Sequence[float] | None) -> TypeGuard[Sequence[float]]:
    return interval is not None and len(interval) == 2 and all(map(finite, interval))
