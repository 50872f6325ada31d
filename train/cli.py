"""The verbs: parse, call, print. Heavy imports happen inside the verb that needs them."""

from __future__ import annotations

import argparse
import errno
import gc
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from train import interruption
from train.arguments import parser
from train.errors import RunFailed, UserError
from train.processes import rank

if TYPE_CHECKING:
    from train.progress import Screen
    from train.recipe import Recipe
    from train.store import Run

DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
DISK_FULL_WORDS = ("PytorchStreamWriter failed writing", "unexpected pos", *(f"(os error {n})" for n in DISK_FULL))
"""What PyTorch and safetensors, which lose the error's number, say when they cannot write on."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one verb and returns the exit code."""
    interruption.watch()
    debug, verb = False, ""
    try:
        try:
            options = parser().parse_args(arguments)
            debug, verb = options.debug, options.verb
            return dispatch(options)
        finally:
            sys.stdout.flush()  # a reader that left early is to be noticed here, not while Python exits
    except KeyboardInterrupt:
        return interrupted(130, verb)
    except interruption.Terminated:
        return interrupted(143, verb)
    except BrokenPipeError:
        # Whoever read our output has enough; without this, Python complains once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if debug:
            raise
        code, message = explain(error)
        if code != 2 or not rank():  # what is wrong with the input, the main process says for all
            print(f"openbook: error: {message}", file=sys.stderr)
        return code


def entry() -> NoReturn:
    """The command.

    After an interruption Python is left at once: the libraries' threads, caught in the middle of something, must not
    turn the exit code into an abort, and everything worth keeping is on the disk already.
    """
    code = main()
    sys.stderr.flush()
    if code in (130, 143):
        os._exit(code)
    gc.freeze()  # Python would search all that is left for cycles, twice: after a large run a third of a second
    sys.exit(code)


def explain(error: Exception) -> tuple[int, str]:
    """The exit code and what is said of an error."""
    if isinstance(error, UserError):
        return 2, str(error)
    if isinstance(error, RunFailed):
        return 1, str(error)
    if is_disk_full(error):
        file = getattr(error, "filename", None)
        place = f"{file}: " if file else ""
        return 2, f"{place}the disk is full; nothing is lost, make room and give the same command again"
    if isinstance(error, (PermissionError, FileNotFoundError, IsADirectoryError)) and error.filename is not None:
        return 2, f"{error.filename}: {error.strerror}"
    first = (str(error).strip() or "no details").splitlines()[0]
    return 1, f"{type(error).__name__}: {first} (openbook --debug VERB … shows where)"


def is_disk_full(error: Exception) -> bool:
    """Whether that is what the error means, in whatever words."""
    if isinstance(error, OSError):
        return error.errno in DISK_FULL
    return any(words in str(error) for words in DISK_FULL_WORDS)


def interrupted(code: int, verb: str) -> int:
    """What is said when a signal ended the verb."""
    if not rank():
        onward = "; the same command goes on from here" if verb not in ("chat", "merge", "init") else ""
        print(f"openbook: interrupted{onward}", file=sys.stderr)
    return code


def dispatch(options: argparse.Namespace) -> int:
    """Carries out the verb."""
    if options.verb == "recipes":
        return list_recipes()
    if options.verb == "verify":
        return verify(options.run)
    if options.verb == "init":
        return init(options)
    if options.verb in ("chat", "merge"):
        return serve(options)
    from train.progress import Screen

    screen = Screen(quiet=rank() > 0)
    if options.verb == "label":
        return label(options, screen)
    if options.verb == "compare":
        return compare(options, screen)
    from train.loading import load_recipe

    limited = [] if options.limit is None else [f"data.limit={options.limit}"]
    recipe = load_recipe(options.recipe, [*options.settings, *limited])
    if options.verb == "check":
        return check(recipe, screen)
    from train.store import Run

    # A smoke run beside the real one, not over it.
    suffix = f"-limit-{recipe.data.limit}" if recipe.data.limit else ""
    directory = options.out or Path("runs") / (recipe.name + suffix)
    stages = {"run": ("train", "sample", "grade", "report")}.get(options.verb, (options.verb,))
    dry_run, redacted = (getattr(options, name, False) for name in ("dry_run", "redacted"))
    return carry_out(recipe, Run(directory, recipe.name), stages, screen, dry_run=dry_run, redacted=redacted)


def carry_out(
    recipe: Recipe, run: Run, stages: Sequence[str], screen: Screen, *, dry_run: bool, redacted: bool = False
) -> int:
    """Runs the stages and prints where the report is."""
    from train.pipeline import execute

    if dry_run:
        execute(recipe, run, stages, screen, dry_run=True)
        return 0
    if not {"train", "sample"} & set(stages) and not run.manifest():
        raise UserError(f"{run.directory}: holds no run; begin with `openbook run`")
    if rank():  # the main process writes and speaks; the others work for it
        execute(recipe, run, stages, screen)
        return 0
    with run:
        execute(recipe, run, stages, screen, redacted=redacted)
        if "report" in stages:
            say_result(run, redacted=redacted)
    return 0


