"""Grading: every grader's verdict on every answer, side by side (`grade`), and the one that counts (`headline`).

Pure functions on records; regrading never samples again. `check_rubric`, `find_crossings` and `rubric_passes` are for
those who bring rubrics and passages, `Label` and the functions beside it for those who bring people's verdicts;
`disputed` names the answers on which people disagree. A model as grader is asked about the `cases_to_judge`; its
replies, once stored as `Judgement`, are graded from like everything else.
"""

from train.grading.judge import (
    Judgement,
    JudgeRules,
    Reply,
    judgement_of,
    misread,
    summarise,
)
from train.grading.judge_prompt import Case
from train.grading.judge_prompt import render as render_case
from train.grading.people import WITHDRAWN, Label, disputed, read_labels, read_word, standing
from train.grading.rubric import Crossings, check_rubric, find_crossings, rubric_passes
from train.grading.sides import drawn_with, sides
from train.grading.verdicts import beside, cases_to_judge, grade, headline, rubric_of

__all__ = [
    "WITHDRAWN",
    "Case",
    "Crossings",
    "JudgeRules",
    "Judgement",
    "Label",
    "Reply",
    "beside",
    "cases_to_judge",
    "check_rubric",
    "disputed",
    "drawn_with",
    "find_crossings",
    "grade",
    "headline",
    "judgement_of",
    "misread",
    "read_labels",
    "read_word",
    "render_case",
    "rubric_of",
    "rubric_passes",
    "sides",
    "standing",
    "summarise",
]
