"""A run's judgements: which cases are not judged yet, the judge's replies put down as they come, and their sum."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from train import grading
from train.errors import UserError
from train.grading import Case, Judgement, JudgeRules, Reply
from train.judging.bench import Bench
from train.progress import Screen
from train.records import AnswerId
from train.sealing import Record, numbered_records, unsealed
from train.serialising import to_json
from train.store import Run

JUDGEMENTS = "judgements.jsonl"


def judge_rules(run: Run) -> JudgeRules | None:
    """What the run's judge goes by; None where it has none."""
    stored = run.manifest().get("grading", {}).get("judge")
    return JudgeRules(**stored) if stored else None


def stored_judgements(run: Run) -> dict[str, Judgement]:
    """The judgements by the key of their case. Raises `UserError` where a record was edited."""
    return {judgement.key: judgement for judgement in map(revive, run.records(JUDGEMENTS))}


def revive(record: Record) -> Judgement:
    """The record as a judgement."""
    try:
        return Judgement(**unsealed(record))
    except TypeError as error:
        raise UserError(f"{JUDGEMENTS}: holds a line that is no judgement ({error}); remove it") from None


def is_judged(run: Run, judge: JudgeRules) -> bool:
    """Whether the run was graded with this judge, asked as it is asked now, and about everything."""
    manifest = run.manifest()
    done = manifest.get("judging") or {}
    as_now = (manifest.get("grading") or {}).get("judge") == to_json(judge) and done.get("judge") == judge.name
    asked = done.get("asked", done.get("judged"))  # not said by earlier versions, which always finished
    return as_now and "grading" in manifest.get("stages", {}) and done.get("judged") == asked


def judge_answers(
    run: Run, cases_by_answer: Mapping[AnswerId, Case], bench: Bench, screen: Screen
) -> dict[str, Judgement]:
    """Has every case judged that is not yet; what was judged before, in whatever run of this command, stays.

    Returns all that is stored then, as `stored_judgements` does.
    """
    run.mend(JUDGEMENTS)
    replies = stored_judgements(run)
    cases: dict[str, tuple[str, Case]] = {}
    for answer, case in cases_by_answer.items():
        cases.setdefault(bench.rules.key(case), (answer.question, case))
    missing = {key: grading.render_case(case) for key, (_, case) in cases.items() if key not in replies}
    if missing:
        ask_about(run, cases, missing, bench, screen)
        replies = stored_judgements(run)
    silent = [replies[key] for key in cases if not replies[key].letter]
    if silent:
        said = silent[0].problem or silent[0].reply[:80]
        screen.warn(
            f"{len(silent)} of {len(cases)} replies of {bench.rules.name} hold no letter and count for nothing, like "
            f"{said!r}; a judge that does as it is told, or more grading.judge.max_new_tokens, may help"
        )
    return replies


def ask_about(
    run: Run, cases: Mapping[str, tuple[str, Case]], missing: Mapping[str, str], bench: Bench, screen: Screen
) -> None:
    """Asks the missing prompts and puts every reply down as it comes. `cases` holds each key's question and case."""
    screen.say(bench.sentence)

    def handover(replies: list[Reply]) -> None:
        judgements = []
        for reply in replies:
            question, case = cases[reply.key]
            judgements.append(grading.judgement_of(reply, bench.rules.name, question, case.letters))
        run.append_records(JUDGEMENTS, [to_json(judgement) for judgement in judgements])
        advance(len(judgements), f"{judgements[-1].letter or '–'} on {judgements[-1].question}")

    with screen.stage("judging", len(cases), len(cases) - len(missing)) as advance:
        bench.ask(missing, handover)


def summary(run: Run, cases: Mapping[AnswerId, Case], judgements: Mapping[str, Judgement]) -> dict[str, Any] | None:
    """The judge's work in figures; None without a judge."""
    judge = judge_rules(run)
    return None if judge is None else grading.summarise(judge, cases, judgements)


def differences(run: Run, cases: Mapping[AnswerId, Case]) -> list[str]:
    """What is wrong with the stored judgements of these cases and their sum, one line each."""
    judgements = [revive(record) for _, record in numbered_records(run.path(JUDGEMENTS))]
    found = grading.misread(judgements)
    stored = run.manifest().get("judging")
    now = summary(run, cases, {judgement.key: judgement for judgement in judgements})
    if stored != now:
        found.append(f"manifest.json.judging: {stored} is stored, {now} recomputed")
    return found
