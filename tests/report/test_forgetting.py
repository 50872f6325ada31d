"""The section on what tuning forgot: there where there is something to say, and never more than the figures bear."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from tests.report.builders import KINDS, findings
from train.comparison import compare, decision_contrasts
from train.records import GENERAL, Answer, Context, Findings, Question, Verdict
from train.report import render, render_redacted
from train.report.badges import badges
from train.report.forgetting import forgetting, sentence

TITLE = "What tuning forgot"
SECRET = "수도는 어디인가요?"


def with_general(plain: Findings, right: dict[str, Sequence[int]], samples: int = 4) -> Findings:
    """The findings with general questions, of whose samples so many are right in each arm."""
    count = len(next(iter(right.values())))
    questions = [
        Question(f"general-{n}", f"{n}번 {SECRET}", "서울", facts=("서울",), split=GENERAL) for n in range(count)
    ]
    contexts = [Context(question.id, "none", (), (), "answer", question.facts) for question in questions]
    answers = [
        Answer(arm, 0, "none", question.id, sample, "서울" if sample < hits else "부산", "key", "length", 900, 50, 9.0)
        for arm, column in right.items()
        for question, hits in zip(questions, column, strict=True)
        for sample in range(samples)
    ]
    verdicts = {
        each.id: Verdict(
            each.arm, 0, "none", each.question, each.sample, "provisional",
            "correct" if each.text == "서울" else "wrong", "key",
        )
        for each in answers
    }  # fmt: skip
    whole = replace(
        plain,
        questions=[*plain.questions, *questions],
        contexts=[*plain.contexts, *contexts],
        answers=[*plain.answers, *answers],
        verdicts=[*plain.verdicts, *verdicts.values()],
        headline={**plain.headline, **verdicts},
    )
    comparison = compare(
        recipe="quickstart",
        questions=whole.questions,
        contexts=whole.contexts,
        answers=whole.answers,
        verdicts=whole.headline,
        kinds=KINDS,
        contrasts=decision_contrasts(KINDS, "gold", "unseen"),
        split="unseen",
        context="gold",
    )
    return replace(whole, comparison=comparison)


LOSS = {"base": [4] * 12, "closed-book": [0] * 5 + [2] * 7, "open-book": [4] * 11 + [3]}


@pytest.fixture(scope="module")
def plain() -> Findings:
    return findings(per_split=12)


@pytest.fixture(scope="module")
def general(plain: Findings) -> Findings:
    return with_general(plain, LOSS)


def test_the_section_is_there_only_where_general_questions_were_asked(plain, general):
    for name, text in render(plain).items():
        assert TITLE not in text, name
    files = render(general)
    for name in ("report.html", "report.md"):
        assert TITLE in files[name]
        assert "closed-book answers 29.2 % of 12 general questions right, base 100.0 %" in files[name]
    assert 'href="#forgetting"' in files["report.html"]
    assert 'id="forgetting"' in files["report.html"]


def test_the_redacted_report_has_the_figures_and_no_question(general):
    files = render_redacted(general)
    for name in ("report-redacted.html", "report-redacted.md"):
        assert "closed-book answers 29.2 % of 12 general questions right" in files[name]
    assert [name for name, text in files.items() if SECRET in text] == []


def test_general_questions_can_be_read_with_their_answers(general):
    page = render(general)["report.html"]
    assert page.count(f"0번 {SECRET}") >= 1
    assert ">general<" in page


def test_badges_and_costs_are_of_what_was_tested(plain, general):
    def told(found: Findings) -> list[tuple[str, str]]:
        return [(badge.text, badge.why) for badge in badges(found)]

    assert told(general) == told(plain)
    tables = [
        text.split("## Cost of an answer")[1] for text in (render(each)["report.md"] for each in (plain, general))
    ]
    assert tables[0] == tables[1]


@pytest.mark.parametrize(
    ("arm", "level"), [("closed-book", "caution"), ("open-book", None), ("base", None), (None, None)]
)
def test_a_badge_says_that_the_recommended_arm_forgot(general, arm, level):
    decision = {**general.comparison["decision"], "arm": arm}
    found = badges(replace(general, comparison={**general.comparison, "decision": decision}))
    assert [badge.level for badge in found if badge.text == "the recommended arm forgot"] == ([level] if level else [])


def row(**changes: Any) -> dict[str, Any]:
    return {
        "arm": "closed-book", "against": "base", "base": 0.7, "tuned": 0.62, "base_right": 30, "difference": -0.08,
        "interval": [-0.15, -0.01], "p": 0.03, "p_holm": 0.03, "questions": 40, "left_out": 0, "differing": 9,
        "samples": 4, "seeds": [0], "between_seeds": None, "shown": "loss", **changes,
    }  # fmt: skip


UNSURE = "chance could explain it, and a loss of up to"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "right, base 70.0 %: −8.0 points [−15.0, −1.0]; this loss is more than chance explains."),
        ({"interval": [-0.17, 0.01], "shown": None}, f"[−17.0, +1.0]; {UNSURE} 17.0 points is not ruled out."),
        ({"p_holm": 0.06, "shown": None}, f"[−15.0, −1.0]; {UNSURE} 15.0 points is not ruled out."),
        (
            {"difference": 0.1, "interval": [0.02, 0.18], "shown": "gain"},
            "+10.0 points [+2.0, +18.0]; this gain is more than chance explains.",
        ),
        (
            {"difference": 0.0, "interval": [-0.07, 0.07], "shown": None},
            "0.0 points [−7.0, +7.0]; no difference is seen, and a loss of up to 7.0 points is not ruled out.",
        ),
        (
            {"difference": 0.0, "interval": None, "differing": 0, "shown": None},
            "0.0 points; no question came out differently.",
        ),
        (
            {"interval": None, "shown": None, "questions": 4},
            "−8.0 points; chance could explain it; too few questions (fewer than 6).",
        ),
        ({"left_out": 2}, "explains. 2 questions left out: not scored in both cells."),
        ({"difference": None}, "closed-book against base: not comparable; no general question was scored in both."),
    ],
    ids=["loss", "unsure", "p and interval disagree", "gain", "even", "alike", "too few", "unscored", "nothing"],
)
def test_the_sentence_claims_what_the_figures_bear_and_no_more(changes, words):
    said = sentence(row(**changes))
    assert said.endswith(words)
    if row(**changes)["shown"] is None:
        assert "more than chance" not in said


def test_an_arm_that_could_not_be_compared_has_a_line_too(general):
    nothing = row(difference=None, interval=None, p=None, p_holm=None, base=None, tuned=None, shown=None)
    found = forgetting(replace(general, comparison={**general.comparison, "forgetting": [nothing]}))
    assert found is not None
    assert found.table.rows[0][3] == "—"
    assert len(found.table.rows[0]) == len(found.table.header)
