"""Which questions are trained on and which are held out, decided by hashes of names and not by the order of rows.

Default shares: 30 % of the groups `unseen`, 10 % `validation`, the rest `train`; every trained group with several
wordings gives one of them to `seen`. Groups that share a passage (or the same words) are never separated, so a passage
of an unseen question is no passage of a training question.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace

from train.data.problems import named
from train.data.text import normalise
from train.errors import InputProblems, UserError
from train.records import Question


def assign_splits(
    questions: Sequence[Question], *, seed: int = 0, unseen: float = 0.3, validation: float = 0.1, seen: float = 1.0
) -> tuple[Question, ...]:
    """The same questions in the same order, each with a split. Questions that all have one are returned as they are.

    The result depends on the seed and on the set of questions, not on their order. Groups are ranked by a hash of
    their name: `unseen` takes from one end, `validation` from the other, so a new row moves few of the others.

    Args:
        questions: `unanswerable` ones stay what they are; no other may have a split unless all have.
        seed: another seed, another division.
        unseen: share of the groups held out, with their passages; at least one group if above 0.
        validation: share of the groups for early stopping and for choosing settings; at least one if above 0.
        seen: share of the trained groups with several wordings that give one wording to the split `seen`.

    Raises:
        InputProblems: some questions have a split and others have none.
        UserError: shares that cannot be, or too few groups for them.
    """
    open_ones = [question for question in questions if not question.split]
    divided = [question for question in questions if question.split not in ("", "unanswerable")]
    if divided and open_ones:
        without, having = named(question.id for question in open_ones), named(question.id for question in divided)
        raise InputProblems([f"questions: {without} have no split, {having} have one; give every row a split, or none"])
    if not open_ones:
        return tuple(questions)
    if not (0 <= unseen < 1 and 0 <= validation < 1 and 0 <= seen <= 1 and unseen + validation < 1):
        raise UserError(
            f"data: shares unseen={unseen}, validation={validation}, seen={seen} leave nothing to train on; "
            "choose shares from 0 to 1 with unseen + validation below 1"
        )
    wordings: dict[str, list[Question]] = defaultdict(list)
    for question in open_ones:
        wordings[_group(question)].append(question)
    bundles = _bundles(open_ones)
    wanted = 1 + (unseen > 0) + (validation > 0)
    if len(bundles) < wanted:
        raise UserError(
            f"data: {len(open_ones)} questions make {len(bundles)} part(s) that share no group, passage or words, "
            f"but {wanted} splits need at least {wanted}; add questions, give each row a split, or set a share to 0"
        )
    ranked = sorted(bundles, key=lambda bundle: _hash(seed, "group", min(bundle)))
    held_out = _take(ranked, unseen, len(wordings), spare=wanted - 1)
    rest = [bundle for bundle in reversed(ranked) if bundle not in held_out]
    checked = _take(rest, validation, len(wordings), spare=1)
    split_of = {group: "unseen" for bundle in held_out for group in bundle}
    split_of.update((group, "validation") for bundle in checked for group in bundle)
    asked_again = _wordings_to_ask(
        {group: asked for group, asked in wordings.items() if group not in split_of}, seed, seen
    )

    def split(question: Question) -> str:
        if question.split:
            return question.split
        return "seen" if question.id in asked_again else split_of.get(_group(question), "train")

    return tuple(replace(question, split=split(question)) for question in questions)


def _group(question: Question) -> str:
    return question.group or question.id


def _hash(seed: int, kind: str, name: str) -> bytes:
    return hashlib.sha256(f"{seed}\0{kind}\0{name}".encode()).digest()


def _bundles(questions: Sequence[Question]) -> list[frozenset[str]]:
    """The groups, joined where a passage or a wording of one is also of another (union-find)."""
    parent: dict[str, str] = {}

    def root(node: str) -> str:
        parent.setdefault(node, node)
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for question in questions:
        group = root(f"group\0{_group(question)}")
        asked = (question.text, *question.paraphrases)
        shared = [f"passage\0{passage}" for passage in question.evidence]
        shared += [f"wording\0{normalise(wording)}" for wording in asked]
        for node in shared:
            parent[root(node)] = group
    joined: dict[str, set[str]] = defaultdict(set)
    for group in {_group(question) for question in questions}:
        joined[root(f"group\0{group}")].add(group)
    return [frozenset(groups) for groups in joined.values()]


def _take(ranked: Sequence[frozenset[str]], share: float, groups: int, spare: int) -> set[frozenset[str]]:
    """The first bundles that together make up `share` of the groups, leaving at least `spare` bundles.

    A bundle that would exceed the share is passed over; where all would, the smallest is taken.
    """
    if share <= 0:
        return set()
    room = max(1, round(share * groups))
    taken: set[frozenset[str]] = set()
    for bundle in ranked:
        if len(bundle) <= room and len(taken) < len(ranked) - spare:
            taken.add(bundle)
            room -= len(bundle)
    return taken or {min(ranked, key=len)}


def _wordings_to_ask(wordings: dict[str, list[Question]], seed: int, share: float) -> set[str]:
    """Ids of the questions that are asked as `seen`: one of each trained group that has others to train on."""
    asked = {
        question.id: Counter(map(normalise, (question.text, *question.paraphrases)))
        for questions in wordings.values()
        for question in questions
    }
    all_asked = Counter(text for texts in asked.values() for text in texts.elements())
    candidates: dict[str, Question] = {}
    for group, questions in wordings.items():
        # Only words that no other trained question has are new words.
        new = [q for q in questions if all_asked[normalise(q.text)] == asked[q.id][normalise(q.text)]]
        if len(questions) > 1 and new:
            candidates[group] = min(new, key=lambda question: _hash(seed, "wording", question.id))
    ranked = sorted(candidates, key=lambda group: _hash(seed, "seen", group))
    return {candidates[group].id for group in ranked[: round(share * len(ranked))]}
