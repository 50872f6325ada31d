"""Numbers are said one way everywhere; a missing one is a dash."""

import math

import pytest

from train.report import figures


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (figures.percent(0.8333), "83.3 %"),
        (figures.percent(1.0), "100.0 %"),
        (figures.percent(None), "—"),
        (figures.percent(math.nan), "—"),
        (figures.percent_interval([0.886, 1.0]), "88.6–100.0 %"),
        (figures.percent_interval(None), "—"),
        (figures.percent_interval([0.1, math.nan]), "—"),
        (figures.points(0.2), "+20.0"),
        (figures.points(-0.033), "−3.3"),
        (figures.points(-0.0001), "0.0"),
        (figures.points(0.0001), "0.0"),
        (figures.points(0.2, signed=False), "20.0"),
        (figures.points(None), "—"),
        (figures.points_interval([0.054, 0.346]), "+5.4 to +34.6"),
        (figures.points_interval([-0.054, 0.0]), "−5.4 to 0.0"),
        (figures.points_interval(None), "—"),
        (figures.p_value(0.015625), "0.0156"),
        (figures.p_value(0.5), "0.5"),
        (figures.p_value(1.0), "1"),
        (figures.p_value(0.00001), "< 0.0001"),
        (figures.p_value(0.0), "0"),
        (figures.p_value(None), "—"),
        (figures.count(12345), "12,345"),
        (figures.count(12.34), "12.3"),
        (figures.count(None), "—"),
        (figures.plural(1, "question"), "1 question"),
        (figures.plural(1200, "question"), "1,200 questions"),
        (figures.loss(0.123456), "0.1235"),
        (figures.loss(math.inf), "—"),
        (figures.duration(0.842), "0.84 s"),
        (figures.duration(12.34), "12.3 s"),
        (figures.duration(99.99), "1 min 40 s"),
        (figures.duration(200), "3 min 20 s"),
        (figures.duration(3900), "1 h 05 min"),
        (figures.duration(None), "—"),
        (figures.size(19_583_104), "19.6 MB"),
        (figures.size(999), "999 B"),
        (figures.size(999_990), "1.0 MB"),
        (figures.size(None), "—"),
    ],
)
def test_a_figure_is_said_like_this(said: str, expected: str) -> None:
    assert said == expected
