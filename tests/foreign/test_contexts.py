"""What questions expect, and what they were asked with as far as all inputs agree."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from train.foreign.contexts import abstention_of, asked_with, make_contexts, with_splits
from train.foreign.records import Given, RunFacts
from train.records import Answer, Cell, Context, Counterfactual, Passage, Question

ONE = Question("q1", "How much?", "9", ("9",), counterfactual=Counterfactual("It is 7.", ("7",), ("9",)))
TWO = Question("q2", "Who?", "", split="unanswerable")
PASSAGE = Passage("a.md", "It is 9.")


def run(name: str, shown: dict[tuple[str, str], tuple[Passage, ...]], **facts: object) -> Given:
    contexts = {
        key: Context(*key, passages, tuple(p.id for p in passages), "answer") for key, passages in shown.items()
    }
    known = RunFacts({}, contexts, dict.fromkeys(contexts, f"prompt of {name}"))
    answers = tuple(Answer(name, 0, condition, question, 0, "9") for question, condition in shown)
    return Given(Path(name), "a run", answers, facts=replace(known, **facts))


def table(*keys: tuple[str, str]) -> Given:
    return Given(Path("t.csv"), "a table", tuple(Answer("t", 0, condition, id, 0, "9") for id, condition in keys))


def test_the_condition_says_what_is_expected_and_whose_rubric_counts():
    cells = [Cell("a", name) for name in ("none", "distractors@2", "counterfactual")]
    found = {(each.condition, each.question): each for each in make_contexts([ONE, TWO], cells)}
    assert {key for key, each in found.items() if each.expects == "abstain"} == {
        *((cell.condition, "q2") for cell in cells),
        ("distractors@2", "q1"),
    }
    assert (found["none", "q1"].facts, found["none", "q1"].forbidden) == (("9",), ())
    assert (found["counterfactual", "q1"].facts, found["counterfactual", "q1"].forbidden) == (("7",), ("9",))


@pytest.mark.parametrize(
    ("inputs", "passages", "warned"),
    [
        ([run("a", {("q1", "gold"): (PASSAGE,)})], 1, False),
        ([run("a", {("q1", "gold"): (PASSAGE,)}), run("b", {("q1", "gold"): (PASSAGE,)})], 1, False),
        ([run("a", {("q1", "gold"): (PASSAGE,)}), run("b", {("q1", "gold"): ()})], 0, True),
        ([run("a", {("q1", "gold"): (PASSAGE,)}), table(("q1", "gold"))], 0, True),
        ([run("a", {("q1", "gold"): (PASSAGE,)}), table(("q1", "none"))], 1, False),
        ([run("a", {("q1", "gold"): ()}), table(("q1", "gold"))], 0, False),
        (
            [
                run("a", {("q1", "gold"): (PASSAGE,)}),
                run("b", {("q1", "retrieved@1"): (replace(PASSAGE, text="It is 8."),)}),
            ],
            0,
            True,
        ),
    ],
)
def test_passages_are_shown_where_all_inputs_have_the_same(inputs, passages, warned):
    for order in (inputs, inputs[::-1]):
        cells = list(dict.fromkeys(Cell(answer.arm, answer.condition) for each in order for answer in each.answers))
        asked = asked_with([ONE], cells, order)
        assert len(asked.passages) == passages
        assert sum(len(context.passages) for context in asked.contexts) == passages
        assert bool(asked.warnings) == warned
        assert {context.facts for context in asked.contexts} == {("9",)}


def test_a_prompt_is_known_where_all_inputs_have_the_same():
    shown = {("q1", "gold"): (PASSAGE,)}
    same = [run("a", shown), replace(run("a", shown), path=Path("b"))]
    assert set(asked_with([ONE], [Cell("a", "gold")], same).prompts.values()) == {"prompt of a"}
    other = [run("a", shown), run("b", shown)]
    assert not any(asked_with([ONE], [Cell("a", "gold"), Cell("b", "gold")], other).prompts.values())


@pytest.mark.parametrize(
    ("own", "runs", "expected"),
    [
        ("", ["unseen"], "unseen"),
        ("", ["unseen", "unseen"], "unseen"),
        ("", ["unseen", "seen"], ""),
        ("", [""], ""),
        ("", [], ""),
        ("seen", ["unseen"], "seen"),
    ],
)
def test_splits_are_the_file_s_or_those_on_which_all_runs_agree(own, runs, expected):
    question = replace(ONE, split=own)
    inputs = [run(f"r{n}", {}, questions={"q1": replace(ONE, split=split)}) for n, split in enumerate(runs)]
    assert [each.split for each in with_splits([question], inputs)] == [expected]


@pytest.mark.parametrize(
    ("told", "sentence", "warned"),
    [([], "", False), (["No."], "No.", False), (["No.", "", "No."], "No.", False), (["No.", "Not said."], "", True)],
)
def test_the_runs_sentence_is_taken_where_there_is_one(told, sentence, warned):
    inputs = [run(f"r{n}", {}, abstention=text) for n, text in enumerate(told)]
    found, warning = abstention_of([*inputs, table(("q1", "none"))])
    assert (found, bool(warning)) == (sentence, warned)
    assert not warned or "give one with --abstention" in warning
