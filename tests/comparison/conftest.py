"""Fixtures of the comparison's tests."""

from __future__ import annotations

import gc

import pytest


@pytest.fixture(autouse=True, scope="package")
def quick_garbage_collection():
    """statsmodels' `multipletests` runs `gc.collect()`; frozen, imported modules are not walked each time."""
    import statsmodels.stats.multitest  # noqa: F401

    gc.freeze()
    yield
    gc.unfreeze()
