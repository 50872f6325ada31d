"""How much of its context an answer copies."""

from __future__ import annotations

import pytest

from train.grading.copying import grams_of, overlap
from train.grading.normalise import normalise
from train.records import Passage

FARES = Passage(
    "a", "Fares\nThe single fare on the Amber line is 4.35 crowns. Dogs travel for half of that on Sundays."
)
PIERS = Passage("b", "부두\n브램록 부두의 운임은 어른 4.35 크라운이며 어린이는 그 절반을 냅니다.")


@pytest.mark.parametrize(
    ("answer", "passages", "least", "most"),
    [
        (FARES.text, [FARES], 1.0, 1.0),
        (f"Well: {FARES.text.upper()} **That is all.**", [FARES], 1.0, 1.0),
        (FARES.text, [PIERS, FARES], 1.0, 1.0),
        (PIERS.text.replace(" ", ""), [PIERS], 1.0, 1.0),
        ("The single fare on the Amber line is 4.35 crowns.", [FARES], 0.3, 0.6),
        ("It is 4.35 crowns.", [FARES], 0.05, 0.2),
        ("어른은 4.35 크라운입니다.", [PIERS], 0.05, 0.4),
        ("Something else altogether.", [FARES], 0.0, 0.05),
        ("", [FARES], 0.0, 0.0),
        (FARES.text, [], 0.0, 0.0),
    ],
)
def test_overlap_is_the_share_of_a_passage_that_the_answer_repeats(answer, passages, least, most):
    assert least <= overlap(normalise(answer).text, grams_of(passages)) <= most
