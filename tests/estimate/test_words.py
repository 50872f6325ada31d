"""Figures are rounded to what an estimate can know."""

from __future__ import annotations

import pytest

from train.estimate import (
    span,
    two_digits,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.137, "0.14"),
        (0.0999, "0.10"),
        (3.14, "3.1"),
        (9.96, "10"),
        (12.4, "12"),
        (137, "140"),
        (8123, "8,100"),
    ],
)
def test_figures_are_rounded_to_two_digits(value, text):
    assert two_digits(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(4.21, "4.2 s"), (89, "89 s"), (284, "4.7 min"), (3000, "50 min"), (9000, "2.5 h")]
)
def test_times_are_in_readable_units(seconds, text):
    assert span(seconds) == text
