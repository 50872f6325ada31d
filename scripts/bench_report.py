"""From stored answers to the report: reading and grading them again, comparing, writing the report.

The run is made up: so many questions, each with a passage of its own, a rubric and a topic, asked of four arms under
two conditions; the answers are right, wrong, refusals or cut off, in words that mostly differ from sample to sample.
With `--labels` people judged so many of them, drawn half from what the rubric passes and half from what it fails; with
`--judged` there is a judge's reply to each. What is timed is all that `openbook grade` and `openbook label` do to such
a run, with loading libraries and writing files: after its rubrics or a rule have changed, so that all is graded again,
and, where there are labels, after one of them has.

    python scripts/bench_report.py --out report.json                                # 1,000 questions, 32,000 answers
    python scripts/bench_report.py --questions 100 1000 --labels 0 400 --repeats 5
"""

from __future__ import annotations

import random
import tempfile
import time
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

from benchmark import GIB, Measurement, arguments, compare, finish, in_child, show, spread, start

from train.models import peak_bytes

ARMS = {"base": "untouched", "closed-book": "tuned", "open-book": "tuned", "mixed": "tuned"}
CONDITIONS = ("none", "gold")
SAMPLES = 4
STEPS = ("grade", "compare", "report")
WORDS = [
    "harbour", "lantern", "ferry", "winter", "crossing", "keeper", "schedule", "timber", "island", "signal", "captain",
    "morning", "storm", "ledger", "office", "deck", "cargo", "north", "window", "letter", "visitor", "garden", "engine",
]  # fmt: skip
"""What passages and answers are padded with."""


def write_run(directory: Path, questions: int, labels: int, *, judged: bool = False) -> None:
    """A finished run of made-up answers, graded and reported on; with `judged`, a judge has replied to all of them."""
    from train.assess import GradingRules, assess
    from train.comparison import decision_contrasts
    from train.grading import JudgeRules, Reply
    from train.judging import Bench
    from train.progress import Screen
    from train.records import Answer, Context, Passage, Question
    from train.sealing import digest
    from train.serialising import context_record, to_json
    from train.store import Run

    rng = random.Random(0)
    asked, passages, contexts = [], [], []
    for number in range(questions):
        code = str(20_011 + 37 * number)
        passage = Passage(f"p{number}", f"The code of gate {number} is {code}. {prose(rng, 60)}", "gates.md")
        question = Question(
            id=f"q{number:05}", text=f"What is the code of gate {number}?", answer=f"The code is {code}.",
            facts=(code,),
            evidence=(passage.id,), group=f"g{number}", split="seen" if number % 2 else "unseen",
            topic=f"quay {number % 7}",
        )  # fmt: skip
        asked.append(question)
        passages.append(passage)
        contexts += [
            Context(question.id, "none", (), (), "answer", question.facts),
            Context(question.id, "gold", (passage,), (passage.id,), "answer", question.facts),
        ]
    answers = [
        Answer(
            arm=arm, seed=0, condition=condition, question=question.id, sample=sample,
            text=(text := said(rng, question.facts[0], 0.7 if condition == "gold" else 0.2)),
            key=digest([arm, condition, question.id, sample, text]), finish="length" if rng.random() < 0.01 else "stop",
            prompt_tokens=80, tokens=20, seconds=0.01,
        )
        for arm in ARMS
        for condition in CONDITIONS
        for question in asked
        for sample in range(SAMPLES)
    ]  # fmt: skip
    with Run(directory, "made-up") as run:
        stored = [context_record(context, f"Answer from the passage. {context.question}") for context in contexts]
        run.amend(
            {
                "recipe": {"name": "made-up"},
                "hashes": {
                    "data": digest([*map(to_json, asked), *map(to_json, passages)]),
                    "contexts": digest(stored),
                    "training": digest([]),
                },
                "comparison": {
                    "kinds": ARMS,
                    "contrasts": [to_json(contrast) for contrast in decision_contrasts(ARMS, "gold", "unseen")],
                    "split": "unseen", "context": "gold", "alpha": 0.05, "worthwhile": 0.05,
                },
                "audit": {},
                "training": [],
            }
        )  # fmt: skip
        run.write_records("questions.jsonl", map(to_json, asked))
        run.write_records("passages.jsonl", map(to_json, passages))
        run.write_records("contexts.jsonl", stored)
        run.write_records("training.jsonl", [])
        run.write_records("answers.jsonl", map(to_json, answers))
        run.stage("sampling", digest(sorted(answer.key for answer in answers)), answers=len(answers))
        run.write_records("labels.jsonl", drawn_labels(rng, answers, {each.id: each for each in asked}, labels))
        judge = JudgeRules("judge:dice", "dice", "here", "dice", "six sides", "all")
        bench = Bench(
            judge,
            "",
            lambda prompts, handover: handover([Reply(key, rng.choice("AB")) for key in prompts]),
            lambda: None,
        )
        assess(run, ("grade", "report"), Screen(quiet=True), GradingRules(), bench if judged else None)


