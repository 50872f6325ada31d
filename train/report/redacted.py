"""Findings without the texts of the data, for reports that go to people who may not read them.

What stays is named here, and everything else goes: a part that is added to the findings later is left out until
somebody decides that it holds no text. Figures, verdicts, counts and the names of arms, conditions and splits stay;
questions are numbered in the order in which the run holds them, for an id may say what is asked. An arm that was made
elsewhere is often called by its model or its file; who must not tell that gives it another name (`compare --name`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from train.records import ALL, CAUSES, GENERAL, SPLITS, Answer, Context, Findings, Passage, Question, Verdict
from train.report.figures import finite
from train.settings import PARTS

COMPARED = ("schema", "questions", "samples", "seeds", "alpha", "worthwhile")
CELL = (
    "arm", "kind", "condition", "split", "expects", "questions", "unscored_questions", "seeds", "answers", "correct",
    "wrong", "abstained", "unscored", "right", "distinct", "accuracy", "standard_error", "interval", "per_seed",
    "false_refusal", "right_abstention", "answered_from_memory", "dumps", "accuracy_without_dumps", "pass_at_k",
    "pass_hat_k",
)  # fmt: skip
ENTRY = (
    "expects", "samples", "answers", "correct", "wrong", "abstained", "unscored", "right", "distinct", "interval"
)  # fmt: skip
TRAINED = (
    "arm", "seed", "condition", "rows", "epochs", "rows_per_step", "steps", "kept_step", "tokens", "completion_tokens",
    "seconds", "peak_bytes", "parameters", "bytes", "loss", "validation_loss",
)  # fmt: skip
RECIPE = ("arms", "optimization", "sampling", "comparison", "costs", "training_seeds", "ask", "cells", "conditions")
GRADER = (
    "against", "arm", "labels", "tp", "fp", "fn", "tn", "tpr", "tpr_interval", "tnr", "tnr_interval", "agreement",
    "kappa", "kappa_interval",
)  # fmt: skip
JUDGED = ("asked", "judged")
FORGOTTEN = (
    "arm", "against", "base", "tuned", "base_right", "difference", "interval", "p", "p_holm", "questions", "left_out",
    "differing", "samples", "seeds", "between_seeds", "shown",
)  # fmt: skip
PEOPLE = ("labelled", "labellers", "kappa", "disputed")
AUDIT = frozenset([
    "training_rows", "test_questions", "gold", "contexts", "wordings", "references", "answers", "questions", "found",
    "threshold", "pairs", "by_split", "arm", "condition", "split", "verbatim", "verbatim_share", "asked", "alike",
    "distinct",
])  # fmt: skip
"""The keys of the audit whose values are counts, or the names of cells that they belong to."""
HARDWARE = ("system", "processor", "cores", "memory_gib", "threads", "accelerators", "processes")

KEPT_SPLITS = (*SPLITS, GENERAL)
OWN_WORDS = frozenset(["untouched", "tuned", "given", "answer", "abstain", "as-trained", "auto", "best", "last", ALL])
"""Words of ours that stand as values in what stays."""

EMPTY: tuple[Any, ...] = ({}, [], "")
"""What is left where a text was."""

_OWN_SENTENCE = re.compile(
    r"\d+ (?:unseen|test|general) question\(s\) (?:have a gold passage that occurs in training|are near-identical to a "
    r"training wording|have a reference answer that is a training target)"
)
_FIELDS = frozenset(field.name for part in PARTS.values() for field in fields(part))
"""The names of all fields of a recipe."""


def without_texts(findings: Findings) -> Findings:
    """The findings without questions, answers, references, facts, passages, prompts, topics and comments, without the
    names of people, files and the base model, and without paths. Arms keep their names, whatever those are."""
    width = len(str(len(findings.questions)))
    numbers = {question.id: f"q{place:0{width}}" for place, question in enumerate(findings.questions, 1)}
    graders = _graders(findings)
    return Findings(
        comparison=_comparison(findings, numbers, graders),
        questions=[_question(question, numbers) for question in findings.questions],
        contexts=[_context(context, numbers) for context in findings.contexts],
        answers=[_answer(answer, numbers) for answer in findings.answers],
        verdicts=[_verdict(verdict, numbers, graders) for verdict in findings.verdicts],
        headline={
            (bare := _verdict(verdict, numbers, graders)).id: bare for verdict in findings.headline.values()
        },
        prompts={},
        audit=_audit(findings),
        training=[_kept(entry, TRAINED) for entry in findings.training],
        manifest=_manifest(findings),
        causes={answer._replace(question=numbers[answer.question]): cause for answer, cause in findings.causes.items()},
        disputed=frozenset(answer._replace(question=numbers[answer.question]) for answer in findings.disputed),
    )  # fmt: skip


def _graders(findings: Findings) -> dict[str, str]:
    """Graders by kind; people and judges are numbered: a name says who or which company."""
    every = {verdict.grader for verdict in (*findings.verdicts, *findings.headline.values())}
    every |= {str(name) for cell in findings.comparison["cells"] for name in cell.get("graders") or ()}
    by_kind: dict[str, list[str]] = {}
    for name in sorted(every):
        by_kind.setdefault(name.partition(":")[0], []).append(name)
    known = ("person", "people", "judge", "rubric", "provisional")
    return {
        name: (kind if kind in known else "grader") + (f":{place}" if ":" in name or kind not in known else "")
        for kind, names in by_kind.items()
        for place, name in enumerate(names, 1)
    }


def _question(question: Question, numbers: Mapping[str, str]) -> Question:
    return Question(numbers[question.id], "", "", split=question.split if question.split in KEPT_SPLITS else "")


def _context(context: Context, numbers: Mapping[str, str]) -> Context:
    places = {passage.id: f"p{place}" for place, passage in enumerate(context.passages, 1)}
    return Context(
        question=numbers.get(context.question, ""),
        condition=context.condition,
        passages=tuple(Passage(name, "") for name in places.values()),
        gold=tuple(places[name] for name in context.gold if name in places),
        expects=context.expects,
    )


def _answer(answer: Answer, numbers: Mapping[str, str]) -> Answer:
    finish = answer.finish if answer.finish in ("stop", "length") else ""
    return replace(answer, question=numbers[answer.question], text="", key="", finish=finish)


def _verdict(verdict: Verdict, numbers: Mapping[str, str], graders: Mapping[str, str]) -> Verdict:
    return replace(
        verdict,
        question=numbers[verdict.question],
        grader=graders[verdict.grader],
        answer="",
        why="",
        found=(),
        missing=(),
        violated=(),
    )


def _comparison(findings: Findings, numbers: Mapping[str, str], graders: Mapping[str, str]) -> dict[str, Any]:
    comparison, recipe = findings.comparison, findings.manifest.get("recipe") or {}
    decision, forgotten = comparison.get("decision") or {}, comparison.get("forgetting")
    cells = [
        {
            **_kept(cell, CELL),
            "graders": _counted(cell.get("graders") or {}, graders),
            **_causes(cell),
            **_corrected(cell),
            "per_question": [
                {**_kept(entry, ENTRY), "question": numbers[entry["question"]]} for entry in cell["per_question"]
            ],
        }
        for cell in comparison["cells"]
    ]
    return {
        **_kept(comparison, COMPARED),
        # That of answers made elsewhere begins with their file's name.
        "recipe": "redacted" if "answers" in recipe else comparison["recipe"],
        "plan_changed": list(comparison.get("plan_changed") or ()),
        "cells": cells,
        **({"people": _kept(people, PEOPLE)} if (people := comparison.get("people")) else {}),
        **({"graders": _graded(comparison["graders"], graders)} if comparison.get("graders") else {}),
        **({"forgetting": [_kept(row, FORGOTTEN) for row in forgotten]} if forgotten else {}),
        # Both are made of names of cells, of figures and of words of ours.
        "contrasts": list(comparison["contrasts"]),
        "decision": {
            **{name: value for name, value in decision.items() if name != "rests_on"},
            **({"sentence": _said(str(decision["sentence"]), graders)} if decision.get("sentence") else {}),
            "reasons": [_said(str(reason), graders) for reason in decision.get("reasons") or ()],
            **({"rests_on": _rests_on(decision["rests_on"], graders)} if decision.get("rests_on") else {}),
        },
    }


def _said(text: str, graders: Mapping[str, str]) -> str:
    """A sentence of the decision, with graders by their numbers."""
    for name in sorted(graders, key=len, reverse=True):
        text = text.replace(name, graders[name]) if ":" in name else text
    return text


def _causes(cell: Mapping[str, Any]) -> dict[str, Any]:
    causes = cell.get("causes")
    return {} if causes is None else {"causes": {name: number for name, number in causes.items() if name in CAUSES}}


def _corrected(cell: Mapping[str, Any]) -> dict[str, Any]:
    if "corrected" not in cell:
        return {}
    kept = {
        name: {"refused": "see the full report"} if "refused" in part else _kept(part, ("accuracy", "interval"))
        for name in ("rogan_gladen", "prediction_powered")
        if (part := (cell["corrected"] or {}).get(name)) is not None
    }
    return {"corrected": kept or None}


def _graded(rows: Sequence[Mapping[str, Any]], graders: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"grader": graders.get(str(row["grader"]), "grader"), **_kept(row, GRADER)} for row in rows]


def _rests_on(rests_on: Mapping[str, Any], graders: Mapping[str, str]) -> dict[str, Any]:
    names = ("cells", "contrasts", "family", "questions", "seeds", "answers", "unscored")
    kept = {name: rests_on[name] for name in names if name in rests_on}
    return {**kept, "graders": _counted(rests_on.get("graders") or {}, graders)}


def _counted(counts: Mapping[str, Any], graders: Mapping[str, str]) -> dict[str, Any]:
    return {graders.get(name, "grader"): number for name, number in counts.items() if finite(number)}


def _audit(findings: Findings) -> dict[str, Any]:
    """The counts of the audit; its examples are texts."""
    words = frozenset([*KEPT_SPLITS, *_names(findings)])
    result: dict[str, Any] = _figures(findings.audit, AUDIT, words)
    for name in ("leaks", "warnings"):
        if name in findings.audit:
            result[name] = [_sentence(str(each)) for each in findings.audit[name]]
    if dropped := findings.audit.get("dropped_training_rows"):
        result["dropped_training_rows"] = [f"row {place}" for place, _ in enumerate(dropped, 1)]
    return result


def _sentence(text: str) -> str:
    return text if _OWN_SENTENCE.fullmatch(text) else "a finding whose words are left out here"


def _manifest(findings: Findings) -> dict[str, Any]:
    manifest = findings.manifest
    recipe, hardware = manifest.get("recipe") or {}, manifest.get("hardware") or {}
    words = OWN_WORDS.union(SPLITS, _names(findings))
    costs = recipe.get("costs") if isinstance(recipe.get("costs"), Mapping) else None
    limit = (recipe.get("data") or {}).get("limit") if isinstance(recipe.get("data"), Mapping) else None
    bare = {
        **{name: _figures(recipe[name], _FIELDS, words) for name in RECIPE if name in recipe},
        **({"costs": {name: costs.get(name) for name in ("price_per_hour", "currency")}} if costs else {}),
        **({"data": {"limit": limit}} if finite(limit) else {}),
    }
    return {
        **{name: manifest[name] for name in ("schema", "openbook", "versions", "source", "starts") if name in manifest},
        **({"hardware": {name: hardware[name] for name in HARDWARE if name in hardware}} if hardware else {}),
        **({"recipe": bare} if bare else {}),
        **({"judging": {name: manifest["judging"].get(name) for name in JUDGED}} if manifest.get("judging") else {}),
        "left out": "the model, hashes, paths and all else that made the run",
    }


def _names(findings: Findings) -> Iterable[str]:
    """Names of arms and conditions, which stay."""
    for cell in findings.comparison["cells"]:
        yield from (str(cell["arm"]), str(cell["condition"]))
    for entry in findings.training:
        yield str(entry.get("condition", ""))


def _kept(record: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: record[name] for name in names if name in record}


def _figures(value: Any, keys: frozenset[str], words: frozenset[str]) -> Any:
    """The numbers in nested data under keys that are ours or names that stay, and texts that are; nothing else."""
    if isinstance(value, Mapping):
        inside = {
            str(key): _figures(each, keys, words)
            for key, each in value.items()
            if str(key) in keys or str(key) in words
        }
        return {key: each for key, each in inside.items() if each not in EMPTY}
    if isinstance(value, (list, tuple)):
        return [shown for each in value if (shown := _figures(each, keys, words)) not in EMPTY]
    if isinstance(value, str):
        return value if value in words else ""
    return value if isinstance(value, bool) or finite(value) else None
