"""Answers made elsewhere: `compare_answers` reads them, grades and compares them, and reports (`openbook compare`).

`inputs` says what each file or directory is and hands it to the module that reads it: `tables` (CSV, JSON Lines),
`runs` (openbook), `harness` (lm-evaluation-harness), `inspect_logs` and `inspect_archive` (inspect_ai). What those find
are `records`; `matching` finds the question that a tool's item is, `names` the arm, `family` the contrasts.
"""

from train.foreign.compare import compare_answers

__all__ = ["compare_answers"]
