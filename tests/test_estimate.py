"""Memory and time before the first step: counts are exact, activations are what autograd keeps, and more costs more."""

from __future__ import annotations

import shutil
import weakref
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from train import models
from train.estimate import (
    GIB,
    Asked,
    Machine,
    Shape,
    activation_bytes,
    adapter_parameters,
    asked,
    cache_bytes,
    estimate,
    measure,
    memory_of,
    passes,
    reference_tokens,
    rows_at_once,
    sampling_bytes,
    sampling_seconds,
    shape_of,
    span,
    tuning_bytes,
    tuning_seconds,
    two_digits,
    weight_bytes,
)
from train.loading import load_recipe
from train.preflight import describe
from train.prepare import Prepared, prepare
from train.recipe import Base, LoRA, Optimization, QLoRA, Sampling
from train.tuning import Job, TokenRow

MACHINE = Machine("cpu", memory=16 * GIB, free=12 * GIB, rate=1e11, bandwidth=2e10, call=0.0)
BASE = Base("not read")

SIZES: dict[str, dict[str, Any]] = {
    # Kanana 1.5 2.1B: the queries together are wider than the model, and the embeddings are the head.
    "llama": {"V": 128256, "h": 1792, "i": 8064, "L": 32, "heads": 24, "kv": 8, "head": 128, "tied": True},
    # Phi-3-mini 4k: one projection for queries, keys and values, one for gate and up.
    "phi3": {"V": 32064, "h": 3072, "i": 8192, "L": 32, "heads": 32, "kv": 32, "head": 96, "tied": False},
    # SmolLM2-135M, which the quickstart tunes.
    "smollm2": {"V": 49152, "h": 576, "i": 1536, "L": 30, "heads": 9, "kv": 3, "head": 64, "tied": True},
}


