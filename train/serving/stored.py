"""An arm as its run stored it: base, prompt, sampling and adapter, and the model that they make."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from train import __version__, models, tuning
from train.conditions import Condition, parse_condition
from train.errors import UserError
from train.models.source import package_file
from train.prompts import ChatFormat
from train.recipe import Base, LoRA, PromptTemplate, QLoRA, Sampling
from train.sealing import Record
from train.store import Run

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class StoredArm:
    """What the run's manifest says of one arm.

    `condition` is the one that it was trained under and `adapter` where its weights are, both None for an untuned arm.
    `fingerprint` is the base's; `commit` its hub commit, None for a base that is not from the hub.
    """

    name: str
    seed: int
    base: Base
    commit: str | None
    fingerprint: str
    prompt: PromptTemplate
    sampling: Sampling
    condition: Condition | None = None
    quantization: QLoRA | None = None
    adapter: Path | None = None


@dataclass(frozen=True, slots=True)
class Respondent:
    """An arm that is loaded: its model, its chat format, and the window in tokens where the model has one."""

    stored: StoredArm
    model: Any
    format: ChatFormat
    window: int | None


def stored_arm(run: Run, arm: str, seed: int | None) -> StoredArm:
    """The run's arm of that training seed; None takes the recipe's first.

    Raises:
        UserError: the run holds no model or no such arm, or its adapter is missing or was changed.
    """
    manifest = run.manifest()
    recipe: Record = manifest.get("recipe", {})
    if "arms" not in recipe:
        raise UserError(
            f"{run.directory}: holds answers that were made elsewhere and no model; give a run of `openbook run`"
        )
    if "base" not in manifest.get("hashes", {}):
        raise UserError(f"{run.directory}: was stopped before its first step; go on with `openbook run`")
    arms: Mapping[str, Record] = recipe["arms"]
    if arm not in arms:
        raise UserError(f"--arm {arm!r}: no such arm in {run.directory}; there is {', '.join(map(repr, arms))}")
    tuned = arms[arm]
    untouched = StoredArm(
        name=arm,
        seed=pick_seed(arm, seed, recipe["training_seeds"], tuned="condition" in tuned),
        base=part(Base, recipe["base"], "base", manifest),
        commit=manifest["base"]["commit"],
        fingerprint=manifest["hashes"]["base"],
        prompt=part(PromptTemplate, recipe["prompt"], "prompt", manifest),
        sampling=part(Sampling, recipe["sampling"], "sampling", manifest),
    )
    if "condition" not in tuned:
        return untouched
    adapter = tuned["adapter"]
    # Said by hand, since the fields of a LoRA are a QLoRA's too.
    settings: LoRA = part(QLoRA if "quantization" in adapter else LoRA, adapter, f"arms.{arm}.adapter", manifest)
    return replace(
        untouched,
        condition=parse_condition(tuned["condition"]),
        quantization=settings if isinstance(settings, QLoRA) else None,
        adapter=whole_adapter(run, arm, untouched.seed),
    )


def part(kind: type[T], value: Any, name: str, manifest: Record) -> T:
    """That part of a stored recipe; raises `UserError` where this version has other fields than the one that wrote."""
    try:
        return TypeAdapter(kind).validate_json(json.dumps(value))
    except ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(map(str, (name, *problem["loc"])))
        raise UserError(
            f"manifest.json: recipe.{place}: {problem['msg']}; the run is of openbook {manifest.get('openbook')}, "
            f"this is {__version__}: use that version"
        ) from None


def pick_seed(arm: str, seed: int | None, seeds: list[int], *, tuned: bool) -> int:
    """The training seed that is meant; raises `UserError` for one that there is not."""
    there = seeds if tuned else seeds[:1]
    if seed is None:
        return there[0]
    if seed not in there:
        known = f"there is {', '.join(map(str, seeds))}" if tuned else "it is not trained and has none; leave it out"
        raise UserError(f"--seed {seed}: no such training seed of arm {arm!r}; {known}")
    return seed


def whole_adapter(run: Run, arm: str, seed: int) -> Path:
    """Where the adapter is; raises `UserError` where it is not there, or not as training left it."""
    directory = run.adapter(arm, seed)
    try:
        fingerprint = str(json.loads((directory / "openbook.json").read_text(encoding="utf-8"))["fingerprint"])
    except (OSError, ValueError, KeyError, TypeError):
        trained = sorted(
            path.parent.relative_to(run.path("adapters")) for path in directory.parent.parent.glob("*/*/openbook.json")
        )
        there = f"there is {', '.join(map(str, trained))}" if trained else "there is none yet"
        raise UserError(
            f"{directory}: holds no adapter of arm {arm!r}; {there}; train it with `openbook train`"
        ) from None
    if tuning.finished(directory, fingerprint) is None:
        raise UserError(f"{directory}: is not as training left it (`openbook verify` says more); train the arm again")
    return directory


def check_base(stored: StoredArm, *, trust_remote_code: bool) -> None:
    """Raises `UserError` for a base that wants to run code that is not trusted, or that is not on this disk any more.

    That the recipe trusted the base's own Python code is not enough to run it: the run may be somebody else's.
    """
    base = stored.base
    if base.trust_remote_code and not trust_remote_code:
        raise UserError(
            f"base.model = {base.model!r}: runs Python code of its own; give --trust-remote-code if you trust it"
        )
    if base.model.startswith("package:"):
        package_file(base.model)
    elif stored.commit is None and not Path(base.model).expanduser().exists():
        where = "" if Path(base.model).expanduser().is_absolute() else f" (seen from {Path.cwd()})"
        raise UserError(f"base.model = {base.model!r}: is not there any more{where}; put the base back to where it was")


def load(stored: StoredArm, say: models.Say, *, trust_remote_code: bool = False) -> Respondent:
    """The arm's model with its adapter, in the precision that this machine gives its base.

    Raises:
        UserError: the base is not where the recipe says, is another than the run was made with, or wants to run code
            that is not trusted.
    """
    check_base(stored, trust_remote_code=trust_remote_code)
    # The newest revision may be another by now than the one that the run was made with.
    base = replace(stored.base, revision=stored.commit or stored.base.revision)
    source = models.resolve(base, say)
    if source.fingerprint != stored.fingerprint:
        raise UserError(
            f"base.model = {base.model!r}: its files are not those that the run was made with; put the old ones back, "
            "or make the run again"
        )
    tokenizer = models.load_tokenizer(source, base)
    chat = ChatFormat.of(tokenizer, models.stop_tokens(source))
    model: Any = models.load_model(source, base, stored.quantization)
    if stored.adapter is not None:
        from peft import PeftModel

        model = PeftModel.from_pretrained(model, stored.adapter)
        model.eval()
    return Respondent(stored, model, chat, models.window(models.load_config(source, base)))
