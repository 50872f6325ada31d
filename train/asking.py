"""Ask every cell its questions: which answers are missing, who draws them, and the answers file put in order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from train import models, sampling, tuning
from train.findings import read_answers
from train.prepare import Prepared
from train.processes import Processes
from train.progress import Screen
from train.records import Answer, AnswerId
from train.sealing import digest
from train.serialising import to_json
from train.store import Run

Adapters = Mapping[tuple[str, int], tuning.Adapter]
"""The trained adapters by arm and training seed."""


def sample_answers(prepared: Prepared, adapters: Adapters, run: Run, screen: Screen, processes: Processes) -> None:
    """Draws the answers that are not there yet, each process its share, and puts the answers file in order."""
    wanted = prepared.wanted({identifier: adapter.digest for identifier, adapter in adapters.items()})
    own = share_file(processes.rank)
    run.mend(own)
    processes.wait()
    there = stored_answers(run).keys()
    missing = {identifier: key for identifier, key in wanted.items() if key not in there}
    processes.wait()  # nobody writes before everybody has read
    if missing:
        if processes.main:
            run.unstage("sampling", "grading")

        def handover(answers: list[Answer]) -> None:
            run.append_records(own, [to_json(answer) for answer in answers])
            advance(len(answers), f"{answers[-1].arm} × {answers[-1].condition}")

        requests = processes.share(make_requests(prepared, missing))
        with screen.stage("sampling", sum(len(each.samples) for each in requests)) as advance:
            for group in by_base(prepared, requests):
                draw_answers(prepared, adapters, group, handover)
    processes.wait()
    if processes.main:
        settle(run, wanted)


def share_file(rank: int) -> str:
    """Where a process puts its answers until all are there; the main process's file is the one that stays."""
    return f"answers-{rank}.jsonl" if rank else "answers.jsonl"


def stored_answers(run: Run) -> dict[str, Answer]:
    """Every stored answer by its key: those of this recipe, of all processes, and those kept for others."""
    names = ["superseded.jsonl", "answers.jsonl", *(path.name for path in shares(run))]
    return {answer.key: answer for name in names for answer in read_answers(run, name)}


def shares(run: Run) -> list[Path]:
    """The answers of other processes that were not put in order yet."""
    return sorted(run.directory.glob("answers-*.jsonl"))


def make_requests(prepared: Prepared, missing: Mapping[AnswerId, str]) -> list[sampling.Request]:
    """One for each question in each cell, with the samples that are missing. One key is asked for once."""
    groups: dict[tuple[str, int, str, str], list[tuple[int, str]]] = {}
    asked: set[str] = set()
    for each, key in missing.items():
        if key not in asked:
            asked.add(key)
            groups.setdefault((each.arm, each.seed, each.condition, each.question), []).append((each.sample, key))
    return [
        sampling.Request(
            arm=arm,
            seed=seed,
            prompt=prepared.prompts[question, condition],
            adapter=None,  # named when it is loaded
            samples=tuple(sample for sample, _ in samples),
            keys=tuple(key for _, key in samples),
        )
        for (arm, seed, condition, question), samples in groups.items()
    ]


def by_base(prepared: Prepared, requests: Sequence[sampling.Request]) -> Iterable[list[sampling.Request]]:
    """The requests that one base answers together: in full precision, or in 4 bits as some arms were trained on."""
    groups: dict[str, list[sampling.Request]] = {}
    for request in requests:
        four_bit = prepared.recipe.arms[request.arm].quantization
        groups.setdefault(four_bit.precision if four_bit else "", []).append(request)
    return groups.values()


def draw_answers(
    prepared: Prepared, adapters: Adapters, requests: Sequence[sampling.Request], handover: sampling.Handover
) -> None:
    """Loads one base with the adapters that the requests need beside one another, and has it answer."""
    identifiers = dict.fromkeys((request.arm, request.seed) for request in requests)
    # An arm's own name may hold what module names may not.
    names = {each: f"adapter{number}" for number, each in enumerate(each for each in identifiers if each in adapters)}
    requests = [replace(request, adapter=names.get((request.arm, request.seed))) for request in requests]
    directories = {name: adapters[each].directory for each, name in names.items()}
    tokenizer, settings, recipe = prepared.chat.tokenizer, prepared.settings, prepared.recipe
    if settings.engine.startswith(sampling.VLLM_ENGINE):
        from train.sampling import vllm

        trusted = recipe.base.trust_remote_code
        weights = vllm.Weights(prepared.source.directory, prepared.dtype, directories, trusted)
        vllm.answer(requests, weights, tokenizer, settings, handover)
        return
    model: Any = models.load_model(prepared.source, recipe.base, recipe.arms[requests[0].arm].quantization)
    for name, directory in directories.items():
        if hasattr(model, "peft_config"):
            model.load_adapter(directory, adapter_name=name)
        else:
            from peft import PeftModel

            model = PeftModel.from_pretrained(model, directory, adapter_name=name)
    model.eval()
    sampling.answer(requests, model, tokenizer, settings, handover, batch_size=recipe.sampling.batch_size)


def settle(run: Run, wanted: Mapping[AnswerId, str]) -> None:
    """Writes exactly the wanted answers, in order; others are kept apart, for the day their settings come back.

    The answers that change files are in both for a moment, so that a kill loses none.
    """
    pool = stored_answers(run)
    keys = set(wanted.values())
    others = {key: to_json(answer) for key, answer in pool.items() if key not in keys}
    aside = {answer.key: to_json(answer) for answer in read_answers(run, "superseded.jsonl")}
    stored = [(answer.id, answer.key) for answer in read_answers(run)]
    made_from = digest(sorted(wanted.values()))
    if stored != list(wanted.items()):
        run.unstage("sampling", "grading")  # a kill in between must not leave a false mark
        if others.keys() - aside.keys():
            run.write_records("superseded.jsonl", (aside | others).values())
        answers = [
            replace(
                pool[key],
                arm=each.arm,
                seed=each.seed,
                condition=each.condition,
                question=each.question,
                sample=each.sample,
            )
            for each, key in wanted.items()
        ]
        run.write_records("answers.jsonl", [to_json(answer) for answer in answers])
    if others.keys() != aside.keys():
        run.write_records("superseded.jsonl", others.values())
    for path in shares(run):
        path.unlink()
    if run.made_from("sampling") != made_from:
        run.stage("sampling", made_from, answers=len(wanted))
