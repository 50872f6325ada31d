"""A step that does not fit into memory is split and goes on. A real limit, on a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

STEP = """
import random, resource, sys
from pathlib import Path
import torch
from peft import LoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM
from train import tuning
from train.decoder.anatomy import take_apart
from train.processes import Processes
from train.recipe import LoRA, Optimization
from train.tuning.stack import Stack

torch.set_num_threads(1)
config = LlamaConfig(vocab_size=300, hidden_size=256, intermediate_size=1024, num_hidden_layers=4,
                     num_attention_heads=4, num_key_value_heads=2)
torch.manual_seed(0)
model = get_peft_model(LlamaForCausalLM(config), LoraConfig(r=4, target_modules="all-linear"), adapter_name="one")
rng = random.Random(0)
rows = [tuning.TokenRow(tuple(rng.choices(range(300), k=490)), tuple(rng.choices(range(300), k=10)))
        for _ in range(8)]
job = tuning.Job("arm", 0, "none", rows, 1, (), LoRA(rank=4), Optimization(batch_size=8), "", Path("nowhere"))

def gradient(room, beside=None):
    stack = Stack([job], model, take_apart(model), ["one"], Processes(), room=room, checkpointing=False)
    if beside != 1:
        stack.step(0)  # libraries make their own buffers, and memory that was freed can be used again
    stack.room = 10**9
    if beside:
        size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(resource.RLIMIT_AS, (size + beside, hard))
    stack.step(0)
    if beside:
        resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
    return stack.adapters[0].gradient.clone(), stack.room

short, room = gradient(1, int(sys.argv[1]))
plenty, whole = gradient(1)
print(room, whole, (short - plenty).abs().max().item() / plenty.abs().max().item())
"""


def test_a_step_that_does_not_fit_is_split_and_has_the_same_gradients(tmp_path: Path):
    """4,000 tokens keep about 280 MB; 130 MB are there."""
    done = subprocess.run(
        [sys.executable, "-c", STEP, str(130 * 2**20)], check=False, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-2000:]
    room, whole, difference = done.stdout.split()
    assert int(room) < 4000 < int(whole)
    assert float(difference) < 1e-5


def test_a_row_that_does_not_fit_alone_is_an_error_that_says_what_to_do(tmp_path: Path):
    done = subprocess.run([sys.executable, "-c", STEP, "1"], check=False, capture_output=True, text=True, timeout=300)
    assert done.returncode != 0
    assert "RunFailed: memory does not hold the longest row of a step, of 500 tokens; shorten" in done.stderr
