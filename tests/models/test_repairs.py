"""Published models load that transformers would refuse."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from train import models
from train.errors import UserError
from train.models.repairs import allow_explicit_head_sizes
from train.recipe import Base


@pytest.fixture
def uneven(tiny_model: Path, tmp_path: Path) -> Path:
    """The tiny model with 3 heads of 32 on a hidden size of 64: as uneven as Kanana-1.5-2.1B's 24 of 128 on 1792."""
    from transformers import LlamaConfig, LlamaForCausalLM

    allow_explicit_head_sizes()
    directory = Path(shutil.copytree(tiny_model, tmp_path / "uneven"))
    config = LlamaConfig.from_pretrained(tiny_model)
    config.num_attention_heads, config.num_key_value_heads, config.head_dim = 3, 1, 32
    LlamaForCausalLM(config).save_pretrained(directory)
    return directory


def test_a_head_size_that_is_named_need_not_divide_the_hidden_size(uneven):
    base = Base(str(uneven), dtype="float32")
    source = models.resolve(base)
    assert models.load_config(source, base).head_dim == 32
    model = models.load_model(source, base)
    assert model.model.layers[0].self_attn.q_proj.weight.shape == (96, 64)
    assert torch.isfinite(model(torch.tensor([[5, 6, 7]])).logits).all()


def test_the_command_line_trains_and_asks_such_a_model(uneven, project, openbook):
    """In a process of its own, where nothing has been mended yet."""
    text = (project / "recipe.py").read_text(encoding="utf-8")
    before = text[text.index('Base(r"') + 7 :].partition('"')[0]
    (project / "recipe.py").write_text(text.replace(before, str(uneven)), encoding="utf-8")
    command = [sys.executable, "-m", "train", "run", "recipe.py", "--out", "run", "--limit", "2"]
    done = subprocess.run(command, cwd=project, check=False, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    assert openbook("verify", project / "run")[0] == 0


def test_heads_that_nothing_explains_are_refused_as_before(uneven):
    path = uneven / "config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    del config["head_dim"]
    path.write_text(json.dumps(config), encoding="utf-8")
    base = Base(str(uneven), dtype="float32")
    with pytest.raises(UserError, match="not a multiple of the number of attention heads"):
        models.load_config(models.resolve(base), base)
