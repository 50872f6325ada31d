"""Answers made elsewhere, by any tool and any model: CSV or JSON Lines with `arm, condition, question, sample, answer`.

Optional columns: `seed`, the training seed (0 where absent), and `verdict`, a person's word on the answer.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from train.data.cells import BadCell, is_absent, optional_text, required_name, verbatim_text, whole_number
from train.data.problems import Problems, did_you_mean, named, shown
from train.data.tables import CellReader, Table, check_columns, read_table
from train.data.text import normalise
from train.errors import nearest
from train.records import WORDS, Answer, AnswerId, Word, person_word

REQUIRED = ("arm", "condition", "question", "sample", "answer")
OPTIONAL = ("seed", "verdict")
KINDS = (".csv", ".jsonl")

CALLED_ELSEWHERE = {
    "arm": ("model", "model_name", "system", "run", "variant", "name"),
    "condition": ("context", "setting", "mode", "prompt"),
    "question": ("question_id", "qid", "prompt_id", "query", "id", "input"),
    "sample": ("epoch", "trial", "repeat", "sample_id", "attempt", "index"),
    "answer": ("text", "response", "output", "completion", "prediction", "generation", "generated_text"),
}
"""What other tools call our columns, likelier ones first."""

MENDS = {
    "arm": "add it: the name of the model that answered; or give --name FILE=ARM",
    "condition": "add it: none where the question was asked alone, gold with the passage that answers it; or give "
    "--name FILE=ARM/CONDITION",
    "question": "add it: the question's id",
    "sample": "add it: 0, 1, 2, … for the answers of one arm to one question",
    "answer": "add it: the text that the model gave",
}
"""What to do about a column that is not there, under no other name either."""


@dataclass(frozen=True, slots=True)
class AnswersFile:
    """The answers in the order of the file, people's verdicts on some of them, and warnings for a person to read."""

    answers: tuple[Answer, ...]
    verdicts: dict[AnswerId, Word]
    warnings: tuple[str, ...] = ()


def load_answers(
    path: str | Path,
    *,
    questions: Mapping[str, str] | None = None,
    suffix: str | None = None,
    arm: str = "",
    condition: str = "",
) -> AnswersFile:
    """Reads and validates answers.

    An answer is kept exactly as written, and may be empty; only line ends inside a CSV cell become `\\n`. Its key is a
    hash of its coordinates and its text.

    Args:
        path: the file.
        questions: id -> text of the questions that `question` may name; None if they are not checked.
        suffix: `.csv` or `.jsonl`, where the file's name does not say what it is.
        arm: the arm of all answers, in a file without that column.
        condition: likewise; "none" where an arm is given, and neither this nor the column.

    Raises:
        UserError: the file cannot be read.
        InputProblems: every problem in it, with row and column.
    """
    table = read_table(Path(path), (*REQUIRED, *OPTIONAL), KINDS, "an answers file", suffix=suffix)
    table = _named(table, arm, condition) if arm else table
    problems = table.problems
    warnings = [*table.warnings, *check_columns(table, REQUIRED, CALLED_ELSEWHERE, MENDS)]
    if not table.rows and not problems:
        problems.add(None, None, "has no answers", "write one row per answer")
    complete = all(column in table.columns for column in REQUIRED)
    answers: list[tuple[int, Answer]] = []
    verdicts: dict[AnswerId, Word] = {}
    for row in table.rows:
        before = len(problems)
        answer, verdict = _answer(CellReader(table, row, REQUIRED))
        if len(problems) == before and complete:
            answers.append((row.number, answer))
            if verdict:
                verdicts[answer.id] = verdict
    _check_repeated(answers, problems)
    if questions is not None:
        _check_questions(answers, questions, problems)
    problems.raise_if_any()
    return AnswersFile(tuple(answer for _, answer in answers), verdicts, tuple(warnings))


def answer_key(answer: Answer) -> str:
    """SHA-256 of what is known about an answer made elsewhere: its coordinates and its text."""
    content = [answer.arm, answer.seed, answer.condition, answer.question, answer.sample, answer.text]
    return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()


