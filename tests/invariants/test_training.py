"""What must be equal in training."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file

from train import models, tuning
from train.errors import RunFailed
from train.prepare import Prepared
from train.tuning.jobs import IGNORED
from train.tuning.trainer import completion_loss


def silent(job: tuning.Job, step: int, loss: float) -> None:
    """No progress."""


def trained(
    prepared: Prepared, jobs: Sequence[tuning.Job], progress: Any = silent, **options: Any
) -> list[tuning.Adapter]:
    base = prepared.recipe.base
    load = lambda four_bit: models.load_model(prepared.source, base, four_bit)  # noqa: E731
    return list(tuning.tune(jobs, load, prepared.chat.tokenizer, progress, **options))


def collate(rows: Sequence[tuning.TokenRow], pad: int) -> dict[str, torch.Tensor]:
    """A batch as TRL's collator makes it."""
    from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

    return DataCollatorForLanguageModeling(pad_token_id=pad)([row.features() for row in rows])


def reference_loss(model, batch: dict[str, torch.Tensor]) -> tuple[float, int]:
    """The stock model's own loss over all positions, by the whole vocabulary: mean × labelled tokens."""
    with torch.no_grad():
        mean = model(**batch).loss.item()
    count = int((batch["labels"][:, 1:] != IGNORED).sum())
    return mean * count, count


def test_scoring_only_labelled_positions_gives_the_stock_loss(prepared, model):
    for job in prepared.jobs:
        batch = collate(job.rows[:6], prepared.chat.tokenizer.pad_token_id)
        total, count = completion_loss(model, batch)
        expected, tokens = reference_loss(model, batch)
        assert count.item() == tokens
        assert total.item() == pytest.approx(expected, rel=1e-5)


def test_the_turn_end_is_labelled_and_no_prompt_token_is(prepared):
    end = prepared.chat.turn_end
    for job in prepared.jobs:
        for row in job.rows:
            features = row.features()
            labels, start = features["labels"], len(row.prompt)
            assert labels[:start] == [IGNORED] * start
            assert tuple(labels[start:]) == row.completion
            assert labels[-1] == end
            assert row.completion.count(end) == 1


def test_the_prompt_trained_on_is_the_prompt_asked_with(prepared):
    template, chat = prepared.recipe.prompt, prepared.chat
    for job in prepared.jobs:
        for row, tokens in zip(prepared.rows[job.arm, job.seed], job.rows, strict=True):
            text, asked = chat.prompt(template, row.text, row.passages)
            whole = chat.tokenizer.apply_chat_template(
                [
                    {"role": "system", "content": template.system},
                    {"role": "user", "content": text.split("user\n", 1)[1].split("<|end|>", 1)[0]},
                    {"role": "assistant", "content": row.completion},
                ],
                tokenize=True,
                return_dict=False,
            )
            assert tokens.prompt == asked
            assert [*tokens.prompt, *tokens.completion] == whole[: len(tokens)]
            assert tokens.prompt.count(chat.tokenizer.bos_token_id) == 1


def test_accumulated_gradients_are_those_of_the_big_batch(prepared, tmp_path):
    """Rows of unequal completions, so that a mean of batch means would differ."""
    job = prepared.jobs[1]
    assert len({len(row.completion) for row in job.rows}) > 1
    whole = job.optimization
    parts = replace(whole, batch_size=1, accumulation=whole.batch_size)
    one, many = trained(
        prepared,
        [
            replace(job, directory=tmp_path / "one" / "seed-0"),
            replace(job, optimization=parts, directory=tmp_path / "many" / "seed-0"),
        ],
    )
    assert one.summary["steps"] == many.summary["steps"]
    same_weights(one.directory, many.directory, tolerance=1e-5)


def test_training_twice_gives_the_same_bytes(prepared, tmp_path):
    job = prepared.jobs[0]
    first, again = trained(
        prepared, [replace(job, directory=tmp_path / name / "seed-0") for name in ("first", "again")]
    )
    assert first.digest == again.digest


