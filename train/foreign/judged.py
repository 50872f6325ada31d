"""What a judge has said in the runs that are set side by side: it counts again where the case is the same one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from train.foreign.records import Given
from train.grading import Case, JudgeRules
from train.judges import is_called_alike
from train.judging import JUDGEMENTS, judge_rules, stored_judgements
from train.records import AnswerId
from train.sealing import Record
from train.serialising import to_json
from train.store import Run


@dataclass(frozen=True, slots=True)
class Judged:
    """The judge of all inputs that have one, its judgements as records by their case's key, and warnings."""

    rules: JudgeRules | None = None
    judgements: Mapping[str, Record] | None = None
    warnings: tuple[str, ...] = ()


def run_judgements(run: Run, now: Mapping[str, str]) -> tuple[JudgeRules | None, tuple[Record, ...]]:
    """The run's judge and what it has said; `now` has the questions' ids as they are here, and others are left out.

    A judgement is found again by the key of its case, which holds the answer, the question's text and rubric and no id.
    """
    rules = judge_rules(run)
    if rules is None:
        return None, ()
    said = [each for each in stored_judgements(run).values() if each.judge == rules.name and each.question in now]
    return rules, tuple(to_json(replace(each, question=now[each.question])) for each in said)


def common_judge(inputs: Sequence[Given]) -> Judged:
    """The judge that all inputs with a judge share, and all that it has said.

    Two judges, or one that was asked in two ways, are two measures: then neither counts, and a warning says so. Nor
    does one whose own answers are compared, as far as arms' names tell. Of two scopes the narrower one holds, under
    which both have judged. What two runs have both had judged, the first says.
    """
    judges = {given.path: given.judge for given in inputs if given.judge}
    if not judges:
        return Judged()
    first, *others = judges.values()
    if any(replace(other, scope=first.scope, where=first.where) != first for other in others):
        named = ", ".join(f"{path.name} by {rules.name}" for path, rules in judges.items())
        return Judged(
            warnings=(
                f"the runs were judged by different judges, or one asked in different ways ({named}), and so judges "
                "do not count here; have one judge grade them all (`openbook grade`)",
            )
        )
    arms = dict.fromkeys(answer.arm for given in inputs for answer in given.answers)
    if own := [arm for arm in arms if is_called_alike(first.model, arm)]:
        return Judged(
            warnings=(
                f"arm {own[0]!r} is called like the judge of the runs, {first.model!r}: no model may judge itself, and "
                "so the judge does not count here; where it is another model, name the arm otherwise (--name)",
            )
        )
    scope = first.scope if all(other.scope == first.scope for other in others) else "provisional"
    judgements: dict[str, Record] = {}
    for given in inputs:
        for record in given.judgements if given.judge else ():
            judgements.setdefault(record["key"], record)
    return Judged(replace(first, scope=scope), judgements)


def unjudged(judged: Judged, cases: Mapping[AnswerId, Case]) -> str:
    """A warning where the judge has not judged all that it would be asked about; `cases` are these, by answer."""
    if judged.rules is None or judged.judgements is None:
        return ""
    asked = Counter(answer.arm for answer in cases)
    lacking = Counter(answer.arm for answer, case in cases.items() if judged.rules.key(case) not in judged.judgements)
    if not lacking:
        return ""
    arms = ", ".join(f"{arm} {lacking[arm]} of {asked[arm]}" for arm in lacking)
    return (
        f"{judged.rules.name} has not judged {lacking.total()} of the {asked.total()} answers that it would be asked "
        f"about ({arms}): these keep their other verdicts, so arms are not all graded alike; have it grade the other "
        "runs first (`openbook grade`)"
    )


def keep(run: Run, judged: Judged) -> None:
    """Puts down what the judge has said, in place of what an earlier comparison put there."""
    records = list((judged.judgements or {}).values())
    if records or run.path(JUDGEMENTS).exists():
        run.write_records(JUDGEMENTS, records)
