"""Further tables of the overview: repeated sampling, abstention, causes, corrected accuracies, topics, graders.

Each is made of what `comparison` holds, and is absent where it holds nothing of the kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from train.records import ALL, Findings
from train.report import figures, view, wording

Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table of texts: the first `names` columns name a row, the others are figures."""

    title: str
    note: str
    header: Row
    rows: tuple[Row, ...]
    names: int = 3


CELL = ("arm", "condition", "split")


def overview_tables(findings: Findings) -> list[Table]:
    """The tables that there is something to show in, in the order in which a reviewer asks for them."""
    made = (corrected, causes, retrieval, abstention, passes, *_topic_makers(findings))
    return [table for make in made if (table := make(findings)) is not None]


def corrected(findings: Findings) -> Table | None:
    """Accuracies as people's labels correct them, beside the raw ones."""
    rows = []
    for cell in _cells(findings):
        if better := cell.get("corrected"):
            raw = (figures.percent(cell["accuracy"]), figures.percent_interval(cell["interval"]))
            rows.append(
                (*_name(cell), *raw, *_estimate(better, "rogan_gladen"), *_estimate(better, "prediction_powered"))
            )
    note = (
        "The grader errs; people's labels say how. Rogan–Gladen divides its errors out, prediction-powered inference "
        "adds their mean. A raw accuracy outside a corrected interval is not to be trusted."
    )
    header = (*CELL, "raw accuracy", "interval", "Rogan–Gladen", "interval", "prediction-powered", "interval")
    return _table("Accuracy corrected by people's labels", note, header, rows)


def _estimate(better: Mapping[str, Any], name: str) -> Row:
    found = better.get(name) or {}
    if "accuracy" not in found:
        return (figures.DASH, str(found.get("refused") or figures.DASH))
    return figures.percent(found["accuracy"]), figures.percent_interval(found.get("interval"))


def causes(findings: Findings) -> Table | None:
    """Why answers were not right: counts of answers."""
    names = wording.causes_in_order(name for cell in _cells(findings) for name in cell.get("causes") or ())
    rows = [
        (
            *_name(cell),
            figures.count(cell["answers"] - cell["right"]),
            *(figures.count(held.get(name, 0)) for name in names),
        )
        for cell in _cells(findings)
        if (held := cell.get("causes"))
    ]
    note = (
        "Answers that were not right, each under the one cause that comes first. The matrix can be filtered by cause."
    )
    return _table("Why answers were not right", note, (*CELL, "not right", *names), rows)


def retrieval(findings: Findings) -> Table | None:
    """What a search found, beside the accuracy of the arms where it did and where it did not."""
    entries = findings.comparison.get("retrieval") or ()
    order = wording.split_order([entry["split"] for entry in entries], view.decision_split(findings))
    rows = [
        (
            entry["condition"],
            entry["split"],
            arm["arm"],
            figures.count(entry["questions"]),
            f"{figures.percent(entry['found'])} ({figures.percent_interval(entry['interval'])})",
            figures.percent(entry["recall"]),
            f"{entry['reciprocal_rank']:.2f}",
            figures.percent(arm["found"]),
            figures.percent(arm["missed"]),
        )
        for entry in sorted(entries, key=lambda entry: order.index(entry["split"]))
        for arm in entry["arms"]
    ]
    note = (
        "Of the questions that name their evidence. Found: a passage of it is among those shown (hit@N). Recall: the "
        "mean share of the evidence that is. Reciprocal rank: the mean of 1/place of the first, 1 if it always led."
    )
    header = (
        "condition", "split", "arm", "questions", "found", "recall", "reciprocal rank", "right where found",
        "right where missed",
    )  # fmt: skip
    return _table("What the search found, and what was made of it", note, header, rows)


def abstention(findings: Findings) -> Table | None:
    """Abstention, both ways."""
    rows = [
        (
            *_name(cell),
            figures.percent(cell.get("right_abstention")),
            figures.percent(cell.get("false_refusal")),
            figures.count(cell.get("answered_from_memory")),
        )
        for cell in _cells(findings)
        if cell.get("right_abstention") is not None or cell.get("false_refusal") is not None
    ]
    note = "Abstaining is right where nothing shown holds the answer, and a false refusal where it was due."
    header = (*CELL, "abstained where it should", "refused though due", "correct from memory")
    return _table("Abstention, both ways", note, header, rows)


def passes(findings: Findings) -> Table | None:
    """pass@k and pass^k, where there are several samples."""
    cells = [cell for cell in _cells(findings) if cell.get("pass_at_k")]
    sizes = sorted({int(size) for cell in cells for size in cell["pass_at_k"]})
    if len(sizes) < 2:
        return None
    rows = [
        (
            *_name(cell),
            *(
                figures.percent((cell.get(kind) or {}).get(str(size)))
                for kind in ("pass_at_k", "pass_hat_k")
                for size in sizes
            ),
        )
        for cell in cells
    ]
    note = "Of k answers to a question: pass@k, at least one is right; pass^k, all are. Far apart: unsteady."
    header = (*CELL, *(f"pass@{size}" for size in sizes), *(f"pass^{size}" for size in sizes))
    return _table("Several answers to one question", note, header, rows)


