"""What each condition gives a question to read, and what is trained on."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import pytest
from scipy.stats import chisquare

from train.conditions import GOLD, NONE, Distractors, GoldAmong, parse_condition
from train.contexts import ContextRules, make_contexts, training_rows, validation_rows
from train.contexts.build import generator, permutation
from train.errors import InputProblems
from train.grading import rubric_passes
from train.loading import load_recipe
from train.prepare import prepare
from train.records import Context, Passage, Question

ABSTENTION = "The documents do not say."


def passage(number: int) -> Passage:
    return Passage(f"p{number}", f"The code of gate {number} is v{number}.")


def question(number: int, split: str = "unseen", **fields) -> Question:
    """Asks for what passage `number` says."""
    made = Question(f"q{number}", f"Code of {number}?", f"It is v{number}.", (f"v{number}",), (), (f"p{number}",))
    return replace(made, split=split, **fields)


def rules(passages: int = 40, *more: Passage, seed: int = 0, pool: list[str] | None = None) -> ContextRules:
    every = {each.id: each for each in (*map(passage, range(passages)), *more)}
    return ContextRules(every, list(every) if pool is None else pool, rubric_passes, seed)


def make(condition: str, *questions: Question, by: ContextRules | None = None, occasion: str = "") -> list[Context]:
    return make_contexts(parse_condition(condition), questions, by or rules(), occasion)


def shown(context: Context) -> set[str]:
    assert len({each.id for each in context.passages}) == len(context.passages), "none is shown twice"
    return {each.id for each in context.passages}


ONE = question(1)
TWO = question(2, evidence=("p2", "p3"))
UNKNOWN = question(4, id="unknown", split="unanswerable", answer="", facts=(), evidence=("p4",))
NOWHERE = question(5, id="nowhere", split="unanswerable", answer="", facts=(), evidence=())


@pytest.mark.parametrize(
    ("condition", "asked", "certain", "count", "gold", "expects"),
    [
        ("none", ONE, set(), 0, (), "answer"),  # to be known by heart
        ("gold", ONE, {"p1"}, 1, ("p1",), "answer"),
        ("gold+3", ONE, {"p1"}, 4, ("p1",), "answer"),
        ("distractors@3", ONE, set(), 3, (), "abstain"),
        ("none", TWO, set(), 0, (), "answer"),
        ("gold", TWO, {"p2", "p3"}, 2, ("p2", "p3"), "answer"),
        ("gold+3", TWO, {"p2", "p3"}, 5, ("p2", "p3"), "answer"),
        ("distractors@3", TWO, set(), 3, (), "abstain"),
        # What comes near an answer is shown, and as many passages as an answerable question gets.
        ("none", UNKNOWN, set(), 0, (), "abstain"),
        ("gold", UNKNOWN, {"p4"}, 1, (), "abstain"),
        ("gold+3", UNKNOWN, {"p4"}, 4, (), "abstain"),
        ("distractors@3", UNKNOWN, {"p4"}, 3, (), "abstain"),
        ("gold", NOWHERE, set(), 1, (), "abstain"),
        ("gold+3", NOWHERE, set(), 4, (), "abstain"),
        ("distractors@3", NOWHERE, set(), 3, (), "abstain"),
    ],
)
def test_a_condition_gives_passages_and_says_what_is_expected(condition, asked, certain, count, gold, expects):
    (context,) = make(condition, asked)
    assert (context.question, context.condition) == (asked.id, condition)
    assert (context.gold, context.expects) == (gold, expects)
    assert (context.facts, context.forbidden) == (asked.facts, asked.forbidden)
    assert len(shown(context)) == count
    assert certain <= shown(context)
    if asked.split != "unanswerable":
        assert shown(context) & set(asked.evidence) == set(gold), (
            "its evidence is gold or not there, never a distractor"
        )
    assert all(each == passage(int(each.id[1:])) for each in context.passages)


def test_gold_is_as_often_in_every_place():
    contexts = make("gold+2", *map(question, range(900)), by=rules(900))
    places = Counter([each.id for each in context.passages].index(context.gold[0]) for context in contexts)
    assert sum(places.values()) == 900
    assert chisquare([places[place] for place in range(3)]).pvalue > 0.01


def test_every_passage_is_as_often_a_distractor():
    contexts = make("distractors@2", *(question(n, evidence=()) for n in range(1000, 2000)), by=rules(20))
    drawn = Counter(each.id for context in contexts for each in context.passages)
    assert chisquare([drawn[f"p{number}"] for number in range(20)]).pvalue > 0.01


@pytest.mark.parametrize("condition", ["gold+2", "distractors@2"])
def test_a_context_depends_on_its_question_and_the_seed_alone(condition):
    questions = [*map(question, range(20)), UNKNOWN]
    contexts = {context.question: context for context in make(condition, *questions)}
    shuffled = random.Random(0).sample(questions, len(questions))
    assert {context.question: context for context in make(condition, *shuffled)} == contexts
    for each in questions:
        assert make(condition, each) == [contexts[each.id]], "made alone, and so unaffected by what is added"
    assert make(condition, *questions, by=rules(seed=1)) != list(contexts.values())


def test_gold_and_distractor_conditions_share_their_distractors():
    for number in range(30):
        (among,), (only,) = make("gold+2", question(number)), make("distractors@2", question(number))
        assert shown(among) - {f"p{number}"} == shown(only)
        (more,) = make("gold+3", question(number))
        assert shown(among) < shown(more)


def test_a_passage_that_answers_the_question_is_never_its_distractor():
    answering = [Passage(f"copy{number}", f"They say it is V{number}!") for number in range(10)]
    by = rules(10, *answering)
    for condition in ("gold+9", "distractors@9"):
        for context in make(condition, *map(question, range(10)), by=by):
            assert f"copy{context.question[1:]}" not in shown(context)


def test_a_questions_own_evidence_is_never_its_distractor_whatever_its_rubric():
    for number in range(6):
        asked = question(number, facts=(), evidence=(f"p{number}", "p6"))
        others = {f"p{n}" for n in range(6) if n != number}
        assert shown(make("distractors@5", asked, by=rules(7))[0]) == others
        assert shown(make("gold+5", asked, by=rules(7))[0]) == others | set(asked.evidence)
    for condition in ("distractors@7", "gold+6"):  # nor is the passage shown twice that comes near to an answer
        assert len(shown(make(condition, UNKNOWN, by=rules(7))[0])) == 7


def test_too_few_distractors_are_said_of_every_question_at_once():
    two = [question(0), question(1)]
    with pytest.raises(InputProblems) as refused:
        make("gold+3", *two, by=rules(3))
    assert refused.value.problems == [
        f"question '{name}' under condition gold+3: needs 3 distractors and the passages hold 2; add documents or ask "
        "for fewer"
        for name in ("q0", "q1")
    ]
    assert len(make("gold+2", *two, by=rules(3))) == 2


def test_a_question_without_evidence_cannot_be_asked_with_gold():
    with pytest.raises(InputProblems, match=r"'q1' under condition gold: it names no evidence; fill its column"):
        make("gold", question(1, evidence=()))
    assert make("none", question(1, evidence=()))[0].expects == "answer"


def test_a_lazy_permutation_is_a_permutation():
    for size in range(30):
        for seed in range(20):
            assert sorted(permutation(range(size), random.Random(seed))) == list(range(size))


def test_a_lazy_permutation_has_no_favourites():
    orders = Counter(tuple(permutation("abcd", random.Random(seed))) for seed in range(4800))
    assert len(orders) == 24
    assert chisquare(list(orders.values())).pvalue > 0.01


def test_a_draw_is_the_same_on_every_machine_and_python():
    assert "".join(permutation("abcdefgh", generator(0, "q1", ""))) == "efcgabdh"
    assert "".join(permutation("abcdefgh", generator(0, "질문", "epoch 1"))) == "dcebahgf"


# Training

TRAINED = [question(n, "train", paraphrases=(f"Gate {n}?", f"Which code has {n}?")) for n in range(12)]
OTHERS = [question(20, "validation"), question(21), UNKNOWN]
POOL = [f"p{n}" for n in range(12)]


def train(condition: str, *, epochs: int = 3, seed: int = 0, by: ContextRules | None = None):
    return training_rows(
        parse_condition(condition),
        [*OTHERS, *TRAINED],
        by or rules(pool=POOL),
        epochs=epochs,
        seed=seed,
        abstention=ABSTENTION,
    )


def test_every_wording_of_every_training_question_comes_once_an_epoch():
    rows = train("gold+2")
    wanted = Counter((each.id, text) for each in TRAINED for text in (each.text, *each.paraphrases))
    for epoch in range(3):
        assert Counter((row.question, row.text) for row in rows if row.epoch == epoch) == wanted
    assert [row.epoch for row in rows] == sorted(row.epoch for row in rows)


def test_epochs_are_in_different_orders_which_the_seed_decides():
    rows = train("none")
    orders = [[(row.question, row.text) for row in rows if row.epoch == epoch] for epoch in range(3)]
    assert orders[0] != orders[1] != orders[2] != orders[0]
    assert train("none") == rows
    assert [(row.question, row.text) for row in train("none", seed=1, epochs=1)] not in orders


def test_more_epochs_change_nothing_about_the_first():
    assert train("gold+2", epochs=3)[: 3 * len(TRAINED)] == train("gold+2", epochs=1)


def contexts_of(rows):
    return {(row.question, row.number, row.epoch): (row.passages, row.gold) for row in rows}


def test_distractors_are_drawn_afresh_for_every_epoch_and_wording_reproducibly():
    drawn = contexts_of(train("gold+2"))
    by_epoch = [{key[:2]: value for key, value in drawn.items() if key[2] == epoch} for epoch in range(3)]
    assert by_epoch[0] != by_epoch[1] != by_epoch[2] != by_epoch[0]
    by_wording = [{(key[0], key[2]): value for key, value in drawn.items() if key[1] == n} for n in range(3)]
    assert by_wording[0] != by_wording[1]
    assert contexts_of(train("gold+2", seed=1)) == drawn, "another training seed meets the same contexts"
    assert contexts_of(train("gold+2", by=rules(pool=POOL, seed=1))) != drawn


def test_the_place_of_gold_in_training_gives_nothing_away():
    rows = train("gold+2", epochs=25)
    places = Counter([each.id for each in row.passages].index(row.gold[0]) for row in rows)
    assert chisquare([places[place] for place in range(3)]).pvalue > 0.01


@pytest.mark.parametrize(
    ("condition", "shown_gold", "abstains"),
    [("none", False, False), ("gold", True, False), ("gold+2", True, False), ("distractors@2", False, True)],
)
def test_the_target_is_the_answer_where_it_is_to_be_had_and_to_abstain_elsewhere(condition, shown_gold, abstains):
    answers = {each.id: each.answer for each in TRAINED}
    for row in train(condition):
        assert row.completion == (ABSTENTION if abstains else answers[row.question])
        assert row.gold == ((f"p{row.question[1:]}",) if shown_gold else ())
        assert ({f"p{row.question[1:]}"} <= {each.id for each in row.passages}) == shown_gold


def test_validation_asks_the_validation_questions_in_the_same_way_every_time():
    rows = validation_rows(GoldAmong(2), [*TRAINED, *OTHERS], rules(pool=POOL), abstention=ABSTENTION)
    assert [(row.question, row.text, row.completion) for row in rows] == [("q20", OTHERS[0].text, "It is v20.")]
    assert rows == validation_rows(GoldAmong(2), [*OTHERS, *TRAINED], rules(pool=POOL), abstention=ABSTENTION)
    assert len(rows[0].passages) == 3


@pytest.mark.parametrize("rows", [validation_rows, lambda *a, **k: training_rows(*a, **k, epochs=1, seed=0)])
@pytest.mark.parametrize(
    ("condition", "message"),
    [(GOLD, r"'q\d+' under condition gold: it names no evidence"), (Distractors(13), "needs 13 distractors and")],
)
def test_what_training_lacks_is_said_by_question_and_condition(rows, condition, message):
    questions = [replace(each, evidence=()) for each in (*TRAINED, *OTHERS)]
    with pytest.raises(InputProblems, match=message):
        rows(condition, questions, rules(pool=POOL), abstention=ABSTENTION)
    assert rows(NONE, questions, rules(pool=POOL), abstention=ABSTENTION)


def test_a_run_trains_on_no_passage_that_is_not_evidence_of_a_training_question(project):
    conditions = ("arms.closed-book.condition=distractors@2", "arms.open-book.condition=gold+2")
    prepared = prepare(load_recipe(str(project / "recipe.py"), conditions))
    trained = {name for each in prepared.dataset.questions if each.split == "train" for name in each.evidence}
    rows = [row for rows in prepared.rows.values() for row in rows]
    assert {each.id for row in rows for each in row.passages} == trained < set(prepared.dataset.passages)
