"""The command line: verbs, options, and what is said of those that do not exist."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from train import __version__
from train.errors import nearest

REDACTED = (
    "also write report-redacted.html, .md and tables, without any text of the data, for people who may not read it"
)


AddVerb = Callable[[str, str], argparse.ArgumentParser]
"""Adds a verb with that name and what it does."""


class Parser(argparse.ArgumentParser):
    """A parser that names what may have been meant."""

    def error(self, message: str) -> NoReturn:
        """Ends the program with the message, and the nearest option or verb there is."""
        if found := re.search(r"unrecognized arguments: .*?(--[\w-]+)", message):
            message += nearest(found[1], sorted(self.options()))
        if found := re.search(r"invalid choice: '(.*?)' \(choose from (.*)\)", message):
            message = message.split(" (choose")[0] + nearest(found[1], re.findall(r"[\w-]+", found[2]))
        super().error(message)

    def options(self) -> set[str]:
        """The long options of this parser and of all its verbs."""
        own = {name for name in self._option_string_actions if name.startswith("--")}
        verbs = [action.choices.values() for action in self._actions if isinstance(action, argparse._SubParsersAction)]
        return own.union(*(verb.options() for each in verbs for verb in each if isinstance(verb, Parser)))


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = Parser(
        prog="openbook",
        description="Decide with evidence whether a small instruct model should answer from retrieved context, "
        "be fine-tuned, or both.",
        epilog="Exit codes: 0 good, 1 the run failed, verify found a difference or check a leak, 2 wrong use or bad "
        "input, 130/143 interrupted. An interrupted command goes on where it was when it is given again.",
    )
    top.add_argument("--version", action="version", version=f"openbook {__version__}")
    top.add_argument("--debug", action="store_true", help="show the traceback of an error")
    verbs = top.add_subparsers(dest="verb", metavar="VERB", required=True)

    def verb(name: str, text: str) -> argparse.ArgumentParser:
        return verbs.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")

    texts = {
        "check": "look at a recipe without training: data errors, leakage (exit code 1), where the loss starts",
        "run": "all stages of a recipe, from where an earlier run stopped",
        "train": "only train the arms",
        "sample": "only sample the answers of trained arms",
        "grade": "grade the stored answers again",
        "report": "compare and report again from the stored verdicts",
    }
    for name, text in texts.items():
        each = verb(name, text)
        each.add_argument("recipe", help="a shipped recipe (see `openbook recipes`) or a Python file with a RECIPE")
        each.add_argument(
            "--set",
            action="append",
            default=[],
            metavar="PATH=VALUE",
            dest="settings",
            help="set a field of the recipe, such as sampling.samples=8; may be repeated",
        )
        if name != "check":
            each.add_argument("--out", type=Path, help="the run directory (default: runs/<recipe name>)")
        each.add_argument(
            "--limit",
            type=int,
            metavar="N",
            help="only the first N questions of each split, in a run directory of its own (runs/<recipe name>-limit-N)",
        )
        if name in ("run", "train", "sample"):
            each.add_argument("--dry-run", action="store_true", help="print the plan and stop")
        if name == "report":
            each.add_argument("--redacted", action="store_true", help=REDACTED)
    init = verb("init", "write a recipe for your own questions and documents")
    init.add_argument("--questions", type=Path, required=True, help="CSV, JSONL or Parquet: id, question, answer …")
    init.add_argument("--documents", type=Path, help="a folder of Markdown or text, or JSONL with id and text")
    init.add_argument("--model", required=True, help="a hub id, a directory or a .gguf file of an instruct model")
    init.add_argument("--name", help="the recipe's name (default: from the questions file)")
    init.add_argument("--out", type=Path, help="the file to write (default: <name>_recipe.py)")
    init.add_argument("--four-bit", action="store_true", help="add an arm that is tuned in 4 bits (QLoRA)")
    add_compare(verb)
    add_label(verb)
    check = verb("verify", "recompute every number of a report from the stored answers; name what differs")
    check.add_argument("run", type=Path, help="a run directory")
    add_serving(verb)
    verb("recipes", "list the recipes there are")
    return top


def add_compare(verb: AddVerb) -> None:
    """The verb `compare`."""
    compare = verb("compare", "grade and compare answers made elsewhere, and report on them")
    compare.add_argument(
        "answers",
        type=Path,
        nargs="+",
        help="CSV or JSONL with arm, condition, question, sample, answer [, seed, verdict]; a run directory of "
        "openbook; samples_*.jsonl of lm-evaluation-harness; a .json or .eval log of inspect_ai; several are set "
        "side by side",
    )
    compare.add_argument(
        "--questions",
        type=Path,
        required=True,
        help="CSV, JSONL or Parquet: id, question, answer …; or a run directory",
    )
    compare.add_argument(
        "--name",
        action="append",
        default=[],
        metavar="FILE=ARM",
        help="what to call the model of a file that names no arm; FILE=ARM/CONDITION names the condition, too "
        "(default: the log's model or the file's name, under none); of a run, what to put before its arms; "
        "may be repeated",
    )
    compare.add_argument(
        "--contrast",
        action="append",
        default=[],
        metavar="'ARM/CONDITION vs ARM/CONDITION'",
        help="a planned contrast; may be repeated (default: cells that differ in the arm alone or in the condition "
        "alone; of more than four cells each with one other. The reference is the first cell that is not to abstain)",
    )
    compare.add_argument("--abstention", default="", help="the sentence that the models were told to abstain with")
    compare.add_argument("--out", type=Path, help="the run directory (default: runs/compare-<inputs>-<hash>)")
    compare.add_argument("--redacted", action="store_true", help=REDACTED)


def add_label(verb: AddVerb) -> None:
    """The verb `label`."""
    label = verb("label", "let people grade answers, blind, in the browser or in a spreadsheet; then report again")
    label.add_argument("run", type=Path, help="a run directory")
    label.add_argument("--as", dest="who", default="", metavar="NAME", help="who labels; kept with every label")
    label.add_argument(
        "--answers",
        type=how_many,
        default=200,
        metavar="N",
        help="how many answers to draw, half of them right by the automatic grader; or all (default: 200)",
    )
    label.add_argument("--port", type=port, default=0, help="the page's port (default: any that is free)")
    sheets = label.add_mutually_exclusive_group()
    sheets.add_argument("--export", type=Path, metavar="FILE.csv", help="write the drawn answers as a sheet, and stop")
    sheets.add_argument(
        "--import", dest="sheet", type=Path, metavar="FILE.csv", help="take the verdicts of such a sheet as NAME's"
    )


def add_serving(verb: AddVerb) -> None:
    """The verbs `chat` and `merge`."""
    chat = verb("chat", "ask an arm of a run questions of your own, with passages that are searched for")
    chat.add_argument("run", type=Path, help="a run directory")
    chat.add_argument("--arm", required=True, help="the arm that answers, such as open-book")
    chat.add_argument("--seed", type=int, help="the training seed (default: the recipe's first)")
    chat.add_argument("--passages", type=int, help="passages to show it (default: 3, or 0 for a closed-book arm)")
    merge = verb("merge", "write a tuned arm as a whole model, its adapter merged into the base")
    merge.add_argument("run", type=Path, help="a run directory")
    merge.add_argument("--arm", required=True, help="the tuned arm")
    merge.add_argument("--seed", type=int, help="the training seed (default: the recipe's first)")
    merge.add_argument("--out", type=Path, required=True, help="the directory to write, which must not exist")
    for each in (chat, merge):
        each.add_argument("--trust-remote-code", action="store_true", help="let the base run Python code of its own")


def how_many(text: str) -> int:
    """A number of answers from 1, or `all`."""
    if text == "all":
        return sys.maxsize
    if not re.fullmatch("[0-9]{1,9}", text) or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of answers; give one from 1, or all")
    return int(text)


def port(text: str) -> int:
    """A port's number; 0 is any that is free."""
    if not re.fullmatch("[0-9]{1,5}", text) or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; give a number from 1024 to 65535")
    return int(text)
