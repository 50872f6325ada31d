"""Activations are what autograd keeps, where transformers' own code is trained through."""

from __future__ import annotations

import weakref
from contextlib import nullcontext
from typing import Any

import pytest

from tests.estimate.builders import BASE, config_of
from train.estimate import shape_of
from train.estimate.stock import activation_bytes
from train.recipe import LoRA


class Held:
    """What autograd is given back in the place of a tensor that it keeps."""

    def __init__(self, tensor: Any) -> None:
        self.tensor = tensor


def kept_by_autograd(config: Any, adapter: LoRA, dtype: str, rows: int) -> int:
    """Bytes besides the parameters that autograd keeps of a forward pass over rows of 48 tokens, one of them padded."""
    import torch
    from peft import get_peft_model
    from transformers import AutoModelForCausalLM

    from train.tuning.arguments import lora_config

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
