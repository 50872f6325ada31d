"""What a judge on this machine takes: it answers like an arm, each prompt once, when the base is gone."""

from __future__ import annotations

from dataclasses import dataclass

from train.estimate.machine import Machine, measure
from train.estimate.mends import Mend
from train.estimate.sampling import Asked, sampling_bytes, sampling_seconds
from train.estimate.shape import Shape
from train.recipe import Sampling


@dataclass(frozen=True, slots=True)
class Judging:
    """What a judge is asked at most: its sizes and precision, the lengths of its prompts in tokens, as many as there
    are, the longest first; the most tokens of a reply; and whether transformers' own code replies."""

    shape: Shape
    dtype: str
    prompts: tuple[int, ...]
    reply: int
    stock: bool = False

    @property
    def width(self) -> int:
        """The bytes of a weight."""
        return 4 if self.dtype == "float32" else 2

    @property
    def asked(self) -> list[Asked]:
        """The same as of an arm; every reply is taken to be as long as it may be."""
        return [Asked(self.prompts, None, self.reply, self.stock)]

    @property
    def sampling(self) -> Sampling:
        """How it replies."""
        return Sampling(samples=1, temperature=0.0, max_new_tokens=self.reply)


def judging_bytes(judging: Judging, machine: Machine) -> float:
    """The most memory that it takes."""
    return sampling_bytes(judging.shape, judging.asked, judging.sampling, judging.width, machine)


def judging_seconds(judging: Judging, machine: Machine) -> float:
    """The seconds that all replies take."""
    return sampling_seconds(judging.shape, judging.asked, judging.sampling, judging.width, machine)


def measured(judging: Judging) -> Machine:
    """This machine's speeds with the judge's layers, in its precision."""
    return measure(judging.shape, judging.dtype, sum(judging.prompts) // len(judging.prompts))


def judging_mends(judging: Judging, machine: Machine) -> list[Mend]:
    """What would lower its memory."""
    if judging.width < 4:
        return []
    narrow = Judging(judging.shape, "bfloat16", judging.prompts, judging.reply, judging.stock)
    return [Mend("grading.judge.dtype=bfloat16", judging_bytes(narrow, machine))]