def _topic_makers(findings: Findings) -> list[Any]:
    cells = [cell for cell in findings.comparison["cells"] if cell.get("topics")]
    splits = wording.split_order([cell["split"] for cell in cells], view.decision_split(findings))
    return [lambda findings, split=split: _topics(findings, split) for split in splits]


def _topics(findings: Findings, split: str) -> Table | None:
    """Accuracy by topic on one split, cells side by side."""
    cells = [cell for cell in findings.comparison["cells"] if cell["split"] == split and cell.get("topics")]
    topics = list(dict.fromkeys(row["topic"] for cell in cells for row in cell["topics"]))
    by_cell = [{row["topic"]: row for row in cell["topics"]} for cell in cells]
    rows = [
        (
            topic or figures.DASH,
            figures.count(max(held[topic]["questions"] for held in by_cell if topic in held)),
            *(_topic(held.get(topic)) for held in by_cell),
        )
        for topic in topics
    ]
    if len(topics) < 2:
        return None
    header = ("topic", "questions", *(f"{cell['arm']} / {cell['condition']}" for cell in cells))
    title = f"Topics of {'all' if split == ALL else f'the {split}'} questions"
    return _table(title, "Few questions a topic: wide intervals.", header, rows, names=1)


def _topic(row: Mapping[str, Any] | None) -> str:
    if row is None:
        return figures.DASH
    interval = figures.percent_interval(row.get("interval"))
    return figures.percent(row["accuracy"]) + (f" ({interval})" if interval != figures.DASH else "")


def grader_table(findings: Findings) -> Table | None:
    """How far graders agree with people."""
    rows = [
        (
            str(row["grader"]),
            str(row.get("arm") or "all arms"),
            figures.count(row.get("labels")),
            *(figures.count(row.get(name)) for name in ("tp", "tn", "fp", "fn")),
            *_rate(row, "tpr"),
            *_rate(row, "tnr"),
            figures.percent(row.get("agreement")),
            *_kappa(row),
        )
        for row in findings.comparison.get("graders") or ()
    ]
    note = (
        "Against people's labels. Both right, neither, grader only, people only: how many labelled answers each calls "
        "right. Passes what is correct: of the answers that people call correct, the share that the grader does, too; "
        "fails what is not: likewise. Cohen's κ is agreement beyond chance: 1 is all, 0 none."
    )
    header = (
        "grader", "arm", "labels", "both right", "neither", "grader only", "people only", "passes what is correct",
        "interval", "fails what is not", "interval", "agreement", "κ", "interval",
    )  # fmt: skip
    return _table("Graders against people", note, header, rows, names=2)


def _rate(row: Mapping[str, Any], name: str) -> Row:
    return figures.percent(row.get(name)), figures.percent_interval(row.get(f"{name}_interval"))


def _kappa(row: Mapping[str, Any]) -> Row:
    value, interval = row.get("kappa"), row.get("kappa_interval")
    return two_digits(value), f"{two_digits(interval[0])} to {two_digits(interval[1])}" if interval else figures.DASH


def two_digits(value: float | None) -> str:
    """A coefficient in [−1, 1]."""
    return f"{value:.2f}".replace("-", figures.MINUS) if value is not None and figures.finite(value) else figures.DASH


def judge_sentence(findings: Findings) -> str:
    """What the judge did and what that cost, in a sentence; empty without one, and where its name is redacted."""
    done = findings.manifest.get("judging") or {}
    if not (done.get("judge") and done.get("judged")):
        return ""
    said = [
        f"{done.get('judge')} ({done.get('where')}) judged {figures.plural(done['judged'], 'answer')} in "
        f"{figures.plural(done.get('requested') or 0, 'request')}"
    ]
    if done.get("unparsed"):
        said.append(f"{figures.plural(done['unparsed'], 'answer')} got a reply without a letter")
    read, written = (figures.count(done.get(name)) for name in ("prompt_tokens", "tokens"))
    said.append(f"{read} tokens read and {written} written")
    if figures.finite(done.get("cost")):
        said.append(f"{done['cost']:.4g} paid, in the currency of the prices given")
    return "; ".join(said) + "."


def people_sentence(findings: Findings) -> str:
    """What people did, in a sentence; empty where the comparison does not say."""
    people = findings.comparison.get("people")
    if not people:
        return ""
    who = {1: "One person", 0: "Nobody"}.get(people["labellers"], f"{figures.count(people['labellers'])} people")
    said = [f"{who} labelled {figures.plural(people['labelled'], 'answer')}"]
    if people.get("kappa") is not None:
        said.append(f"they agree with one another at κ = {two_digits(people['kappa'])}")
    if people.get("disputed"):
        said.append(f"{figures.plural(people['disputed'], 'answer')} disputed")
    return "; ".join(said) + "."


def _cells(findings: Findings) -> list[Mapping[str, Any]]:
    """The cells, those on the decision's split first."""
    cells = findings.comparison["cells"]
    order = wording.split_order([cell["split"] for cell in cells], view.decision_split(findings))
    return sorted(cells, key=lambda cell: order.index(cell["split"]))


def _name(cell: Mapping[str, Any]) -> Row:
    return cell["arm"], cell["condition"], cell["split"]


def _table(title: str, note: str, header: Sequence[str], rows: Iterable[Row], names: int = 3) -> Table | None:
    rows = tuple(rows)
    return Table(title, note, tuple(header), rows, names) if rows else None
