"""Talk to an arm of a run: its passages are searched, its prompt is made and its answer drawn exactly as in asking."""

from __future__ import annotations

import io
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import tee
from typing import TextIO

from train import models
from train.conditions import NoContext, Retrieved
from train.errors import UserError
from train.records import Passage
from train.report.texts import encodable, visible
from train.serialising import revive
from train.serving.stored import Respondent, StoredArm, check_base, load, stored_arm
from train.serving.stream import answer_tokens, pieces
from train.store import Run

PASSAGES = 3
"""How many passages a question is shown where the recipe does not say."""
LONGEST = 200
"""Of a passage, the characters that are printed; the model gets all of it."""

Find = Callable[[str], list[Passage]]
"""The passages that a question is asked with, best first."""


def chat(
    run: Run,
    arm: str,
    *,
    seed: int | None = None,
    passages: int | None = None,
    ask: Iterable[str],
    out: TextIO,
    trust_remote_code: bool = False,
    begin: Callable[[], None] = lambda: None,
) -> None:
    """Answers each question of `ask` with that arm and writes passages and answer to `out`, until a blank question.

    Every question stands alone, as those that the arm was trained and asked with. The n-th time that a question is
    asked, its n-th sample is drawn, so the same chat always gets the same answers.

    Args:
        run: a run that has trained its arms.
        arm: the arm's name.
        seed: the training seed; None takes the recipe's first.
        passages: how many are searched for each question; 0 asks without, None does as the arm was trained.
        ask: the questions, such as `typed()`.
        out: where to write; no control character of a passage or an answer gets there.
        trust_remote_code: let the base run Python code of its own, where the recipe did.
        begin: called once nothing more can be refused without the model: importing what loads it takes seconds.

    Raises:
        UserError: the run has no such arm, seed, adapter, base or passages.
    """
    stored = stored_arm(run, arm, seed)
    count, why = number_of_passages(stored, passages)
    known = passages_of(run, count, explicit=passages is not None)
    check_base(stored, trust_remote_code=trust_remote_code)
    begin()
    find = searcher(known, count)
    print(introduction(run, stored, count, why), file=out, flush=True)
    respondent = load(
        stored, lambda line: print(visible(line), file=out, flush=True), trust_remote_code=trust_remote_code
    )
    asked: Counter[str] = Counter()
    for typed_text in ask:
        question = encodable(typed_text).strip()
        if not question:
            break
        respond(respondent, question, asked[question], find(question), out)
        asked[question] += 1


def number_of_passages(stored: StoredArm, passages: int | None) -> tuple[int, str]:
    """How many passages each question gets, and why; raises `UserError` for fewer than none."""
    if passages is not None and passages < 0:
        raise UserError(f"--passages {passages}: cannot be negative; 0 asks without passages")
    if passages is not None:
        return passages, ""
    match stored.condition:
        case NoContext():
            return 0, ", as the arm was trained; --passages N shows it some"
        case Retrieved(count=count):
            return count, ", as the arm was trained"
        case _:
            return PASSAGES, "; --passages N shows others, 0 none"


def passages_of(run: Run, count: int, *, explicit: bool) -> dict[str, Passage]:
    """The passages that a search can find, by id; raises `UserError` where there are none and some were asked for."""
    stored = [revive(Passage, record) for record in run.records("passages.jsonl")] if count else []
    # A counterfactual passage says what is not so; it is there for one condition alone.
    known = {passage.id: passage for passage in stored if passage.source != "counterfactual"}
    if not known and explicit and count:
        raise UserError(f"--passages {count}: {run.directory} has no passages; give --passages 0")
    return known


def searcher(known: Mapping[str, Passage], count: int) -> Find:
    """Finds that many of these passages for a question."""
    if not known:
        return lambda question: []
    from train.retrieval import BM25

    index = BM25(list(known.values()))
    return lambda question: [known[identifier] for identifier in index.search(question, count)]


def introduction(run: Run, stored: StoredArm, count: int, why: str) -> str:
    """Who answers, and how it is asked."""
    trained = f", seed {stored.seed}, trained under {stored.condition.name}" if stored.condition else ", not tuned"
    device = models.pick_device()
    dtype = str(models.pick_dtype(stored.base, device)).removeprefix("torch.")
    four_bit = f" ({stored.quantization.quantization} weights)" if stored.quantization else ""
    shown = f"the {count} passages that a search finds" if count > 1 else "the passage that a search finds"
    lines = (
        f"{run.recipe}: arm {stored.name}{trained}; base {stored.base.model} in {dtype}{four_bit} on {device}",
        f"each question is asked alone, {f'with {shown}' if count else 'without passages'}{why}",
        f"temperature {stored.sampling.temperature:g}, at most {stored.sampling.max_new_tokens} tokens, as in the run; "
        "an empty line ends",
    )
    return "\n".join(visible(line) for line in lines)


def respond(respondent: Respondent, question: str, sample: int, shown: Sequence[Passage], out: TextIO) -> None:
    """Writes the passages, and the answer as it is drawn."""
    from train.sampling import Settings

    stored, format = respondent.stored, respondent.format
    for number, passage in enumerate(shown, start=1):
        print(f"[{number}] {shortened(passage)}", file=out)
    prompt = format.prompt(stored.prompt, question, shown)[1]
    room = stored.sampling.max_new_tokens
    if respondent.window is not None and len(prompt) + room > respondent.window:
        print(
            f"(not asked: {len(prompt)} tokens, and {room} for the answer, are more than the model's window of "
            f"{respondent.window}; ask more briefly or with fewer passages)\n",
            file=out,
            flush=True,
        )
        return
    settings = Settings(
        temperature=stored.sampling.temperature,
        top_p=stored.sampling.top_p,
        max_new_tokens=room,
        seed=stored.sampling.seed,
        stop=tuple(sorted(format.stop)),
    )
    print(file=out, flush=True)
    tokens, drawn = tee(answer_tokens(respondent.model, prompt, question, sample, settings))
    empty = True
    for piece in pieces(tokens, format.stop, lambda said: format.tokenizer.decode(said, skip_special_tokens=True)):
        out.write(visible(piece))
        out.flush()
        empty = False
    last = list(drawn)[-1]
    note = "(an empty answer)" if empty else "" if last in format.stop else f" … (cut after {room} tokens)"
    print(f"{note}\n", file=out, flush=True)


def shortened(passage: Passage) -> str:
    """The passage's id and the beginning of its text, on one line."""
    line = " ".join(visible(f"{passage.id}: {passage.text}").split())
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def typed() -> Iterator[str]:
    """The questions that a person types, or that come through a pipe, until the end of the input."""
    asks = "> " if sys.stdin.isatty() else ""
    if asks:
        with suppress(ImportError):
            import readline  # noqa: F401 (imported, it lets a line be edited)
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")
    while True:
        try:
            line = input(asks)
        except EOFError:
            if asks:
                print()  # the shell's prompt begins on a line of its own
            return
        yield line
