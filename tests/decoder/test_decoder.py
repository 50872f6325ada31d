"""The decoder's numbers are those of transformers and PEFT, for every kind of model that it takes apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch.nn.functional import cross_entropy

from train.decoder.adapters import Adapter, Route
from train.decoder.anatomy import Decoder, Linear, take_apart
from train.decoder.attention import RowAttention
from train.decoder.blocks import logits, run
from train.decoder.flat import flatten
from train.decoder.kinds import Unsupported
from train.decoder.training import Targets, loss_and_gradients, loss_only

SMALL = {"vocab_size": 97, "num_hidden_layers": 3, "max_position_embeddings": 128, "pad_token_id": 0}
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("Llama", {"hidden_size": 48, "intermediate_size": 80, "num_attention_heads": 6,
                        "num_key_value_heads": 2, "head_dim": 16, "tie_word_embeddings": True}),
    "llama with biases": ("Llama", {"hidden_size": 48, "intermediate_size": 80, "num_attention_heads": 4,
                                    "num_key_value_heads": 4, "attention_bias": True, "mlp_bias": True}),
    "llama 3 positions": ("Llama", {"hidden_size": 48, "intermediate_size": 80, "num_attention_heads": 4,
                                    "num_key_value_heads": 2, "rope_parameters": {
                                        "rope_type": "llama3", "rope_theta": 500000.0, "factor": 8.0,
                                        "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                                        "original_max_position_embeddings": 64}}),
    "phi3": ("Phi3", {"hidden_size": 48, "intermediate_size": 80, "num_attention_heads": 6, "num_key_value_heads": 6}),
    "phi3 with a window": ("Phi3", {"hidden_size": 48, "intermediate_size": 80, "num_attention_heads": 6,
                                    "num_key_value_heads": 3, "sliding_window": 5}),
    "phi4, rotated in part": ("Phi3", {"hidden_size": 64, "intermediate_size": 80, "num_attention_heads": 4,
                                       "num_key_value_heads": 2, "rope_parameters": {
                                           "rope_type": "default", "rope_theta": 10000.0,
                                           "partial_rotary_factor": 0.75}}),
    "mistral with a window": ("Mistral", {"hidden_size": 48, "intermediate_size": 80, "num_attention_heads": 4,
                                          "num_key_value_heads": 2, "sliding_window": 7}),
    "qwen2": ("Qwen2", {"hidden_size": 48, "intermediate_size": 80, "num_attention_heads": 4,
                        "num_key_value_heads": 2}),
}  # fmt: skip

Row = tuple[list[int], list[int]]


def base_model(kind: str) -> Any:
    import transformers

    name, settings = KINDS[kind]
    torch.manual_seed(0)
    config = getattr(transformers, f"{name}Config")(**SMALL, **settings)
    model = getattr(transformers, f"{name}ForCausalLM")(config).eval()
    for name, weight in model.named_parameters():
        if weight.dim() == 1:  # norms and biases are made as ones and zeros, which would hide their being left out
            torch.nn.init.normal_(weight, mean=1.0 if "norm" in name else 0.0, std=0.2)
        else:
            torch.nn.init.normal_(weight, std=0.15)
    return model


def adapted(kind: str, *names: str, **settings: Any) -> Any:
    """The model with PEFT adapters whose second matrices are not zero, as after some training."""
    model: Any = base_model(kind)
    for name in names:
        config = LoraConfig(**({"r": 3, "lora_alpha": 7, "target_modules": "all-linear"} | settings))
        if hasattr(model, "peft_config"):
            model.add_adapter(name, config)
        else:
            model = get_peft_model(model, config, adapter_name=name)
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.1)
    return model.eval()


def rows_of(seed: int, count: int = 5) -> list[Row]:
    """Rows that begin alike in part, of several lengths; one is another's beginning."""
    generator = torch.Generator().manual_seed(seed)

    def tokens(length: int) -> list[int]:
        return torch.randint(1, 97, (length,), generator=generator).tolist()

    start, passage = tokens(6), tokens(5)
    rows = [(start + (passage if number % 2 else []) + tokens(2 + 3 * number), tokens(3)) for number in range(count)]
    return [*rows, (rows[1][0], rows[1][1][:2])]


