"""Makes a recipe's judge ready to be asked."""

from __future__ import annotations

from train import models
from train.judges import EndpointJudge
from train.judging import endpoint, local
from train.judging.bench import Bench
from train.recipe import Recipe


def make_ready(recipe: Recipe, base: str, say: models.Say = models.silent) -> Bench | None:
    """The recipe's judge; None where it has none. `base` is the fingerprint of the model under test.

    Raises:
        UserError: a local judge is not there, or is the model under test.
    """
    judge = recipe.grading.judge
    if judge is None:
        return None
    return endpoint.bench(judge) if isinstance(judge, EndpointJudge) else local.bench(judge, base, say)
