"""Finished runs of openbook: their answers, with what people and a judge said of them and what they were asked with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from train.errors import UserError
from train.findings import read_answers
from train.foreign.judged import run_judgements
from train.foreign.matching import match
from train.foreign.records import Given, Item, RunFacts
from train.records import Passage, Question, general_ids
from train.sealing import Record, digest, unsealed
from train.serialising import revive, revive_context
from train.store import Run


def is_run(directory: Path) -> bool:
    """Whether that is a run directory."""
    return (directory / "manifest.json").is_file()


def read_run(directory: Path, questions: Sequence[Question]) -> Given:
    """A run's answers, under the ids of these questions; its verdicts are not read, since all is graded anew.

    Raises:
        UserError: the run is damaged, was edited or not finished, or its questions are others.
    """
    run = Run.of(directory)
    manifest = run.manifest()
    answers = read_answers(run)
    if run.made_from("sampling") is None or not answers:
        raise UserError(f"{directory}: the answers are not all there; finish the run with `openbook run`")
    if digest(sorted(answer.key for answer in answers)) != run.made_from("sampling"):
        raise UserError(
            f"{directory}: answers were removed, added or exchanged (`openbook verify {directory}` says more)"
        )
    own = {question.id: question for question in run_questions(directory)}
    # What a run asked beside its test is compared only where these questions hold it, too.
    aside = general_ids(own.values()) - {question.id for question in questions}
    answers = [answer for answer in answers if answer.question not in aside]
    answered = {answer.question for answer in answers}
    items = [Item(f"question {id!r}", {"id": id}, (own[id].text,), ()) for id in own if id in answered]
    found = match(items, questions, str(directory))
    now = dict(zip((item.ids["id"] for item in items), found.questions, strict=True))
    facts = RunFacts(
        questions={now[id]: own[id] for id in now},
        abstention=str(manifest.get("grading", {}).get("abstention", "")),
        **shown(run, now),
    )
    judge, judgements = run_judgements(run, now)
    return Given(
        path=directory,
        what=f"a run of openbook, recipe {run.recipe!r}",
        answers=tuple(replace(answer, question=now[answer.question]) for answer in answers),
        labels=tuple(
            {**label, "answer": {**label["answer"], "question": now[label["answer"]["question"]]}}
            for label in map(unsealed, run.records("labels.jsonl"))
            if label["answer"]["question"] in now
        ),
        facts=facts,
        judge=judge,
        judgements=judgements,
    )


def shown(run: Run, now: Mapping[str, str]) -> Record:
    """What the run's questions were asked with, and the prompts; the questions under the ids that they have now."""
    passages = {record["id"]: revive(Passage, record) for record in run.records("passages.jsonl")}
    contexts, prompts = {}, {}
    for record in run.records("contexts.jsonl"):
        if record["question"] not in now:
            continue
        question = now[record["question"]]
        contexts[question, record["condition"]] = replace(revive_context(record, passages), question=question)
        prompts[question, record["condition"]] = record["prompt"]
    return {"contexts": contexts, "prompts": prompts}


def run_questions(directory: Path) -> list[Question]:
    """The questions that a run has stored, each with its split."""
    return [revive(Question, record) for record in Run.of(directory).records("questions.jsonl")]
