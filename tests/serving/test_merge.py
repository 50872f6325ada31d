"""A merged arm is the arm that was tested, up to rounding, and the command says how far off it is."""

from __future__ import annotations

import re

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from train.sealing import numbered_records
from train.store import Run


def differences(said: str) -> tuple[float, float, int, int]:
    """Mean and greatest difference of logits, and at how many positions of how many the likeliest token changed."""
    found = re.search(r"differ by (\S+) on average and (\S+) at most; at (\d+) of (\d+) positions", said)
    assert found is not None, said
    return float(found[1]), float(found[2]), int(found[3]), int(found[4])


def test_a_merged_lora_arm_is_a_whole_model_with_the_arms_logits(run_copy, tmp_path, openbook):
    from peft import PeftModel

    out = tmp_path / "merged"
    code, said, err = openbook("merge", run_copy, "--arm", "open-book", "--out", out)
    assert (code, err) == (0, "")
    mean, most, changed, positions = differences(said)
    assert 0 <= mean <= most < 1e-4
    assert changed == 0 < positions

    base = Run.of(run_copy).manifest()["recipe"]["base"]["model"]
    tokenizer = AutoTokenizer.from_pretrained(out)
    prompt = next(record["prompt"] for _, record in numbered_records(run_copy / "contexts.jsonl"))
    tokens = torch.tensor([tokenizer(prompt, add_special_tokens=False)["input_ids"]])
    adapted = PeftModel.from_pretrained(
        AutoModelForCausalLM.from_pretrained(base), run_copy / "adapters/open-book/seed-0"
    ).eval()
    with torch.inference_mode():
        merged = AutoModelForCausalLM.from_pretrained(out).eval()(tokens).logits
        torch.testing.assert_close(merged, adapted(tokens).logits, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--arm", "base"), "--arm 'base': is not tuned, so there is nothing to merge"),
        (("--arm", "open"), "--arm 'open': no such arm in"),
        (("--arm", "open-book", "--seed", "3"), "--seed 3: no such training seed"),
    ],
)
def test_what_cannot_be_merged_is_said(arguments, message, run_copy, tmp_path, openbook):
    code, out, err = openbook("merge", run_copy, *arguments, "--out", tmp_path / "merged")
    assert (code, out) == (2, "")
    assert message in err
    assert not (tmp_path / "merged").exists()


def test_nothing_is_written_over(run_copy, tmp_path, openbook):
    code, _, err = openbook("merge", run_copy, "--arm", "open-book", "--out", tmp_path)
    assert code == 2
    assert f"--out {tmp_path}: is there already; name a directory that is not" in err