def config_of(name: str, **changes: Any) -> Any:
    """The configuration of that model, with other sizes where given."""
    from transformers import LlamaConfig, Phi3Config

    sizes = SIZES[name] | changes
    settings = {
        "vocab_size": sizes["V"],
        "hidden_size": sizes["h"],
        "intermediate_size": sizes["i"],
        "num_hidden_layers": sizes["L"],
        "num_key_value_heads": sizes["kv"],
        "tie_word_embeddings": sizes["tied"],
        "pad_token_id": 0,
        "bos_token_id": 1,
        "eos_token_id": 2,
    }
    if name == "phi3":
        return Phi3Config(num_attention_heads=sizes["heads"], **settings)
    # Some releases of transformers refuse heads that do not divide the width when the configuration is made.
    config = LlamaConfig(num_attention_heads=sizes["h"] // 64, head_dim=sizes["head"], **settings)
    config.num_attention_heads = sizes["heads"]
    return config


def shape(name: str) -> Shape:
    return shape_of(config_of(name), BASE)


@pytest.fixture(scope="module")
def llama() -> Shape:
    return shape("llama")


@pytest.fixture(scope="module")
def smollm2() -> Shape:
    return shape("smollm2")


def job(rows: int = 16, prompt: int = 100, completion: int = 20, adapter: LoRA | None = None, **changes: Any) -> Job:
    """A job of equal rows."""
    return Job(
        arm="open-book",
        seed=0,
        condition="gold",
        rows=[TokenRow((1,) * prompt, (2,) * completion)] * rows,
        epochs=1,
        validation=(),
        adapter=adapter or LoRA(rank=16),
        optimization=Optimization(**{"batch_size": 8, **changes}),
        fingerprint="",
        directory=Path("nowhere"),
    )


@pytest.fixture
def prepared(project: Path) -> Prepared:
    return prepare(load_recipe(str(project / "recipe.py")))


@pytest.mark.parametrize(("name", "billions"), [("llama", 2.087), ("phi3", 3.821), ("smollm2", 0.1345)])
def test_parameters_and_sizes_are_those_of_the_model_without_its_weights(name, billions):
    sizes, found = SIZES[name], shape(name)
    queries, keys = sizes["heads"] * sizes["head"], sizes["kv"] * sizes["head"]
    layer = sizes["h"] * (2 * queries + 2 * keys + 3 * sizes["i"])
    embeddings = sizes["V"] * sizes["h"] * (1 if sizes["tied"] else 2)
    norms = (2 * sizes["L"] + 1) * sizes["h"]
    assert found.parameters == embeddings + sizes["L"] * layer + norms
    assert found.parameters / 1e9 == pytest.approx(billions, abs=0.0005)
    assert (found.decoder, found.attended, found.intermediate) == (sizes["L"] * layer, queries, sizes["i"])
    assert (found.layers, found.hidden, found.vocabulary) == (sizes["L"], sizes["h"], sizes["V"])
    assert (found.heads, found.kv_heads, found.head_size) == (sizes["heads"], sizes["kv"], sizes["head"])
    assert cache_bytes(found, 2) == 2 * 2 * sizes["L"] * keys


def test_a_loaded_model_has_the_parameters_that_were_counted_without_loading_it(prepared):
    base = prepared.recipe.base
    model = models.load_model(prepared.source, base)
    counted = shape_of(models.load_config(prepared.source, base), base)
    assert counted.parameters == sum(weight.numel() for weight in model.parameters())


@pytest.mark.parametrize(
    ("name", "adapter", "of_a_layer"),
    [
        ("llama", LoRA(rank=16), 16 * (2 * (1792 + 3072) + 2 * (1792 + 1024) + 3 * (1792 + 8064))),
        ("llama", LoRA(rank=8, target_modules=("q_proj", "v_proj")), 8 * (1792 + 3072 + 1792 + 1024)),
        ("llama", QLoRA(rank=16), 16 * (2 * (1792 + 3072) + 2 * (1792 + 1024) + 3 * (1792 + 8064))),
        ("phi3", LoRA(rank=4), 4 * (3072 + 9216 + 2 * 3072 + 3072 + 16384 + 8192 + 3072)),
        ("phi3", LoRA(rank=4, target_modules=("o_proj",), dora=True), 4 * 2 * 3072 + 3072),
    ],
)
def test_an_adapter_has_rank_times_inputs_and_outputs_of_each_layer(name, adapter, of_a_layer):
    assert adapter_parameters(shape(name), adapter) == 32 * of_a_layer


@pytest.mark.parametrize(
    "adapter",
    [
        LoRA(rank=4),
        LoRA(rank=3, target_modules=("q_proj", "down_proj")),
        LoRA(rank=2, dora=True),
        LoRA(rank=2, rslora=True),
    ],
    ids=["all", "two kinds", "DoRA", "rsLoRA"],
)
def test_peft_makes_as_many_parameters_as_were_counted(prepared, adapter):
    from peft import get_peft_model

    from train.tuning.tune import lora_config

    base = prepared.recipe.base
    tuned = get_peft_model(models.load_model(prepared.source, base), lora_config(adapter))
    made = sum(weight.numel() for weight in tuned.parameters() if weight.requires_grad)
    assert adapter_parameters(shape_of(models.load_config(prepared.source, base), base), adapter) == made


@pytest.mark.parametrize(
    ("four_bit", "width", "bits_a_linear_weight"),
    [
        (None, 4, 32),
        (None, 2, 16),
        (QLoRA(), 2, 4.127),
        (QLoRA(double_quantization=False), 2, 4.5),
        (QLoRA(), 4, 4.127),
    ],
)
def test_only_linear_layers_shrink_in_four_bits(llama, four_bit, width, bits_a_linear_weight):
    others = llama.parameters - llama.decoder
    expected = others * width + llama.decoder * bits_a_linear_weight / 8
    assert weight_bytes(llama, width, four_bit) == pytest.approx(expected, rel=1e-4)


class Held:
    """What autograd is given back in the place of a tensor that it keeps."""

    def __init__(self, tensor: Any) -> None:
        self.tensor = tensor


def kept_by_autograd(config: Any, adapter: LoRA, dtype: str, rows: int) -> int:
    """Bytes besides the parameters that autograd keeps of a forward pass over rows of 48 tokens, one of them padded."""
    import torch
    from peft import get_peft_model
    from transformers import AutoModelForCausalLM

    from train.tuning.tune import lora_config

    model = AutoModelForCausalLM.from_config(config).to(getattr(torch, dtype))
    model = get_peft_model(model, lora_config(adapter)).train()
    tokens = torch.randint(3, config.vocab_size, (rows, 48))
    mask = torch.ones_like(tokens)
    mask[0, -5:] = 0
    own = {weight.untyped_storage().data_ptr() for weight in model.parameters()}
    held: weakref.WeakSet[Held] = weakref.WeakSet()

    def pack(tensor: Any) -> Held:
        held.add(one := Held(tensor))
        return one

    casts = torch.autocast("cpu", torch.bfloat16) if dtype == "bfloat16" else nullcontext()
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda one: one.tensor), casts:
        last = torch.tensor([0])
        output = model(input_ids=tokens, attention_mask=mask, use_cache=False, logits_to_keep=last).logits.sum()
    storages = {one.tensor.untyped_storage() for one in held}
    kept = {each.data_ptr(): each.nbytes() for each in storages if each.data_ptr() not in own}
    assert output.requires_grad
    return sum(kept.values())


