"""Grading: every grader's verdict on every answer, side by side (`grade`), and the one that counts (`headline`).

Pure functions on records; regrading never samples again. `check_rubric`, `find_crossings` and `rubric_passes` are for
those who bring rubrics and passages, `Label` and the functions beside it for those who bring people's verdicts;
`disputed` names the answers on which people disagree.
"""

from train.grading.people import WITHDRAWN, WORDS, Label, disputed, is_person, read_labels, read_word, standing
from train.grading.rubric import Crossings, check_rubric, find_crossings, rubric_passes
from train.grading.verdicts import grade, headline

__all__ = [
    "WITHDRAWN",
    "WORDS",
    "Crossings",
    "Label",
    "check_rubric",
    "disputed",
    "find_crossings",
    "grade",
    "headline",
    "is_person",
    "read_labels",
    "read_word",
    "rubric_passes",
    "standing",
]
