"""The one subclass of TRL's SFTTrainer.

A stack's steps are computed by the decoder (`train.tuning.stack`): several jobs at once, only what is learnt scored,
nothing copied needlessly. What the decoder does not know goes through the model's own code; then too the loss is
computed at labelled positions only, and the validation loss is the mean over tokens, where the stock trainer averages
batch means, which weighs a token by the company it keeps.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch.nn.functional import cross_entropy
from transformers.trainer_utils import EvalLoopOutput
from trl import SFTTrainer

from train.tuning.jobs import IGNORED
from train.tuning.stack import Stack
from train.tuning.states import load_adapter, load_states, save_adapter, save_optimizer, save_states


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
    """SFTTrainer for a stack of jobs, or for one job through the model's own code where `stack` is None."""

    def __init__(self, *arguments: Any, stack: Stack | None = None, **options: Any) -> None:
        self.stack = stack
        super().__init__(*arguments, **options)
        if stack is not None:
            # A stack adds gradients up over processes itself; its model has no weight that would be wrapped for that.
            self.accelerator.prepare_model = partial(self.accelerator.prepare_model, evaluation_mode=True)
        # The stock trainer rounds the adapters of a 4-bit base to bfloat16. Adapters stay in float32 here, as those of
        # every other arm, so that arms differ by what the recipe says and nothing else.
        for weight in self.model.parameters():
            if weight.requires_grad:
                weight.data = weight.data.float()

    def training_step(self, model: Any, inputs: dict[str, Any], num_items_in_batch: Any = None) -> torch.Tensor:
        """Leaves the gradients of a step, or of a pass of one; the loss, of a stack the mean over its running jobs."""
        if self.stack is None:
            loss: torch.Tensor = super().training_step(model, inputs, num_items_in_batch)
            return loss
        self.losses = self.stack.step(int(inputs["step"]))
        running = [self.losses[number] for number in self.stack.running]
        return torch.tensor(sum(running) / len(running), device=self.args.device)

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
        if self.stack is not None:
            self.validation_losses = self.stack.validation()
            running = [self.validation_losses[number] for number in self.stack.running]
            metrics = {f"{metric_key_prefix}_loss": sum(running) / len(running)}
            return EvalLoopOutput(None, None, metrics, len(dataloader.dataset))
        self.model.eval()
        sums = torch.zeros(2, dtype=torch.float64)
        for inputs in dataloader:
            with torch.no_grad(), self.compute_loss_context_manager():
                total, count = completion_loss(self.model, self._prepare_inputs(inputs))
            sums += torch.stack([total.cpu().double(), count.cpu().double()])
        sums = self.accelerator.reduce(sums.to(self.args.device, torch.float32), reduction="sum")
        metrics = {f"{metric_key_prefix}_loss": (sums[0] / sums[1].clamp(min=1)).item()}
        return EvalLoopOutput(None, None, metrics, len(dataloader.dataset))

    def create_optimizer(self, model: Any = None) -> torch.optim.Optimizer:
        """AdamW (Loshchilov and Hutter 2019); over one flat tensor for each job of a stack."""
        if self.stack is None:
            optimizer: torch.optim.Optimizer = super().create_optimizer(model)
            return optimizer
        fused = self.args.device.type in ("cpu", "cuda")
        self.optimizer = torch.optim.AdamW(self.stack.groups(), fused=fused)
        return self.optimizer

    def _clip_grad_norm(self, model: Any) -> Any:
        return super()._clip_grad_norm(model) if self.stack is None else self.stack.clip().max()

    def floating_point_ops(self, inputs: dict[str, Any]) -> int:
        """Nobody asks."""
        return 0

    # ---- checkpoints: every job of a stack has its own, so that whatever is stacked next time can go on from them

    def _save(self, output_dir: str | None = None, state_dict: dict[str, Any] | None = None) -> None:
        if self.stack is None:
            super()._save(output_dir, state_dict)
        elif self.args.should_save:
            save_adapter(self.model, self.stack.adapters[0], Path(output_dir or self.args.output_dir))

    def _save_optimizer_and_scheduler(self, output_dir: str) -> None:
        if self.stack is None:
            super()._save_optimizer_and_scheduler(output_dir)
        elif self.args.should_save:
            save_optimizer(self.optimizer, self.stack.parameters[0], Path(output_dir))

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        super()._save_checkpoint(model, trial)
        if self.stack is not None and self.args.should_save:
            save_states(self.stack, self.model, self.optimizer, self.state.global_step)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        if self.stack is None:
            super()._load_from_checkpoint(resume_from_checkpoint, model)  # of a stack, with the optimizer's state

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        if self.stack is None:
            super()._load_optimizer_and_scheduler(checkpoint)
        elif checkpoint is not None:
            load_states(self.stack, self.model, self.optimizer, Path(checkpoint).name)
            step = self.state.global_step  # it counts steps, and knows nothing besides
            state = {**self.lr_scheduler.state_dict(), "last_epoch": step - 1, "_step_count": step + 1}
            self.lr_scheduler.load_state_dict(state)
            self.lr_scheduler.step()

    def _load_best_model(self) -> None:
        if self.stack is None:
            super()._load_best_model()
        else:
            load_adapter(self.model, self.stack.adapters[0], Path(self.state.best_model_checkpoint))

    def _init_training_state(self, *arguments: Any, **options: Any) -> Any:
        """As the stock trainer's; a run that was moved since still finds its best checkpoint."""
        found = super()._init_training_state(*arguments, **options)
        if self.state.best_global_step:
            best = Path(self.args.output_dir) / f"checkpoint-{self.state.best_global_step}"
            self.state.best_model_checkpoint = str(best) if best.is_dir() else None
        return found
