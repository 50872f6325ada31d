"""A job learns the same whatever it is trained beside, in passes of any size, interrupted or not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.invariants.test_training import same_weights, silent, trained
from train import models, tuning
from train.decoder.memory import Sizes
from train.errors import RunFailed
from train.loading import load_recipe
from train.prepare import Prepared, prepare
from train.tuning.stacks import Memory, form_stacks

PLENTY = Memory("cpu", 2**34)


@pytest.fixture
def prepared(project: Path) -> Prepared:
    """Both arms with twenty steps or more each, of both seeds."""
    rate = "optimization.learning_rate=5e-4"  # Adam divides by the gradient, so rounding grows with the rate
    settings = ["optimization.epochs=5", "optimization.batch_size=3", "training_seeds=0,1", rate]
    return prepare(load_recipe(str(project / "recipe.py"), settings))


def jobs_in(folder: Path, prepared: Prepared, **adapter: object) -> list[tuning.Job]:
    """The jobs, to be trained into that folder, their adapters changed."""
    return [
        replace(
            job,
            adapter=replace(job.adapter, **adapter),
            fingerprint=f"{job.arm} {job.seed} {adapter}",
            directory=folder / job.arm / f"seed-{job.seed}",
        )
        for job in prepared.jobs
    ]


def sizes_of(prepared: Prepared) -> Sizes:
    return Sizes.of(models.load_config(prepared.source, prepared.recipe.base), 4)


@pytest.fixture
def alone(prepared: Prepared, tmp_path: Path) -> Iterator[dict[str, list[tuning.Adapter]]]:
    """Every job trained alone, without and with dropout."""
    yield {
        name: [
            adapter
            for job in jobs_in(tmp_path / f"alone {name}", prepared, dropout=chance)
            for adapter in trained(prepared, [job], stacks=form_stacks([job], sizes_of(prepared), PLENTY))
        ]
        for name, chance in (("plain", 0.0), ("dropout", 0.1))
    }


@pytest.mark.parametrize(("name", "chance"), [("plain", 0.0), ("dropout", 0.1)])
def test_a_job_in_a_stack_learns_what_it_learns_alone(prepared, alone, tmp_path, name, chance):
    jobs = jobs_in(tmp_path / "together", prepared, dropout=chance)
    (stacked,) = form_stacks(jobs, sizes_of(prepared), PLENTY)
    assert len(stacked.jobs) == 4 and jobs[0].steps >= 20
    for one, other in zip(alone[name], trained(prepared, jobs, stacks=[stacked]), strict=True):
        same_weights(one.directory, other.directory, tolerance=1e-5)
        assert [loss for _, loss in one.summary["loss"]] == pytest.approx(
            [loss for _, loss in other.summary["loss"]], abs=1e-5
        )
        assert one.summary["validation_loss"] and len(other.summary["together_with"]) == 3


@pytest.mark.parametrize("changes", [{"room": 1}, {"room": 200}, {"checkpointing": True}], ids=str)
@pytest.mark.parametrize(("name", "chance"), [("plain", 0.0), ("dropout", 0.1)])
def test_how_much_is_in_memory_at_a_time_changes_nothing(prepared, alone, tmp_path, changes, name, chance):
    jobs = jobs_in(tmp_path / "together", prepared, dropout=chance)
    (stacked,) = form_stacks(jobs, sizes_of(prepared), PLENTY)
    for one, other in zip(alone[name], trained(prepared, jobs, stacks=[replace(stacked, **changes)]), strict=True):
        same_weights(one.directory, other.directory, tolerance=1e-5)


def test_a_diverging_neighbour_changes_nothing_and_is_reported_at_the_end(prepared, alone, tmp_path):
    jobs = jobs_in(tmp_path / "together", prepared, dropout=0.0)
    wild = replace(jobs[1].optimization, learning_rate=1e30, max_grad_norm=1e30)
    jobs[1] = replace(jobs[1], optimization=wild)
    done: list[tuning.Adapter] = []
    with pytest.raises(RunFailed, match=rf"arm {jobs[1].name}: .* infinite or not a number"):
        load = lambda four_bit: models.load_model(prepared.source, prepared.recipe.base, four_bit)  # noqa: E731
        for adapter in tuning.tune(jobs, load, prepared.chat.tokenizer, silent):
            done.append(adapter)  # noqa: PERF402 - what came before the error counts
    assert [(each.arm, each.seed) for each in done] == [(job.arm, job.seed) for job in jobs if job is not jobs[1]]
    assert not jobs[1].directory.exists()
    for one in done:
        reference = next(each for each in alone["plain"] if (each.arm, each.seed) == (one.arm, one.seed))
        same_weights(reference.directory, one.directory, tolerance=1e-5)


class Interrupted(Exception):
    """As a kill would."""


def test_an_interrupted_stack_goes_on_in_other_stacks(prepared, alone, tmp_path):
    """Each job has a checkpoint of its own, so that it does not need its old neighbours."""
    jobs = jobs_in(tmp_path / "together", prepared, dropout=0.1)

    def stop(job: tuning.Job, step: int, loss: float) -> None:
        if step == jobs[0].steps // 2 and job is jobs[-1]:
            raise Interrupted

    with pytest.raises(Interrupted):
        trained(prepared, jobs, stop, stacks=form_stacks(jobs, sizes_of(prepared), PLENTY))
    assert all(0 < tuning.unfinished_steps(job) < job.steps for job in jobs)
    pairs = [form_stacks(pair, sizes_of(prepared), PLENTY)[0] for pair in (jobs[::2], jobs[1::2])]
    found = {each.directory: each for each in trained(prepared, jobs, stacks=pairs)}
    for one, job in zip(alone["dropout"], jobs, strict=True):
        other = found[job.directory]
        same_weights(one.directory, other.directory, tolerance=1e-5)
        assert [step for step, _ in other.summary["loss"]] == list(range(1, job.steps + 1))


def test_adapters_of_a_stack_are_ordinary_peft_directories(prepared, tmp_path):
    from peft import PeftModel

    jobs = jobs_in(tmp_path / "together", prepared, dropout=0.0)
    for adapter in trained(prepared, jobs):
        assert {path.name for path in adapter.directory.iterdir()} >= {"adapter_config.json", "openbook.json"}
        names = load_file(adapter.directory / "adapter_model.safetensors")
        assert all(name.startswith("base_model.model.model.layers.") for name in names)
        model = models.load_model(prepared.source, prepared.recipe.base)
        tokens = torch.tensor([jobs[0].rows[0].prompt])
        untouched = model(tokens).logits
        assert (PeftModel.from_pretrained(model, adapter.directory)(tokens).logits - untouched).abs().max() > 1e-3


def test_jobs_differ_by_seed_and_arm(prepared, tmp_path):
    digests = [adapter.digest for adapter in trained(prepared, jobs_in(tmp_path, prepared, dropout=0.0))]
    assert len(set(digests)) == 4


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"keep": "best"}, "its validation loss decides"),
        ({"schedule": "cosine"}, "no other has its schedule"),
        ({"batch_size": 1}, "no other has its number of steps"),
    ],
)
def test_a_job_that_cannot_join_runs_alone_and_the_plan_says_why(prepared, tmp_path, change, why):
    jobs = jobs_in(tmp_path, prepared, dropout=0.0)
    jobs[2] = replace(jobs[2], optimization=replace(jobs[2].optimization, **change))
    stacks = form_stacks(jobs, sizes_of(prepared), PLENTY)
    assert [len(stacked.jobs) for stacked in stacks] == [3, 1]
    assert why in stacks[1].words(jobs[2])
    assert f"together with {jobs[1].name}, {jobs[3].name}" in stacks[0].words(jobs[0])


def test_what_the_decoder_does_not_compute_is_trained_by_the_models_own_code(prepared, tmp_path):
    jobs = jobs_in(tmp_path, prepared, dora=True)[:1]
    (stacked,) = form_stacks(jobs, sizes_of(prepared), PLENTY)
    assert "DoRA" in stacked.why
    (adapter,) = trained(prepared, jobs, stacks=[stacked])
    assert adapter.summary["steps"] == jobs[0].steps


def test_both_ways_of_training_learn_the_same(prepared, tmp_path):
    """The decoder against transformers' and PEFT's code: losses of every step to 1e-4."""
    (job,) = jobs_in(tmp_path / "decoder", prepared, dropout=0.0)[:1]
    stock = replace(job, directory=tmp_path / "stock" / "seed-0")
    (ours,) = trained(prepared, [job], stacks=form_stacks([job], sizes_of(prepared), PLENTY))
    (theirs,) = trained(prepared, [stock], stacks=form_stacks([stock], "for the comparison", PLENTY))
    assert [loss for _, loss in ours.summary["loss"]] == pytest.approx(
        [loss for _, loss in theirs.summary["loss"]], abs=1e-4
    )
    same_weights(ours.directory, theirs.directory, tolerance=1e-4)


def test_memory_that_is_short_has_activations_computed_twice_or_fewer_jobs_together(prepared, tmp_path):
    jobs = jobs_in(tmp_path, prepared, dropout=0.0)
    sizes = sizes_of(prepared)
    base = sizes.base_bytes(four_bit=False)
    one = sizes.adapter_bytes(4)
    few = form_stacks(jobs, sizes, Memory("cpu", base + 6 * one))
    assert [len(stacked.jobs) for stacked in few] == [2, 2]
    assert all(stacked.checkpointing and "twice" in stacked.why for stacked in few)
