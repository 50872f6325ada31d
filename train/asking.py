"""Ask every cell its questions: which answers are missing, who draws them, and the answers file put in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from train import models, sampling, tuning
from train.findings import read_answers
from train.prepare import Prepared
from train.processes import Processes
from train.progress import Screen
from train.recipe import QLoRA, Tuned
from train.records import Answer, AnswerId, to_json
from train.store import Run, digest

Adapters = Mapping[tuple[str, int], tuning.Adapter]
"""The trained adapters by arm and training seed."""


def sample_answers(prepared: Prepared, adapters: Adapters, run: Run, screen: Screen, processes: Processes) -> None:
    """Draws the answers that are not there yet, each process its share, and puts the answers file in order."""
    wanted = prepared.wanted({identifier: adapter.digest for identifier, adapter in adapters.items()})
    own = share_file(processes.rank)
    run.mend(own)
    processes.wait()
    pool = stored_answers(run)
    missing = {identifier: key for identifier, key in wanted.items() if key not in pool}
    processes.wait()  # nobody writes before everybody has read
    if missing:
        if processes.main:
            run.unstage("sampling", "grading")

        def handover(answers: list[Answer]) -> None:
            run.append_records(own, [to_json(answer) for answer in answers])
            pool.update((answer.key, answer) for answer in answers)
            advance(len(answers), f"{answers[-1].arm} × {answers[-1].condition}")

        requests = processes.share(make_requests(missing))
        with screen.stage("sampling", sum(len(each.samples) for each in requests)) as advance:
            for four_bit, group in by_base(prepared, requests).items():
                draw_answers(prepared, adapters, four_bit, group, handover)
    processes.wait()
    if processes.main:
        settle(run, wanted, stored_answers(run) if processes.count > 1 else pool)


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


@dataclass(frozen=True, slots=True)
class Wish:
    """The missing samples of one question in one cell, with their keys."""

    arm: str
    seed: int
    condition: str
    question: str
    samples: tuple[int, ...]
    keys: tuple[str, ...]


def make_requests(missing: Mapping[AnswerId, str]) -> list[Wish]:
    """One for each question in each cell, with the samples that are missing. One key is asked for once."""
    groups: dict[tuple[str, int, str, str], list[tuple[int, str]]] = {}
    asked: set[str] = set()
    for each, key in missing.items():
        if key not in asked:
            asked.add(key)
            groups.setdefault((each.arm, each.seed, each.condition, each.question), []).append((each.sample, key))
    return [
        Wish(*cell, samples=tuple(sample for sample, _ in samples), keys=tuple(key for _, key in samples))
        for cell, samples in groups.items()
    ]


def by_base(prepared: Prepared, wishes: Sequence[Wish]) -> dict[QLoRA | None, list[Wish]]:
    """The wishes by the base that answers them: in full precision, or in 4 bits as some arm was trained on."""
    groups: dict[QLoRA | None, list[Wish]] = {}
    first: dict[str, QLoRA] = {}
    for wish in wishes:
        kind = prepared.recipe.arms[wish.arm]
        four_bit = kind.quantization if isinstance(kind, Tuned) else None
        if four_bit is not None:  # ranks may differ, the base does not
            four_bit = first.setdefault(four_bit.precision, four_bit)
        groups.setdefault(four_bit, []).append(wish)
    return groups


def draw_answers(
    prepared: Prepared,
    adapters: Adapters,
    four_bit: QLoRA | None,
    wishes: Sequence[Wish],
    handover: sampling.Handover,
) -> None:
    """Loads one base with the adapters that the wishes need beside one another, and has it answer."""
    model: Any = models.load_model(prepared.source, prepared.recipe.base, four_bit)
    names: dict[tuple[str, int], str] = {}
    for wish in wishes:
        identifier = wish.arm, wish.seed
        if identifier in names or identifier not in adapters:
            continue
        name = f"adapter{len(names)}"  # an arm's own name may hold what module names may not
        directory = adapters[identifier].directory
        if names:
            model.load_adapter(directory, adapter_name=name)
        else:
            from peft import PeftModel

            model = PeftModel.from_pretrained(model, directory, adapter_name=name)
        names[identifier] = name
    model.eval()
    requests = [
        sampling.Request(
            arm=wish.arm,
            seed=wish.seed,
            prompt=prepared.prompts[wish.question, wish.condition],
            adapter=names.get((wish.arm, wish.seed)),
            samples=wish.samples,
            keys=wish.keys,
        )
        for wish in wishes
    ]
    sampling.answer(
        requests,
        model,
        prepared.chat.tokenizer,
        prepared.settings,
        handover,
        batch_size=prepared.recipe.sampling.batch_size,
    )


def settle(run: Run, wanted: Mapping[AnswerId, str], pool: Mapping[str, Answer]) -> None:
    """Writes exactly the wanted answers, in order; others are kept apart, for the day their settings come back.

    The answers that change files are in both for a moment, so that a kill loses none.
    """
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