@pytest.mark.parametrize("name", ["llama", "phi3"])
@pytest.mark.parametrize(
    ("adapter", "dtype", "device"),
    [
        (LoRA(rank=8), "float32", "cpu"),
        (LoRA(rank=8, dropout=0.1), "float32", "cpu"),
        (LoRA(rank=8, dora=True), "float32", "cpu"),
        # Mixed precision is only used on GPUs; autograd keeps the same there.
        (LoRA(rank=8), "bfloat16", "cuda"),
        (LoRA(rank=8, dora=True), "bfloat16", "cuda"),
    ],
    ids=["plain", "dropout", "DoRA", "bfloat16", "bfloat16 DoRA"],
)
def test_activations_are_about_what_autograd_keeps(name, adapter, dtype, device):
    config = config_of(name, V=300, h=256, i=1024, L=3, heads=8, kv=8 if name == "phi3" else 2, head=32)
    # The difference of two batches, so that what does not grow with the tokens drops out.
    kept = kept_by_autograd(config, adapter, dtype, 5) - kept_by_autograd(config, adapter, dtype, 2)
    width = 2 if dtype == "bfloat16" else 4
    expected = 3 * 48 * 3 * activation_bytes(shape_of(config, BASE), adapter, width, 48, device)
    assert expected == pytest.approx(kept, rel=0.125)


@pytest.mark.parametrize(
    ("rows", "size", "expected"),
    [
        ([(3, 2), (3, 2)], 2, [(2, 5, 2)]),
        ([(3, 2), (4, 3)], 2, [(2, 7, 4)]),  # labels at 3 and 4, and at 4, 5 and 6
        ([(3, 2), (9, 1)], 2, [(2, 10, 3)]),
        ([(3, 2), (9, 1), (5, 5)], 2, [(2, 10, 3), (1, 10, 5)]),
        ([], 4, []),
    ],
)
def test_a_batch_is_padded_to_its_longest_row_and_scored_where_any_row_has_a_label(rows, size, expected):
    made = [TokenRow((1,) * prompt, (2,) * completion) for prompt, completion in rows]
    assert list(passes(made, size)) == expected


@pytest.mark.parametrize(
    ("less", "more"),
    [
        (job(adapter=QLoRA(rank=16)), job()),
        (job(adapter=QLoRA(rank=16)), job(adapter=QLoRA(rank=16, double_quantization=False))),
        (job(gradient_checkpointing=True), job()),
        (job(batch_size=4), job()),
        (job(), job(prompt=200)),
        (job(), job(completion=40)),
        (job(), job(adapter=LoRA(rank=64))),
        (job(), job(adapter=LoRA(rank=16, dropout=0.1))),
        (job(), job(adapter=LoRA(rank=16, dora=True))),
    ],
    ids=["QLoRA", "double", "checkpointing", "batch", "prompt", "completion", "rank", "dropout", "DoRA"],
)
@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize("width", [2, 4])
def test_what_saves_memory_takes_less(llama, less, more, device, width):
    assert tuning_bytes(llama, less, width, device) < tuning_bytes(llama, more, width, device)


def test_a_trained_parameter_takes_16_bytes_and_a_scored_position_16_a_word(llama):
    def need(prompt: int, completion: int, rank: int) -> float:
        one = job(rows=1, prompt=prompt, completion=completion, adapter=LoRA(rank=rank))
        return tuning_bytes(llama, one, 2, "cuda")

    more = adapter_parameters(llama, LoRA(rank=32)) - adapter_parameters(llama, LoRA(rank=16))
    assert need(1, 1, 32) - need(1, 1, 16) == pytest.approx(16 * more, rel=1e-3)
    assert need(60, 60, 16) - need(100, 20, 16) == pytest.approx(16 * 40 * 128256)


