"""The paired contrasts of cells: planned ones with Holm's adjustment, and further ones without."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from train.comparison import power, statistics
from train.comparison.cells import Table, Tally, in_split
from train.comparison.counting import Counting
from train.records import Cell, Contrast, Question

NONE = "none"
"""The condition without context."""

Row = dict[str, Any]
"""One entry of `contrasts`."""


@dataclass(frozen=True, slots=True)
class Tables:
    """The tallies by the verdicts that count in each cell, and by the graders' alone where people judged some."""

    counted: Table
    graders: Table
    counting: Counting

    def sides(
        self, contrast: Contrast, questions: Mapping[str, Question]
    ) -> tuple[list[Mapping[str, Tally]], str, list[str]]:
        """Both cells' tallies on the contrast's split, judged alike on either side, by whom, and notes.

        People's verdicts count question by question where both cells were judged in full on its own split. A note says
        where they count in a cell's own row and not here: the difference is then not that of the rows' accuracies.
        """
        cells = (contrast.a, contrast.b)

        def by_people(question: str) -> bool:
            return all(self.counting.is_full(cell, questions[question].split) for cell in cells)

        counted = [in_split(self.counted, cell, contrast.split, questions) for cell in cells]
        if not self.counting.full:
            return [*counted], "graders", []
        whose = {question: by_people(question) for side in counted for question in side}
        alike = [
            {name: tally if whose[name] else self.graders[cell][name] for name, tally in side.items()}
            for cell, side in zip(cells, counted, strict=True)
        ]
        said = set(whose.values())
        notes = []
        for cell, other, side in zip(cells, reversed(cells), alike, strict=True):
            by_graders = [
                question
                for question in side
                if not whose[question] and self.counting.is_full(cell, questions[question].split)
            ]
            if by_graders:
                where = "" if len(by_graders) == len(side) else f" on {len(by_graders)} of {len(side)} questions"
                notes.append(
                    f"{name(cell)} counts by people's verdicts in its own row, and here{where} by the graders', since "
                    f"people did not judge all of {name(other)}: {_percent(side)} right"
                )
        return [*alike], "both" if len(said) == 2 else "people" if True in said else "graders", notes


def name(cell: Cell) -> str:
    """The cell as the report calls it: `open-book with gold`."""
    return f"{cell.arm} with {cell.condition}"


def _percent(side: Mapping[str, Tally]) -> str:
    shares = [share for tally in side.values() if (share := tally.pooled.share) is not None]
    return f"{100 * (statistics.mean(shares) or 0.0):.1f} %"


def contrast_rows(
    planned: Sequence[Contrast],
    others: Iterable[Contrast],
    tables: Tables,
    questions: Mapping[str, Question],
    kinds: Mapping[str, str],
    *,
    alpha: float,
    worthwhile: float,
    seed: int,
) -> list[Row]:
    """The planned family in its order with `p_holm`, then the others (`p_holm` null) that both cells allow.

    A planned contrast without common questions stays in the list, with the reason, and does not count in Holm.
    """

    def row(contrast: Contrast, is_planned: bool) -> Row:
        (a, b), graded_by, notes = tables.sides(contrast, questions)
        found = _row(contrast, a, b, kinds, planned=is_planned, alpha=alpha, worthwhile=worthwhile, seed=seed)
        return {**found, "graded_by": graded_by, **({"note": "; ".join(notes)} if notes else {})}

    family = [row(contrast, True) for contrast in dict.fromkeys(planned)]
    compared = [entry for entry in family if entry["difference"] is not None]
    for entry, adjusted in zip(compared, statistics.holm([entry["p_value"] for entry in compared]), strict=True):
        entry["p_holm"] = adjusted
    known = set(planned) | {Contrast(contrast.b, contrast.a, contrast.split) for contrast in planned}
    further = [row(contrast, False) for contrast in dict.fromkeys(others) if contrast not in known]
    return family + [entry for entry in further if entry["difference"] is not None]


