"""Early stopping and the best checkpoint go by the validation loss, whether or not training is interrupted."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.invariants.test_training import silent, trained
from train import models, tuning
from train.decoder.memory import Sizes
from train.loading import load_recipe
from train.prepare import Prepared, prepare
from train.tuning.stacks import form_stacks


@pytest.fixture
def prepared(project: Path) -> Prepared:
    return prepare(load_recipe(str(project / "recipe.py"), ["optimization.epochs=8"]))


def job_of(prepared: Prepared, directory: Path, **settings: object) -> tuning.Job:
    """The open-book arm with so high a learning rate that its validation loss rises after a while."""
    job = next(job for job in prepared.jobs if job.arm == "open-book")
    optimization = replace(job.optimization, learning_rate=0.05, schedule="constant", **settings)
    return replace(job, optimization=optimization, fingerprint=str(settings), directory=directory)


def validation(adapter: tuning.Adapter) -> list[tuple[int, float]]:
    return [(int(step), loss) for step, loss in adapter.summary["validation_loss"]]


@pytest.fixture
def full(prepared: Prepared, tmp_path: Path) -> tuning.Adapter:
    (adapter,) = trained(prepared, [job_of(prepared, tmp_path / "full")])
    losses = [loss for _, loss in validation(adapter)]
    assert losses.index(min(losses)) < len(losses) - 1, "the loss never rises, so this tests nothing"
    return adapter


def weights(adapter: tuning.Adapter) -> dict[str, torch.Tensor]:
    return load_file(adapter.directory / "adapter_model.safetensors")


def test_the_last_weights_are_kept_unless_the_best_are_asked_for(prepared, full, tmp_path):
    (best,) = trained(prepared, [job_of(prepared, tmp_path / "best", keep="best")])
    assert validation(best) == validation(full)
    step, _ = min(validation(full), key=lambda pair: pair[1])
    assert (best.summary["kept_step"], full.summary["kept_step"]) == (step, full.summary["steps"])
    assert any(not torch.equal(one, weights(full)[name]) for name, one in weights(best).items())


def test_training_stops_when_the_validation_loss_has_not_fallen_for_so_long(prepared, full, tmp_path):
    (stopped,) = trained(prepared, [job_of(prepared, tmp_path / "stopped", patience=1)])
    losses = [loss for _, loss in validation(full)]
    first_rise = next(index for index in range(1, len(losses)) if losses[index] >= min(losses[:index]))
    assert validation(stopped) == validation(full)[: first_rise + 1]
    assert stopped.summary["steps"] == validation(full)[first_rise][0]
    assert stopped.summary["tokens"] <= full.summary["tokens"]


class Killed(BaseException):
    """What ends a training in the middle."""


def test_an_interrupted_training_stops_and_chooses_as_an_undisturbed_one(prepared, tmp_path):
    job = job_of(prepared, tmp_path / "once", keep="best", patience=2)
    (once,) = trained(prepared, [job])
    again = replace(job, directory=tmp_path / "twice")

    def kill(job: tuning.Job, step: int, loss: float) -> None:
        if tuning.unfinished_steps(job) and step > tuning.unfinished_steps(job):
            raise Killed

    base = prepared.recipe.base
    load = lambda four_bit: models.load_model(prepared.source, base, four_bit)  # noqa: E731
    with pytest.raises(Killed):
        list(tuning.tune([again], load, prepared.chat.tokenizer, kill))
    assert tuning.unfinished_steps(again) > 0
    (twice,) = tuning.tune([again], load, prepared.chat.tokenizer, silent)
    assert twice.summary["kept_step"] == once.summary["kept_step"]
    assert validation(twice) == validation(once)
    assert all(torch.equal(weight, weights(once)[name]) for name, weight in weights(twice).items())


def test_a_training_that_stopped_early_and_was_killed_before_it_was_kept_does_not_go_on(
    prepared, tmp_path, monkeypatch
):
    job = job_of(prepared, tmp_path / "once", patience=1)
    (once,) = trained(prepared, [job])
    assert once.summary["steps"] < job.steps
    again = replace(job, directory=tmp_path / "twice")
    killed_at_the_end(monkeypatch, prepared, again)
    (twice,) = trained(prepared, [again])
    assert (twice.summary["steps"], twice.digest) == (once.summary["steps"], once.digest)


def killed_at_the_end(monkeypatch, prepared: Prepared, job: tuning.Job, **options: object) -> None:
    """Trains a job to its last checkpoint, and is gone before anything is kept."""
    with monkeypatch.context() as patched:
        patched.setattr(sys.modules["train.tuning.tune"], "publish", lambda *_: (_ for _ in ()).throw(Killed))
        with pytest.raises(Killed):
            trained(prepared, [job], **options)


@pytest.mark.parametrize("decoder", [True, False], ids=["decoder", "transformers"])
def test_a_run_that_was_moved_still_keeps_its_best_weights(prepared, tmp_path, monkeypatch, decoder):
    def in_folder(folder: Path) -> tuple[tuning.Job, dict[str, object]]:
        job = job_of(prepared, folder, keep="best")
        sizes = Sizes.of(prepared.config, 4) if decoder else "for the comparison"
        return job, {"stacks": form_stacks([job], sizes, tuning.Memory("cpu", 2**34))}

    def kept(folder: Path) -> tuning.Adapter:
        job, options = in_folder(folder)
        (adapter,) = trained(prepared, [job], **options)
        return adapter

    best = kept(tmp_path / "best")
    assert best.summary["kept_step"] < best.summary["steps"]
    job, options = in_folder(tmp_path / "before" / "run")
    killed_at_the_end(monkeypatch, prepared, job, **options)
    (tmp_path / "before").rename(tmp_path / "after")
    moved = kept(tmp_path / "after" / "run")
    assert (moved.summary["kept_step"], moved.digest) == (best.summary["kept_step"], best.digest)


def test_where_the_validation_loss_chooses_its_rows_make_the_adapter(project):
    questions = project / "questions.jsonl"

    def fingerprints(*settings: str) -> set[str]:
        jobs = prepare(load_recipe(str(project / "recipe.py"), settings)).jobs
        return {job.fingerprint for job in jobs}

    plain, best = fingerprints(), fingerprints("optimization.keep=best")
    rarely = fingerprints("optimization.keep=best", "optimization.checkpoint_epochs=3")
    assert not rarely & best
    assert fingerprints("optimization.checkpoint_epochs=3") == plain
    text = questions.read_text(encoding="utf-8")
    questions.write_text(text.replace("It is plum.", "It is quite plum."), encoding="utf-8")
    assert not fingerprints("optimization.keep=best") & best
    assert fingerprints() == plain


def test_without_validation_rows_there_is_nothing_to_go_by(project, openbook):
    questions = project / "questions.jsonl"
    lines = [line for line in questions.read_text(encoding="utf-8").splitlines() if '"validation"' not in line]
    questions.write_text("\n".join(lines) + "\n", encoding="utf-8")
    for setting in ("optimization.keep=best", "optimization.patience=2"):
        code, out, err = openbook("check", project / "recipe.py", "--set", setting)
        assert (code, out) == (2, "")
        assert "arms.closed-book: optimization.keep = 'best' and optimization.patience go by the validation loss" in err
