"""What the page's script reads, as compact JSON: `head` for the matrix, `blocks` for what its cells open to.

A block holds some questions with their answers, contexts and prompts. A text that occurs many times in it (a passage,
a grader's reason, a repeated answer) is stored once in `texts` and named by its place there; identical answers of a
cell are folded. Blocks of a large run are compressed: the page unpacks those that are looked at.
"""

from __future__ import annotations

import re
import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from train.records import Answer, Context, Fact, Findings, Verdict
from train.report import figures, texts, view
from train.report.matrix import MatrixGroup, QuestionRow, causes_of
from train.report.summary import decisive

ROWS_PER_BLOCK = 50

LONGEST_PLAIN = 4_000_000
"""Up to so many characters the blocks stand as JSON, which anybody can read and search; beyond, they are packed."""

_PACKED = re.compile(r'(<script type="application/octet-stream" id="block-\d+">)([^<]*)')


@dataclass(frozen=True, slots=True)
class Embedded:
    """The blocks as they stand in the page: `packed` ones are JSON in UTF-8, deflated (no header) and in base64."""

    blocks: tuple[str, ...]
    packed: bool


class Texts(dict[str, int]):
    """Gives every different text a number: `[text]`. `places` has the texts as they are shown, in that order."""

    def __init__(self) -> None:
        super().__init__()
        self.places: dict[str, int] = {}

    def __missing__(self, text: str) -> int:
        place = self[text] = self.places.setdefault(texts.visible(text), len(self.places))
        return place

    def all(self, many: Sequence[str]) -> tuple[int, ...]:
        """The numbers of the texts."""
        return tuple([self[text] for text in many])


def head(findings: Findings, groups: Sequence[MatrixGroup], language: str) -> dict[str, Any]:
    """What filters, sorts and labels the matrix.

    `cells[c]` is `[arm, condition, place in conditions]`. `compare` are the two cells whose difference is sorted by
    first. `rows[r]` is `[id, question, topic, split, whether cells differ, entries]`, topic and split as places in
    `topics` and `splits`; entry c is null where cell c was not asked, else `[right, scored, unscored, disputed, whether
    abstaining is right, causes as places in causes]`.
    """
    rows = [(place, row) for place, group in enumerate(groups) for row in group.rows]
    topics = list(dict.fromkeys(row.topic for _, row in rows))
    causes = causes_of(groups)
    conditions = _conditions(findings)
    data = {
        "lang": language,
        "recipe": findings.comparison["recipe"],
        "rowsPerBlock": ROWS_PER_BLOCK,
        "compare": _compared(findings),
        "cells": [[arm, condition, conditions.index(condition)] for arm, condition in view.columns(findings)],
        "splits": [group.split for group in groups],
        "topics": topics,
        "causes": causes,
        "rows": [
            [
                row.id,
                row.text,
                topics.index(row.topic),
                place,
                int(row.differs),
                [
                    [*entry.counts, entry.disputed, int(entry.abstain), [causes.index(each) for each in entry.causes]]
                    if entry.share
                    else None
                    for entry in row.entries
                ],
            ]
            for place, row in rows
        ],
    }  # fmt: skip
    return {key: _visible(value) for key, value in data.items()}


def embedded(findings: Findings, groups: Sequence[MatrixGroup]) -> Embedded:
    """The blocks of all rows of the matrix, in its order."""
    written = [texts.embedded_json(block) for block in blocks(findings, groups)]
    if sum(map(len, written)) <= LONGEST_PLAIN:
        return Embedded(tuple(written), packed=False)
    return Embedded(tuple(map(_pack, written)), packed=True)


def unpack(block: str) -> str:
    """The JSON of a packed block; raises `ValueError` or `zlib.error` for one that is damaged."""
    return zlib.decompress(b64decode(block, validate=True), wbits=-zlib.MAX_WBITS).decode()


def unpacked(page: str) -> str:
    """The page with its packed blocks as JSON, for comparing: not every build of zlib packs to the same bytes."""
    try:
        return _PACKED.sub(lambda match: match[1] + unpack(match[2]), page)
    except (ValueError, zlib.error):
        return page


def _pack(text: str) -> str:
    # Deflate without a header: gzip's names the operating system, and the same findings must give the same bytes.
    packer = zlib.compressobj(level=6, wbits=-zlib.MAX_WBITS)
    return b64encode(packer.compress(text.encode()) + packer.flush()).decode()