def further_contrasts(
    table: Table, questions: Mapping[str, Question], base: str | None, split: str, guards: Iterable[Contrast]
) -> list[Contrast]:
    """What a reader asks next, on the decision's split and on `seen`, besides the guards of the decision.

    Every other arm against the base under the same condition, and the base under each condition against itself
    without context.
    """
    result = list(guards)
    for where in dict.fromkeys((split, "seen")):
        asked = [cell for cell in table if in_split(table, cell, where, questions)]
        result += [Contrast(cell, Cell(base, cell.condition), where) for cell in asked if base and cell.arm != base]
        result += [
            Contrast(cell, Cell(cell.arm, NONE), where) for cell in asked if cell.arm == base and cell.condition != NONE
        ]
    return result


def paired(a: Mapping[str, Tally], b: Mapping[str, Tally]) -> list[Fraction]:
    """d_q = p_A,q − p_B,q over the questions for which both cells have a scored answer, in the order of their ids.

    p_q averages over the samples and training seeds there are: an untouched arm pairs with every seed of a tuned one.
    """
    shares = [(a[question].pooled.share, b[question].pooled.share) for question in a if question in b]
    return [left - right for left, right in shares if left is not None and right is not None]


def _row(
    contrast: Contrast,
    a: Mapping[str, Tally],
    b: Mapping[str, Tally],
    kinds: Mapping[str, str],
    *,
    planned: bool,
    alpha: float,
    worthwhile: float,
    seed: int,
) -> Row:
    differences = paired(a, b)
    interval = statistics.difference_interval(differences, alpha)
    row: Row = {
        "a": {"arm": contrast.a.arm, "condition": contrast.a.condition},
        "b": {"arm": contrast.b.arm, "condition": contrast.b.condition},
        "name": f"{name(contrast.a)} − {name(contrast.b)}",
        "split": contrast.split,
        "planned": planned,
        "questions": len(differences),
        "left_out": len(a.keys() | b.keys()) - len(differences),
        "differing": sum(difference != 0 for difference in differences),
        "difference": statistics.mean(differences),
        "standard_deviation": statistics.standard_deviation(differences),
        "interval": list(interval) if interval else None,
        "p_value": statistics.sign_flip_p(differences, seed) if differences else None,
        "p_holm": None,
        "detectable": power.detectable(differences, alpha),
        "equivalent_p": statistics.equivalence_p(differences, worthwhile),
        "between_seeds": _between_seeds(contrast, a, b, kinds, alpha),
    }
    if not differences:
        missing = [name(cell) for cell, side in ((contrast.a, a), (contrast.b, b)) if not side]
        row["reason"] = (
            f"no answers of {' and '.join(missing)} on {contrast.split}"
            if missing
            else f"no question on {contrast.split} has scored answers in both cells"
        )
    return row


def _between_seeds(
    contrast: Contrast, a: Mapping[str, Tally], b: Mapping[str, Tally], kinds: Mapping[str, str], alpha: float
) -> dict[str, Any] | None:
    """The crossed model over training seeds; an untouched arm has one seed only, which stands for all."""
    sides = (a, b)
    fixed = [kinds.get(cell.arm) == "untouched" for cell in (contrast.a, contrast.b)]
    seeds = [{seed for tally in side.values() for seed in tally.seeds} for side in sides]
    trained = [own for own, untouched in zip(seeds, fixed, strict=True) if not untouched]
    common = sorted(set.intersection(*trained)) if trained else []
    if len(common) < 2:
        return None

    def share(side: int, question: str, seed: int) -> Fraction | None:
        tally = sides[side].get(question)
        if tally is None:
            return None
        counts = tally.pooled if fixed[side] else tally.seeds.get(seed)
        return counts.share if counts else None

    columns: list[list[Fraction]] = []
    for question in a:
        pairs = [(share(0, question, seed), share(1, question, seed)) for seed in common]
        column = [left - right for left, right in pairs if left is not None and right is not None]
        if len(column) == len(common):  # the model is balanced: a question unscored under one seed is left out
            columns.append(column)
    return statistics.between_seeds(list(zip(*columns, strict=True)), alpha) if columns else None
