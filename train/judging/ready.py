"""Makes a recipe's judge ready to be asked."""

from __future__ import annotations

from train import models
from train.judges import EndpointJudge
from train.judging import endpoint, local
from train.judging.bench import Bench
from train.judging.under_test import UnderTest, check_name
from train.recipe import Recipe


def make_ready(recipe: Recipe, under_test: UnderTest, say: models.Say = models.silent) -> Bench | None:
    """The recipe's judge; None where it has none.

    Raises:
        UserError: a local judge is not there, or the judge is the model under test.
    """
    judge = recipe.grading.judge
    if judge is None:
        return None
    if isinstance(judge, EndpointJudge):
        check_name(judge.model, under_test)
        return endpoint.bench(judge)
    return local.bench(judge, under_test, say)
