"""The graders that need no person and no model: the rubric, and the provisional one where a question has none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from train.errors import UserError
from train.grading.abstention import abstains, refusal
from train.grading.copying import grams_of, overlap
from train.grading.judge import ALL_LETTERS
from train.grading.judge_prompt import Case
from train.grading.memory import Memory, is_remembered
from train.grading.normalise import Normalised, normal_form
from train.grading.people import describe
from train.grading.provisional import References, resembles
from train.grading.rubric import Outcome, Rubric, compile_rubric
from train.judges import Scope
from train.records import GENERAL, Answer, Context, Expectation, Fact, Question, Verdict, Word

RUBRIC = "rubric"
PROVISIONAL = "provisional"


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as one condition asks it: what its answers are graded by, whatever they say.

    `context` is None for answers without one of their own. `has_reference`: there is a reference that counts here;
    `unanswerable`: the corpus has no answer, rather than this context alone. `passages` are the n-grams of those shown
    (`copying`), `case` is all of a judge's `Case` but the answer, or None where a judge has nothing to go by.
    """

    question: Question
    context: Context | None
    rubric: Rubric
    has_reference: bool
    unanswerable: bool
    passages: tuple[frozenset[str], ...]
    case: tuple[str, str, tuple[Fact, ...], tuple[Fact, ...], Expectation, str] | None


@dataclass(frozen=True, slots=True)
class Automatic:
    """Grades answer by answer, and says what a judge is to be shown of them."""

    questions: Mapping[str, Question]
    contexts: Mapping[tuple[str, str], Context]
    references: Mapping[bool, References]
    """By whether the question is a general one: asking these may change no verdict on what is tested."""
    abstention: str
    nearest_f1: float
    memory: Memory
    asked: dict[tuple[str, str], Asked] = field(default_factory=dict)
    """What was asked so far, by question and condition: many answers are to the same."""

    def grade(self, answer: Answer) -> Verdict:
        """The rubric's verdict, or the provisional one where the question has no rubric.

        Raises `UserError` for an answer to a question that is not there and a rubric that cannot be compiled.
        """
        asked = self._asked(answer)
        text = normal_form(answer.text)
        outcome = asked.rubric.judge(text)
        grader, word, why = RUBRIC, *self._word(asked, text, outcome)
        if word == "unscored" and asked.has_reference:
            grader = PROVISIONAL
            similar, why = resembles(self._references(asked.question), asked.question.id, text, self.nearest_f1)
            word, why = ("correct", why) if similar else self._abstained_or("wrong", text, why)
        return Verdict.on(
            answer,
            grader,
            word,
            why=why,
            found=outcome.found,
            missing=outcome.missing,
            violated=outcome.violated,
            overlap=overlap(text.text, asked.passages),
            remembered=is_remembered(answer, text, asked.context, asked.question, self.memory),
        )

    def case(self, answer: Answer, automatic: Verdict, scope: Scope) -> Case | None:
        """What a judge is shown of the answer; `None` where it is not asked, or has nothing to go by.

        An empty answer needs no judge.
        """
        if scope == "provisional" and automatic.grader != PROVISIONAL:
            return None
        shown = self._asked(answer).case
        return None if shown is None or _is_empty(normal_form(answer.text)) else Case(*shown, answer.text.strip())

    def _asked(self, answer: Answer) -> Asked:
        place = answer.question, answer.condition
        found = self.asked.get(place)
        if found is None:
            found = self.asked[place] = self._ask(answer)
        return found

    def _ask(self, answer: Answer) -> Asked:
        question = self.questions.get(answer.question)
        if question is None:
            raise UserError(f"answer {describe(answer.id)}: there is no such question; add it or drop the answer")
        context = self.contexts.get((answer.question, answer.condition))
        facts, forbidden = rubric_of(question, context)
        # The reference states the true answer, which under a counterfactual context is not the one asked for.
        counterfactual = context is not None and context.is_counterfactual
        has_reference = question.id in self._references(question).numbers and not counterfactual
        unanswerable = self._is_unanswerable(question, context)
        unknown = unanswerable and not facts
        reference = question.answer.strip() if has_reference and not unknown else ""
        expects: Expectation = context.expects if context else "answer"
        letters = ALL_LETTERS.replace("A", "") if unknown else ALL_LETTERS
        return Asked(
            question,
            context,
            compile_rubric(facts, forbidden),
            has_reference,
            unanswerable,
            grams_of(context.passages if context else ()),
            (question.text, reference, facts, forbidden, expects, letters) if facts or reference or unknown else None,
        )

    def _references(self, question: Question) -> References:
        return self.references[question.split == GENERAL]

    def _is_unanswerable(self, question: Question, context: Context | None) -> bool:
        if question.split == "unanswerable":
            return True
        if context is None or context.expects == "answer":
            return False
        reference = normal_form(question.answer)
        return not reference.text or abstains(reference, self.abstention)

    def _word(self, asked: Asked, text: Normalised, outcome: Outcome) -> tuple[Word, str]:
        """The rubric's word; `unscored` where there is no rubric to go by."""
        if outcome.passed:
            return "correct", outcome.why
        if _is_empty(text):
            return "wrong", "empty"
        if outcome.missing or outcome.violated:
            return self._abstained_or("wrong", text, outcome.why)
        if asked.unanswerable:
            return self._abstained_or("wrong", text, "answers, though nothing supports an answer")
        if asked.has_reference:
            return "unscored", ""
        return self._abstained_or("unscored", text, "there is no rubric and no reference to go by")

    def _abstained_or(self, otherwise: Word, text: Normalised, why: str) -> tuple[Word, str]:
        words = refusal(text, self.abstention)
        return (otherwise, why) if words is None else ("abstained", f"abstains: {words}")


def rubric_of(question: Question, context: Context | None) -> tuple[tuple[Fact, ...], tuple[Fact, ...]]:
    """The facts and forbidden statements that count; the question's own where the context brings none."""
    if context is not None and (context.facts or context.is_counterfactual):
        return context.facts, context.forbidden
    return question.facts, question.forbidden


def _is_empty(text: Normalised) -> bool:
    return not text.text.strip("*_~#")