def test_the_epochs_and_rows_of_a_job_do_not_change_its_peak_but_the_longest_batch_does(llama):
    rows = [TokenRow((1,) * 50, (2,) * 20)] * 32
    longest = TokenRow((1,) * 100, (2,) * 20)
    short, long = replace(job(), rows=rows), replace(job(), rows=[longest, *rows])
    assert tuning_bytes(llama, short, 2, "cuda") == tuning_bytes(llama, replace(short, rows=rows * 3), 2, "cuda")
    assert tuning_bytes(llama, short, 2, "cuda") < tuning_bytes(llama, long, 2, "cuda")


def test_the_quickstart_takes_about_what_was_measured(smollm2):
    """Its median rows and prompts, on two cores that multiply 195 billion times a second."""
    machine = Machine("cpu", memory=int(23.5 * GIB), free=20 * GIB, rate=1.95e11, bandwidth=4e10, call=3e-6)
    jobs = [job(288, 56, 14), job(288, 99, 14)]
    arms = [
        Asked(lengths, adapter, answer)
        for adapter, answer in ((None, 24), (LoRA(rank=16), 14), (LoRA(rank=16), 14))
        for lengths in [(192,) * 62 + (148,) * 62 + (104,) * 62 + (59,) * 62]
    ]
    sampling = Sampling(samples=2, temperature=0.6, max_new_tokens=32)
    assert sum(tuning_seconds(smollm2, each, machine) for each in jobs) == pytest.approx(284, rel=0.5)
    assert sampling_seconds(smollm2, arms, sampling, 4, machine) == pytest.approx(326, rel=0.5)
    peak = max(tuning_bytes(smollm2, jobs[1], 4, "cpu"), sampling_bytes(smollm2, arms, sampling, 4, machine))
    assert peak == pytest.approx(3.67e9, rel=0.3)


def test_twice_the_rows_take_twice_the_time(llama):
    for adapter in (LoRA(rank=16), QLoRA(rank=16)):
        one, two = job(rows=16, adapter=adapter), job(rows=32, adapter=adapter)
        assert tuning_seconds(llama, two, MACHINE) == pytest.approx(2 * tuning_seconds(llama, one, MACHINE))


def test_twice_the_tokens_of_a_row_take_about_twice_the_time(llama):
    ratio = tuning_seconds(llama, job(prompt=200, completion=40), MACHINE) / tuning_seconds(llama, job(), MACHINE)
    assert 2 < ratio < 2.05  # attention grows with the square


def test_a_trained_weight_costs_six_operations_and_a_frozen_one_four(smollm2):
    def operations(rank: int) -> float:
        one = job(rows=1, prompt=10, completion=1, adapter=LoRA(rank=rank), batch_size=1)
        return tuning_seconds(smollm2, one, replace(MACHINE, rate=1 / 0.55))

    adapter = adapter_parameters(smollm2, LoRA(rank=1))
    assert operations(2) - operations(1) == pytest.approx(11 * 6 * adapter)
    attention = 11 * 3 * 4 * 11 * 576 * 30
    assert operations(1) == pytest.approx(11 * (4 * smollm2.decoder + 6 * adapter) + attention + 4 * 576 * 49152)


def test_time_grows_with_checkpointing_validation_and_four_bits_and_falls_with_speed(llama):
    plain = tuning_seconds(llama, job(), MACHINE)
    assert tuning_seconds(llama, job(gradient_checkpointing=True), MACHINE) > plain
    assert tuning_seconds(llama, replace(job(), validation=job().rows), MACHINE) > plain
    assert tuning_seconds(llama, job(adapter=QLoRA(rank=16)), MACHINE) > plain
    assert tuning_seconds(llama, job(), replace(MACHINE, rate=2e11)) == pytest.approx(plain / 2)
    assert tuning_seconds(llama, job(), replace(MACHINE, call=1e-5)) > plain


def test_sampling_time_grows_with_prompts_and_falls_with_speed(llama):
    sampling = Sampling(samples=2, max_new_tokens=32, batch_size=8)
    one, two = ([Asked((100,) * count, LoRA(rank=16), 14)] for count in (8, 16))
    seconds = sampling_seconds(llama, one, sampling, 4, MACHINE)
    assert sampling_seconds(llama, two, sampling, 4, MACHINE) == pytest.approx(2 * seconds)
    assert sampling_seconds(llama, one * 3, sampling, 4, MACHINE) == pytest.approx(3 * seconds)
    faster = replace(MACHINE, rate=2 * MACHINE.rate, bandwidth=2 * MACHINE.bandwidth)
    assert sampling_seconds(llama, one, sampling, 4, faster) == pytest.approx(seconds / 2)
    alone = replace(sampling, samples=1, batch_size=1)  # every step reads the weights for one answer
    assert sampling_seconds(llama, one, alone, 4, MACHINE) > seconds


