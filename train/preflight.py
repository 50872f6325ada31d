"""`openbook check`: everything that can be known before training, without training."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from train.conditions import NONE
from train.errors import UserError
from train.estimate import estimate
from train.judging import Bench
from train.judging.ready import make_ready
from train.judging.under_test import UnderTest
from train.judging.workload import preflight as judge
from train.judging.workload import prompts_at_most
from train.prepare import Prepared
from train.records import GENERAL, SPLITS


def describe(prepared: Prepared) -> Iterator[str]:
    """Line by line, what a run of the recipe would work on: data, lengths, leakage, cost, and where the loss starts."""
    recipe, dataset = prepared.recipe, prepared.dataset
    bench = make_ready(recipe, UnderTest.of(prepared.source))  # a judge that may not judge is an error
    counts = Counter(question.split for question in dataset.questions)
    yield f"base       {prepared.source.name}, {prepared.dtype}, fingerprint {prepared.source.fingerprint[:12]}"
    yield f"questions  {', '.join(f'{counts[split]} {split}' for split in (*SPLITS, GENERAL) if counts[split])}"
    yield f"passages   {len(dataset.passages)}"
    asked = (*recipe.ask, GENERAL)
    rubrics = sum(bool(question.facts) for question in dataset.questions if question.split in asked)
    yield f"rubrics    {rubrics} of the questions asked; the others are graded provisionally, or by abstention"
    yield f"answers    {prepared.answers} ({recipe.sampling.samples} to each question in each cell)"
    for condition in recipe.conditions:
        tested = prompt_lengths(prepared, condition.name, general=False)
        yield f"prompts    {condition.name:<14} {spread(tested)} tokens"
    if dataset.general:
        general = prompt_lengths(prepared, NONE.name, general=True)
        yield f"prompts    {GENERAL:<14} {spread(general)} tokens, without context, to every arm"
    for job in prepared.jobs:
        rows = [len(row) for row in job.rows]
        yield (
            f"training   {job.name}: {len(rows)} rows in {job.steps} steps, {spread(rows)} tokens a row, "
            f"{sum(rows)} in all"
        )
    yield f"left out   {len(prepared.dropped)} rows as too long" + "".join(
        f"\n           {line}" for line in prepared.dropped[:5]
    )
    for line in (*prepared.audit["leaks"], *prepared.audit["warnings"]):
        yield f"leakage    {line}"
    if not prepared.audit["leaks"]:
        yield "leakage    no passage with the answer to an unseen question is trained on"
    judged = prompts_at_most(prepared, bench) if bench else Counter()
    if bench:
        yield from judge(prepared, bench, judged)
    yield from cost(prepared, bench, judged)
    yield from token_view(prepared)


def cost(prepared: Prepared, bench: Bench | None, judged: Mapping[str, int]) -> Iterator[str]:
    """About how much memory and time the stages with a model take here, a judge on this machine among them."""
    judging = None
    try:
        judging = bench.weigh(judged) if bench and bench.weigh else None
    except UserError as error:
        yield f"judging    not estimated: {error}"
    try:
        yield from estimate(prepared, judging=judging).lines()
    except UserError as error:
        yield f"memory     not estimated: {error}"


def token_view(prepared: Prepared) -> Iterator[str]:
    """One training row of each arm as the model sees it, with the place where the loss starts."""
    tokenizer = prepared.chat.tokenizer
    for job in prepared.jobs:
        row = job.rows[0]
        yield f"row        of {job.name}, first in training:"
        yield indent(tokenizer.decode(row.prompt))
        yield "           ── the loss starts here ──"
        yield indent(" ".join(f"{token}:{tokenizer.decode([token])!r}" for token in row.completion))


def prompt_lengths(prepared: Prepared, condition: str, *, general: bool) -> list[int]:
    """The lengths in tokens of the prompts under a condition, of the general questions or of the others."""
    return [
        len(prompt.tokens)
        for (question, name), prompt in prepared.prompts.items()
        if name == condition and (question in prepared.dataset.general) == general
    ]


def spread(lengths: Sequence[int]) -> str:
    """Least, mean and greatest."""
    return f"{min(lengths)}–{max(lengths)} (mean {sum(lengths) / len(lengths):.0f})" if lengths else "no"


def indent(text: str) -> str:
    """The text as a block under its heading."""
    return "\n".join(f"           {line}" for line in text.splitlines())
