"""Logs of inspect_ai: the object that a `.json` log is, and that the parts of an `.eval` archive make up.

The header has `eval` (with `model`) and `status`; a sample has `id`, `epoch` (from 1), `input` (a text, or chat
messages), `output` with `choices`, of which each has a `message` whose `content` is a text or a list of parts, and
`scores`. Every epoch, and every choice of an epoch, is a sample of the question.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeGuard

from train.data.cells import BadCell, required_name
from train.data.problems import Problems, named, shown
from train.errors import UserError
from train.foreign.records import Item, Said, ToolLog

TOOL = "inspect_ai"
FINISH = {"stop": "stop", "max_tokens": "length", "model_length": "length", "length": "length"}
"""How inspect_ai says that a turn ended, in our words."""
MOST = 10**9
"""No response has so many tokens or takes so many seconds: a number beyond is as good as none."""

Sample = Mapping[str, Any]


def is_log(content: Any) -> TypeGuard[dict[str, Any]]:
    """Whether that is a log of inspect_ai, or its header."""
    return isinstance(content, dict) and isinstance(content.get("eval"), dict) and "model" in content["eval"]


def read_log(header: Mapping[str, Any], samples: Any, place: str) -> ToolLog:
    """The log as items; samples that failed, or that somebody marked as invalid, are left out and counted.

    Args:
        header: the log, or all of it but its samples.
        samples: the log's list of samples, or an iterator of them; None where it has none.
        place: begins every message.

    Raises:
        UserError: it has no samples.
        InputProblems: every sample that is none.
    """
    if samples is None:
        raise UserError(f"{place}: is a log without samples; evaluate with `inspect eval --log-samples`")
    if not isinstance(samples, list | Iterator):
        raise UserError(f"{place}: its samples are no list ({shown(samples)}); write the log again with inspect_ai")
    problems = Problems(place)
    found: dict[str, dict[int, Sample]] = {}
    left_out: dict[str, list[str]] = {}
    scored = False
    for number, sample in enumerate(samples, start=1):
        try:
            name, epoch = coordinates(sample)
        except BadCell as bad:
            problems.add(None, None, f"sample {number} {bad.what}", bad.mend)
            continue
        scored |= bool(sample.get("scores") or sample.get("score"))
        if why := obstacle(sample):
            left_out.setdefault(why, []).append(f"{shown(sample['id'])} (epoch {epoch})")
        elif epoch in found.setdefault(name, {}):
            problems.add(
                None, None, f"sample {shown(sample['id'])}, epoch {epoch}, is there twice", "keep one of the two"
            )
        else:
            found[name][epoch] = sample
    problems.raise_if_any()
    items = tuple(item(name, epochs) for name, epochs in found.items() if epochs)
    warnings = [
        f"{place}: {len(names)} sample(s) {why} and are left out: {named(names)}" for why, names in left_out.items()
    ]
    if not items:
        reason = "".join(f": {warning.removeprefix(f'{place}: ')}" for warning in warnings[:1])
        raise UserError(f"{place}: has no sample with an answer{reason}; evaluate again")
    if (status := header.get("status", "started")) != "success":
        warnings.append(f"{place}: the evaluation's status is {shown(status)}; its answers may not be all there")
    model = header["eval"].get("model")
    return ToolLog(TOOL, model if isinstance(model, str) else "", items, scored, tuple(warnings))


def coordinates(sample: Any) -> tuple[str, int]:
    """The sample's id and its epoch; raises `BadCell` where it has none."""
    name, epoch = (sample.get("id"), sample.get("epoch", 1)) if isinstance(sample, dict) else (None, None)
    if not isinstance(name, int | str) or not isinstance(epoch, int):
        raise BadCell("has no id or no epoch", "write the log again with inspect_ai")
    try:
        return required_name(name), epoch
    except BadCell as bad:
        raise BadCell(f"has an id that {bad.what}", bad.mend) from None


def obstacle(sample: Sample) -> str:
    """Why the sample has no answer that counts; empty where it has one."""
    if sample.get("invalidation"):
        return "were marked as invalid"
    output = sample.get("output")
    choices = output.get("choices") if isinstance(output, dict) else None
    if isinstance(choices, list) and choices and all(isinstance(content(each), str | list) for each in choices):
        return ""
    return "failed" if sample.get("error") else "have no output"


def item(name: str, epochs: Mapping[int, Sample]) -> Item:
    """All epochs of one sample id; the first one's input speaks for all."""
    samples = [epochs[epoch] for epoch in sorted(epochs)]
    said = tuple(response for sample in samples for response in responses(sample))
    return Item(f"sample {shown(name)}", {"id": name}, texts(samples[0]), said)


def responses(sample: Sample) -> list[Said]:
    """One response for each choice; tokens and seconds are known only where there is one choice."""
    output = sample["output"]
    choices, usage = output["choices"], output.get("usage")
    alone = usage if len(choices) == 1 and isinstance(usage, dict) else {}
    return [
        Said(
            text=text_of(content(choice), sample),
            finish=FINISH.get(str(choice.get("stop_reason")), ""),
            prompt_tokens=int(measured(alone.get("input_tokens"))),
            tokens=int(measured(alone.get("output_tokens"))),
            seconds=float(measured(output.get("time"))) if alone else 0.0,
        )
        for choice in choices
    ]


def texts(sample: Sample) -> tuple[str, ...]:
    """The input as text: as it is, or what the user says in each of its messages."""
    given = sample.get("input")
    if isinstance(given, list):
        asked = [each for each in given if isinstance(each, dict) and each.get("role") == "user"]
        return tuple(text_of(each.get("content"), sample) for each in reversed(asked))
    return (text_of(given, sample),) if isinstance(given, str) else ()


def content(choice: Any) -> Any:
    """What the choice's message holds."""
    message = choice.get("message") if isinstance(choice, dict) else None
    return message.get("content") if isinstance(message, dict) else None


def text_of(given: Any, sample: Sample) -> str:
    """A message's text: its content, or the text parts of it on lines of their own (reasoning is no part of it)."""
    if isinstance(given, list):
        parts = [part.get("text") for part in given if isinstance(part, dict) and part.get("type") == "text"]
        return "\n".join(text_of(part, sample) for part in parts if isinstance(part, str))
    text = given if isinstance(given, str) else ""
    # What stands in a log many times may be kept once, beside the messages.
    if text.startswith("attachment://") and isinstance(kept := sample.get("attachments"), dict):
        whole = kept.get(text.removeprefix("attachment://"))
        return whole if isinstance(whole, str) else text
    return text


def measured(value: Any) -> int | float:
    """A number of tokens or of seconds; 0 where it is not known."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number and 0 < value < MOST else 0  # which NaN is not, either