def stock_loss(model: Any, rows: Sequence[Row]) -> torch.Tensor:
    """Mean over the completions' tokens, each row computed by transformers alone."""
    losses = []
    for prompt, completion in rows:
        scores = model(input_ids=torch.tensor([prompt + completion])).logits[0, len(prompt) - 1 : -1]
        losses.append(cross_entropy(scores, torch.tensor(completion), reduction="sum"))
    return sum(losses, torch.zeros(())) / sum(len(completion) for _, completion in rows)


def laid_out(groups: Sequence[Sequence[Row]], adapters: Sequence[Adapter], *, share: bool) -> tuple[Any, ...]:
    """Stream, targets and routes of one group of rows for each adapter."""
    flat = flatten([[prompt + completion for prompt, completion in rows] for rows in groups], [share] * len(groups))
    ordered = [(arm, *row) for arm, rows in enumerate(groups) for row in rows]
    places = [path[len(p) - 1 : len(p) + len(c) - 1] for (_, p, c), path in zip(ordered, flat.paths, strict=True)]
    counts = [sum(len(completion) for _, completion in rows) for rows in groups]
    targets = Targets(
        torch.cat(places),
        torch.tensor([token for _, _, completion in ordered for token in completion]),
        torch.tensor([1 / counts[arm] for arm, _, completion in ordered for _ in completion]),
        torch.tensor([arm for arm, _, completion in ordered for _ in completion]),
    )
    routes = [Route(*bounds, adapter) for bounds, adapter in zip(flat.bounds, adapters, strict=True)]
    return flat, targets, routes


def taken_over(model: Any, *names: str) -> tuple[Decoder, list[Adapter]]:
    decoder = take_apart(model)
    adapters = [Adapter(model, decoder, name) for name in names]
    for adapter in adapters:
        adapter.learn()
    return decoder, adapters


def gradients(model: Any, adapter: Adapter) -> dict[str, torch.Tensor]:
    """The decoder's gradients under PEFT's names."""
    found = {}
    for name, weight in model.named_parameters():
        if f".{adapter.name}." in name:
            start = (weight.data_ptr() - adapter.flat.data_ptr()) // 4
            found[name] = adapter.gradient[start : start + weight.numel()].view_as(weight)
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_the_next_tokens_scores_are_transformers(kind):
    model = base_model(kind)
    decoder = take_apart(model)
    rows = [prompt + completion for prompt, completion in rows_of(1)]
    flat = flatten([rows])
    assert len(flat) < sum(map(len, rows))
    with torch.no_grad():
        x = run(decoder, flat.tokens, flat.positions, RowAttention(decoder, flat), [])
        for row, path in zip(rows, flat.paths, strict=True):
            stock = model(input_ids=torch.tensor([row])).logits[0]
            torch.testing.assert_close(logits(decoder, x[path]), stock, atol=1e-4, rtol=0)


@pytest.mark.parametrize("checkpointing", [False, True], ids=["kept", "computed twice"])
@pytest.mark.parametrize("share", [False, True], ids=["apart", "shared"])
@pytest.mark.parametrize("kind", KINDS)
def test_losses_and_gradients_are_those_of_separate_rows(kind, share, checkpointing):
    """Two adapters, each with rows of its own, against one row at a time through PEFT."""
    names, groups = ("one", "two"), (rows_of(1), rows_of(2, 3))
    stock, model = adapted(kind, *names), adapted(kind, *names)
    decoder, adapters = taken_over(model, *names)
    flat, targets, routes = laid_out(groups, adapters, share=share)
    sums = loss_and_gradients(decoder, flat, targets, routes, arms=2, checkpointing=checkpointing)
    assert loss_only(decoder, flat, targets, routes, arms=2).tolist() == pytest.approx(sums.tolist(), abs=1e-5)
    for arm, (name, rows) in enumerate(zip(names, groups, strict=True)):
        stock.set_adapter(name)
        stock.zero_grad()
        loss = stock_loss(stock, rows)
        loss.backward()
        assert sums[arm].item() == pytest.approx(loss.item(), abs=1e-5)
        wanted = {key: weight.grad for key, weight in stock.named_parameters() if f".{name}." in key}
        found = gradients(model, adapters[arm])
        assert found.keys() == wanted.keys()
        for key, gradient in wanted.items():
            torch.testing.assert_close(found[key], gradient, atol=2e-5, rtol=1e-4, msg=key)


