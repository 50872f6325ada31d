"""The data set of general questions is what its README says, and its rubrics tell right from near without a person."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from recipes import DATA
from train.data import load_questions
from train.grading import check_rubric, find_crossings, grade
from train.records import Answer, Question

FOLDER = DATA / "general"
CASES = Path(__file__).parent / "recipes" / "general_cases.jsonl"
ROWS = [json.loads(line) for line in CASES.read_text(encoding="utf-8").splitlines()]
LANGUAGES = ("en", "ko")


@cache
def questions(name: str = "questions") -> tuple[Question, ...]:
    found = load_questions(FOLDER / f"{name}.jsonl", check_rubric=check_rubric)
    assert found.warnings == ()
    return found.questions


def verdict(question: str, text: str) -> str:
    (found,) = grade(questions(), [], [Answer("base", 0, "none", question, 0, text)], abstention="I do not know.")
    assert found.grader == "rubric"
    return found.verdict


def test_the_sizes_are_those_of_the_readme():
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    topics = Counter(question.topic for question in questions())
    assert f"{len(questions())} questions in {len(topics)} topics" in readme
    assert {question.id.split("-")[1] for question in questions()} == set(LANGUAGES)
    for topic, count in topics.items():
        assert f"| {topic} | {count} |" in readme


def test_each_language_is_a_file_of_its_own_and_the_two_are_the_whole():
    halves = [questions(f"questions.{language}") for language in LANGUAGES]
    assert [len(half) for half in halves] == [20, 20]
    assert (*halves[0], *halves[1]) == questions()


def test_they_hold_nothing_of_training_or_of_passages():
    for question in questions():
        assert (question.split, question.evidence, question.paraphrases, question.counterfactual) == ("", (), (), None)
        assert question.facts


def test_no_question_is_asked_twice_or_passed_by_another_ones_reference():
    texts = [question.text for question in questions()]
    assert len(texts) == len(set(texts))
    # Both languages count from 1 to 5, and a list of five numbers holds some that others ask for.
    counting = {"general-en-18", "general-ko-18"}
    others = [question for question in questions() if question.id not in counting]
    assert find_crossings(others).others == {}


def test_a_question_said_back_is_no_answer():
    passed = [question.id for question in questions() if verdict(question.id, question.text) == "correct"]
    assert passed == []


def test_every_question_has_two_cases_of_each_kind():
    assert [row["id"] for row in ROWS] == [question.id for question in questions()]
    assert all(len(set(row["accept"])) == len(set(row["reject"])) == 2 for row in ROWS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_right_answers_in_other_words_are_correct_and_near_misses_are_not(row):
    assert {text: verdict(row["id"], text) for text in row["accept"]} == dict.fromkeys(row["accept"], "correct")
    assert [text for text in row["reject"] if verdict(row["id"], text) == "correct"] == []
