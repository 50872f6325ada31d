"""Why an answer was not right: one cause for each, told from the stored records alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from train import conditions
from train.records import Answer, AnswerId, Cause, Context, Question, Verdict, is_right


def causes_of(
    questions: Iterable[Question],
    contexts: Iterable[Context],
    answers: Iterable[Answer],
    headline: Mapping[AnswerId, Verdict],
) -> dict[AnswerId, Cause]:
    """The cause of each answer that was not right by the verdict that counts."""
    asked = {question.id: question for question in questions}
    shown = {(context.question, context.condition): context for context in contexts}
    found = {}
    for answer in answers:
        context = shown.get((answer.question, answer.condition))
        if context is not None and (
            cause := cause_of(answer, headline.get(answer.id), context, asked[answer.question])
        ):
            found[answer.id] = cause
    return found


def cause_of(answer: Answer, verdict: Verdict | None, context: Context, question: Question) -> Cause | None:
    """Why the answer was not right by this verdict; None where it was. The first of these that applies:

    1. `ungraded`: no grader could say.
    2. `cut off`: it hit the token limit.

    Where the context expects abstention, for want of gold or because the corpus has no answer:

    3. `unsupported`: it answers though nothing supports an answer, be it right (from memory) or wrong.

    Where the context expects an answer:

    4. `retrieval missed`: passages were found, none of them is the question's evidence. Also where the answer
       abstains, which is then the best it could do. Of several evidence passages one is enough to have been found.
    5. `refused`: it abstains though the passage was there, or the question was asked without context.
    6. `memory`: it says what the model says without context (`Verdict.remembered`) in place of what it was shown.
    7. `gold unused`: gold was shown, and the answer is wrong all the same. For answers made elsewhere, whose passages
       are not known, the condition's name says so (`gold`, `gold+3`, `counterfactual`).
    8. `not known`: nothing was shown that holds the answer (`none`, or the rows of `mixed@…-answer` without gold), and
       the model did not know it by heart.
    9. `unexplained`: wrong, and whether gold was shown is not known: passages of a question that names no evidence, or
       a condition made elsewhere.
    """
    if verdict is None or verdict.verdict == "unscored":
        return "ungraded"
    if is_right(verdict.verdict, context.expects):
        return None
    if answer.finish == "length":
        return "cut off"
    if context.expects == "abstain":
        return "unsupported"
    mixed = context.condition.startswith("mixed@")
    if context.passages and not context.gold and question.evidence and not mixed:
        return "retrieval missed"
    if verdict.verdict == "abstained":
        return "refused"
    if verdict.remembered:
        return "memory"
    if context.gold or (not context.passages and _names_gold(context.condition)):
        return "gold unused"
    return "not known" if mixed or context.condition == conditions.NONE.name else "unexplained"


def _names_gold(condition: str) -> bool:
    return condition.startswith(("gold+", "counterfactual")) or condition == conditions.GOLD.name
