"""Makes a recipe's judge ready: who it is, that it is not the model under test, and how it is asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jinja2 import TemplateError

from train import models, sampling
from train.errors import UserError
from train.grading import JudgeRules, Reply, endpoint, may_be_judged
from train.judgements import Bench, stored_judgements
from train.judges import EndpointJudge, LocalJudge, slug, under_test
from train.plan import Step
from train.prepare import Prepared
from train.prompts import ChatFormat, encode
from train.recipe import Base, Recipe
from train.records import Answer, Prompt
from train.sampling.requests import ENGINE
from train.store import Run

Handover = endpoint.Handover


def make_ready(recipe: Recipe, base: str, say: models.Say = models.silent) -> Bench | None:
    """The recipe's judge; None where it has none. `base` is the fingerprint of the model under test.

    Raises:
        UserError: a local judge is not there, or is the model under test.
    """
    judge = recipe.grading.judge
    if judge is None:
        return None
    if isinstance(judge, EndpointJudge):
        return at_endpoint(judge)
    with_revision = Base(judge.model, revision=judge.revision, dtype=judge.dtype)
    try:
        source = models.resolve(with_revision, say)
    except UserError as error:
        raise UserError(blamed(error)) from None
    if source.fingerprint == base:
        raise UserError(under_test(judge.model))
    dtype = str(models.pick_dtype(with_revision, models.pick_device())).removeprefix("torch.")
    rules = JudgeRules(
        name=f"judge:{slug(judge.model)}",
        model=judge.model,
        where="this machine",
        identity=f"{source.fingerprint} {dtype} {ENGINE}",
        settings=settings_of(judge),
        scope=judge.scope,
    )

    return Bench(
        rules=rules,
        sentence=f"judge: {judge.model}, on this machine",
        ask=lambda prompts, handover: ask_here(judge, source, with_revision, prompts, handover),
        check=lambda: check_here(source, with_revision),
    )


def at_endpoint(judge: EndpointJudge) -> Bench:
    """The judge behind an endpoint."""
    address = endpoint.address_of(judge)
    host = endpoint.host_of(address)
    rules = JudgeRules(
        name=f"judge:{slug(judge.model)}",
        model=judge.model,
        where=host,
        identity=f"{address} {judge.model}",
        settings=settings_of(judge),
        scope=judge.scope,
    )
    leave = "leave this machine for" if endpoint.leaves_machine(address) else "are sent to"
    return Bench(
        rules=rules,
        sentence=f"judge: {judge.model} at {host}; questions, references and answers {leave} {host}",
        ask=lambda prompts, handover: endpoint.ask(judge, prompts, handover),
        check=lambda: check_endpoint(judge),
    )


def check_endpoint(judge: EndpointJudge) -> None:
    """Raises `UserError` where the judge could not be asked; nothing is sent."""
    endpoint.connect(judge).client.close()


def settings_of(judge: LocalJudge | EndpointJudge) -> str:
    """How the judge's replies are drawn."""
    return f"temperature 0, at most {judge.max_new_tokens} tokens"


def blamed(error: Exception) -> str:
    """The error, which is of a base, as one of the judge."""
    text = str(error).replace("base.model", "grading.judge.model", 1)
    return text if "grading.judge" in text else f"grading.judge.model: {text}; use another instruct model"


def ask_here(
    judge: LocalJudge, source: models.Source, base: Base, prompts: Mapping[str, str], handover: Handover
) -> None:
    """Loads the judge and has it reply, always with the likeliest token."""
    tokenizer, chat = chat_of(source, base)
    window = models.window(models.load_config(source, base))
    requests = []
    for key, prompt in prompts.items():
        tokens = tuple(encode(tokenizer, as_chat(tokenizer, prompt)))
        if window is not None and len(tokens) + judge.max_new_tokens > window:
            problem = f"its prompt of {len(tokens)} tokens is too long for the judge's window of {window}"
            handover([Reply(key, "", problem=problem)])
            continue
        requests.append(sampling.Request("judge", 0, Prompt(key, "", prompt, tokens), None, (0,), (key,)))
    if not requests:
        return
    settings = sampling.Settings(
        temperature=0.0, top_p=1.0, max_new_tokens=judge.max_new_tokens, seed=0, stop=tuple(sorted(chat.stop))
    )

    def take(answers: list[Answer]) -> None:
        handover([Reply(each.key, each.text, "", each.prompt_tokens, each.tokens, each.seconds) for each in answers])

    sampling.answer(requests, models.load_model(source, base), tokenizer, settings, take)


def chat_of(source: models.Source, base: Base) -> tuple[Any, ChatFormat]:
    """The judge's tokenizer and chat format; raises `UserError` where it cannot be talked to."""
    try:
        tokenizer = models.load_tokenizer(source, base)
        return tokenizer, ChatFormat.of(tokenizer, models.stop_tokens(source))
    except (UserError, TemplateError) as error:
        raise UserError(blamed(error)) from None


def check_here(source: models.Source, base: Base) -> None:
    """Raises `UserError` where the judge could not be asked."""
    chat_of(source, base)


def as_chat(tokenizer: Any, prompt: str) -> str:
    """The prompt as the judge's chat template writes it, without room for thinking aloud where that can be refused.

    The template's own tokens are broken where the prompt holds them, so that an answer cannot end its turn.
    """
    added = tokenizer.added_tokens_decoder.values()
    # Also `<think>`, which few call special; but no words, which some have added to their vocabulary.
    control = {str(token) for token in added if token.special or str(token).startswith(("<", "["))}
    for token in sorted({*control, *tokenizer.all_special_tokens}):
        prompt = prompt.replace(token, f"{token[0]} {token[1:]}")
    try:
        text = tokenizer.apply_chat_template(
            [{"role": "user", "content": prompt}], tokenize=False, add_generation_prompt=True, enable_thinking=False
        )
    except TemplateError as error:
        raise UserError(blamed(error)) from error
    return str(text)


def most(prepared: Prepared) -> int:
    """How many answers the recipe's judge is asked about at most; fewer requests, since equal cases are judged once."""
    recipe, judge = prepared.recipe, prepared.recipe.grading.judge
    if judge is None:
        return 0
    questions = {question.id: question for question in prepared.dataset.questions}
    asked = sum(
        len(recipe.seeds_of(arm)) * prepared.asks(arm, context)
        for context in prepared.contexts
        if may_be_judged(questions[context.question], context, judge.scope)
        for arm in recipe.arms
    )
    return asked * recipe.sampling.samples


def step(prepared: Prepared, run: Run, bench: Bench, *, answered: bool) -> Step:
    """The plan's line on the judge; `answered` says that no answer is left to be sampled."""
    there = sum(judgement.judge == bench.rules.name for judgement in stored_judgements(run).values())
    kept = f"; {there} replies are there" if there else ""
    why = f"at most {most(prepared)} answers, those that are alike once; {bench.sentence}{kept}"
    return Step("judging", there, 0 if answered and is_judged(run, bench) else most(prepared), why)


def preflight(prepared: Prepared) -> Iterator[str]:
    """What `openbook check` says of the judge."""
    bench = make_ready(prepared.recipe, prepared.source.fingerprint)
    if bench is None:
        return
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