@pytest.mark.parametrize("settings", [{"target_modules": ["q_proj", "v_proj"]}, {"target_modules": ["down_proj"]},
                                      {"use_rslora": True}], ids=str)  # fmt: skip
def test_adapters_on_some_layers_and_other_scales(settings):
    stock, model = adapted("llama", "one", **settings), adapted("llama", "one", **settings)
    decoder, adapters = taken_over(model, "one")
    flat, targets, routes = laid_out([rows_of(1)], adapters, share=True)
    loss_and_gradients(decoder, flat, targets, routes, arms=1)
    stock_loss(stock, rows_of(1)).backward()
    found = gradients(model, adapters[0])
    assert found
    for key, weight in stock.named_parameters():
        if weight.grad is not None:
            torch.testing.assert_close(found[key], weight.grad, atol=2e-5, rtol=1e-4, msg=key)


def test_an_adapter_of_no_numbers_harms_no_other_rows():
    model = adapted("llama", "one", "two")
    decoder, adapters = taken_over(model, "one", "two")
    flat, targets, routes = laid_out((rows_of(1), rows_of(2)), adapters, share=True)
    healthy = loss_and_gradients(decoder, flat, targets, routes, arms=2)
    before = adapters[0].gradient.clone()
    adapters[1].flat.fill_(float("nan"))
    adapters[0].gradient.zero_()
    sums = loss_and_gradients(decoder, flat, targets, routes, arms=2)
    assert sums[0] == healthy[0] and sums[1].isnan()
    assert torch.equal(adapters[0].gradient, before) and adapters[1].gradient.isnan().all()


def test_peft_keeps_the_adapter_that_the_decoder_computes_with(tmp_path):
    from safetensors.torch import load_file

    model = adapted("llama", "default")
    _, (adapter,) = taken_over(model, "default")
    adapter.flat += 1
    model.save_pretrained(tmp_path)
    saved = torch.cat([value.flatten() for value in load_file(tmp_path / "adapter_model.safetensors").values()])
    torch.testing.assert_close(saved.sort().values, adapter.flat.sort().values)


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: take_apart(gpt2()), "architecture gpt2"),
        (lambda: taken_over(adapted("llama", "one", use_dora=True), "one"), "DoRA"),
        (lambda: taken_over(adapted("llama", "one", lora_bias=True), "one"), "biases"),
        (lambda: taken_over(adapted("llama", "one", target_modules=["q_proj", "lm_head"]), "one"), "outside"),
        (lambda: taken_over(adapted("llama", "one", rank_pattern={"q_proj": 5}), "one"), "differ in rank"),
    ],
)
def test_what_is_computed_otherwise_is_refused_and_named(make, why):
    with pytest.raises(Unsupported, match=why):
        make()


def gpt2() -> Any:
    from transformers import GPT2Config, GPT2LMHeadModel

    return GPT2LMHeadModel(GPT2Config(n_layer=1, n_embd=16, n_head=2, vocab_size=97))


def test_half_precision_is_close_to_full():
    full, half = adapted("llama", "one"), adapted("llama", "one")
    half.get_base_model().to(torch.bfloat16)
    found = []
    for model in (full, half):
        decoder, adapters = taken_over(model, "one")
        flat, targets, routes = laid_out([rows_of(1)], adapters, share=True)
        loss_and_gradients(decoder, flat, targets, routes, arms=1)
        assert adapters[0].gradient.dtype == torch.float32
        found.append(adapters[0].gradient)
    assert torch.nn.functional.cosine_similarity(*found, dim=0) > 0.99


def test_four_bit_layers_are_unpacked_to_what_bitsandbytes_multiplies_by():
    from bitsandbytes.nn import Linear4bit

    torch.manual_seed(0)
    layer = Linear4bit(128, 64, bias=False, compute_dtype=torch.float32, quant_type="nf4")
    layer.to("cpu")  # which packs it
    x = torch.randn(5, 128)
    found = x @ Linear("layer", layer, torch.float32).weight.t()
    torch.testing.assert_close(found, layer(x), atol=1e-4, rtol=1e-3)
