"""Answering: openbook's engine against what transformers offers, on the same prompts, several answers to each.

`openbook` is `sampling.answer`, `openbook-vllm` its engine on vLLM, where that is installed. `generate-one` calls
`generate` for each answer (only a few are drawn; what counts is the time of one). `generate-padded` pads the prompts on
the left into batches and draws all samples of a prompt with num_return_sequences. `continuous` is transformers'
continuous batching, `generate_batch`, with its own start-up, as a user gets it; where it does not run, the reason is
printed.

All draw from the same distribution (temperature 0.6), and nothing ends an answer early, so that every answer has as
many tokens and all do the same work. A small batch before the measurement does not count. Every measurement runs in a
process of its own.

    python scripts/bench_sampling.py --model smollm2 --out sampling.json
    python scripts/bench_sampling.py --model tiny --new-tokens 8 --questions 4     # seconds
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from itertools import islice
from typing import Any

from benchmark import GIB, Measurement, arguments, compare, finish, in_child, show, start
from benchmark_material import MODELS, byte_tokenizer, make_rows, model_named

from train import models, sampling
from train.recipe import Base
from train.records import Answer, Prompt
from train.sampling import vllm

TEMPERATURE = 0.6
LENGTH = 250
"""The prompt length for which `--batch` answers are drawn at once; of longer prompts, fewer in proportion."""
PAGE = 256
"""On a CPU, tokens of a page of the cache of continuous batching, its default;"""
BATCH_TOKENS = 1024
"""and the most tokens that it computes at once: its masks are as large as these times the cache."""

Tokens = tuple[int, ...]
Draw = Callable[[Any, Any, Sequence[Tokens], Measurement], list[list[int]]]
"""From model, tokenizer, prompts and task to the tokens of all answers, once they are decoded to text, too."""


def with_openbook(model: Any, tokenizer: Any, prompts: Sequence[Tokens], task: Measurement) -> list[list[int]]:
    """All in one call."""
    answers: list[Answer] = []
    requests = requests_of(prompts, task)
    sampling.answer(requests, model, tokenizer, settings_of_openbook(task), answers.extend)
    return [[0] * answer.tokens for answer in answers]


def settings_of_openbook(task: Measurement) -> sampling.Settings:
    """How openbook's engines draw."""
    return sampling.Settings(temperature=TEMPERATURE, top_p=1.0, max_new_tokens=task["new_tokens"], seed=0, stop=())


def requests_of(prompts: Sequence[Tokens], task: Measurement) -> list[sampling.Request]:
    """The prompts as openbook's engines take them."""
    samples = tuple(range(task["samples"]))
    return [
        sampling.Request(
            arm="base",
            seed=0,
            prompt=Prompt(f"q{number}", "none", "", tokens),
            adapter=None,
            samples=samples,
            keys=tuple(f"{number} {sample}" for sample in samples),
        )
        for number, tokens in enumerate(prompts)
    ]


def one_by_one(model: Any, tokenizer: Any, prompts: Sequence[Tokens], task: Measurement) -> list[list[int]]:
    """One call an answer, up to so many, to different prompts first."""
    everything = (tokens for _ in range(task["samples"]) for tokens in prompts)
    return [generated(model, tokenizer, [tokens], task, 1)[0] for tokens in islice(everything, task["one_by_one"])]


def padded(model: Any, tokenizer: Any, prompts: Sequence[Tokens], task: Measurement) -> list[list[int]]:
    """Batches of whole prompts, in the order given."""
    at_once = prompts_at_once(prompts, task)
    parts = [prompts[start : start + at_once] for start in range(0, len(prompts), at_once)]
    return [answer for part in parts for answer in generated(model, tokenizer, part, task, task["samples"])]


