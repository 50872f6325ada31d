"""Comparison: graded answers in, the content of `comparison.json` out (cells, paired contrasts, the decision).

`compare` does it all; `decision_contrasts` names what the decision needs in the planned family; `cause_of` says why one
answer was not right, `causes_of` why each of many, `count_verdicts` whose verdict on each answer counts.
"""

from train.comparison.attribution import cause_of, causes_of
from train.comparison.comparison import compare
from train.comparison.counting import count_verdicts
from train.comparison.decision import decision_contrasts

__all__ = ["cause_of", "causes_of", "compare", "count_verdicts", "decision_contrasts"]
