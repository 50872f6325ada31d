"""Which cells are compared where nobody has said: a family small enough to keep its power.

Cells are alike where one thing alone tells them apart: the arm, under the same condition, or the condition, of the
same arm. Only conditions under which an answer is right are compared with one another: a cell whose right thing is to
abstain, or to follow a counterfactual passage, has its like under the same condition alone.

- Up to four cells: all that are alike. A cell that is like no other is compared with the others of its arm, or where
  there are none with all.
- More: each cell with one other, so that the family grows with the cells and not with their square. That is the first
  cell under its condition; for the first ones themselves, the first of the same arm; else the reference.

The reference is the first cell, in the order of inputs and rows, under which an answer is right: never one of
abstention, as long as there is another. In a contrast a − b it, or else the cell that comes first, is a.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import combinations

from train.records import Cell, Contrast

MOST_CELLS = 4
"""With more cells than this, not all that are alike are compared: a family that grows with the square of the cells has
no power left."""


def family(cells: Sequence[Cell], special: Collection[str], split: str) -> list[Contrast]:
    """The contrasts of these cells; `special` has the conditions under which not the answer is right."""
    # Answers first, so that in each pair the cell that can be a reference comes first.
    ordered = sorted(cells, key=lambda cell: cell.condition in special)
    pairs = near(ordered, special) if len(ordered) <= MOST_CELLS else tree(ordered)
    return [Contrast(a, b, split) for a, b in pairs]


def alike(a: Cell, b: Cell, special: Collection[str]) -> bool:
    """Whether one thing alone tells the cells apart."""
    return a.condition == b.condition or (a.arm == b.arm and not {a.condition, b.condition} & set(special))


def near(cells: Sequence[Cell], special: Collection[str]) -> list[tuple[Cell, Cell]]:
    """All pairs that are alike, and those that a cell without its like needs, in the order of the cells."""
    pairs = list(combinations(cells, 2))
    lonely = {cell for cell in cells if not any(cell in pair and alike(*pair, special) for pair in pairs)}

    def wanted(a: Cell, b: Cell) -> bool:
        for cell, other in ((a, b), (b, a)):
            kin = any(each.arm == cell.arm for each in cells if each != cell)
            if cell in lonely and (other.arm == cell.arm or not kin):
                return True
        return alike(a, b, special)

    return [pair for pair in pairs if wanted(*pair)]


def tree(cells: Sequence[Cell]) -> list[tuple[Cell, Cell]]:
    """Each cell but the reference with one before it."""
    pairs = []
    for number, cell in enumerate(cells[1:], start=1):
        before = cells[:number]
        same_condition = next((other for other in before if other.condition == cell.condition), None)
        same_arm = next((other for other in before if other.arm == cell.arm), None)
        pairs.append((same_condition or same_arm or cells[0], cell))
    return pairs
