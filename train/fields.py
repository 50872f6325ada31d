"""The types of a recipe's fields: what a value may be, how it is spelt, and how it is stored."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, PlainSerializer, PlainValidator, WrapSerializer

from train.conditions import Condition, parse_condition

STRICT = ConfigDict(extra="forbid", strict=True, arbitrary_types_allowed=True, allow_inf_nan=False)

NamedCondition = Annotated[
    Condition,
    BeforeValidator(lambda value: parse_condition(value) if isinstance(value, str) else value),
    PlainSerializer(lambda condition: condition.name, return_type=str),
]
"""A condition, also spelled by its name."""


def as_path(value: Any) -> Path:
    """A path given as a text or a path; raises `ValueError` for anything else."""
    if not isinstance(value, (str, Path)) or not str(value):
        raise ValueError("should be a path")
    return Path(value)


def shown_path(path: Path) -> str:
    """The path as it is stored: that of a shipped data set from its folder `recipes` on, the same on every machine."""
    import recipes

    shipped = Path(recipes.__path__[0])
    return f"recipes/{path.relative_to(shipped).as_posix()}" if path.is_relative_to(shipped) else str(path)


File = Annotated[Path, PlainValidator(as_path), PlainSerializer(shown_path, return_type=str)]

HUB = "hub:"
HUB_DATASET = re.compile(
    rf"{HUB}(?P<name>[\w.-]+/[\w.-]+)(?:@(?P<revision>[^@#\s]+))?(?:#(?P<split>[\w.-]+))?", re.ASCII
)
"""A data set on the hub, as a recipe names it; a path never begins so."""


def as_source(value: Any) -> Path | str:
    """A path, or `hub:ORG/NAME…` as it is; raises `ValueError` for anything else."""
    if not str(value).startswith(HUB):
        return as_path(value)
    if not HUB_DATASET.fullmatch(str(value)):
        raise ValueError("should be hub:ORG/NAME, then @REVISION and #SPLIT if they are wanted")
    return str(value)


Source = Annotated[
    Path | str,
    PlainValidator(as_source),
    PlainSerializer(lambda source: shown_path(source) if isinstance(source, Path) else source, return_type=str),
]
"""Where questions are: a path, or the text of a data set on the hub."""

Columns = Annotated[
    Mapping[str, str],
    AfterValidator(lambda columns: MappingProxyType(dict(columns))),
    WrapSerializer(lambda columns, serialize: serialize(dict(columns))),
]

Positive = Annotated[int, Field(ge=1)]
TrainingSeed = Annotated[int, Field(ge=0, lt=2**32)]
"""The seeds that every library takes."""
Share = Annotated[float, Field(ge=0, lt=1)]
