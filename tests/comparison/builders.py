"""Small experiments for the tests of the comparison: counts in, the arguments of `compare` out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

import jsonschema

from train.comparison import compare, decision_contrasts
from train.records import Answer, AnswerId, Cell, Context, Contrast, Question, Verdict, Word

Graded = Mapping[tuple[str, str], Sequence[Sequence[Word]]]
"""(arm, condition) -> per question the words its samples got."""

SCHEMA = json.loads(files("train.comparison").joinpath("schema.json").read_text(encoding="utf-8"))


def ids(count: int) -> list[str]:
    return [f"q{index:03}" for index in range(count)]


def words(right: int, samples: int = 4) -> list[Word]:
    return ["correct"] * right + ["wrong"] * (samples - right)


def contrast(a: str, b: str, split: str = "all") -> Contrast:
    """`contrast("open/gold", "base/none")`."""
    return Contrast(Cell(*a.split("/")), Cell(*b.split("/")), split)


def records(
    graded: Graded, *, seed: int = 0, splits: Sequence[str] = (), topics: Sequence[str] = (), expects: Any = None
) -> dict[str, Any]:
    """Questions, contexts, answers and verdicts of one training seed; every question in the split of its place."""
    count = max(len(column) for column in graded.values())
    names = ids(count)
    questions = [
        Question(
            name,
            f"{name}?",
            "yes",
            split=splits[index] if splits else "",
            topic=topics[index] if topics else "",
        )
        for index, name in enumerate(names)
    ]
    conditions = sorted({condition for _, condition in graded})
    contexts = [
        Context(name, condition, (), (), (expects or {}).get((condition, name), "answer"))
        for condition in conditions
        for name in names
    ]
    answers = [
        Answer(arm, seed, condition, name, sample, text=f"{word} answer")
        for (arm, condition), column in graded.items()
        for name, given in zip(names, column, strict=False)
        for sample, word in enumerate(given)
    ]
    verdicts = {
        answer.id: Verdict(*_coordinates(answer.id), grader="rubric", verdict=answer.text.removesuffix(" answer"))  # type: ignore[arg-type]
        for answer in answers
    }
    return {"questions": questions, "contexts": contexts, "answers": answers, "verdicts": verdicts}


def _coordinates(answer: AnswerId) -> tuple[str, int, str, str, int]:
    return answer.arm, answer.seed, answer.condition, answer.question, answer.sample


def run(
    graded: Graded | Mapping[tuple[str, str], Sequence[int]],
    kinds: Mapping[str, str],
    contrasts: Sequence[Contrast] | None = None,
    *,
    split: str = "all",
    context: str | None = "gold",
    samples: int = 4,
    more: Mapping[str, Any] | None = None,
    **options: Any,
) -> dict[str, Any]:
    """`compare` on counts right per question (or words), with a result that was held against the schema."""
    full = {
        cell: [words(entry, samples) if isinstance(entry, int) else entry for entry in column]
        for cell, column in graded.items()
    }
    given = records(full, **options)
    result = compare(
        recipe="test",
        **{**given, **(more or {})},
        kinds=kinds,
        contrasts=decision_contrasts(kinds, context, split) if contrasts is None else contrasts,
        split=split,
        context=context,
    )
    check(result)
    return result


def check(result: dict[str, Any]) -> None:
    """The result is plain JSON without NaN and says what the schema says; its counts add up."""
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    jsonschema.Draft202012Validator(SCHEMA).validate(result)
    for cell in result["cells"]:
        counts = ("correct", "wrong", "abstained", "unscored")
        assert cell["answers"] == sum(cell[word] for word in counts)
        for key in (*counts, "right", "distinct", "answers"):
            assert cell[key] == sum(entry[key] for entry in cell["per_question"])


def cell_of(result: dict[str, Any], name: str, split: str = "all") -> dict[str, Any]:
    arm, condition = name.split("/")
    [cell] = [c for c in result["cells"] if (c["arm"], c["condition"], c["split"]) == (arm, condition, split)]
    return cell


def row_of(result: dict[str, Any], a: str, b: str, split: str = "all") -> dict[str, Any]:
    wanted = contrast(a, b, split)
    [row] = [
        row
        for row in result["contrasts"]
        if (Cell(**row["a"]), Cell(**row["b"]), row["split"]) == (wanted.a, wanted.b, wanted.split)
    ]
    return row
