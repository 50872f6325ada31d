"""A tuned arm as a whole model, for servers that take no adapters, and how far it is from the arm that was tested."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from train import models
from train.errors import UserError
from train.sealing import file_digest
from train.serving.stored import Respondent, check_base, load, stored_arm
from train.store import Run

if TYPE_CHECKING:
    import torch

PROMPTS = 8
"""So many of the run's prompts are compared."""
POSITIONS = 64
"""At so many positions at the end of each: the logits of a whole prompt would take gigabytes."""


def merge(
    run: Run,
    arm: str,
    *,
    seed: int | None,
    out: Path,
    trust_remote_code: bool = False,
    say: models.Say = models.silent,
    begin: Callable[[], None] = lambda: None,
) -> list[str]:
    """Writes the arm's model with the adapter merged into its weights, and says how far its logits moved.

    Beside the weights it is put down whose they are, so that the model is known again where it may not judge.

    The base is loaded anew in the precision that this machine computes in, also for an arm that was tuned on 4 bits:
    merging into 4-bit weights would round the adapter away. So the merged QLoRA arm is another model than the one that
    was tested, and the lines say by how much.

    Args:
        run: a run that has trained its arms.
        arm: a tuned arm.
        seed: the training seed; None takes the recipe's first.
        out: the directory to write, which must not exist.
        trust_remote_code: let a base run Python code of its own, where the recipe did.
        say: called with lines for the person who waits.
        begin: called once nothing more can be refused without the model: importing what loads it takes seconds.

    Returns:
        Lines for a person: what was written, and the differences.

    Raises:
        UserError: the run has no such tuned arm, or the directory is there already.
    """
    stored = stored_arm(run, arm, seed)
    if stored.adapter is None:
        raise UserError(f"--arm {arm!r}: is not tuned, so there is nothing to merge; use the base itself")
    if out.exists():
        raise UserError(f"--out {out}: is there already; name a directory that is not")
    check_base(stored, trust_remote_code=trust_remote_code)
    begin()
    prompts, before = tested_logits(run, load(stored, say, trust_remote_code=trust_remote_code))
    whole = load(replace(stored, quantization=None), say, trust_remote_code=trust_remote_code)
    merged = whole.model.merge_and_unload()
    compared = difference(before, [logits(merged, prompt) for prompt in prompts])
    merged.save_pretrained(out)
    whole.format.tokenizer.save_pretrained(out)
    models.write_origin(
        out,
        models.Origin(
            recipe=run.recipe,
            arm=arm,
            seed=stored.seed,
            base=stored.fingerprint,
            weights=str(run.manifest()["hashes"].get("weights", "")),
            adapter=file_digest(stored.adapter / "adapter_model.safetensors"),
        ),
    )
    four_bit = f", which was tuned and tested on {stored.quantization.precision} weights" if stored.quantization else ""
    dtype = str(merged.dtype).removeprefix("torch.")
    return [
        f"{out}: {run.recipe}, arm {arm} seed {stored.seed}{four_bit}, merged in {dtype}",
        compared,
    ]


def tested_logits(run: Run, tested: Respondent) -> tuple[list[list[int]], list[torch.Tensor]]:
    """Some of the run's prompts in tokens, and the logits of the arm as it was tested."""
    texts = [record["prompt"] for record in run.records("contexts.jsonl")]
    chosen = texts[:: max(1, len(texts) // PROMPTS)][:PROMPTS]
    prompts = [tested.format.tokenizer(text, add_special_tokens=False)["input_ids"] for text in chosen]
    return prompts, [logits(tested.model, prompt) for prompt in prompts]


def logits(model: Any, prompt: Sequence[int]) -> torch.Tensor:
    """positions × vocabulary, float32 on the CPU: of the last `POSITIONS` tokens."""
    import torch

    with torch.inference_mode():
        tokens = torch.tensor([list(prompt)], device=model.device)
        found: torch.Tensor = model(tokens, logits_to_keep=POSITIONS).logits[0].float().cpu()
    return found


def difference(before: Sequence[torch.Tensor], after: Sequence[torch.Tensor]) -> str:
    """How far logits moved, in words: their mean and greatest change, and how often another token is the likeliest."""
    import torch

    one, other = torch.cat(list(before)), torch.cat(list(after))
    moved = (one - other).abs()
    changed = int((one.argmax(dim=-1) != other.argmax(dim=-1)).sum())
    return (
        f"against the arm as it was tested: logits differ by {moved.mean():.2g} on average and {moved.max():.2g} at "
        f"most; at {changed} of {len(one)} positions another token is the likeliest"
    )
