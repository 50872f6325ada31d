"""A model as grader: who judges, what it is asked about, and the replies that are kept.

A judge is a `Bench`, on this machine (`local`) or at an address (`endpoint`); what its replies mean is grading's.
Offered here is what needs no model: the replies put down and read back. The rest is imported from its module, since
torch takes seconds: `ready.make_ready` gives a recipe's judge, `workload` says how much it will be asked.
"""

from train.judging.bench import Bench
from train.judging.judgements import (
    JUDGEMENTS,
    differences,
    is_judged,
    judge_answers,
    judge_rules,
    stored_judgements,
    summary,
)

__all__ = [
    "JUDGEMENTS",
    "Bench",
    "differences",
    "is_judged",
    "judge_answers",
    "judge_rules",
    "stored_judgements",
    "summary",
]
