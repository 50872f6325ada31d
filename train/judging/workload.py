"""How much a recipe's judge has to do at most, and what is said of it before the first step."""

from __future__ import annotations

from collections.abc import Iterator

from train.errors import UserError
from train.grading import may_be_judged
from train.judges import EndpointJudge
from train.judging.bench import Bench
from train.judging.judgements import stored_judgements
from train.plan import Step
from train.prepare import Prepared
from train.store import Run


def most(prepared: Prepared) -> int:
    """How many answers the recipe's judge is asked about at most; fewer requests, since equal cases are judged once."""
    recipe, judge = prepared.recipe, prepared.recipe.grading.judge
    if judge is None:
        return 0
    questions = {question.id: question for question in prepared.dataset.questions}
    asked = sum(
        len(recipe.seeds_of(arm)) * recipe.asks(arm, context.condition)
        for context in prepared.contexts
        if may_be_judged(questions[context.question], context, judge.scope)
        for arm in recipe.arms
    )
    return asked * recipe.sampling.samples


def judging_step(prepared: Prepared, run: Run, bench: Bench, *, answered: bool) -> Step:
    """The plan's line on the judge; `answered` says that no answer is left to be sampled."""
    there = sum(judgement.judge == bench.rules.name for judgement in stored_judgements(run).values())
    kept = f"; {there} replies are there" if there else ""
    why = f"at most {most(prepared)} answers, those that are alike once; {bench.sentence}{kept}"
    return Step("judging", there, 0 if answered and is_judged(run, bench) else most(prepared), why)


def preflight(prepared: Prepared, bench: Bench) -> Iterator[str]:
    """What `openbook check` says of the judge."""
    beside = "" if isinstance(prepared.recipe.grading.judge, EndpointJudge) else " (not in the estimate below)"
    yield f"judge      at most {most(prepared)} answers, those that are alike once; {bench.sentence}{beside}"
    try:
        bench.check()
    except UserError as error:
        yield f"warning    {error}"


def check_if_needed(prepared: Prepared, run: Run, bench: Bench) -> None:
    """Raises `UserError` where the judge could not be asked; now, rather than after hours of training.

    A run that this judge has judged already needs it only if answers change.
    """
    if most(prepared) and not is_judged(run, bench):
        bench.check()


def is_judged(run: Run, bench: Bench) -> bool:
    """Whether the run was graded with this judge."""
    manifest = run.manifest()
    identity = (manifest.get("grading", {}).get("judge") or {}).get("identity")
    return identity == bench.rules.identity and "grading" in manifest.get("stages", {})
