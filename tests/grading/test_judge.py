"""A judge's letters, and the verdicts that follow from stored replies; no judge is asked here."""

from __future__ import annotations

import pytest

from tests.grading.judge_cases import ALL, CONTEXTS, QUESTIONS, RULES, answer, case_of, cases
from train.grading import Judgement, JudgeRules, Reply, grade, headline, judgement_of, misread, summarise
from train.grading.judge import letter_in


@pytest.mark.parametrize(
    ("reply", "letter"),
    [
        ("A", "A"), (" B\n", "B"), ("C.", "C"), ("**A**", "A"), ("(b)", "B"), ("a", "A"), ("_C_", "C"), ("Ａ", "A"),
        ("Answer: B", "B"), ("The answer is B.", "B"), ("정답은 A입니다.", "A"), ("'B'라고 봅니다", "B"),
        ("B: wrong", "B"), ("A is right", "A"), ("A because it says 20 watts", "A"), ("A\nThe answer says so", "A"),
        # several: the last counts
        ("A or B", "B"), ("B? No: A", "A"), ("A, B, C", "C"), ("Not A. B", "B"),
        # a letter that looks like the whole reply, and another one later: two words, so none
        ("A. It is not B.", ""), ("A: correct, not C", ""), ("**A**\n\nIt says vitamin C", ""), ("A. It is A.", "A"),
        # what was thought aloud does not count
        ("<think>B, surely B</think>\n\nA", "A"), ("surely B</think>C", "C"), ("<think>B", ""),
        ("<think>\n\n</think>", ""),
        # none
        ("", ""), ("…", ""), ("correct", ""), ("D", ""), ("AB", ""), ("Because", ""), ("틀렸습니다", ""), ("1", ""),
        ("A good answer, but I cannot tell", ""), ("a good answer", ""), ("C++", ""), ("C# code", ""), ("A-level", ""),
        ("plan-B", ""), ("vitaminC", ""), ("⟦A", "A"), ("B2", ""), ("\x00", ""), ("\ud800", ""),
    ],
)  # fmt: skip
def test_the_last_letter_that_stands_alone_is_the_reply(reply, letter):
    assert letter_in(reply, "ABC") == letter


def test_a_long_thought_that_was_never_ended_holds_no_letter():
    option = "Option B would mean that the answer is wrong. " * 80
    for reply, letter in ((f"<think>{option}", ""), (f"<think>{option}</think>C", "C"), (f"{option} So: A", "A")):
        kept = judgement_of(Reply("key", reply), "judge", "reference", "ABC")
        assert (kept.letter, len(kept.reply)) == (letter, 2000)
        assert letter_in(kept.reply, "ABC") == letter  # it is read from what is stored, at any time


@pytest.mark.parametrize(("reply", "letter"), [("A", ""), ("B", "B"), ("B, not A", "B"), ("C", "C")])
def test_a_letter_that_was_not_offered_is_none(reply, letter):
    assert letter_in(reply, "BC") == letter


@pytest.mark.parametrize("field", ["identity", "settings", "prompt"])
def test_another_judge_setting_or_prompt_is_another_key(field):
    case = case_of("reference", "gold", "두 주입니다.")
    assert case is not None
    names = {name: getattr(RULES, name) for name in RULES.__slots__}
    assert JudgeRules(**{**names, field: "other"}).key(case) != RULES.key(case)
    assert JudgeRules(**{**names, "scope": "all"}).key(case) == RULES.key(case)


def judged(replies: dict[str, str | Reply], rules: JudgeRules = RULES) -> dict[str, Judgement]:
    """The judgements by key, for answers to the question `reference` under `gold`."""
    found = {}
    for text, reply in replies.items():
        case = case_of("reference", "gold", text, rules)
        assert case is not None
        given = reply if isinstance(reply, Reply) else Reply(rules.key(case), reply, prompt_tokens=100, tokens=2)
        found[rules.key(case)] = judgement_of(given, rules.name, "reference", case.letters)
    return found


def test_a_letter_becomes_a_verdict_beside_the_provisional_one_and_counts_before_it():
    answers = [
        answer("reference", "gold", text, sample=number)
        for number, text in enumerate(["하나", "둘", "셋", "넷", "다섯"])
    ]
    judgements = judged({"하나": "A", "둘": "B", "셋": "C", "넷": "I cannot say"})
    verdicts = grade(QUESTIONS, CONTEXTS, answers, abstention="모릅니다.", judge=RULES, judgements=judgements)
    assert [(verdict.sample, verdict.verdict) for verdict in verdicts if verdict.grader == "judge:j"] == [
        (0, "correct"), (1, "wrong"), (2, "abstained"), (3, "unscored"),
    ]  # fmt: skip
    assert [verdict.answer for verdict in verdicts if verdict.sample == 0] == [answers[0].key] * 2
    counting = {identifier.sample: verdict for identifier, verdict in headline(verdicts).items()}
    assert [counting[number].grader for number in range(5)] == ["judge:j"] * 3 + ["provisional"] * 2
    assert "I cannot say" in next(verdict.why for verdict in verdicts if verdict.verdict == "unscored")


def test_a_case_that_could_not_be_judged_is_unscored_with_the_reason():
    case = case_of("reference", "gold", "하나")
    assert case is not None
    judgements = judged({"하나": Reply(RULES.key(case), "", problem="too long")})
    (verdict,) = [
        each
        for each in grade(
            QUESTIONS,
            CONTEXTS,
            [answer("reference", "gold", "하나")],
            abstention="",
            judge=RULES,
            judgements=judgements,
        )
        if each.grader == "judge:j"
    ]
    assert (verdict.verdict, verdict.why) == ("unscored", "too long")


def test_a_judge_goes_before_a_rubric_where_it_is_asked_about_all():
    given = answer("rubric", "gold", "30일은 아닙니다.")
    case = cases([given], ALL)[given.id]
    judgements = {ALL.key(case): judgement_of(Reply(ALL.key(case), "B"), ALL.name, "rubric", case.letters)}
    verdicts = grade(QUESTIONS, CONTEXTS, [given], abstention="", judge=ALL, judgements=judgements)
    assert [(verdict.grader, verdict.verdict) for verdict in verdicts] == [("rubric", "correct"), ("judge:j", "wrong")]
    assert headline(verdicts)[given.id].verdict == "wrong"


def test_the_summary_counts_answers_requests_and_what_was_not_understood():
    answers = [answer("reference", "gold", text, arm) for arm in ("base", "open-book") for text in ("하나",)] + [
        answer("reference", "none", "넷"),
        answer("reference", "none", "다섯", sample=1),
    ]
    judgements = judged({"하나": "A", "넷": "?"})
    figures = summarise(RULES, cases(answers), judgements)
    expected = {
        "judged": 3,
        "requested": 2,
        "cached": 1,
        "unparsed": 1,
        "prompt_tokens": 200,
        "tokens": 4,
        "cost": None,
    }
    assert {name: figures[name] for name in expected} == expected


def test_a_letter_that_the_reply_does_not_say_is_found():
    (good,) = judged({"하나": "A"}).values()
    assert misread([good]) == []
    forged = Judgement(**{name: getattr(good, name) for name in good.__slots__} | {"letter": "B"})
    assert "judgements.jsonl:1: the letter 'B' is stored, but the reply says the letter 'A'" in misread([forged])[0]
    assert "judgements.jsonl:2: the same case stands there twice" in misread([good, good])[0]


def test_half_of_a_surrogate_pair_can_be_stored():
    text = judgement_of(Reply("k", "A \ud800"), "judge:j", "q", "ABC").reply
    assert text.encode("utf-8").decode() == text
