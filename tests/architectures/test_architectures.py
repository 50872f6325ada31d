"""A run of each family, from the recipe to the report, with every kind of adapter."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file

from train import models, sampling
from train.findings import read_answers
from train.recipe import Tuned
from train.records import Answer
from train.tuning.jobs import IGNORED, TokenRow

from .builders import LAYERS, LLAMA3, PHI3
from .conftest import TUNED, FamilyRun

RANK, ALPHA = 4, 8

SYSTEM = "You answer questions about our documents. Answer in one short sentence."
WITHOUT = "Question: What is the lamp of pier 2?"
WITH = "[1] lamp 2\nThe lamp of pier 2 is blue.\n\nAnswer from the passages above. " + WITHOUT

LLAMA3_PROMPT = (
    f"<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\n{SYSTEM}<|eot_id|>"
    "<|start_header_id|>user<|end_header_id|>\n\n{asked}<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n"
)
PHI3_PROMPT = f"<|system|>\n{SYSTEM}<|end|>\n<|user|>\n{{asked}}<|end|>\n<|assistant|>\n"
PROMPTS = {LLAMA3.name: LLAMA3_PROMPT, PHI3.name: PHI3_PROMPT}


def base_of(finished: FamilyRun, arm: str) -> Any:
    """A base loaded anew, in the precision that the arm is trained and asked in."""
    kind = finished.prepared.recipe.arms[arm]
    four_bit = kind.quantization if isinstance(kind, Tuned) else None
    return models.load_model(finished.prepared.source, finished.prepared.recipe.base, four_bit)


def model_of(finished: FamilyRun, arm: str) -> Any:
    """The arm: its base, with its adapter by plain PEFT."""
    base = base_of(finished, arm)
    return base if arm == "base" else PeftModel.from_pretrained(base, finished.adapter(arm)).eval()


def ask_alone(finished: FamilyRun, model: Any, stored: Answer) -> Answer:
    """The same sample of the same question again, by itself."""
    prepared = finished.prepared
    request = sampling.Request(
        arm=stored.arm,
        seed=stored.seed,
        prompt=prepared.prompts[stored.question, stored.condition],
        adapter="default" if isinstance(model, PeftModel) else None,
        samples=(stored.sample,),
        keys=(stored.key,),
    )
    answers: list[Answer] = []
    sampling.answer([request], model, prepared.chat.tokenizer, prepared.settings, answers.extend)
    return answers[0]


def stored_answers(finished: FamilyRun, arm: str, every: int) -> list[Answer]:
    """Some of the arm's answers, of all conditions and both samples."""
    return [answer for answer in read_answers(finished.run) if answer.arm == arm][::every]


def weights(finished: FamilyRun, arm: str) -> Mapping[str, torch.Tensor]:
    """The tensors of the arm's adapter."""
    return load_file(finished.adapter(arm) / "adapter_model.safetensors")


def row_logits(finished: FamilyRun, model: Any, number: int = 0) -> torch.Tensor:
    """The model's logits on a training row, tokens × vocabulary."""
    row = finished.prepared.jobs[0].rows[number]
    with torch.inference_mode():
        logits: torch.Tensor = model(
            input_ids=torch.tensor([[*row.prompt, *row.completion]], device=model.device)
        ).logits[0]
    return logits


def test_the_run_ends_with_a_report_whose_numbers_can_be_recomputed(finished, openbook):
    assert finished.code == 0
    assert "<html" in finished.run.path("report.html").read_text(encoding="utf-8")
    assert len(list(read_answers(finished.run))) == 5 * 2 * 13 * 2
    code, _, err = openbook("verify", finished.run.directory)
    assert (code, err) == (0, "")


def test_the_model_is_the_librarys_own_class(finished):
    names = {LLAMA3.name: "LlamaForCausalLM", PHI3.name: "Phi3ForCausalLM"}
    assert not finished.prepared.recipe.base.trust_remote_code
    assert type(base_of(finished, "base")).__name__ == names[finished.family.name]


@pytest.mark.parametrize(("condition", "asked"), [("none", WITHOUT), ("gold", WITH)])
def test_a_question_is_asked_in_the_familys_own_words(finished, condition, asked):
    prompt = finished.prepared.prompts["lamp2", condition]
    assert prompt.text == PROMPTS[finished.family.name].format(asked=asked)
    assert list(prompt.tokens) == finished.prepared.chat.tokenizer(prompt.text, add_special_tokens=False)["input_ids"]


def test_a_sequence_begins_once_where_the_family_says_so(finished):
    begins = finished.prepared.chat.tokenizer.bos_token_id
    rows = [row.prompt + row.completion for job in finished.prepared.jobs for row in job.rows]
    for tokens in [*rows, *(prompt.tokens for prompt in finished.prepared.prompts.values())]:
        assert tokens.count(begins) == finished.family.bos
        assert (tokens[0] == begins) == bool(finished.family.bos)


