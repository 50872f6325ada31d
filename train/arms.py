"""The arms of a recipe: the base as it is, or tuned with an adapter under a condition, and how it is trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SerializeAsAny, WrapSerializer
from pydantic.dataclasses import dataclass

from train.fields import STRICT, NamedCondition, Positive, Share


@dataclass(frozen=True, config=STRICT)
class LoRA:
    """A low-rank adapter (Hu et al. 2021) on linear layers."""

    rank: Positive = 16
    alpha: Annotated[float, Field(gt=0)] = 32.0
    """The update is scaled by alpha / rank."""
    dropout: Share = 0.0
    target_modules: tuple[str, ...] = ("all-linear",)
    """The names of modules, such as `q_proj`; `all-linear` is every linear layer but the head."""
    dora: bool = False
    """Learn the direction and the magnitude of weights apart (DoRA, Liu et al. 2024): slower, sometimes better."""
    rslora: bool = False
    """Scale by alpha / √rank instead, which keeps large ranks stable (rsLoRA, Kalajdzievski 2023)."""


@dataclass(frozen=True, config=STRICT)
class QLoRA(LoRA):
    """A LoRA on a base held in 4 bits (Dettmers et al. 2023): less memory, rarely faster.

    The arm is asked on the same 4-bit base that it was trained on.
    """

    quantization: Literal["nf4", "fp4"] = "nf4"
    double_quantization: bool = True
    """Quantise the quantisation constants, too."""

    @property
    def precision(self) -> str:
        """The base's precision in one word, such as `nf4-double`."""
        return self.quantization + ("-double" if self.double_quantization else "")


@dataclass(frozen=True, config=STRICT)
class Optimization:
    """How an arm is trained. The same for all arms, so that they get the same number of steps, unless one overrides."""

    learning_rate: Annotated[float, Field(gt=0)] = 2e-4
    batch_size: Positive = 8
    """Rows in one forward pass, on each device."""
    accumulation: Positive = 1
    """Forward passes in one optimizer step."""
    epochs: Positive = 3
    schedule: Literal["linear", "cosine", "constant"] = "linear"
    warmup: Share = 0.05
    """Share of the steps over which the learning rate rises."""
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    max_grad_norm: Annotated[float, Field(gt=0)] = 1.0
    max_length: Positive | None = None
    """Longest row in tokens; None is the model's window."""
    too_long: Literal["refuse", "drop"] = "refuse"
    """A row longer than `max_length` stops the run, or is dropped, counted and reported. Rows are never cut."""
    gradient_checkpointing: bool | None = None
    """Compute activations again in the backward pass: less memory, more time. None does where memory is short."""
    checkpoint_epochs: Positive = 1
    """Epochs between checkpoints, which are what a killed run goes on from."""
    keep: Literal["last", "best"] = "last"
    """The weights that are kept: those of the last step, or of the checkpoint with the least validation loss."""
    patience: Positive | None = None
    """Stop when the validation loss has not fallen for so many checkpoints; None trains to the end."""

    @property
    def watched(self) -> bool:
        """Whether the validation loss has a say in which weights are kept."""
        return self.keep == "best" or self.patience is not None


@dataclass(frozen=True, config=STRICT)
class Untuned:
    """The base as it is."""

    @property
    def kind(self) -> str:
        return "untouched"

    @property
    def quantization(self) -> None:
        """It is asked in full precision."""
        return None


@dataclass(frozen=True, config=STRICT)
class Tuned:
    """The base with an adapter trained under one condition."""

    condition: NamedCondition
    adapter: SerializeAsAny[LoRA | QLoRA] = field(default_factory=LoRA)
    optimization: Optimization | None = None
    """None takes the recipe's."""

    @property
    def kind(self) -> str:
        return "tuned"

    @property
    def quantization(self) -> QLoRA | None:
        """How the base is held in 4 bits while the arm is trained and asked; None in full precision."""
        return self.adapter if isinstance(self.adapter, QLoRA) else None


Arm = Untuned | Tuned

Arms = Annotated[
    Mapping[str, Arm],
    AfterValidator(lambda arms: MappingProxyType(dict(arms))),
    WrapSerializer(lambda arms, serialize: serialize(dict(arms))),
]
"""Arms by name; a frozen recipe's cannot be changed in place either."""
