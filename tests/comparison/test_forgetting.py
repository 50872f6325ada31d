"""What tuning forgot: paired like every contrast, and apart from all that is planned and decided."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tests.comparison.builders import check, contrast, records, row_of, run, words
from train.comparison import compare, decision_contrasts
from train.records import GENERAL

KINDS = {"base": "untouched", "tuned": "tuned"}
TESTED = 8


def compared(base: Sequence[int], tuned: Sequence[int], kinds: dict[str, str] = KINDS) -> dict[str, Any]:
    """A run of eight tested questions, with and without context, and general ones with so many of 4 samples right."""
    tested = {(arm, condition): [4] * 3 + [1] * 5 for arm in kinds for condition in ("none", "gold")}
    splits = ["unseen"] * TESTED + [GENERAL] * len(base)
    general = {("base", "none"): base, ("tuned", "none"): tuned}
    full = {cell: [words(right) for right in (*column, *general.get(cell, ()))] for cell, column in tested.items()}
    given = records(full, splits=splits)
    result = compare(
        recipe="test",
        **given,
        kinds=kinds,
        contrasts=decision_contrasts(kinds, "gold", "unseen"),
        split="unseen",
        context="gold",
    )
    check(result)
    return result


def test_the_figures_are_those_of_a_contrast_on_the_same_answers():
    base, tuned = [4, 4, 3, 4, 0, 2, 4, 1], [2, 1, 3, 0, 0, 1, 2, 2]
    (row,) = compared(base, tuned)["forgetting"]
    graded = {("base", "none"): base, ("tuned", "none"): tuned}
    same = row_of(run(graded, KINDS, [contrast("tuned/none", "base/none")]), "tuned/none", "base/none")
    for name in ("difference", "interval", "questions", "differing", "detectable", "standard_deviation", "p_holm"):
        assert row[name] == same[name], name
    assert row["p"] == same["p_value"]
    assert (row["arm"], row["against"], row["base"], row["tuned"]) == ("tuned", "base", 22 / 32, 11 / 32)
    assert (row["base_right"], row["samples"], row["seeds"]) == (7, 4, [0])


def test_general_answers_change_nothing_else():
    plain = compared([], [])
    beside = compared([4] * 9, [0] * 9)
    assert plain["forgetting"] is None
    assert [cell for cell in beside["cells"] if cell["split"] != GENERAL] == plain["cells"]
    rest = {key: value for key, value in beside.items() if key not in ("cells", "forgetting")}
    assert rest == {key: value for key, value in plain.items() if key not in ("cells", "forgetting")}
    assert {(cell["arm"], cell["condition"]) for cell in beside["cells"] if cell["split"] == GENERAL} == {
        ("base", "none"),
        ("tuned", "none"),
    }


@pytest.mark.parametrize(
    ("base", "tuned", "shown"),
    [
        ([4] * 12, [0] * 4 + [2] * 4 + [3] * 4, "loss"),
        ([0] * 12, [4] * 4 + [2] * 4 + [3] * 4, "gain"),
        ([4] * 12, [0] * 12, "loss"),  # no interval: all differ alike
        ([4] * 12, [4] * 12, None),
        ([4, 0] * 6, [0, 4] * 6, None),
        ([4] * 12, [3] + [4] * 11, None),
        ([4] * 4, [0] * 4, None),  # with four questions no p-value could be small enough
    ],
    ids=["loss", "gain", "total loss", "nothing", "as much gained as lost", "one sample", "too few"],
)
def test_a_loss_is_shown_only_where_the_p_value_and_the_interval_say_so(base, tuned, shown):
    (row,) = compared(base, tuned)["forgetting"]
    assert row["shown"] == shown
    if shown and row["interval"]:
        assert row["interval"][0] * row["interval"][1] > 0
        assert row["p_holm"] <= 0.05


def test_the_p_value_is_adjusted_for_the_number_of_tuned_arms_alone():
    kinds = {"base": "untouched", "tuned": "tuned", "other": "tuned"}
    tested = {(arm, condition): [4] * 3 + [1] * 5 for arm in kinds for condition in ("none", "gold")}
    general = {"base": [4] * 8, "tuned": [1, 2, 1, 0, 3, 4, 2, 2], "other": [4] * 7 + [3]}
    full = {
        cell: [
            ["correct"] * n + ["wrong"] * (4 - n) for n in (*column, *(general[cell[0]] if cell[1] == "none" else ()))
        ]
        for cell, column in tested.items()
    }
    given = records(full, splits=["unseen"] * TESTED + [GENERAL] * 8)
    planned = decision_contrasts(kinds, "gold", "unseen")
    result = compare(recipe="test", **given, kinds=kinds, contrasts=planned, split="unseen", context="gold")
    rows = result["forgetting"]
    assert [row["arm"] for row in rows] == ["tuned", "other"]
    assert rows[0]["p_holm"] == pytest.approx(2 * rows[0]["p"])
    assert not any(row["split"] == GENERAL for row in result["contrasts"])
    assert result["decision"]["rests_on"]["family"] == len(planned)


@pytest.mark.parametrize("kinds", [{"base": "given", "tuned": "given"}, {"base": "tuned", "tuned": "tuned"}])
def test_without_an_untouched_base_there_is_nothing_to_compare(kinds):
    result = compared([4] * 8, [0] * 8, kinds)
    assert result["forgetting"] is None
    assert any(cell["split"] == GENERAL for cell in result["cells"])
