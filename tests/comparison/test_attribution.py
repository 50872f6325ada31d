"""Why answers were not right: every case has one cause, and the causes of a cell add up."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from train.comparison import cause_of, compare
from train.records import CAUSES, Answer, Context, Passage, Question, Verdict

from .builders import cell_of, check

GOLD = Passage("p1", "The lamp is red.")
OTHER = Passage("p2", "The lamp of pier 2 is jade.")
MADE_UP = Passage("q#counterfactual", "The lamp is blue.")
ASKED = Question("q", "Which colour has the lamp?", "Red.", facts=("red",), evidence=("p1",), split="unseen")
UNANSWERABLE = Question("q", "Who paid for the lamp?", "", split="unanswerable")
WITHOUT_EVIDENCE = replace(ASKED, evidence=())

SHOWN = {
    "none": ((), ()),
    "gold": ((GOLD,), ("p1",)),
    "gold+1": ((OTHER, GOLD), ("p1",)),
    "retrieved@2": ((OTHER, GOLD), ("p1",)),
    "retrieved@1": ((OTHER,), ()),
    "distractors@1": ((OTHER,), ()),
    "counterfactual": ((MADE_UP,), ("q#counterfactual",)),
    "mixed@0.5+1-answer": ((OTHER,), ()),
    "mixed@0.5+1-abstain": ((OTHER,), ()),
}
ABSTAINS = ("distractors@1", "mixed@0.5+1-abstain")


def cause(condition, word, *, question=ASKED, finish="stop", remembered=False, shown=None):
    passages, gold = SHOWN[condition] if shown is None else shown
    if question is UNANSWERABLE:
        gold = ()
    expects = "abstain" if condition in ABSTAINS or question is UNANSWERABLE else "answer"
    context = Context("q", condition, passages, gold, expects)
    answer = Answer("tuned", 0, condition, "q", 0, "…", finish=finish)
    verdict = Verdict("tuned", 0, condition, "q", 0, "rubric", word, remembered=remembered)
    return cause_of(answer, verdict, context, question)


@pytest.mark.parametrize(
    ("condition", "word", "more", "expected"),
    [
        # right answers have none, whatever else holds of them
        ("none", "correct", {}, None),
        ("gold", "correct", {"finish": "length", "remembered": True}, None),
        ("retrieved@1", "correct", {}, None),
        ("distractors@1", "abstained", {"finish": "length"}, None),
        ("none", "abstained", {"question": UNANSWERABLE}, None),
        # no grader could say: before all others
        ("none", "unscored", {}, "ungraded"),
        ("gold", "unscored", {"finish": "length", "remembered": True}, "ungraded"),
        ("distractors@1", "unscored", {}, "ungraded"),
        # the token limit: before everything that is about the context
        ("none", "wrong", {"finish": "length"}, "cut off"),
        ("gold", "abstained", {"finish": "length"}, "cut off"),
        ("gold", "wrong", {"finish": "length", "remembered": True}, "cut off"),
        ("retrieved@1", "wrong", {"finish": "length"}, "cut off"),
        ("distractors@1", "wrong", {"finish": "length"}, "cut off"),
        # abstention was due
        ("distractors@1", "wrong", {}, "unsupported"),
        ("distractors@1", "correct", {}, "unsupported"),
        ("distractors@1", "wrong", {"remembered": True}, "unsupported"),
        ("mixed@0.5+1-abstain", "wrong", {}, "unsupported"),
        ("none", "wrong", {"question": UNANSWERABLE}, "unsupported"),
        ("gold", "wrong", {"question": UNANSWERABLE}, "unsupported"),
        ("retrieved@1", "wrong", {"question": UNANSWERABLE}, "unsupported"),
        # the search found passages, none of them evidence
        ("retrieved@1", "wrong", {}, "retrieval missed"),
        ("retrieved@1", "abstained", {}, "retrieval missed"),
        ("retrieved@1", "wrong", {"remembered": True}, "retrieval missed"),
        # it abstains though it should not
        ("none", "abstained", {}, "refused"),
        ("gold", "abstained", {}, "refused"),
        ("retrieved@2", "abstained", {"remembered": True}, "refused"),
        ("counterfactual", "abstained", {}, "refused"),
        ("mixed@0.5+1-answer", "abstained", {}, "refused"),
        # the model's memory speaks
        ("counterfactual", "wrong", {"remembered": True}, "memory"),
        ("gold+1", "wrong", {"remembered": True}, "memory"),
        ("retrieved@2", "wrong", {"remembered": True}, "memory"),
        # gold was there
        ("gold", "wrong", {}, "gold unused"),
        ("gold+1", "wrong", {}, "gold unused"),
        ("retrieved@2", "wrong", {}, "gold unused"),
        ("counterfactual", "wrong", {}, "gold unused"),
        # nothing was shown that holds the answer, by design
        ("none", "wrong", {}, "not known"),
        ("mixed@0.5+1-answer", "wrong", {}, "not known"),
        # passages of a question that names no evidence: nobody knows whether gold was among them
        ("retrieved@1", "wrong", {"question": WITHOUT_EVIDENCE}, "unexplained"),
        ("retrieved@1", "abstained", {"question": WITHOUT_EVIDENCE}, "refused"),
        # answers made elsewhere: the passages are not known, the condition's name is
        ("gold", "wrong", {"shown": ((), ())}, "gold unused"),
        ("gold+1", "wrong", {"shown": ((), ())}, "gold unused"),
        ("gold", "wrong", {"shown": ((), ()), "remembered": True}, "memory"),
        ("gold", "abstained", {"shown": ((), ())}, "refused"),
        ("retrieved@2", "wrong", {"shown": ((), ())}, "unexplained"),
        ("distractors@1", "wrong", {"shown": ((), ())}, "unsupported"),
    ],
)  # fmt: skip
def test_the_first_cause_that_applies_is_the_cause(condition, word, more, expected):
    assert cause(condition, word, **more) == expected


def test_an_answer_without_a_verdict_is_ungraded():
    context = Context("q", "none", (), (), "answer")
    assert cause_of(Answer("base", 0, "none", "q", 0, ""), None, context, ASKED) == "ungraded"


def test_a_condition_made_elsewhere_of_which_nothing_is_known_is_unexplained():
    context = Context("q", "rag", (), (), "answer")
    wrong = Verdict("base", 0, "rag", "q", 0, "rubric", "wrong")
    assert cause_of(Answer("base", 0, "rag", "q", 0, "Jade."), wrong, context, ASKED) == "unexplained"


def test_causes_of_a_cell_add_up_to_its_answers_that_are_not_right():
    generator = random.Random(0)
    questions = [
        replace(ASKED, id=f"q{n}", split=split)
        for n, split in enumerate(["seen", "unseen"] * 6)
    ] + [replace(UNANSWERABLE, id="u")]  # fmt: skip
    contexts = [
        Context(
            question.id,
            condition,
            passages,
            () if question.split == "unanswerable" else gold,
            "abstain" if condition in ABSTAINS or question.split == "unanswerable" else "answer",
        )
        for question in questions
        for condition, (passages, gold) in SHOWN.items()
    ]
    answers = [
        Answer("base", 0, context.condition, context.question, sample, "x", finish=generator.choice(["stop", "length"]))
        for context in contexts
        for sample in range(4)
    ]
    verdicts = {
        answer.id: Verdict(
            answer.arm, answer.seed, answer.condition, answer.question, answer.sample, "rubric",
            generator.choice(["correct", "wrong", "abstained", "unscored"]), remembered=generator.random() < 0.3,
        )
        for answer in answers
    }  # fmt: skip
    result = compare(
        recipe="r", questions=questions, contexts=contexts, answers=answers, verdicts=verdicts,
        kinds={"base": "untouched"}, contrasts=[], split="all", context=None,
    )  # fmt: skip
    check(result)
    found = set()
    for cell in result["cells"]:
        assert sum(cell["causes"].values()) == cell["answers"] - cell["right"]
        assert list(cell["causes"]) == [each for each in CAUSES if each in cell["causes"]]
        assert all(cell["causes"].values())
        assert cell["causes"].get("ungraded", 0) == cell["unscored"]
        found |= cell["causes"].keys()
    assert found == set(CAUSES) - {"unexplained"}
    assert {"unsupported", "cut off", "ungraded"} >= set(cell_of(result, "base/none", "unanswerable")["causes"])
