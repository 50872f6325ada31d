"""The data set ml_terms is what its README says, in both languages, and its rubrics tell right from near."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest

from recipes import DATA
from tests.test_recipes import trigrams, wordings
from train.data import load_corpus, load_questions
from train.grading import check_rubric, grade, rubric_passes
from train.records import SPLITS, Answer, Passage, Question

FOLDER = DATA / "ml_terms"
CASES = Path(__file__).parent / "recipes"
ABSTENTION = {"en": "The notes do not say.", "ko": "자료에 나와 있지 않습니다."}
SIZES = {"train": 32, "validation": 12, "seen": 32, "unseen": 32, "unanswerable": 14}
LANGUAGES = ("en", "ko")


@cache
def passages(language: str) -> dict[str, Passage]:
    return {passage.id: passage for passage in load_corpus(FOLDER / f"corpus.{language}").passages}


@cache
def questions(language: str) -> dict[str, Question]:
    path = FOLDER / f"questions.{language}.jsonl"
    found = load_questions(path, corpus=list(passages(language).values()), check_rubric=check_rubric)
    assert found.warnings == ()
    return {question.id: question for question in found.questions}


def of(language: str, *splits: str) -> list[Question]:
    return [question for question in questions(language).values() if question.split in splits]


EVERY = [(language, question) for language in LANGUAGES for question in of(language, *SPLITS)]
ANSWERABLE = [(language, question) for language, question in EVERY if question.split != "unanswerable"]
TESTED = [(language, question) for language, question in ANSWERABLE if question.split != "train"]


def name(value: object) -> str:
    return value.id if isinstance(value, Question) else str(value)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_sizes_are_those_of_the_readme(language):
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    for split, size in SIZES.items():
        asked = of(language, split)
        assert (len(asked), len({question.group for question in asked})) == (size, size)
        assert f"| `{split}` | {size} | {size}" in readme
    assert f"{len(questions(language))} rows each" in readme
    assert f"{len(passages(language))} passages" in readme
    assert len({question.group for question in questions(language).values()}) >= 60
    assert len(questions(language)) >= 120


def test_the_languages_are_parallel():
    english, korean = (questions(language) for language in LANGUAGES)
    assert list(english) == list(korean)
    for identifier, question in english.items():
        other = korean[identifier]
        assert (question.split, question.group, question.topic) == (other.split, other.group, other.topic)
        assert len(question.evidence) == len(other.evidence) == 1
        assert len(question.paraphrases) == len(other.paraphrases)
        assert (question.counterfactual is None) == (other.counterfactual is None)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_fact_is_in_two_splits_but_for_seen_ones_which_were_trained(language):
    groups = {split: {question.group for question in of(language, split)} for split in SPLITS}
    evidence = {split: {question.evidence for question in of(language, split)} for split in SPLITS}
    assert groups["seen"] == groups["train"]
    assert evidence["seen"] == evidence["train"]
    for split in ("unseen", "validation"):
        others = [other for other in SPLITS if other != split]
        assert not any(groups[split] & groups[other] for other in others)
        assert not any(evidence[split] & evidence[other] for other in others if other != "unanswerable")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_trained_fact_has_three_wordings_and_a_seen_question_is_none_of_them(language):
    trained = {question.group: question for question in of(language, "train")}
    for question in of(language, "seen"):
        own = trained[question.group]
        assert question.facts == own.facts
        assert len(set(wordings(own))) == 3
        for wording in wordings(own):
            one, other = trigrams(question.text), trigrams(wording)
            assert len(one & other) / len(one | other) < 0.5, (question.id, wording)
    every = [text for question in questions(language).values() for text in wordings(question)]
    assert len(every) == len(set(every))


@pytest.mark.parametrize(("language", "question"), ANSWERABLE, ids=name)
def test_the_reference_and_the_gold_passage_state_the_fact(language, question):
    assert rubric_passes(question.facts, question.forbidden, question.answer)
    assert rubric_passes(question.facts, question.forbidden, passages(language)[question.evidence[0]].text)


@pytest.mark.parametrize(("language", "question"), TESTED, ids=name)
def test_a_counterfactual_passage_states_another_fact(language, question):
    false = question.counterfactual
    assert false is not None
    assert rubric_passes(false.facts, false.forbidden, false.text)
    assert not rubric_passes(question.facts, question.forbidden, false.text)
    assert not rubric_passes(false.facts, false.forbidden, question.answer)


@pytest.mark.parametrize("language", LANGUAGES)
def test_where_there_is_no_answer_the_reference_abstains(language):
    assert {question.answer for question in of(language, "unanswerable")} == {ABSTENTION[language]}
    assert {question.facts for question in of(language, "unanswerable")} == {()}


def cases(language: str) -> list[dict[str, object]]:
    lines = (CASES / f"ml_terms_cases.{language}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_question_that_is_asked_has_three_cases_of_each_kind(language):
    asked = {question.id for question in of(language, "seen", "unseen", "validation")}
    assert {case["id"] for case in cases(language)} == asked
    assert all(len(set(case["accept"])) == len(set(case["reject"])) == 3 for case in cases(language))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("kind", "right"), [("accept", True), ("reject", False)])
def test_right_answers_in_other_words_are_correct_and_near_misses_are_not(language, kind, right):
    asked = [
        Answer("a", 0, "none", str(case["id"]), sample, text)
        for case in cases(language)
        for sample, text in enumerate(case[kind])
    ]
    known = list(questions(language).values())
    verdicts = grade(known, [], asked, abstention=ABSTENTION[language])
    texts = {answer.id: answer.text for answer in asked}
    judged_otherwise = [
        (verdict.question, texts[verdict.id]) for verdict in verdicts if (verdict.verdict == "correct") != right
    ]
    assert judged_otherwise == []
