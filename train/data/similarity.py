"""Near-identical texts of two collections, without comparing every text with every other."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from train.data.text import normalise

LENGTH = 3
"""Characters per n-gram."""

MATCHES = 5
"""So many matches of one text are enough: questions made from a template may all be alike, n² pairs of them."""


def ngrams(text: str) -> frozenset[str]:
    """The character 3-grams of the normalised text; a shorter text is one gram.

    A gram's second occurrence counts as another gram, else "10101" and "1010" would be the same.
    """
    text = normalise(text)
    occurrences: Counter[str] = Counter()
    grams = []
    for at in range(max(1, len(text) - LENGTH + 1)) if text else ():
        gram = text[at : at + LENGTH]
        occurrences[gram] += 1
        grams.append(gram if occurrences[gram] == 1 else f"{gram} {occurrences[gram]}")
    return frozenset(grams)


def similar_pairs(
    left: Iterable[str], right: Iterable[str], threshold: float, matches: int = MATCHES
) -> list[tuple[str, str, float]]:
    """(left, right, similarity) of the pairs at or above the threshold, most similar first.

    Similarity is the cosine of the texts' 3-grams, |x∩y| / √(|x||y|). By prefix filtering (Bayardo, Ma & Srikant,
    "Scaling up all pairs similarity search", 2007): a pair at cosine t has |y| ≥ t²|x|, so shares at least t²|x|
    grams; then the two have a common gram among their |x| − ⌈t²|x|⌉ + 1 rarest, and only those need an index. If the
    rarest common gram is the i-th of x and the j-th of y, counted from 0, at most min(|x| − i, |y| − j) are common
    (Xiao et al., "Efficient similarity joins for near-duplicate detection", 2008), which rules out what shares a
    template only.

    Args:
        left: texts; repeated ones count once.
        right: likewise.
        threshold: above 0, at most 1.
        matches: at most so many pairs of each left text. None is lost where there are fewer; else those are found
            first that are the same in all grams, then those that share rare ones.
    """
    if not 0 < threshold <= 1:
        raise ValueError(f"threshold must be above 0 and at most 1, not {threshold}")
    lefts = {text: grams for text in left if (grams := ngrams(text))}
    rights = {text: grams for text in right if (grams := ngrams(text))}
    frequency = Counter(gram for grams in (*lefts.values(), *rights.values()) for gram in grams)

    def rarest(grams: frozenset[str]) -> Sequence[str]:
        ordered = sorted(grams, key=lambda gram: (frequency[gram], gram))
        # The small term keeps a product such as 81.00000000000001 from shortening the prefix.
        return ordered[: len(ordered) - math.ceil(threshold**2 * len(ordered) - 1e-9) + 1]

    # gram -> (number of grams of a text, rank of this one) -> such texts, so that all of them are ruled out at once
    index: dict[str, dict[tuple[int, int], list[str]]] = defaultdict(lambda: defaultdict(list))
    same: dict[frozenset[str], list[str]] = defaultdict(list)
    for text, grams in rights.items():
        same[grams].append(text)
        for rank, gram in enumerate(rarest(grams)):
            index[gram][len(grams), rank].append(text)

    def found(grams: frozenset[str]) -> Iterator[tuple[str, float]]:
        tried = set(same.get(grams, ()))
        yield from ((text, 1.0) for text in same.get(grams, ()))
        for rank, gram in enumerate(rarest(grams)):
            for (size, other_rank), texts in index.get(gram, {}).items():
                needed = (threshold - 1e-9) * math.sqrt(len(grams) * size)
                if min(len(grams) - rank, size - other_rank) < needed:
                    continue
                for text in texts:
                    if text not in tried:
                        tried.add(text)
                        common = len(grams & rights[text])
                        if common >= needed:
                            yield text, common / math.sqrt(len(grams) * size)

    pairs = [(text, other, like) for text, grams in lefts.items() for other, like in islice(found(grams), matches)]
    return sorted(pairs, key=lambda pair: (-pair[2], pair[0], pair[1]))
