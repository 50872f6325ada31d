"""report.md: the decision, the contrasts, the totals and the matrix for a pull request or a wiki."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from train.records import Findings
from train.report import badges, charts, costs, figures, provenance, tables, view, wording
from train.report.choices import choices
from train.report.drawing import Figure
from train.report.forgetting import forgetting
from train.report.matrix import matrix
from train.report.texts import markdown as literal

LONGEST_QUESTION = 160

OPENED = " `report.html` shows each answer with its verdict, context and prompt; `answers.csv` lists them."
REDACTED = (
    "**Redacted.** This report holds no question, answer, reference, passage, prompt or comment. Questions are "
    "numbered in the order in which the run holds them; names of arms and conditions, verdicts, counts and figures are "
    "as they are."
)


def markdown(findings: Findings, *, redacted: bool = False) -> str:
    """The report as Markdown; every text from models and data is literal. `redacted`: see `train.report.redacted`."""
    drawn = charts.drawn(findings)
    parts = [
        f"# {literal(str(findings.comparison['recipe']))}: open book or closed book?",
        *([REDACTED] if redacted else []),
        *_decision(findings),
        *_figures(drawn, "forest", "contrasts", "causes"),
        *_contrasts(findings),
        *_totals(findings),
        *_more(findings),
        *_forgetting(findings),
        *_grading(findings),
        *_matrix(findings),
        *_training(findings, drawn),
        "## To doubt it",
        *_made(findings),
        "Every figure can be computed again from the stored answers: `openbook verify RUN`, where RUN is the directory "
        f"of this file.{'' if redacted else OPENED}",
    ]
    return "\n\n".join(parts) + "\n"


def _decision(findings: Findings) -> Iterable[str]:
    decision = findings.comparison.get("decision") or {}
    yield f"> **{literal(str(decision.get('sentence') or 'No decision was made.'))}**"
    said = badges.badges(findings)
    lines = [f"- {badge.sign} {badge.text}: {literal(badge.why)}" for badge in said]
    lines += [f"- {literal(reason)}" for reason in badges.reasons(findings, said)]
    yield "\n".join(lines)
    if costly := choices(findings):
        yield "What each choice costs:"
        yield "\n".join(f"- {literal(name)}: {literal(cost)}." for name, cost in costly)


def _figures(drawn: Mapping[str, Figure], *names: str) -> Iterable[str]:
    """The figures of those names that there are: files in the folder `figures` beside this one."""
    for name in names:
        if figure := drawn.get(name):
            said = f"**{figure.title}.** {literal(figure.caption)}"
            yield f"![{literal(figure.title)}: {literal(figure.description)}](figures/{name}.svg)\n\n{said}"


def _contrasts(findings: Findings) -> Iterable[str]:
    planned, others = view.contrast_rows(findings)
    yield "## Planned contrasts"
    yield from _contrast_table(planned) if planned else ["None was planned."]
    yield (
        "p: sign flips over the questions, adjusted by Holm over the planned contrasts. Intervals are at "
        f"{view.level(findings)} and unadjusted, so the two can disagree when few questions differ. Detectable: the "
        "smallest difference (points) that these questions would have shown four times in five."
    )
    if others:
        yield "### Not planned"
        yield from _contrast_table(others)


def _contrast_table(rows: Sequence[view.ContrastRow]) -> Iterable[str]:
    header = (
        "a − b", "split", "questions", "differing", "difference (points)", "interval", "p", "p (Holm)", "detectable",
    )  # fmt: skip
    yield _table(
        header,
        [
            [
                f"{literal(row.a)} − {literal(row.b)}",
                literal(row.split),
                row.questions,
                row.differing,
                row.difference,
                row.interval + (f" ({literal(row.missing)})" if row.missing else ""),
                row.p_value,
                row.p_holm,
                row.detectable,
            ]
            for row in rows
        ],
    )
    yield "\n".join(f"- {literal(' '.join((row.sentence, *(note + '.' for note in row.notes))))}" for row in rows)


def _totals(findings: Findings) -> Iterable[str]:
    yield "## Totals"
    for table in view.cell_tables(findings):
        yield f"### {_split_title(table.split, table.meaning)}"
        yield _table(
            ("arm", "condition", "right", "interval", "questions", "answers", "correct", "wrong", "abstained",
             "unscored", "notes"),
            [
                [
                    literal(row.arm),
                    literal(row.condition),
                    row.accuracy,
                    row.interval + (f" ({row.missing})" if row.missing else ""),
                    row.questions,
                    row.answers,
                    row.correct,
                    row.wrong,
                    row.abstained,
                    row.unscored,
                    literal("; ".join(row.notes)),
                ]
                for row in table.rows
            ],
        )  # fmt: skip


def _more(findings: Findings) -> Iterable[str]:
    """The further tables of the overview."""
    for table in tables.overview_tables(findings):
        yield f"### {table.title}"
        yield from _texts(table)


def _texts(table: tables.Table) -> Iterable[str]:
    yield _table([literal(name) for name in table.header], [[literal(value) for value in row] for row in table.rows])
    yield literal(table.note)


def _forgetting(findings: Findings) -> Iterable[str]:
    if (found := forgetting(findings)) is None:
        return
    yield f"## {found.table.title}"
    yield "\n".join(f"- {literal(sentence)}" for sentence in found.sentences)
    yield from _texts(found.table)


def _grading(findings: Findings) -> Iterable[str]:
    """How far the grades can be trusted; nothing where nobody but the rubric said anything."""
    said = [literal(text) for text in (tables.people_sentence(findings), tables.judge_sentence(findings)) if text]
    against = tables.grader_table(findings)
    if said or against:
        yield "## How far the grades can be trusted"
        yield from said
    if against:
        yield from _texts(against)


def _matrix(findings: Findings) -> Iterable[str]:
    yield "## Questions"
    marks = "; ".join(f"{sign} {meaning}" for sign, meaning in wording.MARKS)
    yield f"{marks}. k/n: right of the graded answers; +1? is one unscored."
    if findings.disputed:
        yield f"{wording.DISPUTED} people grade some of its answers differently."
    names = view.columns(findings)
    header = ("question", *(f"{literal(arm)}<br>{literal(condition)}" for arm, condition in names))
    for group in matrix(findings):
        yield f"### {_split_title(group.split, group.meaning)}"
        yield _table(
            header,
            [
                [
                    f"{literal(row.id)}: {literal(row.text, LONGEST_QUESTION)}",
                    *(entry.text for entry in row.entries),
                ]
                for row in group.rows
            ],
        )


def _training(findings: Findings, drawn: Mapping[str, Figure]) -> Iterable[str]:
    adapters, priced = costs.adapter_rows(findings), costs.rate(findings) is not None
    if adapters:
        yield "## Training"
        yield _table(
            ("arm", "seed", "condition", "rows", "steps", "tokens", "time", "tokens/s", "peak memory",
             *(["price"] if priced else []), "parameters", "size", "loss", "validation loss"),
            [
                [
                    literal(row.arm),
                    literal(row.seed),
                    literal(row.condition),
                    row.rows,
                    row.steps,
                    row.tokens,
                    row.seconds,
                    row.speed,
                    row.peak,
                    *([literal(row.price)] if priced else []),
                    row.parameters,
                    row.size,
                    row.loss,
                    row.validation_loss,
                ]
                for row in adapters
            ],
        )  # fmt: skip
        if lines := costs.training_lines(findings):
            yield f"Time of training by arm: {literal('; '.join(lines))}."
        yield from _figures(drawn, "loss")
    asked = costs.cost_rows(findings)
    if asked:
        yield "## Cost of an answer (means)"
        yield from _figures(drawn, "costs")
        yield _table(
            ("arm", "condition", "accuracy", "answers", "prompt tokens", "tokens", "seconds",
             *(["price of 1,000"] if priced else []), "stopped at the limit"),
            [
                [literal(row.arm), literal(row.condition), row.accuracy, row.answers, row.prompt_tokens, row.tokens,
                 row.seconds, *([literal(row.per_thousand)] if priced else []), row.cut]
                for row in asked
            ],
        )  # fmt: skip
        if rate := costs.rate_line(findings):
            yield literal(rate)


def _made(findings: Findings) -> Iterable[str]:
    if made := provenance.made(findings):
        yield "\n".join(f"- {name}: {literal(fact)}" for name, fact in made)


def _split_title(split: str, meaning: str) -> str:
    return ": ".join(part for part in (literal(split) or figures.DASH, meaning) if part)


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
