"""`openbook compare`: grade and compare answers that were made elsewhere, by any tool and any model."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path

from train import __version__, data, grading, provenance
from train.assess import GradingRules, assess
from train.errors import UserError, nearest
from train.findings import stored_labels
from train.naming import parse_contrast
from train.progress import Screen
from train.recipe import Comparison
from train.records import ALL, Cell, Context, Contrast, Question, to_json
from train.store import Run, context_record, digest

MOST_CELLS = 4
"""With more cells than this, not every pair is compared but each with the first: a family that grows with the square
of the cells has no power left."""


def compare_answers(
    answers: Path,
    questions: Path,
    contrasts: Sequence[str],
    abstention: str,
    out: Path | None,
    screen: Screen,
) -> Run:
    """Grades the answers, compares the cells and reports, in a run directory that `verify` understands.

    Raises:
        UserError: the files cannot be read or do not fit together, or a contrast names a cell that is not there.
    """
    asked = data.load_questions(questions, check_rubric=grading.check_rubric)
    given = data.load_answers(answers, questions={question.id for question in asked.questions})
    for warning in (*asked.warnings, *given.warnings):
        screen.warn(warning)
    cells = list(dict.fromkeys(Cell(answer.arm, answer.condition) for answer in given.answers))
    answered = {answer.question for answer in given.answers}
    kept = [question for question in asked.questions if question.id in answered]
    split = "unseen" if any(question.split == "unseen" for question in kept) else ALL
    name = run_name(answers)
    run = Run(out or Path("runs") / name, name)
    planned = plan(contrasts, cells, split)
    with run:
        contexts = [context_record(context, "") for context in make_contexts(kept, cells)]
        defaults = Comparison()
        run.amend(
            {
                "schema": 1,
                "openbook": __version__,
                "recipe": {"name": name, "answers": answers.name, "questions": questions.name},
                "versions": provenance.versions(),
                "source": provenance.source_revision(),
                "hashes": {
                    "data": digest([to_json(question) for question in kept]),
                    "contexts": digest(contexts),
                    "training": digest([]),
                },
                "comparison": {
                    "kinds": dict.fromkeys((cell.arm for cell in cells), "given"),
                    "contrasts": [to_json(contrast) for contrast in planned],
                    "split": split,
                    "context": None,
                    "alpha": defaults.alpha,
                    "worthwhile": defaults.worthwhile,
                },
                "audit": {},
                "training": [],
            }
        )
        run.unstage("sampling", "grading")
        run.write_records("questions.jsonl", [to_json(question) for question in kept])
        run.write_records("passages.jsonl", [])
        run.write_records("contexts.jsonl", contexts)
        run.write_records("training.jsonl", [])
        run.write_records("answers.jsonl", [to_json(answer) for answer in given.answers])
        labels = grading.read_labels(given.verdicts, who=answers.name)
        # What came with the file is replaced; what people said in `openbook label` has a time and stays.
        labels += [label for label in stored_labels(run) if label.when]
        run.write_records("labels.jsonl", [to_json(label) for label in labels])
        run.stage("sampling", digest(sorted(answer.key for answer in given.answers)), answers=len(given.answers))
        assess(run, ("grade", "report"), screen, GradingRules(abstention=abstention))
    return run


def run_name(answers: Path) -> str:
    """The run's name: the file's, as far as a path may hold it, and a hash of where the file is.

    Without the hash, files of the same name in two folders, or with Korean names, would share a run.
    """
    stem = re.sub(r"[^a-z0-9_-]+", "-", answers.stem.lower()).strip("-")
    return "-".join(filter(None, ("compare", stem[:40], digest(str(answers.resolve()))[:6])))


def plan(contrasts: Sequence[str], cells: Sequence[Cell], split: str) -> list[Contrast]:
    """The contrasts asked for, or every pair of the cells (with many cells: each with the first)."""
    if not contrasts:
        pairs: Iterable[tuple[Cell, Cell]] = combinations(cells, 2)
        if len(cells) > MOST_CELLS:
            pairs = ((cells[0], cell) for cell in cells[1:])
        return [Contrast(a, b, split) for a, b in pairs]
    try:
        planned = [parse_contrast(text, split) for text in contrasts]
    except UserError as error:
        raise UserError(str(error).replace("comparison.contrasts", "--contrast", 1)) from None
    names = [f"{cell.arm}/{cell.condition}" for cell in cells]
    for contrast in planned:
        for cell in (contrast.a, contrast.b):
            if cell not in cells:
                name = f"{cell.arm}/{cell.condition}"
                raise UserError(f"--contrast: there are no answers of {name}{nearest(name, names)}")
    return planned


def make_contexts(questions: Sequence[Question], cells: Sequence[Cell]) -> list[Context]:
    """What each question expects under each condition; what the models were shown is not known.

    A condition's name says whether it held the answer: `distractors@…` expects abstention, any other an answer,
    except for questions that the corpus cannot answer.
    """
    empty = Context("", "", (), (), "answer")
    return [
        replace(
            empty,
            question=question.id,
            condition=condition,
            expects="abstain" if question.split == "unanswerable" or condition.startswith("distractors@") else "answer",
            facts=question.facts,
            forbidden=question.forbidden,
        )
        for condition in dict.fromkeys(cell.condition for cell in cells)
        for question in questions
    ]
