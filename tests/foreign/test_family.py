"""Which cells are compared where nobody has said."""

from __future__ import annotations

from itertools import permutations

import pytest

from train.foreign.family import family
from train.records import Cell

SPECIAL = ("distractors@2", "counterfactual")


def pairs(*cells: str) -> list[tuple[str, str]]:
    found = family([Cell(*cell.split("/")) for cell in cells], SPECIAL, "all")
    assert {contrast.split for contrast in found} <= {"all"}
    return [(f"{each.a.arm}/{each.a.condition}", f"{each.b.arm}/{each.b.condition}") for each in found]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["a/none"], []),
        (["a/gold", "b/none"], [("a/gold", "b/none")]),
        (["a/none", "b/none", "c/gold"], [("a/none", "b/none"), ("a/none", "c/gold"), ("b/none", "c/gold")]),
        (
            ["a/none", "a/gold", "b/none", "b/gold"],
            [("a/none", "a/gold"), ("a/none", "b/none"), ("a/gold", "b/gold"), ("b/none", "b/gold")],
        ),
        (["a/distractors@2", "a/gold"], [("a/gold", "a/distractors@2")]),
        (["a/distractors@2", "b/distractors@2"], [("a/distractors@2", "b/distractors@2")]),
        (
            ["a/distractors@2", "a/gold", "b/distractors@2", "b/gold"],
            [("a/gold", "b/gold"), ("a/distractors@2", "b/distractors@2")],
        ),
        (["a/none", "b/distractors@2"], [("a/none", "b/distractors@2")]),
        (["a/none", "a/gold", "b/none", "b/distractors@2"],
         [("a/none", "a/gold"), ("a/none", "b/none"), ("b/none", "b/distractors@2")]),
    ],
)  # fmt: skip
def test_up_to_four_cells_are_compared_with_their_like(cells, expected):
    assert pairs(*cells) == expected


def test_more_cells_are_compared_with_one_other_each_and_hang_together():
    arms, conditions = ("x", "y", "z"), ("distractors@2", "none", "gold", "counterfactual")
    found = pairs(*(f"{arm}/{condition}" for arm in arms for condition in conditions))
    assert found == [
        ("x/none", "x/gold"),
        ("x/none", "y/none"),
        ("x/gold", "y/gold"),
        ("x/none", "z/none"),
        ("x/gold", "z/gold"),
        ("x/none", "x/distractors@2"),
        ("x/none", "x/counterfactual"),
        ("x/distractors@2", "y/distractors@2"),
        ("x/counterfactual", "y/counterfactual"),
        ("x/distractors@2", "z/distractors@2"),
        ("x/counterfactual", "z/counterfactual"),
    ]
    joined = {"x/none"}
    while grown := {cell for pair in found if joined & set(pair) for cell in pair} - joined:
        joined |= grown
    assert len(joined) == 12


@pytest.mark.parametrize(
    "cells",
    [
        ["a/none", "a/gold", "b/none", "b/distractors@2"],
        ["a/none", "b/none", "c/gold"],
        ["a/none", "a/gold", "b/none", "b/gold"],
        ["a/gold", "a/gold+2", "b/none", "c/distractors@2"],
    ],
)
def test_the_order_of_up_to_four_cells_turns_contrasts_round_and_changes_none(cells):
    families = {frozenset(map(frozenset, pairs(*order))) for order in permutations(cells)}
    assert len(families) == 1


@pytest.mark.parametrize("count", [5, 9, 40])
def test_the_family_of_many_cells_grows_with_their_number(count):
    cells = [f"arm{n % 3}/{('distractors@2', 'none', 'gold')[n // 3 % 3]}{n // 9 or ''}" for n in range(count)]
    assert len(set(cells)) == count
    assert len(pairs(*cells)) == count - 1


@pytest.mark.parametrize("count", [2, 4, 6])
def test_abstention_is_never_the_reference_while_there_is_another(count):
    cells = ["a/distractors@2", "a/gold", "b/distractors@2", "b/none", "c/counterfactual", "c/gold"][:count]
    for a, b in pairs(*cells):
        special = [cell.split("/")[1] in SPECIAL for cell in (a, b)]
        assert special != [True, False], (a, b)