@pytest.mark.parametrize("dora", [False, True], ids=["decoder", "transformers"])
def test_validation_loss_is_the_mean_over_tokens_whatever_the_batch(prepared, model, tmp_path, dora):
    """Before the first step an adapter changes nothing, so the base's own loss is what must come out."""
    job = prepared.jobs[1]
    rows = list(job.rows[:7])
    found = []
    for size in (1, 3, 7):
        settings = replace(job.optimization, batch_size=size, learning_rate=1e-30)
        adapter = replace(job.adapter, dora=dora)
        changed = replace(job, rows=rows, epochs=1, validation=rows, optimization=settings, adapter=adapter)
        (made,) = trained(prepared, [replace(changed, directory=tmp_path / f"{size}", fingerprint=str(size))])
        found.append(made.summary["validation_loss"][-1][1])
    sums = [reference_loss(model, collate([row], 0)) for row in rows]
    expected = sum(total for total, _ in sums) / sum(count for _, count in sums)
    assert found == pytest.approx([expected] * 3, rel=1e-5)


def test_a_merged_adapter_gives_the_adapters_logits(prepared, model, tmp_path):
    adapter = trained(prepared, [replace(prepared.jobs[1], directory=tmp_path / "ob" / "seed-0")])[0]
    tokens = torch.tensor([prepared.jobs[1].rows[0].prompt])
    untouched = model(tokens).logits
    adapted = PeftModel.from_pretrained(model, adapter.directory).eval()
    with torch.no_grad():
        beside = adapted(tokens).logits
        merged = adapted.merge_and_unload()(tokens).logits
    assert (beside - untouched).abs().max() > 1e-2, "training changed nothing, so the comparison would say nothing"
    torch.testing.assert_close(merged, beside, atol=1e-4, rtol=0)


def same_weights(one: Path, other: Path, tolerance: float) -> None:
    """Asserts that two adapters have the same tensors within the tolerance."""
    first, second = (load_file(folder / "adapter_model.safetensors") for folder in (one, other))
    assert first.keys() == second.keys()
    for name in first:
        torch.testing.assert_close(
            first[name], second[name], atol=tolerance, rtol=0, msg=lambda text, name=name: f"{name}: {text}"
        )


def test_training_that_diverges_stops_and_says_so(prepared, tmp_path):
    job = next(job for job in prepared.jobs if job.arm == "open-book")
    settings = replace(job.optimization, learning_rate=1e30, warmup=0.0, max_grad_norm=1e30)
    wild = replace(job, optimization=settings, fingerprint="wild", directory=tmp_path / "wild")
    with pytest.raises(RunFailed, match=r"open-book seed 0: .* infinite or not a number; lower .* \(it is 1e\+30\)"):
        trained(prepared, [wild])
    assert not wild.directory.exists()


def test_weights_that_left_the_numbers_in_the_last_step_are_noticed(prepared, tmp_path):
    """No loss is computed after the last step, so only the weights can tell."""
    job = next(job for job in prepared.jobs if job.arm == "open-book")
    settings = replace(job.optimization, learning_rate=1e39, warmup=0.0, schedule="constant", epochs=1)
    last = replace(
        job,
        rows=job.rows[:4],
        epochs=1,
        validation=(),
        optimization=settings,
        fingerprint="last",
        directory=tmp_path / "last",
    )
    with pytest.raises(RunFailed, match="the weights became infinite or not a number"):
        trained(prepared, [last])


@pytest.mark.parametrize("file", ["adapter_model.safetensors", "adapter_config.json", "openbook.json"])
def test_an_adapter_that_was_changed_is_not_taken_for_finished(finished_run, tmp_path, file):
    directory = Path(shutil.copytree(finished_run / "adapters/open-book/seed-0", tmp_path / "adapter"))
    fingerprint = json.loads((directory / "openbook.json").read_text(encoding="utf-8"))["fingerprint"]
    assert tuning.finished(directory, fingerprint) is not None
    content = (directory / file).read_bytes()
    (directory / file).write_bytes(content.replace(b"1", b"2", 1) if b"1" in content else content + b" ")
    assert tuning.finished(directory, fingerprint) is None
