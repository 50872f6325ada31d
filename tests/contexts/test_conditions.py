"""The conditions beyond gold and distractors: a changed passage, what a search finds, and the mix for training."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.contexts.test_contexts import ABSTENTION, NOWHERE, ONE, UNKNOWN, make, question, rules, shown
from train.conditions import ABSTAIN, ANSWER, COUNTERFACTUAL, GOLD, NONE, Distractors, Mixed, Retrieved
from train.contexts import training_rows, validation_rows
from train.errors import InputProblems, UserError
from train.loading import load_recipe
from train.recipe import Base, Data, LoRA, QLoRA, Recipe, Tuned, Untuned
from train.records import Counterfactual
from train.retrieval import BM25

CHANGED = replace(ONE, counterfactual=Counterfactual("The code of gate 1 is w1.", ("w1",), ("v1",)))


def searching(passages: int = 40):
    made = rules(passages)
    return replace(made, search=BM25(list(made.passages.values())).search)


def test_a_counterfactual_passage_stands_alone_and_brings_its_own_rubric():
    (context,) = make("counterfactual", CHANGED)
    assert [each.text for each in context.passages] == ["The code of gate 1 is w1."]
    assert context.gold == tuple(shown(context)) == ("q1#counterfactual",)
    assert (context.expects, context.facts, context.forbidden) == ("answer", ("w1",), ("v1",))


def test_a_question_without_an_answer_has_no_counterfactual_one_either():
    for asked in (UNKNOWN, NOWHERE):
        (context,) = make("counterfactual", asked)
        assert (len(context.passages), context.gold, context.expects) == (1, (), "abstain")


def test_a_question_that_lacks_its_counterfactual_is_refused_by_name():
    with pytest.raises(InputProblems, match=r"question 'q1' under condition counterfactual: it has no .* fill its"):
        make("counterfactual", ONE)


def test_retrieved_passages_are_what_the_search_finds_best_first():
    by = searching()
    (context,) = make("retrieved@3", replace(ONE, text="The code of gate 1?"), by=by)
    assert [each.id for each in context.passages] == list(by.search("The code of gate 1?", 3))
    assert context.gold == ("p1",)
    assert context.expects == "answer"


def test_where_the_search_misses_the_answer_is_expected_all_the_same():
    (context,) = make("retrieved@2", replace(ONE, text="The code of gate 9?"), by=searching())
    assert (context.gold, context.expects, context.facts) == ((), "answer", ("v1",))
    (context,) = make("retrieved@2", replace(UNKNOWN, text="The code of gate 4?"), by=searching())
    assert (context.gold, context.expects) == ((), "abstain")


def test_a_search_without_passages_enough_is_refused():
    with pytest.raises(InputProblems, match="needs 9 passages and there are 5; add documents or ask for fewer"):
        make("retrieved@9", ONE, by=searching(5))
    with pytest.raises(InputProblems, match="there is nothing to search in; give the recipe a corpus"):
        make("retrieved@3", ONE)


TRAINED = [question(n, "train", text=f"The code of gate {n}?", paraphrases=(f"Gate {n}?",)) for n in range(20)]


def mixed_rows(condition: Mixed, epochs: int = 5, seed: int = 0):
    return training_rows(condition, TRAINED, rules(20), epochs=epochs, seed=seed, abstention=ABSTENTION)


@pytest.mark.parametrize("share", [0.0, 0.25, 0.8, 1.0])
def test_a_mix_shows_gold_to_its_share_of_the_rows_and_equally_many_passages_to_all(share):
    rows = mixed_rows(Mixed(share, ABSTAIN, distractors=3))
    golden = [row for row in rows if row.gold]
    assert len(golden) / len(rows) == pytest.approx(share, abs=0.12)  # 200 rows: three standard errors
    assert {len(row.passages) for row in rows} == {4}
    for row in rows:
        own = f"p{row.question.removeprefix('q')}"
        assert row.gold == ((own,) if row in golden else ())
        assert (own in {each.id for each in row.passages}) == bool(row.gold)
        assert (row.completion == ABSTENTION) == (not row.gold)


def test_a_mix_shows_equally_many_passages_also_where_a_fact_needs_several():
    """Else their number would tell whether the answer is among them."""
    trained = [replace(each, evidence=(each.evidence[0], f"p{(n + 1) % 20}")) for n, each in enumerate(TRAINED)]
    rows = training_rows(Mixed(0.5), trained, rules(20), epochs=2, seed=0, abstention=ABSTENTION)
    assert {bool(row.gold) for row in rows} == {True, False}
    assert {len(row.passages) for row in rows} == {5}


def test_training_on_a_search_needs_to_know_what_it_should_find():
    trained = [replace(TRAINED[0], evidence=()), *TRAINED[1:]]
    with pytest.raises(InputProblems, match="question 'q0': names no evidence, so that what a search misses cannot"):
        training_rows(Retrieved(2), trained, searching(20), epochs=1, seed=0, abstention=ABSTENTION)


@pytest.mark.parametrize(
    ("condition", "cells", "message"),
    [
        (
            COUNTERFACTUAL,
            "all",
            "arms.open-book.condition: counterfactual is for asking only; train under",
        ),
        (
            Mixed(0.5),
            "as-trained",
            "arm 'open-book' is trained under a mix, which nothing can be asked",
        ),
    ],
)
def test_some_conditions_are_for_asking_and_some_for_training(condition, cells, message):
    arms = {"base": Untuned(), "open-book": Tuned(condition=condition)}
    with pytest.raises(UserError) as raised:
        Recipe(name="r", base=Base("m"), data=Data("q.csv"), arms=arms, cells=cells)
    assert message in str(raised.value)


def test_a_mix_after_raft_keeps_the_answer_as_target():
    rows = mixed_rows(Mixed(0.5, ANSWER))
    assert {bool(row.gold) for row in rows} == {True, False}
    assert all(row.completion == f"It is v{row.question.removeprefix('q')}." for row in rows)


def test_a_row_of_a_mix_changes_its_kind_over_the_epochs_and_not_with_the_training_seed():
    kinds = {(row.question, row.number, row.epoch): bool(row.gold) for row in mixed_rows(Mixed(0.5))}
    changing = [key for key in {key[:2] for key in kinds} if len({kinds[(*key, epoch)] for epoch in range(5)}) == 2]
    assert len(changing) > 30
    again = {(row.question, row.number, row.epoch): bool(row.gold) for row in mixed_rows(Mixed(0.5), seed=7)}
    assert again == kinds


def test_validation_rows_of_a_mix_are_of_both_kinds_too():
    asked = [replace(each, split="validation") for each in TRAINED]
    rows = validation_rows(Mixed(0.5), asked, rules(20), abstention=ABSTENTION)
    assert {bool(row.gold) for row in rows} == {True, False}


def test_training_on_what_a_search_finds_teaches_the_answer_only_where_it_is_found():
    rows = training_rows(Retrieved(2), TRAINED, searching(20), epochs=1, seed=0, abstention=ABSTENTION)
    assert all((row.completion == ABSTENTION) == (not row.gold) for row in rows)
    assert sum(bool(row.gold) for row in rows) >= 20


def test_a_mix_is_nothing_to_ask_under():
    recipe = {"name": "r", "base": Base("m"), "data": Data("q.csv"), "arms": {"base": Untuned()}}
    with pytest.raises(UserError, match=r"conditions: 'mixed@0.5\+3-abstain' is for training only"):
        Recipe(**recipe, conditions=(NONE, Mixed(0.5)))


def test_an_arm_can_be_asked_only_the_way_it_was_trained(project, openbook):
    """The published experiment: two arms, two cells."""
    from train.sealing import numbered_records

    recipe = project / "recipe.py"
    settings = ("--set", "cells=as-trained", "--set", "comparison.contrasts=open-book/gold vs closed-book/none")
    out = project / "run"
    assert openbook("run", recipe, "--out", out, "--set", "conditions=none,gold", *settings)[0] == 0
    cells = {(record["arm"], record["condition"]) for _, record in numbered_records(out / "answers.jsonl")}
    assert cells == {("base", "none"), ("base", "gold"), ("closed-book", "none"), ("open-book", "gold")}
    assert openbook("verify", out)[0] == 0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (("cells=as-trained",), "closed-book/gold is not asked with cells = 'as-trained'; set cells='all'"),
        (("cells=as-trained", "conditions=none", "comparison.contrasts=base/none vs closed-book/none"),
         "arm 'open-book' is trained under 'gold', which is not among the conditions; add it"),
    ],
)  # fmt: skip
def test_cells_that_are_not_asked_cannot_be_compared(project, settings, message):
    with pytest.raises(UserError) as raised:
        load_recipe(str(project / "recipe.py"), settings)
    assert message in str(raised.value) or "closed-book/gold is not asked with cells = 'as-trained'" in str(
        raised.value
    )


def test_a_4_bit_adapter_is_a_lora_that_names_its_base():
    arm = Tuned(condition=GOLD, adapter=QLoRA(rank=8))
    assert arm.quantization is arm.adapter
    assert arm.quantization.precision == "nf4-double"
    assert Tuned(condition=GOLD, adapter=LoRA()).quantization is None
    assert QLoRA(quantization="fp4", double_quantization=False).precision == "fp4"


@pytest.mark.parametrize(
    "condition",
    [COUNTERFACTUAL, Retrieved(5), Mixed(0.8), Mixed(0.25, ANSWER, 2), Mixed(1, ABSTAIN, 0), Distractors(2)],
)
def test_a_condition_is_found_by_the_name_it_has(condition):
    from train.conditions import parse_condition

    assert parse_condition(condition.name) == condition
