"""The conditions: what each gives a question to read, and what the right thing to do is then.

`make_contexts` for questions that are asked, `training_rows` for rows that are trained on.
"""

from train.contexts.build import ContextRules, counterfactual_passage, make_contexts
from train.contexts.training import training_rows, validation_rows

__all__ = ["ContextRules", "counterfactual_passage", "make_contexts", "training_rows", "validation_rows"]
