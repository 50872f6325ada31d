"""`openbook compare`: grade and compare answers that were made elsewhere, by any tool and any model."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from train import __version__, data, grading, provenance
from train.assess import GradingRules, assess
from train.conditions import COUNTERFACTUAL
from train.data.answers import ragged_cells
from train.errors import UserError, nearest
from train.findings import stored_labels
from train.foreign.contexts import Asked, abstention_of, asked_with, with_splits
from train.foreign.family import family
from train.foreign.inputs import read_input
from train.foreign.judged import common_judge, keep, unjudged
from train.foreign.names import distinguish, labels, parse_names
from train.foreign.records import Given
from train.foreign.runs import is_run, run_questions
from train.naming import parse_contrast
from train.progress import Screen
from train.recipe import Comparison
from train.records import ALL, Answer, AnswerId, Cell, Contrast, Question
from train.sealing import digest
from train.serialising import context_record, to_json
from train.store import Run


def compare_answers(
    answers: Sequence[Path],
    questions: Path,
    contrasts: Sequence[str],
    abstention: str,
    out: Path | None,
    screen: Screen,
    names: Sequence[str] = (),
    *,
    redacted: bool = False,
) -> Run:
    """Grades the answers, compares the cells and reports, in a run directory that `verify` understands.

    Args:
        answers: the inputs, in the order in which their arms are shown.
        questions: a questions file, or a run directory whose questions are meant.
        contrasts: those planned, as `ARM/CONDITION vs ARM/CONDITION`; where there are none, `family` chooses.
        abstention: what the models were told to abstain with; empty takes that of the runs among the inputs.
        out: the run directory; None makes one whose name depends on the inputs and not on their order.
        screen: where it says what the inputs are.
        names: `FILE=ARM` or `FILE=ARM/CONDITION`.
        redacted: the report is also written without any text of the data.

    Raises:
        UserError: the files cannot be read or do not fit together, or a name or contrast names what is not there.
    """
    check_paths(answers)
    called = parse_names(names, answers)
    asked, warnings = read_questions(questions)
    inputs = distinguish([read_input(path, asked, called.get(path)) for path in answers], called)
    check_repeated(inputs)
    everything = [answer for given in inputs for answer in given.answers]
    answered = {answer.question for answer in everything}
    kept = with_splits([question for question in asked if question.id in answered], inputs)
    cells = list(dict.fromkeys(Cell(answer.arm, answer.condition) for answer in everything))
    with_context = asked_with(kept, cells, inputs)
    told, differing = (abstention, "") if abstention else abstention_of(inputs)
    judged = common_judge(inputs)
    rules = GradingRules(abstention=told, judge=judged.rules)
    split = "unseen" if any(question.split == "unseen" for question in kept) else ALL
    planned = plan(contrasts, cells, split, special_conditions(with_context, kept))
    name = run_name(answers)
    run = Run(out or Path("runs") / name, name)
    for line in describe(inputs):
        screen.say(line)
    ragged = [line for given in inputs for line in ragged_cells(given.answers, str(given.path), answered)]
    own = [warning for given in inputs for warning in given.warnings]
    partly = unjudged(judged, to_judge(rules, kept, with_context, everything))
    for warning in (*warnings, *own, *ragged, *with_context.warnings, differing, *judged.warnings, partly):
        if warning:
            screen.warn(warning)
    with run:
        contexts = [
            context_record(context, with_context.prompts.get((context.question, context.condition), ""))
            for context in with_context.contexts
        ]
        stored = [to_json(question) for question in kept]
        passages = [to_json(passage) for passage in with_context.passages]
        defaults = Comparison()
        run.amend(
            {
                "schema": 1,
                "openbook": __version__,
                "recipe": {
                    "name": name,
                    "answers": ", ".join(path.name for path in answers),
                    "questions": questions.name,
                    "inputs": [
                        {
                            "path": given.path.name,
                            "what": given.what,
                            "arms": arms(given),
                            "answers": len(given.answers),
                        }
                        for given in inputs
                    ],
                },
                "versions": provenance.versions(),
                "source": provenance.source_revision(),
                "hashes": {
                    "data": digest([*stored, *passages]),
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
        run.write_records("questions.jsonl", stored)
        run.write_records("passages.jsonl", passages)
        run.write_records("contexts.jsonl", contexts)
        run.write_records("training.jsonl", [])
        run.write_records("answers.jsonl", [to_json(answer) for answer in everything])
        labelled = [label for given in inputs for label in given.labels]
        # What came with the inputs is replaced; what people said in `openbook label` has a time and stays.
        said = [to_json(label) for label in stored_labels(run) if label.when]
        every = [*labelled, *(label for label in said if label not in labelled)]
        # Of one person's labels of an answer the last one stands, so they are put in the order of time.
        run.write_records("labels.jsonl", sorted(every, key=lambda label: str(label.get("when") or "")))
        keep(run, judged)
        run.stage("sampling", digest(sorted(answer.key for answer in everything)), answers=len(everything))
        assess(run, ("grade", "report"), screen, rules, redacted=redacted)
    return run


def to_judge(
    rules: GradingRules, questions: Sequence[Question], asked: Asked, answers: Sequence[Answer]
) -> Mapping[AnswerId, grading.Case]:
    """What the judge would be asked about, by answer; nothing without a judge."""
    if rules.judge is None:
        return {}
    return grading.grade_by_rule(
        questions,
        asked.contexts,
        answers,
        abstention=rules.abstention,
        nearest_f1=rules.nearest_f1,
        judge=rules.judge,
    ).cases


def check_paths(paths: Sequence[Path]) -> None:
    """Raises `UserError` where an input is named twice: its answers would be compared with themselves."""
    met: dict[Path, Path] = {}
    for path in paths:
        if met.setdefault(path.resolve(), path) is not path:
            raise UserError(f"{path}: is named twice; name each input once")


def read_questions(path: Path) -> tuple[list[Question], Sequence[str]]:
    """The questions, and warnings; raises `UserError` where they cannot be read."""
    if is_run(path):
        return run_questions(path), ()
    found = data.load_questions(path, check_rubric=grading.check_rubric)
    return list(found.questions), found.warnings


def check_repeated(inputs: Sequence[Given]) -> None:
    """Raises `UserError` where two inputs have an answer of the same arm, condition, question and sample."""
    first: dict[AnswerId, Path] = {}
    for given in inputs:
        for answer in given.answers:
            earlier = first.setdefault(answer.id, given.path)
            if earlier != given.path:
                raise UserError(
                    f"{given.path}: arm {answer.arm!r}, condition {answer.condition!r}, question {answer.question!r}, "
                    f"sample {answer.sample} is in {earlier} too; give the arm another name in one of them"
                )


def special_conditions(asked: Asked, questions: Sequence[Question]) -> set[str]:
    """The conditions under which answerable questions expect another thing than their answer."""
    answerable = {question.id for question in questions if question.split != "unanswerable"}
    return {
        context.condition
        for context in asked.contexts
        if context.question in answerable and (context.expects == "abstain" or context.condition == COUNTERFACTUAL.name)
    }


def arms(given: Given) -> list[str]:
    """The input's arms in their order."""
    return list(dict.fromkeys(answer.arm for answer in given.answers))


