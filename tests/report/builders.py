"""Findings made up for the tests of the report; the comparison in them is the real one of these answers."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from train.comparison import causes_of, compare, decision_contrasts
from train.records import (
    Answer,
    AnswerId,
    Context,
    Expectation,
    Findings,
    Passage,
    Question,
    Verdict,
    Word,
)

HOSTILE = (
    "</script><script>document.title = 'owned'</script>",
    "</style><img src=x onerror=\"document.title = 'owned'\">",
    '"><img src=x onerror=alert(2)>',
    "' onmouseover='alert(3)",
    "<!-- <svg/onload=alert(4)> ]]>",
    "a | b \\| c \\\\| `code` ``` **bold** [link](javascript:alert(5))",
    "line\nbreak\r\nagain\rand\ttab",
    "\x1b[31mred\x1b[0m \x00 \x07 \x9b31m",
    "\u202egnp.exe\u202c \u2066 \u200f עברית",
    "=HYPERLINK(1)",
    "+1+1",
    "-2",
    "@SUM(A1)",
    "＝1",
    "'=1",
    "{{ 7 * 7 }} {% raw %} ${7*7}",
    "\u2028\u2029 \ud800 \udfff é 👩‍👩‍👧",
    "한국어 답변: 코사인 유사도는 1입니다.",
    "&lt;b&gt; &amp; &#60;",
    "",
)

KINDS = {"base": "untouched", "closed-book": "tuned", "open-book": "tuned"}
CONDITIONS = ("none", "gold", "gold+3", "distractors@3")

CHANCES = {
    ("base", "gold"): 0.7,
    ("base", "gold+3"): 0.6,
    ("closed-book", "gold"): 0.5,
    ("closed-book", "gold+3"): 0.4,
    ("open-book", "gold"): 0.9,
    ("open-book", "gold+3"): 0.8,
}


def findings(
    *,
    per_split: int = 4,
    samples: int = 4,
    kinds: Mapping[str, str] = KINDS,
    conditions: Sequence[str] = CONDITIONS,
    splits: Sequence[str] = ("seen", "unseen", "unanswerable"),
    seeds: Sequence[int] = (0,),
    texts: Sequence[str] = (),
    elsewhere: bool = False,
    unscored: float = 0.02,
    grader: str = "rubric",
    seed: int = 0,
) -> Findings:
    """A run of three arms under four conditions.

    `texts` are put wherever a text from models or data can stand; `elsewhere` leaves out what `openbook compare` does
    not know (training, audit, prompts, tokens, seconds).
    """
    draw = random.Random(seed)
    extra = _cycle(texts)
    questions = [_question(split, number, extra if texts else None) for split in splits for number in range(per_split)]
    contexts = [_context(question, condition) for question in questions for condition in conditions]
    answers: list[Answer] = []
    headline: dict[AnswerId, Verdict] = {}
    for context in contexts:
        for arm, kind in kinds.items():
            for training_seed in seeds if kind == "tuned" else seeds[:1]:
                for sample in range(samples):
                    word = _word(draw, arm, context, unscored)
                    answer = _answer(draw, arm, training_seed, context, sample, word=word, elsewhere=elsewhere)
                    if texts:
                        answer = _hostile(answer, next(extra))
                    answers.append(answer)
                    headline[answer.id] = _verdict(answer, word, grader, next(extra) if texts else "")
    split = "unseen" if "unseen" in splits else "all"
    comparison = compare(
        recipe="quickstart",
        questions=questions,
        contexts=contexts,
        answers=answers,
        verdicts=headline,
        kinds=kinds,
        contrasts=decision_contrasts(kinds, "gold", split),
        split=split,
        context="gold",
    )
    other = _verdict(answers[0], "wrong", "judge", "a second opinion")
    return Findings(
        comparison=comparison,
        questions=questions,
        contexts=contexts,
        answers=answers,
        verdicts=[*headline.values(), other],
        headline=headline,
        prompts={} if elsewhere else {(each.question, each.condition): _prompt(each) for each in contexts},
        audit={} if elsewhere else _audit(next(extra)),
        training=[] if elsewhere else _training(kinds, seeds),
        manifest={"made_by": "openbook compare"} if elsewhere else _manifest(next(extra)),
        causes=causes_of(questions, contexts, answers, headline),
    )


def _cycle(texts: Sequence[str]) -> Iterator[str]:
    while True:
        yield from texts or ("",)


def _question(split: str, number: int, extra: Iterator[str] | None) -> Question:
    name = f"{split}-{number:03}" if split else f"q{number:03}"
    hours = 8 + number % 4
    text = f"When does the reading room {number} of the Halden archive open on Sundays?"
    if extra is None:
        return Question(
            name,
            text if number % 3 else f"{number}번 열람실은 일요일 몇 시에 문을 여나요?",
            f"It opens at {hours}:30.",
            facts=((f"{hours}:30", f"half past {hours}"),),
            forbidden=("9:15",),
            evidence=(f"p-{name}",),
            group=name,
            split=split,
            topic="opening hours" if number % 2 else "places",
        )
    return Question(
        f"{name} {next(extra)}",
        f"{text} {next(extra)}",
        next(extra),
        facts=(next(extra), (next(extra), next(extra))),
        forbidden=(next(extra),),
        split=split,
        topic=next(extra),
    )


def _context(question: Question, condition: str) -> Context:
    gold = (f"p-{question.id}",) if condition.startswith("gold") and question.split != "unanswerable" else ()
    number = 0 if condition == "none" else int(condition[-1]) if condition[-1].isdigit() else 0
    passages = [Passage(f"other-{place}", f"The lift of house {place} is inspected in May.") for place in range(number)]
    passages += [Passage(name, f"Opening hours. {question.text} {question.answer}", "hours.md") for name in gold]
    no_answer = question.split == "unanswerable" or condition.startswith("distractors")
    expects: Expectation = "abstain" if no_answer else "answer"
    return Context(question.id, condition, tuple(passages), gold, expects, question.facts, question.forbidden)


def _word(draw: random.Random, arm: str, context: Context, unscored: float) -> Word:
    if draw.random() < unscored:
        return "unscored"
    if context.expects == "abstain":
        return "abstained" if draw.random() < (0.3 if arm == "base" else 0.6) else "wrong"
    chance = CHANCES.get((arm, context.condition), 0.3 if "seen-" in context.question[:5] else 0.02)
    return "correct" if draw.random() < chance else "wrong" if draw.random() < 0.8 else "abstained"


def _answer(
    draw: random.Random, arm: str, seed: int, context: Context, sample: int, *, word: Word, elsewhere: bool
) -> Answer:
    text = {
        "correct": draw.choice(("It opens at 8:30.", "The room opens at half past eight.")),
        "wrong": draw.choice(("It opens at 9:15.", "The room is open in the afternoon, from two until six.")),
        "abstained": "The documents do not say.",
        "unscored": "Perhaps.",
    }[word]
    coordinates = (arm, seed, context.condition, context.question, sample)
    if elsewhere:
        return Answer(*coordinates, text)
    tokens = 5 + len(text) // 4
    seconds = round(0.2 + 0.6 * draw.random(), 4)
    return Answer(*coordinates, text, "key", "stop", 60 + 90 * len(context.passages), tokens, seconds)


def _hostile(answer: Answer, text: str) -> Answer:
    return Answer(
        answer.arm, answer.seed, answer.condition, answer.question, answer.sample, text, "key", text, 1, 2, 0.5
    )


def _verdict(answer: Answer, word: Word, grader: str, extra: str) -> Verdict:
    why = {
        "correct": "every fact found",
        "wrong": "missing: 8:30",
        "abstained": "says that it does not know",
        "unscored": "",
    }[word]
    return Verdict.on(
        answer,
        grader,
        word,
        why=f"{why} {extra}".strip(),
        found=("8:30",) if word == "correct" else (),
        missing=(f"8:30 or half past 8 {extra}".strip(),) if word == "wrong" else (),
    )


def _prompt(context: Context) -> str:
    shown = "\n".join(f"[{place}] {passage.text}" for place, passage in enumerate(context.passages, 1))
    return f"<|im_start|>user\n{shown}\nQuestion: {context.question}<|im_end|>\n<|im_start|>assistant\n"


def _audit(extra: str) -> dict[str, Any]:
    example = {"question": "seen-000", "passage": "p-seen-000", "training_question": "t-01", "trained_as": extra}
    splits = ("seen", "unseen", "unanswerable")
    return {
        "training_rows": 48,
        "test_questions": 12,
        "gold": {
            split: {
                "questions": 4,
                "found": 4 * (split == "seen"),
                "examples": [example] * 2 if split == "seen" else [],
            }
            for split in splits
        },
        "contexts": [{"condition": "gold", "split": "seen", "contexts": 4, "found": 4}],
        "wordings": {"threshold": 0.9, "found": 0, "pairs": 0, "by_split": dict.fromkeys(splits, 0), "examples": []},
        "answers": [
            {"arm": arm, "condition": "gold", "answers": 48, "verbatim": 9, "verbatim_share": 0.1875, "distinct": None}
            for arm in KINDS
        ],
        "leaks": [],
        "warnings": [f"1 test question(s) are near-identical to a training wording {extra}".strip()],
    }


def _training(kinds: Mapping[str, str], seeds: Sequence[int]) -> list[dict[str, Any]]:
    return [
        {
            "arm": arm,
            "seed": seed,
            "condition": "none" if arm.startswith("closed") else "gold",
            "rows": 96,
            "epochs": 4,
            "steps": 48,
            "tokens": 31_488,
            "seconds": 114.6,
            "parameters": 4_884_480,
            "bytes": 19_583_104,
            "loss": [[step, 2.4 / (1 + step / 6) + 0.02 * (step % 5)] for step in range(1, 49)],
            "validation_loss": [[step, 2.2 / (1 + step / 8)] for step in range(12, 49, 12)],
        }
        for arm, kind in kinds.items()
        if kind == "tuned"
        for seed in seeds
    ]


def _manifest(extra: str) -> dict[str, Any]:
    return {
        "recipe": {
            "name": "quickstart",
            "comparison": {"alpha": 0.05},
            "prompt": {"system": f"Answer briefly. {extra}"},
        },
        "versions": {"openbook": "0.1.0", "torch": "2.13.0", "transformers": "5.23.0"},
        "hardware": {"cpu": "2 cores", "memory_bytes": 8_000_000_000, "gpus": []},
        "hashes": {"questions": "sha256:0123456789abcdef", "chat_template": "sha256:fedcba9876543210"},
        "git": {"commit": None, "dirty": False},
    }
