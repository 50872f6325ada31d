"""The supervised fine-tuning of arms.

`tune(jobs)` trains one adapter for each job and yields it, in the stacks that `plan_stacks` forms of them; `finished`
and `unfinished_steps` say what is there already.
"""

from train.tuning.checkpoints import tidy, unfinished_steps
from train.tuning.jobs import Adapter, Job, TokenRow, select_rows
from train.tuning.stacks import Memory, Stacked, plan_stacks
from train.tuning.tune import finished, tune

__all__ = [
    "Adapter",
    "Job",
    "Memory",
    "Stacked",
    "TokenRow",
    "finished",
    "plan_stacks",
    "select_rows",
    "tidy",
    "tune",
    "unfinished_steps",
]
