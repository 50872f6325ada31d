"""Grading: every grader's verdict on every answer, side by side (`grade`), and the one that counts (`headline`).

Pure functions on records; regrading never samples again. `check_rubric`, `find_crossings` and `rubric_passes` are for
those who bring rubrics and passages, `Label` and `read_labels` for those who bring people's verdicts.
"""

from train.grading.people import Label, read_labels, read_word
from train.grading.rubric import Crossings, check_rubric, find_crossings, rubric_passes
from train.grading.sides import drawn_with, sides
from train.grading.verdicts import beside, grade, headline

__all__ = [
    "Crossings",
    "Label",
    "beside",
    "check_rubric",
    "drawn_with",
    "find_crossings",
    "grade",
    "headline",
    "read_labels",
    "read_word",
    "rubric_passes",
    "sides",
]
