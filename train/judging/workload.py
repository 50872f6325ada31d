"""How much a recipe's judge has to do at most, and what is said of it before the first step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from train import grading
from train.errors import UserError
from train.estimate import two_digits
from train.judges import EndpointJudge
from train.judging.bench import Bench
from train.judging.judgements import is_judged, stored_judgements
from train.plan import Step
from train.prepare import Prepared
from train.records import Answer
from train.store import Run


def prompts_at_most(prepared: Prepared, bench: Bench) -> Counter[str]:
    """What the judge is asked where every answer is the reference and no two are alike: prompts, each so many times.

    Really, requests are fewer, since equal cases are judged once, and answers are as long as they are.
    """
    recipe, abstention = prepared.recipe, prepared.recipe.prompt.abstention
    shown = {(context.question, context.condition): context for context in prepared.contexts}
    references = {question.id: question.answer.strip() or abstention or "?" for question in prepared.dataset.questions}
    answers = [
        Answer("", 0, context.condition, context.question, 0, references[context.question], key="")
        for context in prepared.contexts
    ]
    cases = grading.grade_by_rule(
        prepared.dataset.questions,
        prepared.contexts,
        answers,
        abstention=abstention,
        nearest_f1=recipe.grading.nearest_f1,
        judge=bench.rules,
    ).cases
    found: Counter[str] = Counter()
    for answer, case in cases.items():
        context = shown[answer.question, answer.condition]
        asked = sum(len(recipe.seeds_of(arm)) for arm in recipe.arms if prepared.asks(arm, context))
        found[grading.render_case(case)] += asked * recipe.sampling.samples
    return found


def judging_step(prepared: Prepared, run: Run, bench: Bench, *, answered: bool) -> Step:
    """The plan's line on the judge; `answered` says that no answer is left to be sampled."""
    there = sum(judgement.judge == bench.rules.name for judgement in stored_judgements(run).values())
    kept = f"; {there} replies are there" if there else ""
    number = prompts_at_most(prepared, bench).total()
    why = f"{at_most(number)}; {bench.sentence}{size_of(bench)}{kept}"
    return Step("judging", there, 0 if answered and is_judged(run, bench.rules) else number, why)


def at_most(number: int) -> str:
    """So many answers in words."""
    return f"at most {number} answers, those that are alike once"


def size_of(bench: Bench) -> str:
    """What a judge on this machine takes, as the rest of a sentence; nothing where it cannot be known."""
    if bench.size is None:
        return ""
    try:
        return f"; {bench.size()}"
    except UserError:
        return ""


def preflight(prepared: Prepared, bench: Bench, prompts: Counter[str]) -> Iterator[str]:
    """What `openbook check` says of the judge, who is asked these `prompts_at_most`."""
    yield f"judge      {at_most(prompts.total())}; {bench.sentence}{size_of(bench)}"
    judge = prepared.recipe.grading.judge
    if isinstance(judge, EndpointJudge):
        yield f"requests   {requests(prepared, judge, prompts)}"
    try:
        bench.check()
    except UserError as error:
        yield f"warning    {error}"


def requests(prepared: Prepared, judge: EndpointJudge, prompts: Counter[str]) -> str:
    """How many requests an endpoint gets at most, of how many tokens, and what they cost at the recipe's prices."""
    # The endpoint's own tokenizer is not known here; another counts about as many.
    encode = prepared.chat.tokenizer.encode
    number = prompts.total()
    sent = sum(times * len(encode(text, add_special_tokens=False)) for text, times in prompts.items())
    received = number * judge.max_new_tokens
    cost = ""
    if judge.input_price is not None and judge.output_price is not None:
        price = (sent * judge.input_price + received * judge.output_price) / 1e6
        cost = f"; about {two_digits(price)} at the recipe's prices"
    return (
        f"at most {number:,}, with about {sent:,} tokens in all, as the base's tokenizer counts references in place of "
        f"answers, and at most {received:,} in reply{cost}"
    )


def check_if_needed(prepared: Prepared, run: Run, bench: Bench, *, answered: bool) -> None:
    """Raises `UserError` where the judge could not be asked; now, rather than after hours of training.

    A run that this judge has judged already needs it only if answers are missing (not `answered`).
    """
    if not (answered and is_judged(run, bench.rules)) and prompts_at_most(prepared, bench):
        bench.check()