def describe(inputs: Sequence[Given]) -> list[str]:
    """A line for each input: what it was taken for, and the cells that it gives."""
    lines = []
    for given in inputs:
        cells = dict.fromkeys(f"{answer.arm}/{answer.condition}" for answer in given.answers)
        questions = len({answer.question for answer in given.answers})
        lines.append(
            f"{given.path}: {given.what}; {len(given.answers)} answers to {questions} questions in {', '.join(cells)}"
        )
    return lines


def run_name(answers: Sequence[Path]) -> str:
    """The run's name: the inputs', as far as a path may hold them, and a hash of where they are.

    Without the hash, files of the same name in two folders, or with Korean names, would share a run. The order of the
    inputs makes no difference.
    """
    paths = sorted(answers, key=lambda path: str(path.resolve()))
    stems = (re.sub(r"[^a-z0-9_-]+", "-", label.lower()).strip("-") for label in labels(paths).values())
    made_of = str(paths[0].resolve()) if len(paths) == 1 else [str(path.resolve()) for path in paths]
    return "-".join(filter(None, ("compare", "-".join(filter(None, stems))[:40].strip("-"), digest(made_of)[:6])))


def plan(contrasts: Sequence[str], cells: Sequence[Cell], split: str, special: Collection[str]) -> list[Contrast]:
    """The contrasts asked for, or where there are none those that `family` chooses."""
    if not contrasts:
        return family(cells, special, split)
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
