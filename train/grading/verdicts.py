"""All graders' verdicts on a set of answers, and the one of each answer that counts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from train.errors import UserError
from train.grading.abstention import abstains, refusal
from train.grading.copying import overlap
from train.grading.memory import Memory, is_remembered, recall
from train.grading.normalise import Normalised, normal_form
from train.grading.people import PERSON, Label, by_people, describe
from train.grading.provisional import NEAREST_F1, References, index_references, resembles
from train.grading.rubric import Outcome, compile_rubric
from train.records import Answer, AnswerId, Context, Fact, Question, Verdict, Word

RUBRIC = "rubric"
PROVISIONAL = "provisional"
JUDGE = "judge"
RANKS = {grader: rank for rank, grader in enumerate((PROVISIONAL, RUBRIC, JUDGE, PERSON))}
"""Whose word counts most, from least. `judge:NAME` ranks as `judge`."""


def grade(
    questions: Sequence[Question],
    contexts: Iterable[Context],
    answers: Iterable[Answer],
    *,
    abstention: str,
    labels: Iterable[Label] = (),
    nearest_f1: float = NEAREST_F1,
) -> list[Verdict]:
    """The verdicts of rubric or provisional grader and of people, side by side, in the order of the answers.

    An answer without a context of its own is graded by its question's rubric. `abstention` is the recipe's abstention
    sentence, `nearest_f1` the provisional grader's threshold. Raises `UserError` for an answer to a question that is
    not there and for a rubric that cannot be compiled.
    """
    answers = list(answers)
    grader = _Automatic(
        questions={question.id: question for question in questions},
        contexts={(context.question, context.condition): context for context in contexts},
        references=index_references(questions),
        abstention=abstention,
        nearest_f1=nearest_f1,
        memory=recall(answers),
    )
    people = by_people(answers, labels)
    verdicts = []
    for answer in answers:
        automatic = grader.grade(answer)
        verdicts += [automatic, *(beside(verdict, automatic) for verdict in people.get(answer.id, ()))]
    return verdicts


def beside(verdict: Verdict, automatic: Verdict) -> Verdict:
    """Another grader's verdict on the answer, with what the automatic one found out about the answer itself."""
    return replace(verdict, overlap=automatic.overlap, remembered=automatic.remembered)


def headline(verdicts: Iterable[Verdict]) -> dict[AnswerId, Verdict]:
    """The verdict of each answer that counts: a person's before a judge's, a rubric's and the provisional one.

    Of verdicts of one rank the last counts. An unscored one counts only where no grader could say more. Raises
    `ValueError` for a grader without a rank.
    """
    best: dict[AnswerId, tuple[tuple[bool, int], Verdict]] = {}
    for verdict in verdicts:
        name = verdict.grader.partition(":")[0]
        if name not in RANKS:
            raise ValueError(f"grader {verdict.grader!r}: not one of {', '.join(RANKS)}, judge:NAME")
        weight = (verdict.verdict != "unscored", RANKS[name])
        if verdict.id not in best or weight >= best[verdict.id][0]:
            best[verdict.id] = (weight, verdict)
    return {answer: verdict for answer, (_, verdict) in best.items()}


@dataclass(frozen=True, slots=True)
class _Automatic:
    """The graders that need no person and no model."""

    questions: dict[str, Question]
    contexts: dict[tuple[str, str], Context]
    references: References
    abstention: str
    nearest_f1: float
    memory: Memory

    def grade(self, answer: Answer) -> Verdict:
        """The rubric's verdict, or the provisional one where the question has no rubric."""
        question = self.questions.get(answer.question)
        if question is None:
            raise UserError(f"answer {describe(answer.id)}: there is no such question; add it or drop the answer")
        context = self.contexts.get((answer.question, answer.condition))
        facts, forbidden = _rubric_of(question, context)
        text = normal_form(answer.text)
        outcome = compile_rubric(facts, forbidden).judge(text)
        grader, word, why = RUBRIC, *self._word(question, context, text, outcome)
        if word == "unscored" and self._has_reference(question, context):
            grader = PROVISIONAL
            similar, why = resembles(self.references, question.id, text, self.nearest_f1)
            word, why = ("correct", why) if similar else self._abstained_or("wrong", text, why)
        return Verdict(
            arm=answer.arm,
            seed=answer.seed,
            condition=answer.condition,
            question=answer.question,
            sample=answer.sample,
            grader=grader,
            verdict=word,
            answer=answer.key,
            why=why,
            found=outcome.found,
            missing=outcome.missing,
            violated=outcome.violated,
            overlap=overlap(answer.text, context.passages if context else ()),
            remembered=is_remembered(answer, text, context, question, self.memory),
        )

    def _word(
        self, question: Question, context: Context | None, text: Normalised, outcome: Outcome
    ) -> tuple[Word, str]:
        """The rubric's word; `unscored` where there is no rubric to go by."""
        if outcome.passed:
            return "correct", outcome.why
        if not text.text.strip("*_~#"):
            return "wrong", "empty"
        if outcome.missing or outcome.violated:
            return self._abstained_or("wrong", text, outcome.why)
        if self._is_unanswerable(question, context):
            return self._abstained_or("wrong", text, "answers, though nothing supports an answer")
        if self._has_reference(question, context):
            return "unscored", ""
        return self._abstained_or("unscored", text, "there is no rubric and no reference to go by")

    def _abstained_or(self, otherwise: Word, text: Normalised, why: str) -> tuple[Word, str]:
        words = refusal(text, self.abstention)
        return (otherwise, why) if words is None else ("abstained", f"abstains: {words}")

    def _is_unanswerable(self, question: Question, context: Context | None) -> bool:
        """Whether the corpus has no answer, rather than this context alone."""
        if question.split == "unanswerable":
            return True
        if context is None or context.expects == "answer":
            return False
        reference = normal_form(question.answer)
        return not reference.text or abstains(reference, self.abstention)

    def _has_reference(self, question: Question, context: Context | None) -> bool:
        # The reference states the true answer, which under a counterfactual context is not the one asked for.
        return question.id in self.references.numbers and not _is_counterfactual(context)


def _rubric_of(question: Question, context: Context | None) -> tuple[tuple[Fact, ...], tuple[Fact, ...]]:
    """The facts and forbidden statements that count; the question's own where the context brings none."""
    if context is not None and (context.facts or _is_counterfactual(context)):
        return context.facts, context.forbidden
    return question.facts, question.forbidden


def _is_counterfactual(context: Context | None) -> bool:
    return context is not None and context.condition.startswith("counterfactual")
