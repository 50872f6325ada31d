"""About how much memory and time a run will take, known before its first step.

`estimate(prepared)` says it, stage by stage, with a judge on this machine where there is one (`Judging`). Memory
follows from shapes. Time is operations and bytes, divided by what this machine was just measured to do and by the share
of it that training and answering reach. The shares were fitted to runs of the recipe `quickstart` in float32 on two CPU
cores that multiply about 195 billion times a second: tuning took about 110 s (through PEFT's code 284 s), and 2.0 GB
with random weights of the same sizes; answering took 326 s (about 80 s of them lost to other work in two batches) and
3.7 GB. On a GPU nothing was measured, and no judge.
"""

from train.estimate.judging import Judging
from train.estimate.machine import Machine, measure
from train.estimate.sampling import Asked, asked, reference_tokens, rows_at_once, sampling_bytes, sampling_seconds
from train.estimate.shape import Shape, adapter_parameters, cache_bytes, shape_of, weight_bytes
from train.estimate.stages import Estimate, Stage, estimate
from train.estimate.tuning import tuning_bytes, tuning_seconds
from train.estimate.words import GIB, gib, span, two_digits

__all__ = [
    "GIB", "Asked", "Estimate", "Judging", "Machine", "Shape", "Stage", "adapter_parameters", "asked",
    "cache_bytes", "estimate", "gib", "measure", "reference_tokens", "rows_at_once", "sampling_bytes",
    "sampling_seconds", "shape_of", "span", "tuning_bytes", "tuning_seconds", "two_digits", "weight_bytes",
]  # fmt: skip
