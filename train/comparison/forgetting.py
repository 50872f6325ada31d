"""What tuning forgot: every tuned arm against the untouched base on the general questions, asked without context.

The differences are those of `contrasts`, as a family of their own: the planned one does not hold them, and nothing is
decided on them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from train.comparison import statistics
from train.comparison.cells import samples
from train.comparison.contrasts import NONE, Row, Tables, contrast_rows
from train.records import GENERAL, Cell, Contrast, Question

FIGURES = (
    "difference", "standard_deviation", "interval", "p_holm", "questions", "left_out", "differing", "detectable",
    "between_seeds", "graded_by",
)  # fmt: skip
"""What is taken from the contrast as it is."""


def forgetting_rows(
    tables: Tables,
    questions: Mapping[str, Question],
    kinds: Mapping[str, str],
    *,
    alpha: float,
    worthwhile: float,
    seed: int,
) -> list[dict[str, Any]] | None:
    """One row for each tuned arm; None without general answers of both a tuned arm and the untouched base.

    `tables` are those of the answers to general questions. `base` and `tuned` are the accuracies on the questions that
    both were scored on, so that `difference` is tuned − base; `base_right` counts those that the base answered right at
    least once, which alone can show a loss. `p_holm` is adjusted for the number of tuned arms.
    """
    base = next((arm for arm, kind in kinds.items() if kind == "untouched"), None)
    if base is None or Cell(base, NONE) not in tables.counted:
        return None
    contrasts = [
        Contrast(Cell(arm, NONE), Cell(base, NONE), GENERAL)
        for arm, kind in kinds.items()
        if kind == "tuned" and Cell(arm, NONE) in tables.counted
    ]
    rows = contrast_rows(contrasts, (), tables, questions, kinds, alpha=alpha, worthwhile=worthwhile, seed=seed)
    both = zip(contrasts, rows, strict=True)
    return [_row(contrast, row, tables, questions, alpha) for contrast, row in both] or None


def _row(
    contrast: Contrast, row: Row, tables: Tables, questions: Mapping[str, Question], alpha: float
) -> dict[str, Any]:
    (tuned, base), *_ = tables.sides(contrast, questions)
    shares = [(tuned[name].pooled.share, base[name].pooled.share) for name in tuned if name in base]
    pairs = [(left, right) for left, right in shares if left is not None and right is not None]
    return {
        "arm": contrast.a.arm,
        "against": contrast.b.arm,
        "base": statistics.mean([right for _, right in pairs]),
        "tuned": statistics.mean([left for left, _ in pairs]),
        "base_right": sum(right > 0 for _, right in pairs),
        **{name: row[name] for name in FIGURES},
        "p": row["p_value"],
        "samples": max(samples(tally) for side in (tuned, base) for tally in side.values()),
        "seeds": sorted({training_seed for tally in tuned.values() for training_seed in tally.seeds}),
        "shown": _shown(row, alpha),
    }


def _shown(row: Row, alpha: float) -> str | None:
    """Whether a `loss` or a `gain` is more than chance explains, by the p-value and by the interval; None if neither.

    Where all questions differ alike there is no interval, and the p-value says it alone.
    """
    difference, interval = row["difference"], row["interval"]
    if not difference or row["p_holm"] > alpha or (interval and interval[0] <= 0 <= interval[1]):
        return None
    return "loss" if difference < 0 else "gain"
