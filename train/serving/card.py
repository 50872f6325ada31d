"""The model card of an adapter: README.md with YAML front matter, from what the run recorded and nothing else."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Mapping
from typing import Any

from train.conditions import (
    ANSWER,
    Condition,
    Counterfactual,
    Distractors,
    Gold,
    Mixed,
    NoContext,
    Retrieved,
    parse_condition,
)
from train.report.texts import markdown as literal
from train.report.texts import visible

Record = Mapping[str, Any]

PACKAGES = ("python", "torch", "transformers", "trl", "peft", "accelerate", "bitsandbytes")
"""The versions that an adapter can depend on, in the order of the card."""


def card(summary: Record, manifest: Record) -> str:
    """The README.md of an adapter's directory. The same summary and manifest give the same text.

    Args:
        summary: how the adapter was trained, as `openbook.json` beside it says. Its seconds are left out: they are of
            one machine and one day.
        manifest: the run's, as it is once the arms are being trained. Of paths only the last part is shown.
    """
    from huggingface_hub import ModelCardData

    recipe = manifest["recipe"]
    arm = recipe["arms"][summary["arm"]]
    condition = parse_condition(summary["condition"])
    kind = kind_of(arm["adapter"])
    front = ModelCardData(
        base_model=one_line(base_name(manifest)),
        library_name="peft",
        pipeline_tag="text-generation",
        tags=["lora", kind.lower(), "sft", "openbook"],
    ).to_yaml()
    parts = [
        f"---\n{front}\n---",
        f"# {literal(summary['arm'])}, seed {summary['seed']}: a {kind} adapter",
        f"One arm of the openbook recipe {literal(recipe['name'])}, which compares answering from passages with "
        "answering from what was trained. It is an adapter, not a model: it works only on the base that it was trained "
        f"on. In training, the prompt held {held(condition)}.",
        "## What it is",
        table(identity(summary, manifest)),
        "## How it was trained",
        table(training(summary, manifest)),
        "Only the answers were learnt, not the prompts. Losses are in nats a token of the answer.",
        table(settings(arm["adapter"], optimization_of(summary, manifest))),
        "## How to use it",
        *usage(summary, manifest),
        "## What it is not for",
        limits(condition),
        "## Licence",
        "The licence of the base applies to the adapter, too; read it before you pass the adapter on. The data that it "
        "was trained on may have conditions of its own.",
        "## Made with",
        table(versions(manifest)),
    ]
    return "\n\n".join(parts) + "\n"


def kind_of(adapter: Record) -> str:
    """What sort of adapter it is: LoRA, DoRA, and each on a 4-bit base."""
    return ("Q" if "quantization" in adapter else "") + ("DoRA" if adapter.get("dora") else "LoRA")


def optimization_of(summary: Record, manifest: Record) -> Record:
    """How the recipe had the arm trained: its own settings, else everyone's."""
    recipe = manifest["recipe"]
    found: Record = recipe["arms"][summary["arm"]]["optimization"] or recipe["optimization"]
    return found


def from_hub(manifest: Record) -> bool:
    """Whether the base came from the hub; only then is its name an id that others can load."""
    return manifest["base"].get("commit") is not None


def base_name(manifest: Record) -> str:
    """The base's hub id, its name inside a Python package, or the last part of its path."""
    name = str(manifest["base"]["name"])
    if from_hub(manifest) or name.startswith("package:"):
        return name
    return last_part(name)


def one_line(text: str) -> str:
    """The text on one line, without characters that act rather than show."""
    return " ".join(visible(text).split())


def last_part(path: str) -> str:
    """The last part of a path of any system; the rest is of one machine."""
    return re.split(r"[\\/]", path.rstrip("\\/"))[-1] or "unnamed"


