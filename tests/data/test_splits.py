from __future__ import annotations

import random
from collections import Counter, defaultdict

import pytest

from train.data import assign_splits
from train.data.text import normalise
from train.errors import InputProblems, UserError
from train.records import Question


def random_questions(seed: int, groups: int = 0) -> list[Question]:
    """Groups of one to four wordings; some share passages, some wordings repeat across and within groups."""
    rng = random.Random(seed)
    questions = []
    for group in range(groups or rng.randint(12, 60)):
        passages = tuple({f"p{rng.choice([group, group, group, group - 1])}" for _ in range(rng.randint(0, 2))})
        for wording in range(rng.choice([1, 1, 2, 2, 3, 4])):
            text = f"Question {group}, wording {wording}?" if rng.random() > 0.05 else f"Common wording {group // 2}"
            split = "unanswerable" if rng.random() < 0.05 else ""
            questions.append(
                Question(f"g{group}w{wording}", text, "A", evidence=passages, group=f"g{group}", split=split)
            )
    return questions


def by_split(questions, key):
    found = defaultdict(set)
    for question in questions:
        found[question.split].update(key(question))
    return found


@pytest.mark.parametrize("seed", range(40))
def test_what_is_held_out_is_never_trained(seed):
    divided = assign_splits(random_questions(seed), seed=seed)
    groups = by_split(divided, lambda q: [q.group])
    passages = by_split(divided, lambda q: q.evidence)
    wordings = by_split(divided, lambda q: [normalise(q.text)])
    for held_out in ("unseen", "validation"):
        for known in ("train", "seen"):
            assert not groups[held_out] & groups[known]
            assert not passages[held_out] & passages[known]
            assert not wordings[held_out] & wordings[known]
    assert not groups["unseen"] & groups["validation"]
    assert not passages["unseen"] & passages["validation"]
    assert groups["seen"] <= groups["train"]
    assert not wordings["seen"] & wordings["train"]
    assert all(groups[split] for split in ("train", "validation", "unseen"))


@pytest.mark.parametrize("seed", range(10))
def test_the_division_depends_on_the_questions_and_the_seed_only(seed):
    questions = random_questions(seed)
    shuffled = random.Random(seed).sample(questions, len(questions))
    divided = {question.id: question.split for question in assign_splits(questions, seed=seed)}
    assert divided == {question.id: question.split for question in assign_splits(shuffled, seed=seed)}
    assert divided != {question.id: question.split for question in assign_splits(questions, seed=seed + 1)}
    assert [question.id for question in assign_splits(shuffled, seed=seed)] == [question.id for question in shuffled]


def test_a_new_row_leaves_nearly_all_others_where_they_are():
    questions = [Question(f"q{n}", f"Question {n}?", "A") for n in range(200)]
    before = {question.id: question.split for question in assign_splits(questions)}
    for new in range(20):
        after = assign_splits([*questions, Question(f"new{new}", f"New {new}?", "A")])
        assert sum(before.get(question.id, question.split) != question.split for question in after) <= 2


def test_default_shares():
    questions = [
        Question(f"q{group}-{wording}", f"Question {group} in words {wording}?", "A", group=str(group))
        for group in range(50)
        for wording in range(2)
    ]
    groups = by_split(assign_splits(questions), lambda q: [q.group])
    assert {split: len(found) for split, found in groups.items()} == {
        "unseen": 15,
        "validation": 5,
        "train": 30,
        "seen": 30,
    }
    counts = Counter(q.split for q in assign_splits(questions, unseen=0.5, validation=0, seen=0.4))
    assert counts == {"unseen": 50, "train": 40, "seen": 10}


def test_unanswerable_questions_stay_and_finished_divisions_are_kept():
    questions = [*random_questions(1), Question("u", "?", "", split="unanswerable")]
    divided = assign_splits(questions)
    assert divided[-1].split == "unanswerable"
    assert assign_splits(divided, seed=99) == divided


def test_groups_that_all_share_a_passage_cannot_be_divided():
    questions = [Question(f"q{n}", f"Q{n}?", "A", evidence=("p",)) for n in range(9)]
    with pytest.raises(UserError, match="9 questions make 1 part"):
        assign_splits(questions)


def test_a_part_larger_than_the_share_is_held_out_only_if_nothing_smaller_can_be():
    questions = [Question(f"q{n}", f"Q{n}?", "A", evidence=(f"p{n // 5}",)) for n in range(15)]
    assert Counter(q.split for q in assign_splits(questions)) == {"unseen": 5, "validation": 5, "train": 5}


@pytest.mark.parametrize(
    "shares",
    [{"unseen": 1.0}, {"unseen": -0.1}, {"unseen": 0.6, "validation": 0.4}, {"seen": 2.0}, {"unseen": float("nan")}],
)
def test_impossible_shares(shares):
    with pytest.raises(UserError, match="choose shares from 0 to 1"):
        assign_splits([Question("a", "A?", "A")], **shares)


def test_a_division_of_some_rows_only_is_an_error():
    with pytest.raises(InputProblems, match=r"b have no split, a have one"):
        assign_splits([Question("a", "A?", "A", split="train"), Question("b", "B?", "B")])
