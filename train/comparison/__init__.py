"""Comparison: graded answers in, the content of `comparison.json` out (cells, paired contrasts, the decision).

`compare` does it all; `decision_contrasts` names what the decision needs in the planned family, `reference` the cell
that others are held against where nothing was planned.
"""

from train.comparison.comparison import compare
from train.comparison.decision import decision_contrasts, reference

__all__ = ["compare", "decision_contrasts", "reference"]