def say_result(run: Run, *, redacted: bool = False) -> None:
    """The decision, the planned contrasts, and as the last line the path of the report, or of the redacted one."""
    from train.findings import read_json
    from train.report import contrast_line

    comparison = read_json(run, "comparison.json")
    for contrast in comparison["contrasts"]:
        if contrast["planned"]:
            print(contrast_line(contrast))
    print(comparison["decision"]["sentence"])
    print(run.path("report-redacted.html" if redacted else "report.html"))


def check(recipe: Recipe, screen: Screen) -> int:
    """Prints what a run would work on; exit code 1 where the test leaks into training."""
    from train.pipeline import quiet_libraries
    from train.preflight import describe
    from train.prepare import prepare

    quiet_libraries()
    prepared = prepare(recipe)
    for warning in prepared.dataset.warnings:
        screen.warn(warning)
    for line in describe(prepared):
        print(line)
    return 1 if prepared.audit["leaks"] else 0


def compare(options: argparse.Namespace, screen: Screen) -> int:
    """Grades, compares and reports on answers made elsewhere."""
    from train.foreign import compare_answers

    run = compare_answers(
        options.answers,
        options.questions,
        options.contrast,
        options.abstention,
        options.out,
        screen,
        options.name,
        redacted=options.redacted,
    )
    say_result(run, redacted=options.redacted)
    return 0


def verify(directory: Path) -> int:
    """Prints what differs; exit code 1 where anything does."""
    from train.store import Run
    from train.verify import verify as differences

    if not (directory / "manifest.json").is_file():
        raise UserError(f"{directory}: holds no run; give a run directory, such as runs/NAME")
    found = differences(Run.of(directory))
    for line in found[:100]:
        print(line)
    if len(found) > 100:
        print(f"… and {len(found) - 100} more")
    print(f"{len(found)} differences" if found else "every number follows from the stored answers")
    return 1 if found else 0


def init(options: argparse.Namespace) -> int:
    """Writes a recipe module and says what to do with it."""
    from train.scaffold import write_recipe

    _, lines = write_recipe(
        options.questions,
        options.documents,
        options.model,
        name=options.name,
        out=options.out,
        four_bit=options.four_bit,
    )
    print("\n".join(lines))
    return 0


def serve(options: argparse.Namespace) -> int:
    """Uses what a run has tuned: talks to an arm, or writes it as a whole model."""
    from train import serving
    from train.store import Run

    def begin() -> None:
        # Here, because it imports torch, which takes seconds: what can be refused without it is refused before.
        from train.pipeline import quiet_libraries

        quiet_libraries()

    run = Run.of(options.run)
    if options.verb == "chat":
        serving.chat(
            run,
            options.arm,
            seed=options.seed,
            passages=options.passages,
            ask=serving.typed(),
            out=sys.stdout,
            trust_remote_code=options.trust_remote_code,
            begin=begin,
        )
    else:
        lines = serving.merge(
            run,
            options.arm,
            seed=options.seed,
            out=options.out,
            trust_remote_code=options.trust_remote_code,
            begin=begin,
        )
        print(*lines, sep="\n")
    return 0


def label(options: argparse.Namespace, screen: Screen) -> int:
    """Takes people's verdicts and writes the report that rests on them."""
    import shlex

    from train import labelling
    from train.assess import assess_again, require_answers
    from train.findings import load_graded, uncollected
    from train.report.figures import plural
    from train.store import Busy, Run

    run = Run.of(options.run)
    require_answers(run)
    if options.export:
        with run.shared():
            number = labelling.write_sheet(run, options.export, options.who, options.answers)
        print(f"{plural(number, 'answer')} in {options.export}; fill in the column 'verdict', then give")
        words = ["openbook", "label", options.run, "--import", options.export, "--as", options.who or "NAME"]
        print(shlex.join(map(str, words)))
        return 0
    if not options.who:
        raise UserError("--as: is missing; name the person who labels, such as --as kim")
    if options.sheet:
        with run, uncollected():
            findings = load_graded(run)
            number, warnings = labelling.read_sheet(run, findings, options.sheet, options.who)
            for warning in warnings:
                screen.warn(warning)
            print(f"{plural(number, 'label')} new or changed")
            assess_again(run, screen, findings)
            say_result(run)
        return 0
    number = labelling.serve(run, options.who, options.answers, options.port, lambda text: print(text, flush=True))
    print(f"{plural(number, 'label')} stored", flush=True)
    try:
        with run:
            assess_again(run, screen)
            say_result(run)
    except Busy:
        print("somebody else is still labelling this run; whoever stops last gets the new report")
    return 0


def list_recipes() -> int:
    """Prints the shipped recipes, one line each."""
    from train.loading import shipped_recipes, summary

    for name, path in shipped_recipes().items():
        print(f"{name:<24} {summary(path)}")
    return 0
