"""Questions, corpus and answers made elsewhere: read them, say everything that is wrong with them, split them.

`audit` looks for leakage before training, `audit_answers` for copying after sampling. Everything else is a detail.
"""

from __future__ import annotations

from train.data.answers import AnswersFile, load_answers
from train.data.audit import audit, audit_answers
from train.data.corpus import Corpus, load_corpus
from train.data.questions import QuestionsFile, load_questions
from train.data.splits import assign_splits

__all__ = [
    "AnswersFile",
    "Corpus",
    "QuestionsFile",
    "assign_splits",
    "audit",
    "audit_answers",
    "load_answers",
    "load_corpus",
    "load_questions",
]
