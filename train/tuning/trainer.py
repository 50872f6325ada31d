"""The one subclass of TRL's SFTTrainer.

It differs in two things. The loss is computed at labelled positions only: scoring a prompt over the whole vocabulary
costs about as much as a third of a small model and changes nothing. And the validation loss is the mean over tokens,
where the stock trainer averages batch means, which weighs a token by the company it keeps.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn.functional import cross_entropy
from transformers.trainer_utils import EvalLoopOutput
from trl import SFTTrainer

from train.tuning.jobs import IGNORED


def completion_loss(model: Any, inputs: dict[str, Any]) -> tuple[torch.Tensor, torch.Tensor]:
    """The sum of the negative log-likelihoods of the labelled tokens, in nats, and their number.

    The head runs on the columns in which any row has a label (`logits_to_keep` takes positions); position t predicts
    token t + 1.
    """
    targets = inputs["labels"][:, 1:]
    columns = (targets != IGNORED).any(dim=0).nonzero().flatten()
    forwarded = {name: value for name, value in inputs.items() if name in ("input_ids", "attention_mask")}
    logits = model(**forwarded, use_cache=False, logits_to_keep=columns).logits
    kept = targets[:, columns]
    total = cross_entropy(logits.flatten(0, 1).float(), kept.flatten(), ignore_index=IGNORED, reduction="sum")
    return total, (kept != IGNORED).sum()


class CompletionTrainer(SFTTrainer):  # type: ignore[misc]
    """SFTTrainer with the loss on labelled positions and the validation loss by tokens."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        # The stock trainer rounds the adapters of a 4-bit base to bfloat16. Adapters stay in float32 here, as those of
        # every other arm, so that arms differ by what the recipe says and nothing else.
        for weight in self.model.parameters():
            if weight.requires_grad:
                weight.data = weight.data.float()

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """The loss of one forward pass; divided by the labelled tokens of the whole optimizer step where known.

        Then several accumulated passes, or several processes, give the gradient of one big batch.
        """
        assert not return_outputs, "nothing here asks for logits"
        total, count = completion_loss(model, inputs)
        if num_items_in_batch is None:
            return total / count.clamp(min=1)
        # Processes average their gradients; the token count is already over all of them.
        return total / num_items_in_batch * self.accelerator.num_processes

    def evaluation_loop(
        self,
        dataloader: Any,
        description: str,
        prediction_loss_only: bool | None = None,
        ignore_keys: list[str] | None = None,
        metric_key_prefix: str = "eval",
    ) -> EvalLoopOutput:
        """Validation loss as the mean over all labelled tokens; ties and batch sizes do not matter."""
        self.model.eval()
        sums = torch.zeros(2, dtype=torch.float64)
        for inputs in dataloader:
            with torch.no_grad(), self.compute_loss_context_manager():
                total, count = completion_loss(self.model, self._prepare_inputs(inputs))
            sums += torch.stack([total.cpu().double(), count.cpu().double()])
        sums = self.accelerator.reduce(sums.to(self.args.device, torch.float32), reduction="sum")
        metrics = {f"{metric_key_prefix}_loss": (sums[0] / sums[1].clamp(min=1)).item()}
        return EvalLoopOutput(None, None, metrics, len(dataloader.dataset))