def blocks(findings: Findings, groups: Sequence[MatrixGroup]) -> Iterator[dict[str, Any]]:
    """The blocks as JSON-ready data; whole numbers that stand for texts are places in the block's `texts`.

    Each list is by row: `references[r]` is `[reference, facts, forbidden]`, a fact being the list of its alternatives.
    `answers[r][c]` lists the folded answers of cell c as `[text, verdict, grader, why, finish, cause, whether people
    disagree, found, missing, violated, other verdicts as [grader, verdict, why], samples as [seed, sample, prompt
    tokens, tokens, seconds]]`. `contexts[r][d]` is `[expects, facts, forbidden, passages as [id, source, text, is
    gold]]` and `prompts[r][d]` the prompt under the d-th condition; null where there is none.
    """
    cells, conditions = view.columns(findings), _conditions(findings)
    contexts = {(context.question, context.condition): context for context in findings.contexts}
    answers = _by_entry(findings)
    others = _other_verdicts(findings)
    rows = [row for group in groups for row in group.rows]
    for start in range(0, len(rows), ROWS_PER_BLOCK):
        number = Texts()
        some = rows[start : start + ROWS_PER_BLOCK]

        def folds(row: QuestionRow, cell: view.CellName, number: Texts = number) -> list[list[Any]]:
            return _folded(answers.get((row.id, cell), ()), findings, others, number)

        block: dict[str, Any] = {
            "references": [_reference(findings, row, number) for row in some],
            "answers": [[folds(row, cell) for cell in cells] for row in some],
            "contexts": [[_context(contexts.get((row.id, each)), number) for each in conditions] for row in some],
            "prompts": [[_prompt(findings, row, each, number) for each in conditions] for row in some],
        }
        yield {**block, "texts": list(number.places)}


def _conditions(findings: Findings) -> list[str]:
    return list(dict.fromkeys(condition for _, condition in view.columns(findings)))


def _compared(findings: Findings) -> list[int]:
    """The cells of the contrast that the decision hangs on, as places in `cells`."""
    columns, contrast = view.columns(findings), decisive(findings)
    if contrast is None:
        return [len(columns) - 1, 0]
    names = [(contrast[side]["arm"], contrast[side]["condition"]) for side in ("a", "b")]
    return [columns.index(name) if name in columns else 0 for name in names]


def _visible(value: Any) -> Any:
    if isinstance(value, str):
        return texts.visible(value)
    return [_visible(item) for item in value] if isinstance(value, list) else value


def _reference(findings: Findings, row: QuestionRow, number: Texts) -> list[Any]:
    question = findings.questions[row.place]
    return [number[question.answer], _facts(question.facts, number), _facts(question.forbidden, number)]


def _prompt(findings: Findings, row: QuestionRow, condition: str, number: Texts) -> int | None:
    prompt = findings.prompts.get((row.id, condition))
    return None if prompt is None else number[prompt]


def _context(context: Context | None, number: Texts) -> list[Any] | None:
    if context is None:
        return None
    passages = [
        [number[passage.id], number[passage.source], number[passage.text], int(passage.id in context.gold)]
        for passage in context.passages
    ]
    return [number[context.expects], _facts(context.facts, number), _facts(context.forbidden, number), passages]


def _facts(facts: Sequence[Fact], number: Texts) -> list[tuple[int, ...]]:
    return [number.all([fact] if isinstance(fact, str) else fact) for fact in facts]


def _by_entry(findings: Findings) -> dict[tuple[str, view.CellName], list[Answer]]:
    entries: dict[tuple[str, view.CellName], list[Answer]] = {}
    for answer in sorted(findings.answers, key=attrgetter("id")):
        entries.setdefault((answer.question, (answer.arm, answer.condition)), []).append(answer)
    return entries


def _other_verdicts(findings: Findings) -> dict[Any, list[Verdict]]:
    others: dict[Any, list[Verdict]] = {}
    for verdict in findings.verdicts:
        counting = findings.headline.get(verdict.id)
        if counting is None or (counting.grader, counting.why) != (verdict.grader, verdict.why):
            others.setdefault(verdict.id, []).append(verdict)
    return others


def _folded(
    answers: Sequence[Answer], findings: Findings, others: dict[Any, list[Verdict]], number: Texts
) -> list[list[Any]]:
    folds: dict[tuple[Any, ...], list[Any]] = {}
    for answer in answers:
        rest = others.get(answer.id, [])
        if len(rest) > 1:
            rest = sorted(rest, key=lambda verdict: (verdict.grader, verdict.verdict, verdict.why))
        graded = _graded(answer, findings, rest, number)
        seconds = round(answer.seconds, 3) if figures.finite(answer.seconds) else None
        sample = (answer.seed, answer.sample, answer.prompt_tokens, answer.tokens, seconds)
        folds.setdefault(graded, []).append(sample)
    return [[*graded, samples] for graded, samples in folds.items()]


def _graded(answer: Answer, findings: Findings, others: Sequence[Verdict], number: Texts) -> tuple[Any, ...]:
    verdict = findings.headline.get(answer.id)
    if verdict is None:
        graded = number["unscored"], number[""], number[""]
        facts: tuple[tuple[int, ...], ...] = (), (), ()
    else:
        graded = number[verdict.verdict], number[verdict.grader], number[verdict.why]
        facts = number.all(verdict.found), number.all(verdict.missing), number.all(verdict.violated)
    about = number[findings.causes.get(answer.id, "")], int(answer.id in findings.disputed)
    aside = tuple([(number[other.grader], number[other.verdict], number[other.why]) for other in others])
    return number[answer.text], *graded, number[answer.finish], *about, *facts, aside