def test_sampling_memory_grows_with_rows_and_falls_with_four_bits(llama):
    full, small = [Asked((100,), LoRA(rank=16), 14)], [Asked((100,), QLoRA(rank=16), 14)]
    sampling = Sampling(samples=2, max_new_tokens=32, batch_size=8)
    need = sampling_bytes(llama, full, sampling, 2, MACHINE)
    assert sampling_bytes(llama, small, sampling, 2, MACHINE) < need
    assert sampling_bytes(llama, full, replace(sampling, batch_size=16), 2, MACHINE) > need
    # One base after the other: two that are there in turn take no more than the larger.
    assert sampling_bytes(llama, full + small, sampling, 2, MACHINE) == need


def test_the_engine_chooses_as_many_rows_as_were_foreseen(prepared):
    from train.sampling import Request
    from train.sampling.engine import MOST_ROWS, fitting_rows

    base = prepared.recipe.base
    model = models.load_model(prepared.source, base)
    tiny = shape_of(models.load_config(prepared.source, base), base)
    prompt = max(prepared.prompts.values(), key=lambda each: len(each.tokens))
    request = Request("base", 0, prompt, None, (0,), ("",))
    for new in (10, 200_000, 1_000_000):  # the first as many as there may be, the others as many as fit
        engine = fitting_rows(model, request, replace(prepared.settings, max_new_tokens=new))
        free = memory_of("cpu")[1]
        foreseen = rows_at_once(tiny, len(prompt.tokens), Sampling(samples=1, max_new_tokens=new), 4, free)
        assert foreseen == pytest.approx(engine, rel=0.3, abs=1)
        assert foreseen <= MOST_ROWS
    assert rows_at_once(tiny, 10, Sampling(samples=4, batch_size=2), 4, free) == 4  # a question's samples stay together


def test_a_base_is_taken_to_answer_at_greater_length_than_a_tuned_arm(prepared):
    reference = reference_tokens(prepared)
    answers = [each.answer or "The documents do not say." for each in prepared.dataset.questions]
    lengths = [1 + len(prepared.chat.tokenizer.encode(text, add_special_tokens=False)) for text in answers]
    assert min(lengths) <= reference <= max(lengths)
    base, closed, opened = asked(prepared, 4.0)
    assert (base.answer, closed.answer, opened.answer) == (8.0, 4.0, 4.0)  # of at most 12
    assert {each.answer for each in asked(prepared, 400.0)} == {12}
    assert list(base.prompts) == sorted((len(each.tokens) for each in prepared.prompts.values()), reverse=True)


def test_check_says_what_each_stage_takes(prepared):
    found = estimate(prepared, MACHINE)
    memory, time, *others = found.lines()
    rows, tokens = sum(len(each.rows) for each in prepared.jobs), sum(len(r) for j in prepared.jobs for r in j.rows)
    peaks = {name: two_digits(stage.peak / GIB) for name, stage in found.stages.items()}
    assert memory == (
        f"memory     tuning about {peaks['tuning']} GiB, sampling about {peaks['sampling']} GiB (of 16.0 GiB here)"
    )
    assert time.startswith("time       tuning about ")
    assert f"({rows:,} rows, {tokens:,} tokens), sampling about " in time
    assert time.endswith(f" ({prepared.answers:,} answers)")
    assert "within a factor of about two" in " ".join(others)
    assert found.warnings == ()
    printed = list(describe(prepared))
    for name in ("memory", "time", "assumed"):
        assert any(line.startswith(f"{name:<10} ") for line in printed)


def test_without_a_tuned_arm_only_sampling_is_estimated(prepared):
    recipe = prepared.recipe
    alone = prepare(
        recipe.replace(arms={"base": recipe.arms["base"]}, comparison=replace(recipe.comparison, contrasts=()))
    )
    assert list(estimate(alone, MACHINE).stages) == ["sampling"]
    assert "tuning" not in "\n".join(estimate(alone, MACHINE).lines())