def ragged_cells(answers: Sequence[Answer], place: str, asked: Collection[str] = ()) -> list[str]:
    """A warning for each cell that lacks answers which other cells have.

    A full cell has every question (those of the answers, or `asked` where other files have more) times every sample
    number of the answers, for each of its own seeds.
    """
    cells: dict[tuple[str, str], set[tuple[int, str, int]]] = defaultdict(set)
    for answer in answers:
        cells[answer.arm, answer.condition].add((answer.seed, answer.question, answer.sample))
    questions = sorted({answer.question for answer in answers} | set(asked))
    samples = sorted({answer.sample for answer in answers})
    warnings = []
    for (arm, condition), present in sorted(cells.items()):
        seeds = sorted({seed for seed, _, _ in present})
        full = len(seeds) * len(questions) * len(samples)
        if len(present) == full:
            continue
        had = {(seed, question) for seed, question, _ in present}
        unasked = {q: None for q in questions if any((seed, q) not in had for seed in seeds)}
        short = [
            question
            for question in questions
            if question not in unasked and any((s, question, n) not in present for s in seeds for n in samples)
        ]
        lists = [f"none for {len(unasked)} question(s): {named(unasked)}"] if unasked else []
        lists += [f"too few for {len(short)} question(s): {named(short)}"] if short else []
        warnings.append(
            f"{place}: arm {arm!r}, condition {condition!r}: {full - len(present)} of {full} answers are missing "
            f"({'; '.join(lists)})"
        )
    return warnings


def _named(table: Table, arm: str, condition: str) -> Table:
    """The table with one arm, and one condition where it has no such column, in every row.

    A column that is there already is noted as a problem.
    """
    for column, given in (("arm", arm), ("condition", condition)):
        if given and column in table.columns:
            mend = f"leave {given!r} out of --name, or remove the column"
            table.problems.add(None, column, "is there, and each answer has its own", mend)
    added = {"arm": arm} if "condition" in table.columns else {"arm": arm, "condition": condition or "none"}
    rows = tuple(replace(row, cells={**row.cells, **added}) for row in table.rows)
    return replace(table, columns=(*table.columns, *added) if table.columns else (), rows=rows)


def _answer(cell: CellReader) -> tuple[Answer, Word | None]:
    answer = Answer(
        arm=cell("arm", required_name, ""),
        seed=cell("seed", lambda value: 0 if is_absent(value) else whole_number(value), 0),
        condition=cell("condition", _condition, ""),
        question=cell("question", required_name, ""),
        sample=cell("sample", whole_number, 0),
        text=cell("answer", verbatim_text, ""),
    )
    verdict = cell("verdict", _verdict, None)
    return replace(answer, key=answer_key(answer)), verdict


def _condition(value: object) -> str:
    # Elsewhere this word stands for a missing value; here it is the name of the condition without context.
    return "none" if isinstance(value, str) and value.strip() == "none" else required_name(value)


def _verdict(value: object) -> Word | None:
    name = optional_text(value)
    word = person_word(name)
    if word is None and name:
        mend = nearest(name.casefold(), WORDS).removeprefix("; ")
        raise BadCell(f"there is no verdict {shown(name)}", mend)
    return word


def _check_repeated(answers: Sequence[tuple[int, Answer]], problems: Problems) -> None:
    first: dict[AnswerId, int] = {}
    for number, answer in answers:
        if (earlier := first.setdefault(answer.id, number)) != number:
            what = f"arm {answer.arm!r}, seed {answer.seed}, condition {answer.condition!r}, question "
            what += f"{answer.question!r}, sample {answer.sample} is in row {earlier} too"
            problems.add(number, None, what, "number the samples of a question 0, 1, 2, …")


def _check_questions(answers: Sequence[tuple[int, Answer]], questions: Mapping[str, str], problems: Problems) -> None:
    rows: dict[str, list[int]] = defaultdict(list)
    for number, answer in answers:
        if answer.question not in questions:
            rows[answer.question].append(number)
    _check_for_texts(rows, questions, problems)
    ids = list(questions)
    # Once per id, not per answer: a wrong id is usually wrong in every cell.
    for question, numbers in rows.items():
        others = f" ({len(numbers)} answers)" if len(numbers) > 1 else ""
        mend = "" if problems.full else did_you_mean(question, ids)
        what = f"no question has the id {shown(question)}{others}"
        problems.add(numbers[0], "question", what, mend or "name one of the questions file")


def _check_for_texts(rows: dict[str, list[int]], questions: Mapping[str, str], problems: Problems) -> None:
    """Notes, once, that questions' texts stand where their ids belong, and takes their rows out of `rows`."""
    by_text = {normalise(text): id for id, text in questions.items() if text}
    found = {name: by_text[normalise(name)] for name in rows if normalise(name) in by_text}
    if found:
        name, id = next(iter(found.items()))
        count = (
            f"{len(found)} questions are named by their texts" if len(found) > 1 else "a question is named by its text"
        )
        problems.add(rows[name][0], "question", f"{count}, such as {shown(name)}", f"write the id instead, here {id!r}")
    for name in found:
        del rows[name]
