"""Records as JSON-ready data, as record files hold them, and back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from operator import attrgetter
from typing import Any, TypeVar

from train.records import Answer, AnswerId, Cell, Context, Counterfactual, Fact, Passage, Question, TrainingRow, Verdict
from train.sealing import Record

T = TypeVar("T", Question, Passage, TrainingRow, Answer, Verdict, Counterfactual)


def to_json(record: Any) -> dict[str, Any]:
    """The record as JSON-ready data: nested records become objects, tuples become lists."""
    made: dict[str, Any] = _plain(record)
    return made


def flat(record: Any) -> dict[str, Any]:
    """The same to be written at once, for records that hold plain values and tuples of these only: tuples stay, which
    JSON writes as lists. A third of the work."""
    names, parts = _parts(record.__class__)
    return dict(zip(names, parts(record), strict=True))


def _plain(value: Any) -> Any:
    if value.__class__ in _PLAIN:
        return value
    if isinstance(value, (tuple, list)):
        if isinstance(value, (AnswerId, Cell)):
            return value._asdict()
        return [each if each.__class__ in _PLAIN else _plain(each) for each in value]
    if hasattr(value, "__dataclass_fields__"):
        names, parts = _parts(value.__class__)
        items: Iterable[tuple[str, Any]] = zip(names, parts(value), strict=True)
    elif isinstance(value, Mapping):
        items = value.items()
    else:
        return value
    return {name: each if each.__class__ in _PLAIN else _plain(each) for name, each in items}


_PLAIN = frozenset((str, int, float, bool, type(None)))


@cache
def _parts(kind: Any) -> tuple[tuple[str, ...], Callable[[Any], Any]]:
    """The names of a record's fields but those that follow from others, and what takes their values from it."""
    names = kind.__match_args__
    return names, attrgetter(*names) if len(names) > 1 else lambda record: (getattr(record, names[0]),)


_as_set = cache(frozenset[str])


def revive(kind: type[T], record: Record) -> T:
    """The record as the frozen record it was written from."""
    names = _as_set(kind.__match_args__)  # what its constructor takes
    values: Any = {
        key: tuple(value) if value.__class__ is list else value for key, value in record.items() if key in names
    }
    for key in ("facts", "forbidden"):
        if key in values:
            values[key] = freeze_facts(record[key])
    if values.get("counterfactual"):
        values["counterfactual"] = revive(Counterfactual, values["counterfactual"])
    return kind(**values)


def context_record(context: Context, prompt: str) -> Record:
    """A context as it is stored: its passages by id, with the rendered prompt where there is one."""
    return {**to_json(context), "passages": [passage.id for passage in context.passages], "prompt": prompt}


def revive_context(record: Record, passages: dict[str, Passage]) -> Context:
    """The stored context with its passages."""
    return Context(
        question=record["question"],
        condition=record["condition"],
        passages=tuple(passages[identifier] for identifier in record["passages"]),
        gold=tuple(record["gold"]),
        expects=record["expects"],
        facts=freeze_facts(record["facts"]),
        forbidden=freeze_facts(record["forbidden"]),
    )


def freeze_facts(facts: Any) -> tuple[Fact, ...]:
    """Facts read from JSON (lists of texts and of lists of alternatives) as hashable facts."""
    return tuple(fact if isinstance(fact, str) else tuple(fact) for fact in facts)