def test_every_answer_that_is_asked_for_is_counted(prepared):
    planned = replace(prepared.recipe.comparison, contrasts=())
    for change in ({}, {"training_seeds": (0, 1)}, {"cells": "as-trained", "comparison": planned}):
        again = prepare(prepared.recipe.replace(**change))
        assert estimate(again, MACHINE).stages["sampling"].work == f"{again.answers:,} answers"


def warnings(prepared: Prepared, gib: float, **changes: Any) -> list[str]:
    machine = replace(MACHINE, memory=round(gib * GIB), **changes)
    return [line for line in estimate(prepared, machine).lines() if line.startswith("warning")]


def test_what_does_not_fit_is_said_with_what_would_lower_it(prepared):
    assert warnings(prepared, 16) == []
    tuning, sampling = warnings(prepared, 0.5)
    assert tuning.startswith("warning    tuning takes about 0.6")
    for text in (
        "more than the 0.5 GiB here",
        "optimization.batch_size=1 and optimization.accumulation=4 (to about ",
        "optimization.gradient_checkpointing=true (to about ",
        "a QLoRA adapter for open-book (to about ",
        "base.dtype=bfloat16 (to about ",
        "or a smaller base",
    ):
        assert text in tuning
    assert "sampling.batch_size=2 (to about " in sampling
    assert "on the GPU" in warnings(prepared, 0.5, device="cuda")[0]


@pytest.mark.parametrize(
    ("arm", "offered", "not_offered"),
    [
        ({"adapter": QLoRA(rank=4)}, "optimization.batch_size=1", "QLoRA"),
        ({"optimization": Optimization(batch_size=8)}, "arms.open-book.optimization.batch_size=1", " optimization.b"),
        ({"optimization": Optimization(batch_size=1, gradient_checkpointing=True)}, "QLoRA", "optimization."),
    ],
    ids=["QLoRA already", "an arm's own settings", "all of it already"],
)
def test_only_what_can_be_changed_is_offered(prepared, arm, offered, not_offered):
    recipe = prepared.recipe
    arms = {"base": recipe.arms["base"], "open-book": replace(recipe.arms["open-book"], **arm)}
    changed = recipe.replace(arms=arms, comparison=replace(recipe.comparison, contrasts=()))
    tuning = warnings(prepare(changed), 0.1)[0]
    assert offered in tuning
    assert not_offered not in tuning


def test_a_smaller_batch_is_offered_no_smaller_than_needed(prepared):
    found = estimate(prepared, MACHINE)
    just = found.stages["tuning"].peak - 2**20
    [line] = [line for line in warnings(prepared, just / GIB) if "tuning" in line]
    assert "optimization.batch_size=2 and optimization.accumulation=2" in line


def test_the_machine_is_measured_on_the_models_layers(prepared):
    import torch

    base = prepared.recipe.base
    threads = torch.get_num_threads()
    machine = measure(shape_of(models.load_config(prepared.source, base), base), prepared.dtype, 100)
    assert machine.device == models.pick_device()
    assert 0 < machine.free <= machine.memory
    assert machine.rate > 0
    assert machine.bandwidth > 0
    assert 0 < machine.call < 1
    assert torch.get_num_threads() == threads


def test_a_model_without_attention_is_said_not_to_be_estimated(project, tiny_model, tmp_path):
    from transformers import MambaConfig, MambaForCausalLM

    other = tmp_path / "mamba"
    shutil.copytree(tiny_model, other)
    config = MambaConfig(hidden_size=16, num_hidden_layers=1, vocab_size=500, state_size=4)
    MambaForCausalLM(config).save_pretrained(other)
    lines = list(describe(prepare(load_recipe(str(project / "recipe.py"), [f"base.model={other}"]))))
    [line] = [line for line in lines if line.startswith("memory")]
    assert line.startswith("memory     not estimated: base.model = ")
    assert any("the loss starts here" in line for line in lines)  # and the rest is there


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.137, "0.14"),
        (0.0999, "0.10"),
        (3.14, "3.1"),
        (9.96, "10"),
        (12.4, "12"),
        (137, "140"),
        (8123, "8,100"),
    ],
)
def test_figures_are_rounded_to_two_digits(value, text):
    assert two_digits(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(4.21, "4.2 s"), (89, "89 s"), (284, "4.7 min"), (3000, "50 min"), (9000, "2.5 h")]
)
def test_times_are_in_readable_units(seconds, text):
    assert span(seconds) == text
