"""The engines that answer.

`answer(requests, model, …)` draws the samples of many questions and adapters and hands them over batch by batch;
`vllm.answer` does the same with vLLM. `pick_engine` says which it is to be.
"""

from train.sampling.choice import VLLM_ENGINE, pick_engine
from train.sampling.engine import Handover, answer
from train.sampling.requests import ENGINE, Request, Settings, answer_key, random_key, uniforms

__all__ = [
    "ENGINE",
    "VLLM_ENGINE",
    "Handover",
    "Request",
    "Settings",
    "answer",
    "answer_key",
    "pick_engine",
    "random_key",
    "uniforms",
]
