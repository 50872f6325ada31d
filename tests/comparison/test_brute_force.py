"""1,000 random tables: `compare` agrees with loops, closed forms and enumerated sign flips written here."""

from __future__ import annotations

import itertools
import math
import random

import pytest
from scipy.stats import norm, t

from train.comparison import compare

from .builders import cell_of, check, contrast, records, row_of

CELLS = [("base", "none"), ("base", "gold"), ("tuned", "gold")]
PLANNED = [
    contrast("base/gold", "base/none"),
    contrast("tuned/gold", "base/gold"),
    contrast("tuned/gold", "base/none"),
]
WORDS = ["correct", "wrong", "abstained", "unscored"]


def brute_share(column):
    scored = [word for word in column if word != "unscored"]
    return None if not scored else [word == "correct" for word in scored].count(True) / len(scored)


def brute_interval(shares):
    """Wilson's interval in closed form at the effective sample."""
    count = len(shares)
    mean = sum(shares) / count
    variance = sum((share - mean) ** 2 for share in shares) / (count - 1) / count if count > 1 else 0.0
    n = count if variance < 1e-15 else min(count, mean * (1 - mean) / variance)
    z = norm.ppf(0.975)
    centre = (mean + z * z / (2 * n)) / (1 + z * z / n)
    reach = z / (1 + z * z / n) * math.sqrt(mean * (1 - mean) / n + z * z / (4 * n * n))
    return [centre - reach, centre + reach]


def brute_flip(differences):
    """Every assignment of signs, in twelfths: samples are at most four."""
    whole = [round(12 * difference) for difference in differences if abs(difference) > 1e-9]
    if len(whole) < 2:
        return 1.0
    sums = [
        sum(s * w for s, w in zip(signs, whole, strict=True)) for signs in itertools.product((1, -1), repeat=len(whole))
    ]
    return sum(abs(value) >= abs(sum(whole)) for value in sums) / len(sums)


def brute_holm(p_values):
    adjusted, running = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=lambda index: p_values[index])):
        running = max(running, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = running
    return adjusted


@pytest.mark.parametrize("block", range(10))
def test_random_tables_agree_with_brute_force(block):
    generator = random.Random(block)
    for _ in range(100):
        count, samples = generator.randint(1, 9), generator.randint(1, 4)
        odds = [[generator.random() ** 2 for _ in range(4)] for _ in CELLS]
        graded = {
            cell: [generator.choices(WORDS, weights, k=samples) for _ in range(count)]
            for cell, weights in zip(CELLS, odds, strict=True)
        }
        result = compare(
            recipe="random",
            **records(graded),
            kinds={"base": "untouched", "tuned": "tuned"},
            contrasts=PLANNED,
            split="all",
            context="gold",
        )
        check(result)
        shares = {cell: [brute_share(column) for column in graded[cell]] for cell in CELLS}
        for cell in CELLS:
            row = cell_of(result, "/".join(cell))
            known = [share for share in shares[cell] if share is not None]
            assert row["answers"] == count * samples
            assert row["unscored_questions"] == count - len(known)
            if not known:
                assert row["accuracy"] is None
                continue
            assert row["accuracy"] == pytest.approx(sum(known) / len(known), abs=1e-12)
            assert row["interval"] == pytest.approx(brute_interval(known), abs=1e-9)
        planned = [row_of(result, f"{c.a.arm}/{c.a.condition}", f"{c.b.arm}/{c.b.condition}") for c in PLANNED]
        for wanted, row in zip(PLANNED, planned, strict=True):
            pairs = zip(*(shares[side.arm, side.condition] for side in (wanted.a, wanted.b)), strict=True)
            d = [a - b for a, b in pairs if a is not None and b is not None]
            assert row["questions"] == len(d)
            if not d:
                assert row["difference"] is row["p_value"] is row["p_holm"] is None
                continue
            mean = sum(d) / len(d)
            spread = math.sqrt(sum((x - mean) ** 2 for x in d) / (len(d) - 1)) if len(d) > 1 else 0.0
            assert row["difference"] == pytest.approx(mean, abs=1e-12)
            assert row["differing"] == sum(abs(x) > 1e-9 for x in d)
            assert row["p_value"] == brute_flip(d)
            if len(d) < 6 or spread < 1e-9:
                assert row["interval"] is None
            else:
                reach = t.ppf(0.975, len(d) - 1) * spread / math.sqrt(len(d))
                assert row["interval"] == pytest.approx([mean - reach, mean + reach], abs=1e-9)
        compared = [row for row in planned if row["p_value"] is not None]
        assert [row["p_holm"] for row in compared] == pytest.approx(brute_holm([row["p_value"] for row in compared]))
