"""What made the run, as far as a reviewer must know it: on what, in how many goes, and in what the arms differ."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from train.records import Findings
from train.report import figures
from train.report.tables import Table
from train.report.tree import scalar

PACKAGES = ("python", "torch", "transformers", "trl", "peft")
"""The versions that a reviewer looks for; the manifest has them all."""


def made(findings: Findings) -> list[tuple[str, str]]:
    """What made the run in a few lines, name and fact; what the manifest does not say is left out."""
    manifest = findings.manifest
    base, source, versions, hardware = (_part(manifest, name) for name in ("base", "source", "versions", "hardware"))
    commit = f", commit {str(source['commit'])[:12]}" if source.get("commit") else ""
    cores = f"{hardware['cores']} cores" if hardware.get("cores") else ""
    memory = f"{hardware['memory_gib']:g} GiB of memory" if figures.finite(hardware.get("memory_gib")) else ""
    found = {
        "model": _listed([base.get("name"), base.get("commit"), base.get("dtype")]),
        "machine": _listed([hardware.get("processor"), cores, memory, *(hardware.get("accelerators") or ())]),
        "software": _listed(f"{name} {versions[name]}" for name in PACKAGES if name in versions),
        "openbook": f"{manifest['openbook']}{commit}{', with changes' if source.get('changed') else ''}"
        if manifest.get("openbook")
        else "",
        "made": _listed([moment(str(manifest.get("created") or "")), course(manifest)]),
    }
    return [(name, fact) for name, fact in found.items() if fact]


def _part(manifest: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = manifest.get(name)
    return found if isinstance(found, Mapping) else {}


def _listed(parts: Iterable[Any]) -> str:
    return ", ".join(str(part) for part in parts if part)


def course(manifest: Mapping[str, Any]) -> str:
    """Whether the training and the answers were made in one go; empty for answers made elsewhere."""
    starts = manifest.get("starts")
    if not isinstance(starts, Sequence) or not starts:
        return "in how many goes is not recorded" if manifest.get("created") and "base" in manifest else ""
    _, *later = starts
    if not later:
        return "in one go"
    times = "once" if len(later) == 1 else f"{len(later)} times"
    return f"continued {times}: " + "; ".join(f"{moment(str(each['when']))}, {_found(each)}" for each in later)


def _found(start: Mapping[str, Any]) -> str:
    """What a start found of what the recipe wants."""
    parts = []
    if start["adapters"]:
        parts.append(f"{start['adapters']} of {figures.plural(start['of_adapters'], 'adapter')}")
    if start["steps"]:
        parts.append(f"{figures.plural(start['steps'], 'step')} of unfinished adapters")
    if start["answers"]:
        parts.append(f"{figures.count(start['answers'])} of {figures.plural(start['of_answers'], 'answer')}")
    return f"with {' and '.join(parts)} there" if parts else "with nothing there that could be used"


def moment(text: str) -> str:
    """A time of the manifest, such as `2026-11-21T12:03:37+0000`, as `2026-11-21 12:03 UTC`; another text as it is."""
    try:
        when = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S%z")
    except ValueError:
        return text
    return f"{when:%Y-%m-%d %H:%M} " + ("UTC" if when.utcoffset() == timedelta(0) else f"{when:%z}")


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
    """Whether trained arms differ in the field, be it that one lacks it; an untouched arm lacks all that is trained."""
    trained = {values.get(field) for values in arms if values.get("trained") != "no"}
    return len(trained) > 1 or field in ("condition", "trained")


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
