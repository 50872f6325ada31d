"""Which engine answers: openbook's own, or vLLM on a GPU where it is installed."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from train.errors import UserError
from train.recipe import Recipe, Tuned
from train.sampling.requests import ENGINE

VLLM_ENGINE = "vllm"
"""How the names of its engines begin; its version follows, since another version may draw other answers."""


def pick_engine(recipe: Recipe, device: str, processes: int) -> tuple[str, str]:
    """The engine's name as it stands in answers' keys, and why it was chosen.

    One engine answers for all arms, because cells are paired by the numbers that their answers are drawn with, and
    another engine draws with others.

    Raises:
        UserError: the recipe asks for vLLM, which is not installed or cannot do what the recipe needs.
    """
    wanted = recipe.sampling.engine
    if wanted == "openbook":
        return ENGINE, "the recipe asks for it"
    try:
        installed = version("vllm")
    except PackageNotFoundError:
        if wanted == VLLM_ENGINE:
            raise UserError(
                "sampling.engine = 'vllm': vLLM is not installed; pip install vllm, or use 'auto'"
            ) from None
        return ENGINE, "vLLM is not installed"
    reason = why_not_vllm(recipe, processes)
    if reason and wanted == VLLM_ENGINE:
        raise UserError(f"sampling.engine = 'vllm': {reason}; use 'auto' or 'openbook'")
    if reason:
        return ENGINE, f"not vLLM: {reason}"
    if wanted == "auto" and device != "cuda":
        return ENGINE, "vLLM is for GPUs"
    return f"{VLLM_ENGINE}-{installed}", "it is installed" if wanted == "auto" else "the recipe asks for it"


def why_not_vllm(recipe: Recipe, processes: int) -> str:
    """What of the recipe vLLM cannot do as it was trained; empty where there is nothing."""
    if processes > 1:
        return "it takes all GPUs for itself, and there are several processes"
    for arm, tuned in recipe.arms.items():
        if not isinstance(tuned, Tuned):
            continue
        if tuned.quantization is not None:
            return f"arm {arm} was trained on a base in 4 bits, which vLLM would round in another way"
        if tuned.adapter.dora:
            return f"arm {arm} has a DoRA adapter, which vLLM does not load"
    return ""
