"""The engines that answer.

`answer(requests, model, …)` draws the samples of many questions and adapters and hands them over batch by batch.
"""

from train.sampling.engine import Handover, answer
from train.sampling.requests import Request, Settings, answer_key, random_key, uniforms

__all__ = ["Handover", "Request", "Settings", "answer", "answer_key", "random_key", "uniforms"]
