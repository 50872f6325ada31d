"""What made the run, as far as a reviewer must compare it: in what the arms differ."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from train.records import Findings
from train.report import figures
from train.report.tables import Table
from train.report.tree import scalar


def arm_differences(findings: Findings) -> Table | None:
    """The recipe's fields in which the arms differ, one row for each field; None where there is nothing to compare.

    An arm without an optimization of its own has the recipe's; an arm that lacks a field altogether shows a dash.
    """
    recipe = findings.manifest.get("recipe")
    arms = recipe.get("arms") if isinstance(recipe, Mapping) else None
    if not isinstance(recipe, Mapping) or not isinstance(arms, Mapping) or len(arms) < 2:
        return None
    order = list(dict.fromkeys(cell["arm"] for cell in findings.comparison["cells"]))
    names = sorted(map(str, arms), key=lambda name: (order.index(name) if name in order else len(order), name))
    flat = {name: dict(_flat("", _whole(arms[name], recipe))) for name in names}
    fields = sorted({field for values in flat.values() for field in values})
    rows = [
        (field, *(values.get(field, figures.DASH) for values in flat.values()))
        for field in fields
        if _differs(field, flat.values())
    ]
    if not rows:
        return None
    note = "Every other setting is the same for all arms."
    return Table("In what the arms differ", note, ("setting", *names), tuple(rows), names=1 + len(names))


def _differs(field: str, arms: Iterable[Mapping[str, str]]) -> bool:
    """Whether arms that have the field have it differently; an untouched arm lacks what is trained."""
    return len({values[field] for values in arms if field in values}) > 1 or field == "condition"


def _whole(arm: Any, recipe: Mapping[str, Any]) -> Any:
    """The arm with the recipe's optimization where it has none of its own, if it is trained at all."""
    if not isinstance(arm, Mapping):
        return {"": arm}
    if not arm:
        return {"trained": "no"}
    own = arm.get("optimization")
    shared = recipe.get("optimization")
    if isinstance(own, Mapping) and isinstance(shared, Mapping):
        optimization: Any = {**shared, **{key: value for key, value in own.items() if value is not None}}
    else:
        optimization = own or shared
    return {"trained": "yes", **arm, "optimization": optimization}


def _flat(place: str, value: Any) -> Iterator[tuple[str, str]]:
    """The leaves with their dotted places; a list is one leaf."""
    if isinstance(value, Mapping):
        for key in sorted(map(str, value)):
            inner = value[key] if key in value else next(item for name, item in value.items() if str(name) == key)
            yield from _flat(f"{place}.{key}" if place else key, inner)
    elif isinstance(value, (list, tuple)):
        plain = all(isinstance(item, (str, int, float)) for item in value)
        yield place, ", ".join(map(scalar, value)) if plain else json.dumps(value, ensure_ascii=False, sort_keys=True)
    else:
        yield place, scalar(value)
