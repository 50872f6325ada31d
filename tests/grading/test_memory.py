"""When an answer is what the model says without its context."""

from __future__ import annotations

import pytest

from train.grading import grade
from train.records import Answer, Context, Passage, Question

QUESTION = Question("q", "Which colour?", "It is red.", facts=("red",), evidence=("p",), split="unseen")
PASSAGE = Passage("p", "The lamp of the pier is red.")
MADE_UP = Passage("q#counterfactual", "The lamp of the pier is blue.")
CONTEXTS = [
    Context("q", "none", (), (), "answer", ("red",)),
    Context("q", "gold", (PASSAGE,), ("p",), "answer", ("red",)),
    Context("q", "counterfactual", (MADE_UP,), ("q#counterfactual",), "answer", ("blue",), ("red",)),
]


def remembered(condition, text, closed=(), *, arm="tuned", seed=0, question=QUESTION):
    """Whether the tuned arm's answer is remembered, beside what it says without context."""
    without = [Answer("tuned", 0, "none", "q", sample, said) for sample, said in enumerate(closed)]
    verdicts = grade([question], CONTEXTS, [*without, Answer(arm, seed, condition, "q", 9, text)], abstention="")
    assert not any(verdict.remembered for verdict in verdicts if verdict.condition == "none")
    return verdicts[-1].remembered


@pytest.mark.parametrize(
    ("condition", "text", "closed", "expected"),
    [
        # under a counterfactual context: the true fact
        ("counterfactual", "It is red.", (), True),
        ("counterfactual", "It is blue.", (), False),
        ("counterfactual", "It is jade.", (), False),
        ("gold", "It is red.", (), False),
        # anywhere: what most answers without context say, but for case, marks and blanks
        ("gold", "It is jade.", ("It is jade.", "it is  **jade**.", "It is plum."), True),
        ("counterfactual", "It is jade.", ("It is jade.",), True),
        ("gold", "It is jade.", ("It is jade.", "It is plum."), False),
        ("gold", "It is jade.", ("It is plum.", "It is plum.", "It is jade."), False),
        ("gold", "Jade.", ("It is jade.", "It is jade."), False),
        ("gold", "", ("", ""), False),
        ("none", "It is jade.", ("It is jade.", "It is jade."), False),
    ],
)
def test_an_answer_is_remembered_where_the_model_says_the_same_without_its_context(condition, text, closed, expected):
    assert remembered(condition, text, closed) is expected


def test_what_another_arm_or_seed_says_is_not_its_memory():
    closed = ("It is jade.", "It is jade.")
    assert remembered("gold", "It is jade.", closed)
    assert not remembered("gold", "It is jade.", closed, arm="base")
    assert not remembered("gold", "It is jade.", closed, seed=1)


def test_without_a_rubric_the_true_fact_is_not_known():
    assert not remembered("counterfactual", "It is red.", question=Question("q", "Which colour?", "It is red."))
