"""What can be wrong with a recipe for one of the families, refused before the first step."""

from __future__ import annotations

import shlex

import pytest
import torch

from ..bad_input.case import Case, case
from ..bad_input.changes import GONE, in_json, own_model, recipe, write
from .builders import LLAMA3, PHI3, Family, write_model
from .conftest import write_family_project


def wanting(*modules: str) -> str:
    """A LoRA on these modules."""
    return f"LoRA(rank=4, alpha=8, target_modules={modules!r})"


ON_PHI3 = (
    case(
        "the projection of queries alone",
        recipe("LoRA(rank=4, alpha=8, dora=True)", wanting("q_proj")),
        place="arms.dora.adapter.target_modules",
        value="no linear layer 'q_proj'",
        mend="did you mean 'qkv_proj'?",
    ),
    case(
        "the gate alone",
        recipe("LoRA(rank=4, alpha=8, rslora=True)", wanting("o_proj", "gate_proj")),
        place="arms.rslora.adapter.target_modules",
        value="no linear layer 'gate_proj'",
        mend="did you mean 'gate_up_proj'?",
    ),
    case(
        "4 bits on one projection alone",
        recipe("QLoRA(rank=4, alpha=8)", "Q" + wanting("v_proj")),
        place="arms.qlora.adapter.target_modules",
        value="no linear layer 'v_proj'",
        mend="did you mean 'qkv_proj'?",
    ),
    case(
        "a template of an earlier revision, which drops the system message",
        own_model(
            write(
                "chat_template.jinja",
                "{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}<|user|>\n{{ m.content }}<|end|>\n"
                "<|assistant|>\n{% elif m.role == 'assistant' %}{{ m.content }}<|end|>\n{% endif %}{% endfor %}",
            )
        ),
        place="prompt.system",
        value="the chat template drops system messages",
        mend="set prompt.system=",
    ),
    case(
        "a quantization that there is not",
        recipe("QLoRA(rank=4, alpha=8)", 'QLoRA(rank=4, alpha=8, quantization="int4")'),
        place="recipe.py",
        value="'int4'",
        mend="'nf4' or 'fp4'",
    ),
)
ON_LLAMA3 = (
    case(
        "fused projections",
        recipe("LoRA(rank=4, alpha=8, dora=True)", wanting("gate_up_proj")),
        place="arms.dora.adapter.target_modules",
        value="no linear layer 'gate_up_proj'",
        mend="did you mean 'gate_proj'?",
    ),
)


UNEVEN = {
    "down_proj": {"intermediate_size": 96},
    "o_proj": {"hidden_size": 96},
}
"""The first layer whose rows are no whole blocks of 64 weights, by the configuration that makes it so."""


@pytest.mark.parametrize(
    ("family", "case"),
    [
        *(pytest.param(PHI3, each, id=f"phi3: {each.name}") for each in ON_PHI3),
        *(pytest.param(LLAMA3, each, id=f"llama3: {each.name}") for each in ON_LLAMA3),
    ],
)
def test_what_a_family_does_not_have_is_refused_with_place_value_and_mend(
    family: Family, case: Case, tmp_path, openbook, monkeypatch
):
    project = tmp_path / "project"
    write_family_project(project, write_model(family, tmp_path / "tiny"))
    monkeypatch.chdir(project)
    for change in case.changes:
        change(project)
    code, out, err = openbook(*shlex.split(case.command))
    assert (code, out) == (2, "")
    assert len(err.split("error: ", 1)[1].splitlines()) <= 2
    for part in (case.place, case.value, case.mend):
        assert part in err


@pytest.mark.skipif(torch.cuda.is_available(), reason="only the code for CPUs needs whole blocks")
@pytest.mark.parametrize("layer", UNEVEN)
def test_4_bits_on_rows_that_are_no_whole_blocks_are_refused_on_a_cpu(layer, tmp_path, openbook):
    """bitsandbytes takes them and, on a CPU with AVX-512, unpacks them into other weights than were packed."""
    path = write_family_project(tmp_path / "project", write_model(PHI3, tmp_path / "tiny", **UNEVEN[layer]))
    code, out, err = openbook("check", path)
    assert (code, out) == (2, "")
    for part in ("arms.qlora.adapter", f"{layer} has 96", "use LoRA, or a GPU"):
        assert part in err
    path.write_text(path.read_text(encoding="utf-8").replace("QLoRA(", "LoRA("), encoding="utf-8")
    assert openbook("check", path)[0] == 0


def test_heads_whose_width_cannot_be_derived_are_refused(tmp_path, openbook):
    """A width of one's own is fine, as in every other test here."""
    path = write_family_project(tmp_path / "project", write_model(LLAMA3, tmp_path / "tiny"))
    in_json("config.json", head_dim=GONE)(tmp_path / "tiny")
    code, out, err = openbook("check", path)
    assert (code, out) == (2, "")
    for part in ("base.model", "hidden size (64) is not a multiple of the number of attention heads (6)"):
        assert part in err