def prose(rng: random.Random, count: int) -> str:
    """So many words."""
    return " ".join(rng.choices(WORDS, k=count)) + "."


def said(rng: random.Random, code: str, chance: float) -> str:
    """An answer that is right with that chance, else a wrong one or a refusal."""
    if rng.random() < chance:
        return f"The code is {code}. {prose(rng, rng.randrange(12))}"
    if rng.random() < 0.2:
        return "The documents do not say."
    return f"The code is {rng.randrange(10_000, 99_999)}. {prose(rng, rng.randrange(12))}"


def drawn_labels(rng: random.Random, answers: Any, questions: Any, count: int) -> list[dict[str, Any]]:
    """One person's labels of answers drawn half and half by whether they state the fact; one in twenty differs."""
    from train.grading import Label
    from train.serialising import to_json

    labels = []
    for right in (True, False):
        kind = [answer for answer in answers if (questions[answer.question].facts[0] in answer.text) == right]
        for answer in rng.sample(kind, min(count // 2, len(kind))):
            word = "correct" if right == (rng.random() > 0.05) else "wrong"
            label = Label(answer.id, word, "ann", "2026-01-01", key=answer.key, probability=count / 2 / len(kind))
            labels.append(to_json(label))
    return labels


def perform(task: Measurement) -> Measurement:
    """The seconds of each step on a run that is there."""
    moments = [time.perf_counter()]
    from train.assess import GradingRules, grade_answers, write_comparison, write_report
    from train.findings import uncollected
    from train.progress import Screen
    from train.store import Run

    with Run.of(Path(task["directory"])) as run, uncollected():  # as `assess` does
        if task["anew"]:
            run.unstage("grading")
        else:
            run.write_records("labels.jsonl", run.records("labels.jsonl")[1:])
        findings = grade_answers(run, Screen(quiet=True), GradingRules(**run.manifest()["grading"]))
        moments.append(time.perf_counter())
        findings = write_comparison(run, findings)
        moments.append(time.perf_counter())
        write_report(run, findings)
        moments.append(time.perf_counter())
    return {
        "seconds": moments[-1] - moments[0],
        "units": len(findings.answers),
        "steps": {step: end - begin for step, begin, end in zip(STEPS, moments, moments[1:], strict=False)},
        "peak_gib": peak_bytes() / GIB,
    }


def main() -> int:
    """Measures, prints the table and writes it as JSON."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--questions", type=int, nargs="+", default=[1000], metavar="N",
                        help="questions of the run, each with 32 answers (default: 1000)")  # fmt: skip
    parser.add_argument("--labels", type=int, nargs="+", default=[0], metavar="N", help="answers that people judged")
    parser.add_argument("--judged", action="store_true", help="the same with a judge's replies to every answer, too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        measures = {}
        for questions, labels, judged in product(options.questions, options.labels, sorted({False, options.judged})):
            directory = Path(scratch) / f"{questions}-{labels}-{judged}"
            write_run(directory, questions, labels, judged=judged)
            for anew in (True, False) if labels else (True,):
                name = label(questions, labels, judged=judged) + ("" if anew else ", one new")
                measures[name] = partial(in_child, __file__, {"directory": str(directory), "anew": anew})
        rows = compare(measures, options.repeats)
    for summary in rows.values():
        for step in ("seconds", *STEPS):
            summary[step] = spread([{"seconds": run["seconds"], **run["steps"]}[step] for run in summary["runs"]])
    table = {"table": "report", "size": None, "unit": "answer", "rows": rows}
    columns = {
        "s": ("seconds", 1.0), **{f"{step}, s": (step, 1.0) for step in STEPS}, "µs/answer": ("cost", 1e6),
        "peak memory, GiB": ("peak_gib", 1.0),
    }  # fmt: skip
    show("from stored answers to the report", [table], columns, brief=("µs/answer",))
    return finish("report", options, [table])


def label(questions: int, labels: int, *, judged: bool = False) -> str:
    """What a size is called."""
    answers = questions * len(ARMS) * len(CONDITIONS) * SAMPLES
    return f"{questions:,} questions, {answers:,} answers, {labels} labels{', judged' if judged else ''}"


if __name__ == "__main__":
    start(main, perform)