def held(condition: Condition) -> str:
    """What the training condition put into the prompt."""
    match condition:
        case NoContext():
            return "the question alone"
        case Gold(distractors=0):
            return "the question and the passages that answer it"
        case Gold(distractors=count):
            return f"the question and the passages that answer it, among {count} that do not"
        case Distractors(count=count):
            return f"the question and {count} passages that do not answer it, and it was to abstain"
        case Counterfactual():
            return "the question and a passage that says something else than the truth"
        case Retrieved(count=count):
            return f"the question and the {count} passages that a search for it finds"
        case Mixed(gold_share=share, distractors=count, otherwise=otherwise):
            told = "answer all the same" if otherwise == ANSWER else "abstain"
            return (
                f"the question and the passages that answer it, among {count} that do not, or (in {1 - share:.0%} of "
                f"the rows) only {count + 1} that do not, and then it was to {told}"
            )


def identity(summary: Record, manifest: Record) -> Iterable[tuple[str, Any]]:
    """What names the adapter and its base."""
    base, recipe = manifest["base"], manifest["recipe"]["base"]
    yield "recipe", manifest["recipe"]["name"]
    yield "arm, training seed", f"{summary['arm']}, {summary['seed']}"
    yield "base", base_name(manifest) + ("" if from_hub(manifest) else " (not from the hub)")
    if from_hub(manifest):
        yield "revision of the base", base["commit"]
    yield "fingerprint of the base", manifest["hashes"]["base"]
    yield "precision", base["dtype"]
    if recipe.get("trust_remote_code"):
        yield "Python code of the base", "was run, as the recipe trusts it"
    yield "trained under", summary["condition"]
    if "parameters" in summary:
        yield "trained parameters", f"{summary['parameters']:,}"
    yield "fingerprint of the training", summary["fingerprint"]


def training(summary: Record, manifest: Record) -> Iterable[tuple[str, Any]]:
    """What it was trained on, for how long, and what the losses were."""
    data = manifest["recipe"]["data"]
    yield "questions", last_part(data["questions"])
    if data.get("corpus"):
        yield "documents", last_part(data["corpus"])
    yield "hash of the data", manifest["hashes"]["data"]
    yield "rows", f"{summary['rows']:,}"
    may_stop = optimization_of(summary, manifest).get("patience") is not None
    yield "epochs", f"at most {summary['epochs']}" if may_stop else summary["epochs"]
    yield "optimizer steps", f"{summary['steps']:,}"
    if "kept_step" in summary:
        yield "weights kept", f"those of step {summary['kept_step']:,}"
    yield "tokens", f"{summary['tokens']:,}"
    if "completion_tokens" in summary:
        yield "of them learnt", f"{summary['completion_tokens']:,}"
    for name, title in (("loss", "training loss"), ("validation_loss", "validation loss")):
        curve = summary.get(name) or []
        if curve:
            (first, begin), (last, end) = curve[0], curve[-1]
            least, at = min((value, step) for step, value in curve)
            yield f"{title}, first", f"{begin:.4f} at step {first}"
            yield f"{title}, least", f"{least:.4f} at step {at}"
            yield f"{title}, last", f"{end:.4f} at step {last}"


def settings(adapter: Record, optimization: Record) -> Iterable[tuple[str, Any]]:
    """The fields of the recipe that the adapter was trained with."""
    for part, fields in (("adapter", adapter), ("optimization", optimization)):
        for name, value in fields.items():
            shown = ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else value
            yield f"{part}.{name}", json.dumps(shown) if isinstance(shown, bool) or shown is None else shown


def usage(summary: Record, manifest: Record) -> Iterable[str]:
    """How to talk to it, how to load it, and the words that it was trained with."""
    arm, seed = summary["arm"], summary["seed"]
    yield "Talk to it, with prompts made as in the run (`RUN` is the run's directory, which holds `adapters`):"
    yield f"```sh\nopenbook chat RUN --arm {shlex.quote(one_line(arm))} --seed {seed}\n```"
    yield "Or load it:"
    yield f"```python\n{code(summary, manifest)}\n```"
    yield (
        "Ask it in the words it was trained with: one user message, after the system message if that is not empty, "
        "rendered by the base's chat template. `{question}` and `{context}` are replaced, the context being the "
        "passages, each as `passage` says, with an empty line between two. `abstention` is what it is to say where the "
        "answer is not to be had."
    )
    yield f"```json\n{printable(manifest['recipe']['prompt'])}\n```"


