"""Grading: every grader's verdict on every answer, side by side (`grade`), and the one that counts (`headline`).

Pure functions on records; regrading never samples again. `check_rubric`, `find_crossings` and `rubric_passes` are for
those who bring rubrics and passages, `Label` and the functions beside it for those who bring people's verdicts;
`disputed` names the answers on which people disagree. `grade` is three steps: `grade_by_rule` says what a model as
grader is to be asked about; its replies, once stored as `Judgement`, become verdicts in `with_judge`, and what people
said in `with_people`.
"""

from train.grading.automatic import rubric_of
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
from train.grading.verdicts import Graded, grade, grade_by_rule, headline, with_judge, with_people

__all__ = [
    "WITHDRAWN",
    "Case",
    "Crossings",
    "Graded",
    "JudgeRules",
    "Judgement",
    "Label",
    "Reply",
    "check_rubric",
    "disputed",
    "drawn_with",
    "find_crossings",
    "grade",
    "grade_by_rule",
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
    "with_judge",
    "with_people",
]