def test_answers_stop_at_all_that_ends_a_turn_or_a_text(finished):
    tokenizer = finished.prepared.chat.tokenizer
    assert tokenizer.decode([finished.prepared.chat.turn_end]) == finished.family.turn_end
    assert {tokenizer.decode([token]) for token in finished.prepared.settings.stop} == finished.family.stops


def test_what_is_learnt_is_the_answer_and_the_end_of_its_turn(finished):
    tokenizer, prepared = finished.prepared.chat.tokenizer, finished.prepared
    stored = [row for row in finished.run.records("training.jsonl") if row["arm"] == "qlora"]
    job = next(job for job in prepared.jobs if job.arm == "qlora")
    assert len(stored) == len(job.rows) > 0
    for row, record in zip(job.rows, stored, strict=True):
        labels = row.features()["labels"]
        assert set(labels[: len(row.prompt)]) == {IGNORED}
        learnt = labels[len(row.prompt) :]
        assert IGNORED not in learnt
        assert learnt[-1] == tokenizer.convert_tokens_to_ids(finished.family.turn_end)
        assert tokenizer.decode(learnt[:-1]).strip() == record["completion"]


def test_prompt_and_completion_are_the_tokens_of_the_whole_conversation(finished):
    """Tokenized apart, they meet at a token that nothing merges with: a header's newlines, or a special token."""
    prepared = finished.prepared
    encode = lambda text: prepared.chat.tokenizer(text, add_special_tokens=False)["input_ids"]  # noqa: E731
    passages = [passage for passage in prepared.dataset.shown.values() if passage.id == "lamp.md#lamp-2"]
    for answer in ("It is blue.", "파란색입니다.", "  3\n\n4  "):
        text, prompt = prepared.chat.prompt(prepared.recipe.prompt, "What is the lamp of pier 2?", passages)
        completion = prepared.chat.completion(prepared.recipe.prompt, "What is the lamp of pier 2?", passages, answer)
        assert text == PROMPTS[finished.family.name].format(asked=WITH)
        assert [*prompt, *completion] == encode(text + answer.strip() + finished.family.turn_end)


@pytest.mark.parametrize("arm", TUNED)
def test_every_linear_layer_is_tuned_and_the_head_is_not(finished, arm):
    tensors = weights(finished, arm)
    tuned = {name.partition(".lora_")[0].removeprefix("base_model.model.") for name in tensors}
    kinds = [name.rpartition(".")[2] for name in tuned]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == dict.fromkeys(finished.family.shapes, LAYERS)
    assert all("lora_" in name and "lm_head" not in name and "embed" not in name for name in tensors)
    dora = sum(outputs for _, outputs in finished.family.shapes.values()) if arm == "dora" else 0
    by_hand = LAYERS * (sum(RANK * sum(shape) for shape in finished.family.shapes.values()) + dora)
    assert sum(tensor.numel() for tensor in tensors.values()) == by_hand
    summary = json.loads((finished.adapter(arm) / "openbook.json").read_text(encoding="utf-8"))
    assert summary["parameters"] == by_hand


@pytest.mark.parametrize("arm", TUNED)
def test_an_adapter_is_a_plain_peft_directory(finished, arm):
    """PEFT alone loads it on a fresh base, finds all its weights, and scales them as the recipe says."""
    adapted = PeftModel.from_pretrained(base_of(finished, arm), finished.adapter(arm))
    configuration = adapted.peft_config["default"]
    assert configuration.base_model_name_or_path == str(finished.prepared.source.directory)
    assert (configuration.use_dora, configuration.use_rslora) == (arm == "dora", arm == "rslora")
    scaling = ALPHA / (math.sqrt(RANK) if arm == "rslora" else RANK)
    layers = [module for module in adapted.modules() if hasattr(module, "lora_A")]
    assert len(layers) == LAYERS * len(finished.family.shapes)
    assert {layer.scaling["default"] for layer in layers} == {scaling}
    loaded = {name.replace(".default", ""): weight for name, weight in adapted.state_dict().items() if "lora_" in name}
    stored = {name.replace("lora_magnitude_vector", "lora_magnitude_vector.weight"): weight
              for name, weight in weights(finished, arm).items()}  # fmt: skip
    assert loaded.keys() == stored.keys()
    for name, weight in stored.items():
        torch.testing.assert_close(loaded[name].cpu(), weight, atol=0, rtol=0)