def code(summary: Record, manifest: Record) -> str:
    """The lines of Python that load the adapter on its base."""
    recipe, adapter = manifest["recipe"], manifest["recipe"]["arms"][summary["arm"]]["adapter"]
    name, dtype = one_line(base_name(manifest)), f"torch.{manifest['base']['dtype']}"
    packaged = name.startswith("package:")
    source = repr(name if from_hub(manifest) or packaged else f"PATH/TO/{name}")
    gguf = packaged or name.endswith(".gguf")
    four_bit = "quantization" in adapter
    where = [f"revision={manifest['base']['commit']!r}"] if from_hub(manifest) else []
    where += ["trust_remote_code=True"] if recipe["base"].get("trust_remote_code") else []
    options = [f"dtype={dtype}", *(["quantization_config=four_bit"] if four_bit else [])]
    lines = [
        "import torch",
        "from peft import PeftModel",
        f"from transformers import AutoModelForCausalLM, AutoTokenizer{', BitsAndBytesConfig' if four_bit else ''}",
        *(["from train import models", "from train.recipe import Base"] if gguf else []),
        "",
        # Only converted it is what the adapter was trained on, and can be held in 4 bits.
        f"base = models.resolve(Base({source})).directory  # converts the GGUF file" if gguf else f"base = {source}",
    ]
    if four_bit:
        lines += [
            "four_bit = BitsAndBytesConfig(",
            "    load_in_4bit=True,",
            f"    bnb_4bit_quant_type={adapter['quantization']!r},",
            f"    bnb_4bit_use_double_quant={adapter['double_quantization']!r},",
            f"    bnb_4bit_compute_dtype={dtype},",
            ")",
        ]
    lines += [
        f"tokenizer = AutoTokenizer.from_pretrained({', '.join(['base', *where])})",
        f"model = AutoModelForCausalLM.from_pretrained({', '.join(['base', *where, *options])})",
        "model = PeftModel.from_pretrained(model, 'PATH/TO/THIS/DIRECTORY').eval()",
    ]
    return "\n".join(lines)


def limits(condition: Condition) -> str:
    """What it cannot be expected to do, from how it was trained."""
    if isinstance(condition, NoContext):
        own = "It never saw a passage in training: what changed since in the documents it answers as before."
    else:
        own = "It was trained to read passages: a question that comes without any is not what it was trained for."
    lines = (
        own,
        "It was trained on the questions of one data set. Nothing is known here of how it does on other subjects, "
        "languages or tasks, in conversations of several turns, or where somebody means to mislead it.",
        "This card says how it was trained, not how well it answers: that is in the run's `report.html`, which also "
        "says whether it is better than the base at all. No answer should be relied on unread.",
    )
    return "\n".join(f"- {line}" for line in lines)


def versions(manifest: Record) -> Iterable[tuple[str, Any]]:
    """The programs that made it."""
    yield "openbook", manifest["openbook"]
    source = manifest.get("source") or {}
    if source.get("commit"):
        yield "commit of openbook", source["commit"] + (", with files changed" if source.get("changed") else "")
    for package in PACKAGES:
        if package in manifest["versions"]:
            yield package, manifest["versions"][package]


def table(rows: Iterable[tuple[str, Any]]) -> str:
    """A Markdown table of two columns without a header; every text in it is literal."""
    lines = [f"| {literal(name)} | {literal(str(value))} |" for name, value in rows]
    return "\n".join(["| | |", "|---|---|", *lines])


def printable(value: Any) -> str:
    """JSON, indented, in which every character that acts rather than shows is escaped."""
    text = json.dumps(dict(value), ensure_ascii=False, indent=1)
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)
