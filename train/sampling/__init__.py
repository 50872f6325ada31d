"""The engines that answer.

`answer(requests, model, …)` draws the samples of many questions and adapters and hands them over batch by batch.
"""

from train.sampling.engine import answer
from train.sampling.requests import Request, Settings, answer_key, random_key, uniforms

__all__ = ["Request", "Settings", "answer", "answer_key", "random_key", "uniforms"]
