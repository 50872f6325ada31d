"""A judge that can be asked, wherever it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from train.grading import JudgeRules, Reply
from train.judges import EndpointJudge, LocalJudge, slug

if TYPE_CHECKING:
    from train.estimate import Judging

Handover = Callable[[list[Reply]], None]
"""Called with replies again and again, as they come."""


@dataclass(frozen=True, slots=True)
class Bench:
    """A judge that can be asked.

    `ask` takes prompts by key and hands replies over as they come; `check` raises `UserError` where it could not be
    asked. `sentence` says who judges, and where the answers go for it. Of a judge on this machine, `size` says what it
    takes on the disk and in memory, and `weigh` takes prompts with how often each is asked and says for the estimate
    what that would be, None where it can be asked none of them; both raise `UserError` where it cannot be known.
    """

    rules: JudgeRules
    sentence: str
    ask: Callable[[Mapping[str, str], Handover], None]
    check: Callable[[], None]
    size: Callable[[], str] | None = None
    weigh: Callable[[Mapping[str, int]], Judging | None] | None = None


def rules_of(judge: LocalJudge | EndpointJudge, where: str, identity: str) -> JudgeRules:
    """What the verdicts of the recipe's judge depend on; `identity` tells it from all others."""
    return JudgeRules(
        name=f"judge:{slug(judge.model)}",
        model=judge.model,
        where=where,
        identity=identity,
        settings=f"temperature 0, at most {judge.max_new_tokens} tokens",
        scope=judge.scope,
    )
