"""Never the model under test: what tells that a judge is the base, a copy of it, or one of its arms, merged."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from train import models
from train.errors import UserError
from train.judges import under_test
from train.store import Run


@dataclass(frozen=True, slots=True)
class UnderTest:
    """The base under test: its fingerprint, and the digest of its weights (see `models.Source`); the latter is empty
    where an older run has not noted it."""

    fingerprint: str
    weights: str

    @classmethod
    def of(cls, source: models.Source) -> UnderTest:
        """The base that a recipe names."""
        return cls(source.fingerprint, source.weights)

    @classmethod
    def of_run(cls, run: Run) -> UnderTest:
        """The base that a run was made with."""
        hashes = run.manifest()["hashes"]
        return cls(hashes["base"], hashes.get("weights", ""))

    def is_base(self, fingerprint: str, weights: str) -> bool:
        """Whether these are the base's: all of its files, or its weights beside another tokenizer or configuration."""
        return fingerprint == self.fingerprint or bool(weights and weights == self.weights)


def check_weights(model: str, source: models.Source, tested: UnderTest) -> None:
    """Raises `UserError` where the judge on this disk is the base under test or an arm of it that was merged."""
    if tested.is_base(source.fingerprint, source.weights):
        raise UserError(under_test(model))
    check_origin(model, source.directory, tested)


def check_name(model: str, tested: UnderTest) -> None:
    """Raises `UserError` where an endpoint's model is called after the directory of an arm that was merged.

    So servers call a model by themselves; beyond that, `judges.check_not_under_test` has looked at the name.
    """
    check_origin(model, Path(model).expanduser(), tested)


def check_origin(model: str, directory: Path, tested: UnderTest) -> None:
    """Raises `UserError` where the directory says that it holds an arm of the base under test."""
    origin = models.origin_of(directory)
    if origin is not None and tested.is_base(origin.base, origin.weights):
        raise UserError(
            f"grading.judge.model = {model!r}: is arm {origin.arm!r} of recipe {origin.recipe!r}, merged from the base "
            f"under test ({models.ORIGIN} in it says so), and may not judge its like; name another model"
        )