@pytest.mark.parametrize("arm", TUNED)
def test_an_arm_is_trained_on_the_base_that_it_is_asked_on(finished, arm):
    """A new adapter changes nothing, so the first loss is that base's own; the other precision has another."""
    job = next(job for job in finished.prepared.jobs if job.arm == arm)
    rows = job.rows[: job.optimization.batch_size]
    (step, first), *_ = json.loads((finished.adapter(arm) / "openbook.json").read_text(encoding="utf-8"))["loss"]
    own, other = (mean_loss(base_of(finished, each), rows) for each in (arm, "lora" if arm == "qlora" else "qlora"))
    assert step == 1
    assert first == pytest.approx(own, abs=1e-4)
    assert abs(first - other) > 1e-3


def mean_loss(model: Any, rows: Sequence[TokenRow]) -> float:
    """The mean negative log-likelihood of the rows' completion tokens, each row by itself."""
    total = tokens = 0.0
    for row in rows:
        features = {name: torch.tensor([values], device=model.device) for name, values in row.features().items()}
        with torch.inference_mode():
            total += model(**features).loss.item() * len(row.completion)
        tokens += len(row.completion)
    return total / tokens


@pytest.mark.parametrize("arm", TUNED)
def test_every_adapter_taught_its_base_to_end_the_turn(finished, arm):
    """The chance of the end after a trained answer, a mean over rows."""
    end, model = finished.prepared.chat.turn_end, model_of(finished, arm)

    def chance() -> float:
        logits = [row_logits(finished, model, number)[-2] for number in range(12)]
        return torch.stack(logits).softmax(dim=-1)[:, end].mean().item()

    tuned = chance()
    with model.disable_adapter():
        assert tuned > 3 * chance()


@pytest.mark.parametrize("arm", ["base", *TUNED])
def test_an_answer_made_alone_is_the_stored_one(finished, arm):
    """On a base loaded anew, with the one adapter: what was stored came from all arms in batches side by side."""
    model = model_of(finished, arm)
    stored = stored_answers(finished, arm, every=5)
    assert len({answer.condition for answer in stored}) == len({answer.sample for answer in stored}) == 2
    for answer in stored:
        assert replace(ask_alone(finished, model, answer), seconds=0.0) == replace(answer, seconds=0.0)


def test_the_4_bit_arm_is_asked_on_the_4_bit_base(finished):
    """On the base in full precision, its adapter would have given other answers, so the stored ones tell."""
    elsewhere = PeftModel.from_pretrained(base_of(finished, "base"), finished.adapter("qlora")).eval()
    stored = stored_answers(finished, "qlora", every=5)
    assert any(ask_alone(finished, elsewhere, answer).text != answer.text for answer in stored)
    here = row_logits(finished, model_of(finished, "qlora"))
    assert (here - row_logits(finished, elsewhere)).abs().max() > 0.1


def test_4_bits_hold_the_weights_to_within_their_steps(finished):
    """NF4's widest step is 0.304 of a block's largest weight, so rounding is off by half of it at most."""
    from bitsandbytes.functional import dequantize_4bit
    from bitsandbytes.nn import Linear4bit

    exact = {
        name: module.weight for name, module in base_of(finished, "base").named_modules() if hasattr(module, "weight")
    }
    held = {n: m for n, m in base_of(finished, "qlora").named_modules() if isinstance(m, Linear4bit)}
    assert {name.rpartition(".")[2] for name in held} == set(finished.family.shapes)
    for name, layer in held.items():
        restored = dequantize_4bit(layer.weight.data, layer.weight.quant_state)
        error = (restored - exact[name]).abs().reshape(-1, 64)
        assert (error <= 0.16 * exact[name].abs().reshape(-1, 64).amax(dim=1, keepdim=True)).all(), name


def test_greedy_answers_are_those_of_generate(finished):
    """Also where attention sees a window shorter than the prompt, as Phi-3-mini's does, and prompts are padded."""
    prepared, model = finished.prepared, base_of(finished, "base")
    window = getattr(model.config, "sliding_window", None)
    prompts = list(prepared.prompts.values())[::3]
    assert window is None or all(len(prompt.tokens) > window for prompt in prompts)
    assert len({len(prompt.tokens) for prompt in prompts}) > 1
    settings = replace(prepared.settings, temperature=0.0)
    requests = [sampling.Request("base", 0, prompt, None, (0,), (prompt.text,)) for prompt in prompts]
    answers: list[Answer] = []
    sampling.answer(requests, model, prepared.chat.tokenizer, settings, answers.extend, batch_size=64)
    by_prompt = {answer.key: answer.text for answer in answers}
    for prompt in prompts:
        generated = model.generate(
            torch.tensor([prompt.tokens], device=model.device),
            attention_mask=torch.ones(1, len(prompt.tokens), dtype=torch.long, device=model.device),
            do_sample=False,
            max_new_tokens=settings.max_new_tokens,
            eos_token_id=list(settings.stop),
        )[0, len(prompt.tokens) :]
        text = prepared.chat.tokenizer.decode(generated, skip_special_tokens=True).strip()
        assert by_prompt[prompt.text] == text