def prompts_at_once(prompts: Sequence[Tokens], task: Measurement) -> int:
    """How many prompts make a batch: at least one, with all its samples."""
    longest = max(map(len, prompts))
    return max(1, int(task["batch"] * min(1.0, LENGTH / longest)) // int(task["samples"]))


def generated(
    model: Any, tokenizer: Any, prompts: Sequence[Tokens], task: Measurement, samples: int
) -> list[list[int]]:
    """One call of `generate`."""
    import torch

    longest = max(map(len, prompts))
    missing = [longest - len(tokens) for tokens in prompts]
    rows = [[tokenizer.pad_token_id] * pad + [*tokens] for pad, tokens in zip(missing, prompts, strict=True)]
    mask = [[0] * pad + [1] * (longest - pad) for pad in missing]
    with torch.inference_mode():
        found = model.generate(
            torch.tensor(rows, device=model.device),
            attention_mask=torch.tensor(mask, device=model.device),
            generation_config=settings_of(tokenizer, task, samples),
        )[:, longest:]
    tokenizer.batch_decode(found, skip_special_tokens=True)
    answers: list[list[int]] = found.tolist()
    return answers


def continuous(model: Any, tokenizer: Any, prompts: Sequence[Tokens], task: Measurement) -> list[list[int]]:
    """All in one call of continuous batching."""
    import torch
    from transformers import ContinuousBatchingConfig

    # Left to itself it would fetch attention kernels from a hub, and fill most of a CPU's memory with its cache.
    settings: dict[str, Any] = {"auto_switch_to_flash": find_spec("flash_attn") is not None}
    if not torch.cuda.is_available():
        pages = -(-(max(map(len, prompts)) + task["new_tokens"]) // PAGE)
        answers_at_once = min(len(prompts), prompts_at_once(prompts, task)) * task["samples"]
        settings |= {"page_size": PAGE, "num_blocks": pages * answers_at_once, "max_batch_tokens": BATCH_TOKENS}
    found = model.generate_batch(
        inputs=[list(tokens) for tokens in prompts],
        generation_config=settings_of(tokenizer, task, task["samples"]),
        continuous_batching_config=ContinuousBatchingConfig(**settings),
    )
    answers = [list(each.generated_tokens) for each in found.values()]
    tokenizer.batch_decode(answers, skip_special_tokens=True)
    return answers


def settings_of(tokenizer: Any, task: Measurement, samples: int) -> Any:
    """The generation settings: the same distribution as openbook's, no end before the last token."""
    from transformers import GenerationConfig

    return GenerationConfig(
        do_sample=True,
        temperature=TEMPERATURE,
        top_k=0,
        top_p=1.0,
        max_new_tokens=task["new_tokens"],
        num_return_sequences=samples,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=None,
    )


def with_vllm(model: Any, tokenizer: Any, prompts: Sequence[Tokens], task: Measurement) -> list[list[int]]:
    """All in one call of openbook's engine on vLLM."""
    answers: list[Answer] = []
    vllm.answer_with(model, requests_of(prompts, task), {}, tokenizer, settings_of_openbook(task), answers.extend)
    return [[0] * answer.tokens for answer in answers]


DRAW: dict[str, Draw] = {
    "openbook": with_openbook,
    "openbook-vllm": with_vllm,
    "generate-one": one_by_one,
    "generate-padded": padded,
    "continuous": continuous,
}


def perform(task: Measurement) -> Measurement:
    """One measurement, in a process that does nothing else."""
    import torch

    base = Base(task["model"])
    source = models.resolve(base)
    tokenizer = byte_tokenizer() if task["random"] else models.load_tokenizer(source, base)
    rows = make_rows(
        base, random_tokens=task["random"], count=task["questions"], length=task["context"], spread=task["spread"],
        learnt=False,
    )  # fmt: skip
    prompts = [row.prompt for row in rows]
    if not task["competitor"].startswith("openbook"):
        prompts = prompts[: task["others_at_most"]]
    model: Any
    if task["competitor"] == "openbook-vllm":
        if find_spec("vllm") is None:
            return {"skipped": "vLLM is not installed"}
        dtype = str(models.pick_dtype(base, models.pick_device())).removeprefix("torch.")
        longest = max(map(len, prompts)) + task["new_tokens"]
        model = vllm.load(vllm.Weights(source.directory, dtype, {}), longest)
    else:
        model = models.load_model(source, base)
        # Where the settings name no end, `generate` would take the model's own.
        model.generation_config.eos_token_id = model.config.eos_token_id = None
    torch.manual_seed(0)
    draw = DRAW[task["competitor"]]
    try:
        draw(model, tokenizer, prompts[:1], {**task, "new_tokens": 4, "one_by_one": 1})
        began = time.perf_counter()
        answers = draw(model, tokenizer, prompts, task)
        seconds = time.perf_counter() - began
    except Exception as error:
        if task["competitor"] != "continuous":
            raise
        return {"skipped": f"{type(error).__name__}: {error}".splitlines()[0]}
    wanted = len(prompts) * task["samples"]
    wanted = min(wanted, task["one_by_one"]) if task["competitor"] == "generate-one" else wanted
    if task["competitor"] == "continuous" and len(answers) < wanted:
        return {"skipped": f"gave {len(answers)} of {wanted} answers"}
    lengths = {len(answer) for answer in answers}
    assert len(answers) == wanted and lengths == {task["new_tokens"]}, f"{len(answers)} answers of {lengths} tokens"
    return {
        "seconds": seconds,
        "units": len(answers),
        "new_tokens": sum(map(len, answers)),
        "prompt_tokens": sum(map(len, prompts)) / len(prompts),
        "peak_gib": models.peak_bytes() / GIB,
    }


def table(options: argparse.Namespace, task: Measurement, name: str, size: int | None) -> dict[str, Any]:
    """The competitors with so many samples, prompt tokens or questions."""
    changed = task if size is None else {**task, name: size}
    measures = {each: partial(in_child, __file__, {**changed, "competitor": each}) for each in options.competitors}
    rows = compare(measures, options.repeats, "" if size is None else f", {size} {name}")
    return {"table": name, "size": size, "unit": "answer", "rows": rows}


def main() -> int:
    """Measures, prints the tables and writes them as JSON."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--model", default="smollm2", help=MODELS)
    parser.add_argument("--competitors", nargs="+", choices=DRAW, default=list(DRAW), metavar="NAME",
                        help=f"of {', '.join(DRAW)}; ratios are to the first")  # fmt: skip
    for name, standard, text in (
        ("samples", 4, "answers to each question"),
        ("context", LENGTH, "mean tokens of a prompt"),
        ("questions", 30, "prompts"),
    ):
        parser.add_argument(f"--{name}", type=int, nargs="+", default=[standard], metavar="N",
                            help=f"{text} (default: {standard}); more than one number makes a table")  # fmt: skip
    parser.add_argument("--spread", type=float, default=0.3, help="prompt lengths are uniform in context · (1 ± this)")
    parser.add_argument("--new-tokens", type=int, default=48, metavar="N", help="tokens of an answer")
    parser.add_argument("--batch", type=int, default=120, metavar="N",
                        help=f"answers at once for generate-padded; of prompts longer than {LENGTH} tokens, fewer in "
                        "proportion")  # fmt: skip
    parser.add_argument("--one-by-one", type=int, default=8, metavar="N", help="answers that generate-one draws")
    parser.add_argument("--others-at-most", type=int, metavar="N",
                        help="all but openbook answer only the first N questions; times are per answer")  # fmt: skip
    options = parser.parse_args()
    sizes = {name: getattr(options, name) for name in ("samples", "context", "questions")}
    several = [name for name, values in sizes.items() if len(values) > 1]
    with model_named(options.model) as model:
        task = {**model, **{name: values[0] for name, values in sizes.items()}}
        task |= {
            key: getattr(options, key) for key in ("spread", "new_tokens", "batch", "one_by_one", "others_at_most")
        }
        tables = [table(options, task, name, size) for name in several for size in sizes[name]]
        if not several:
            tables = [table(options, task, "comparison", None)]
    columns = {"answers/s": ("rate", 1.0), "s/answer": ("cost", 1.0), "times as long": ("ratio", 1.0),
               "peak memory, GiB": ("peak_gib", 1.0)}  # fmt: skip
    for name in several or ["comparison"]:
        title = {"samples": "answers to each question", "context": "tokens of a prompt"}.get(name, name)
        show(f"answering, {options.model}: {title}", [each for each in tables if each["table"] == name], columns)
    return finish("sampling", options, tables)


if __name__ == "__main__":
    start(main, perform)
