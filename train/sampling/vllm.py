"""vLLM as the engine: one model with its adapters switched by request, prompts cached, a question's samples together.

Its arithmetic depends on what is computed together, so that the same seed gives the same answer on the same engine,
version, GPU and load; openbook's own engine promises more.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from train.errors import UserError
from train.records import Answer
from train.sampling.requests import Request, Settings, finished_answer, random_key

PAUSE = 0.5
"""Seconds between two handovers: each one waits for the disk."""
SHARE_OF_MEMORY = 0.9
"""Of the GPU's memory, the most that vLLM may take; less where others hold some."""
RANKS = (8, 16, 32, 64, 128, 256, 512)
"""The ranks that vLLM makes room for; an adapter of another rank gets the next."""
LARGEST_SEED = 2**62


@dataclass(frozen=True, slots=True)
class Weights:
    """What answers: a base's directory and precision, and its adapters' directories by name."""

    base: Path
    dtype: str
    adapters: Mapping[str, Path]
    trust_remote_code: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """Consecutive samples of a request, which vLLM draws from one prompt: `places` are theirs in the request."""

    request: Request
    places: tuple[int, ...]

    def seed(self, settings: Settings) -> int:
        """The seed of its first sample; vLLM gives the next samples the next numbers.

        It knows nothing of arm and condition, so that cells are paired, and a sample drawn alone gets the same.
        """
        first = self.request.samples[self.places[0]]
        return random_key(settings.seed, self.request.prompt.question, 0) % LARGEST_SEED + first


def answer(
    requests: Sequence[Request],
    weights: Weights,
    tokenizer: Any,
    settings: Settings,
    handover: Callable[[list[Answer]], None],
) -> None:
    """Draws every wanted sample and hands the answers over as they are finished.

    Args:
        requests: in any order.
        weights: which base, and which adapters the requests name.
        tokenizer: decodes the answers.
        settings: how they are drawn.
        handover: called with finished answers again and again; what it stored survives an interruption.

    Raises:
        UserError: vLLM cannot load the base.
    """
    longest = max(len(request.prompt.tokens) for request in requests)
    loaded = load(weights, longest + settings.max_new_tokens)
    answer_with(loaded, requests, weights.adapters, tokenizer, settings, handover)


def answer_with(
    loaded: Any,
    requests: Sequence[Request],
    directories: Mapping[str, Path],
    tokenizer: Any,
    settings: Settings,
    handover: Callable[[list[Answer]], None],
) -> None:
    """As `answer`, by what `load` gave; `directories` are the adapters' by name.

    The untouched base answers first, alone: in one batch with an adapter, vLLM 0.16 let the base answer with that
    adapter on a CPU.
    """
    from vllm.lora.request import LoRARequest

    adapters = {
        name: LoRARequest(name, number, str(directory))
        for number, (name, directory) in enumerate(directories.items(), start=1)
    }
    for group in ([each for each in requests if not each.adapter], [each for each in requests if each.adapter]):
        waiting = {str(number): part for number, part in enumerate(parts(group))}
        for name, part in waiting.items():
            loaded.llm_engine.add_request(
                name,
                {"prompt_token_ids": list(part.request.prompt.tokens)},
                parameters(part, settings),
                lora_request=adapters.get(part.request.adapter or ""),
            )
        draw(loaded.llm_engine, waiting, tokenizer, settings, handover)


def parameters(part: Part, settings: Settings) -> Any:
    """How vLLM is to draw the part's samples."""
    from vllm import SamplingParams
    from vllm.sampling_params import RequestOutputKind

    return SamplingParams(
        n=len(part.places),
        temperature=settings.temperature,
        top_p=settings.top_p,
        max_tokens=settings.max_new_tokens,
        seed=part.seed(settings),
        stop_token_ids=list(settings.stop),
        ignore_eos=True,  # `stop` has the ends that count
        detokenize=False,
        output_kind=RequestOutputKind.FINAL_ONLY,
    )


def draw(
    engine: Any,
    waiting: Mapping[str, Part],
    tokenizer: Any,
    settings: Settings,
    handover: Callable[[list[Answer]], None],
) -> None:
    """Lets the engine work until it has nothing left, and hands answers over as they are finished."""
    finished: list[tuple[Part, Any]] = []
    handed = time.perf_counter()
    while engine.has_unfinished_requests():
        finished += [(waiting[each.request_id], each) for each in engine.step() if each.finished]
        now = time.perf_counter()
        if finished and (now - handed > PAUSE or not engine.has_unfinished_requests()):
            handover(answers(finished, tokenizer, settings, now - handed))
            finished, handed = [], now


def load(weights: Weights, longest: int) -> Any:
    """vLLM with the base and room for its adapters, for prompts with answers of at most so many tokens."""
    from vllm import LLM

    configurations = [directory / "adapter_config.json" for directory in weights.adapters.values()]
    ranks = [json.loads(file.read_text(encoding="utf-8"))["r"] for file in configurations]
    room = {}
    if ranks:
        rank = next((size for size in RANKS if size >= max(ranks)), max(ranks))
        room = {"enable_lora": True, "max_loras": len(ranks), "max_lora_rank": rank}
    try:
        return LLM(
            model=str(weights.base),
            dtype=weights.dtype,
            trust_remote_code=weights.trust_remote_code,
            skip_tokenizer_init=True,
            max_model_len=longest,
            enable_prefix_caching=True,
            gpu_memory_utilization=free_share(),
            **room,
        )
    except (RuntimeError, ValueError, TypeError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise UserError(
            f"sampling.engine: vLLM cannot load {weights.base.name} ({reason[:200]}); set sampling.engine=openbook"
        ) from error


def free_share() -> float:
    """The share of the GPU's memory that vLLM may take, after what this process no longer needs was given back."""
    import gc

    import torch

    if not torch.cuda.is_available():
        return SHARE_OF_MEMORY
    gc.collect()
    torch.cuda.empty_cache()
    free, total = torch.cuda.mem_get_info()
    return min(SHARE_OF_MEMORY, 0.95 * free / total)


def parts(requests: Sequence[Request]) -> Iterator[Part]:
    """The requests' samples in runs of consecutive numbers; those with one adapter and beginning come together."""
    for request in sorted(requests, key=lambda each: (each.adapter or "", each.prompt.tokens)):
        order = sorted(range(len(request.samples)), key=lambda place: request.samples[place])
        for _, run in groupby(enumerate(order), key=lambda pair: request.samples[pair[1]] - pair[0]):
            yield Part(request, tuple(place for _, place in run))


def answers(finished: Sequence[tuple[Part, Any]], tokenizer: Any, settings: Settings, seconds: float) -> list[Answer]:
    """The finished answers; the time since the last ones is shared out by their tokens."""
    drawn = [
        (part.request, place, list(output.token_ids))
        for part, result in finished
        for place, output in zip(part.places, sorted(result.outputs, key=lambda each: each.index), strict=True)
    ]
    total = sum(len(tokens) for _, _, tokens in drawn) or 1
    return [
        finished_answer(request, place, tokens, tokenizer, settings, seconds * len(tokens) / total)
        for request, place, tokens in drawn
    ]
