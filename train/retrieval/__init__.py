"""Searching the passages: `BM25(passages).search(query, count)` names those that fit a query best.

In memory only: nothing is downloaded, and no index is written. What counts as the same word is in `terms`.
"""

from train.retrieval.bm25 import BM25

__all__ = ["BM25"]
