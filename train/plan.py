"""What of a run is done, what is stale and why, and what will be done."""

from __future__ import annotations

from dataclasses import dataclass

from train.asking import stored_answers
from train.prepare import Prepared, contexts_made_from, frozen_contexts
from train.store import Run
from train.tuning import Memory, finished, plan_stacks, unfinished_steps


@dataclass(frozen=True, slots=True)
class Step:
    """A line of the plan: a stage, what of it is there, what is to do, and why."""

    stage: str
    there: int
    to_do: int
    why: str

    def __str__(self) -> str:
        state = "reuse" if not self.to_do else "do" if not self.there else "go on"
        return f"  {self.stage:<12} {state:<6} {self.why}"


def make_plan(prepared: Prepared, run: Run, memory: Memory) -> list[Step]:
    """What of the run is there, what is to do, and why, on a device with that memory; nothing is changed."""
    steps = [contexts_step(prepared, run)]
    digests: dict[tuple[str, int], str] = {}
    adapters = {job.name: finished(job.directory, job.fingerprint) for job in prepared.jobs}
    to_do = [job for job in prepared.jobs if adapters[job.name] is None]
    stacks = plan_stacks(to_do, prepared.config, prepared.dtype, memory)
    words = {job.name: stacked.words(job) for stacked in stacks for job in stacked.jobs}
    for job in prepared.jobs:
        adapter = adapters[job.name]
        begun = unfinished_steps(job)
        if adapter is not None:
            digests[job.arm, job.seed] = adapter.digest
            why = f"{job.name}: trained already"
        elif begun:
            why = f"{job.name}: from step {begun} of {job.steps}"
        else:
            changed = "; data or settings changed" if job.directory.is_dir() else ""
            why = f"{job.name}: {job.steps} steps over {len(job.rows)} rows, condition {job.condition}{changed}"
        why = "; ".join(filter(None, (why, words.get(job.name))))
        steps.append(Step("tuning", begun, 0 if adapter else job.steps, why))
    wanted = prepared.wanted(digests)
    recipe, total = prepared.recipe, prepared.answers
    pool = stored_answers(run)
    there = sum(key in pool for key in wanted.values())
    cells = f"{len(recipe.arms)} arms × {len(recipe.conditions)} conditions"
    if general := len(prepared.dataset.general):
        cells += f", and {general} general questions to every arm"
    why = f"{total - there} of {total} answers ({cells})"
    others = len(pool.keys() - set(wanted.values()))
    if others and len(digests) == len(prepared.jobs):
        why += f"; {others} stored answers are of other weights, prompts or settings and kept aside"
    steps.append(Step("sampling", there, total - there, why))
    if total == there:
        again = "graded, compared and reported again only where answers, rubrics or settings changed"
        steps.append(Step("grading …", 1, 0, again))
    else:
        steps.append(Step("grading …", 0, 1, "grade, compare and report when all answers are there"))
    return steps


def contexts_step(prepared: Prepared, run: Run) -> Step:
    """The plan's line on the test contexts."""
    number = len(prepared.contexts)
    if frozen_contexts(prepared.recipe, prepared.dataset, run):
        return Step("contexts", number, 0, f"{number} test contexts, frozen earlier")
    before = run.made_from("contexts")
    stale = before is not None and before != contexts_made_from(prepared.recipe, prepared.dataset)
    changed = "; data, conditions or seed changed" if stale else ""
    return Step("contexts", 0, number, f"{number} test contexts, frozen now{changed}")
