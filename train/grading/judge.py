"""A model as grader: what its replies mean, and the verdicts that follow from the replies that are stored.

Nothing here asks a model.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from train.grading.judge_prompt import PROMPT, Case
from train.judges import Scope
from train.records import Answer, AnswerId, Verdict, Word
from train.sealing import digest

WORDS: Mapping[str, Word] = {"A": "correct", "B": "wrong", "C": "abstained"}
"""What the letters mean."""
ALL_LETTERS = "".join(WORDS)
LONGEST = 2000
"""So many characters at the end of a reply are kept."""


@dataclass(frozen=True, slots=True)
class JudgeRules:
    """What a judge's verdicts depend on; kept in the manifest, so that they can be made again without it.

    `name` is that of the grader. `identity` is what tells the judge from others: weights and precision, or address and
    model. `prompt` identifies the texts of `judge_prompt` that it was asked with.
    """

    name: str
    model: str
    where: str
    identity: str
    settings: str
    scope: Scope
    prompt: str = PROMPT

    def key(self, case: Case) -> str:
        """What the reply to the case depends on. The prompt's own words stay out, so that a later version of them does
        not make earlier replies unreadable."""
        return _key(self.identity, self.settings, self.prompt, case)


@lru_cache(maxsize=2**17)
def _key(identity: str, settings: str, prompt: str, case: Case) -> str:
    # Asked for three times on the way from a reply to a report, and by every answer that says the same.
    return digest([identity, settings, prompt, case._asdict()])[:32]


@dataclass(frozen=True, slots=True)
class Reply:
    """What the judge said to the case of this key, or, in `problem`, why it said nothing.

    `model` is what the endpoint calls the model that replied. `cost` is None where no price is known.
    """

    key: str
    text: str
    problem: str = ""
    prompt_tokens: int = 0
    tokens: int = 0
    seconds: float = 0.0
    cost: float | None = None
    model: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A stored reply: which judge gave it to which case of which question, and the letter it comes to, or none."""

    key: str
    judge: str
    question: str
    letters: str
    reply: str
    letter: str
    problem: str = ""
    prompt_tokens: int = 0
    tokens: int = 0
    seconds: float = 0.0
    cost: float | None = None
    model: str = ""


def judgement_of(reply: Reply, judge: str, question: str, letters: str) -> Judgement:
    """The reply as it is stored."""
    # Half of a surrogate pair, which JSON can spell, cannot be written to a file.
    text = worth_keeping(reply.text.encode("utf-8", "replace").decode("utf-8"))
    return Judgement(
        key=reply.key,
        judge=judge,
        question=question,
        letters=letters,
        reply=text,
        letter=letter_in(text, letters),
        problem=reply.problem,
        prompt_tokens=reply.prompt_tokens,
        tokens=reply.tokens,
        seconds=round(reply.seconds, 4),
        cost=reply.cost,
        model=reply.model,
    )


def worth_keeping(reply: str) -> str:
    """The end of a long reply, where its letter stands; of a thought that was never ended, the beginning, which tells
    that it is one."""
    thought = reply.rfind("<think>")
    unended = thought > reply.rfind("</think>")
    return reply[thought : thought + LONGEST] if unended and len(reply) > LONGEST else reply[-LONGEST:]


def letter_in(reply: str, letters: str) -> str:
    """The last of the offered letters that stands by itself in the reply; empty where there is none.

    A reply that begins with another letter, as if that were all (`A. It is not B.`), says two things: none. Small
    letters count only where there is nothing else, and the article of `A good answer` is no letter. What a model thinks
    aloud before it replies does not count.
    """
    said = unicodedata.normalize("NFKC", reply)
    said = said.rpartition("</think>")[2].partition("<think>")[0]
    if alone := re.fullmatch(rf"[\W_]*([{letters}])(?:[^\w+#]|_)*", said, re.IGNORECASE):
        return alone[1].upper()
    found: list[str] = re.findall(
        # ASCII by hand: Hangul may follow a letter (`A입니다`). Neither C++, C# nor A-level is one.
        rf"(?<![A-Za-z0-9])(?<![A-Za-z0-9]-)(?!{_ARTICLE})[{letters}](?![A-Za-z0-9+#]|-[A-Za-z0-9])",
        said,
    )
    first = re.match(rf"[\W_]*([{letters}])(?:[.:)\]*_]|\s*(?:\n|$))", said)
    agreed = first is None or first[1] == found[-1]
    return found[-1] if found and agreed else ""


_ARTICLE = r"A\s+(?!(?:is|as|because|since|or|and|but)\b)[a-z]"


def verdict_by(judge: JudgeRules, judgement: Judgement, answer: Answer, **of_answer: Any) -> Verdict:
    """The judge's verdict on the answer; `unscored` with the reply where no letter was found in it.

    `of_answer` is what else a verdict says of the answer, whoever gives it.
    """
    word: Word = WORDS[judgement.letter] if judgement.letter else "unscored"
    if judgement.problem:
        why = judgement.problem
    elif judgement.letter:
        why = f"replied: {judgement.reply.strip()}"
    else:
        why = f"no offered letter in the reply: {judgement.reply.strip() or '(empty)'}"
    return Verdict.on(answer, judge.name, word, why=why, **of_answer)


def summarise(judge: JudgeRules, cases: Mapping[AnswerId, Case], judgements: Mapping[str, Judgement]) -> dict[str, Any]:
    """The judge's work in figures: answers it is asked about, those judged, requests they took, answers that needed
    none of their own because another said the same, answers without a letter, tokens, seconds of waiting, and the cost
    where it is known."""
    keys = [key for case in cases.values() if (key := judge.key(case)) in judgements]
    used = [judgements[key] for key in dict.fromkeys(keys)]
    costs = [judgement.cost for judgement in used]
    return {
        "judge": judge.name,
        "where": judge.where,
        "models": sorted({judgement.model for judgement in used if judgement.model}),
        "scope": judge.scope,
        "asked": len(cases),
        "judged": len(keys),
        "requested": len(used),
        "cached": len(keys) - len(used),
        "unparsed": sum(not judgements[key].letter for key in keys),
        "prompt_tokens": sum(judgement.prompt_tokens for judgement in used),
        "tokens": sum(judgement.tokens for judgement in used),
        "seconds": round(sum(judgement.seconds for judgement in used), 4),
        "cost": None if None in costs else round(sum(cost for cost in costs if cost is not None), 6),
    }


def misread(judgements: Iterable[Judgement]) -> list[str]:
    """What is wrong with stored judgements as a whole: a letter that the reply does not say, one case judged twice."""
    problems, seen = [], set()
    for number, judgement in enumerate(judgements, start=1):
        place = f"judgements.jsonl:{number}"
        letter = letter_in(judgement.reply, judgement.letters)
        if letter != judgement.letter:
            stored, now = (f"the letter {each!r}" if each else "no letter" for each in (judgement.letter, letter))
            problems.append(f"{place}: {stored} is stored, but the reply says {now} (question {judgement.question})")
        if judgement.key in seen:
            problems.append(f"{place}: the same case stands there twice (question {judgement.question})")
        seen.add(judgement.key)
    return problems
