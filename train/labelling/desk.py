"""One person at work: what is labelled, what comes next, and every label stored before anybody is told so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, replace
from threading import Lock
from typing import Any

from train.errors import UserError
from train.findings import stored_labels
from train.grading import WITHDRAWN, Label, standing
from train.labelling.items import graded_right, items
from train.labelling.plan import draw, sequence
from train.labelling.quality import BOUND, STEP, Pair, measure
from train.labelling.storing import append, labeller, now
from train.records import WORDS, AnswerId, Findings, is_right
from train.report.texts import encodable
from train.store import Run

LONGEST = 10_000
"""Characters of a comment that are kept."""


class Desk:
    """The answers drawn for one person, and that person's labels. Safe to use from several threads.

    Raises `UserError` for an unfit name and where the answers are not graded.
    """

    def __init__(self, run: Run, findings: Findings, name: str, size: int, clock: Callable[[], str] = now) -> None:
        labels = stored_labels(run)
        self.who = labeller(name, labels)
        self._run, self._clock = run, clock
        self._items = items(run.recipe, findings)
        self._ids = {answer.id: each for each, (answer, _) in self._items.items()}
        self._right = graded_right(findings)
        mine = [label for label in standing(findings.answers, labels) if label.who == self.who and label.when]
        self._plan = draw(self._right, run.recipe, max(size, len(mine)))
        self._order = sequence(self._plan, run.recipe, self.who)
        self._sizes = Counter((each.arm, right) for each, right in self._right.items())
        # In the order in which they were given, so that the last can be taken back.
        self._labels: dict[AnswerId, Label] = {label.answer: label for label in mine}
        self._skipped: list[AnswerId] = []
        self._undone: Label | None = None
        self._lock = Lock()
        self._closed = False
        self.given = 0

    def state(self) -> dict[str, Any]:
        """What the page shows: how far one is, and the answer that comes next."""
        with self._lock:
            return self._state()

    def label(self, identifier: str, verdict: str, why: str) -> dict[str, Any]:
        """Stores a label and returns the state after it. Raises `UserError` for an answer or word that is none."""
        word = next((word for word in WORDS if word == verdict), None)
        if word is None:
            raise UserError(f"verdict {verdict!r}: is not one of {', '.join(WORDS)}")
        with self._lock:
            answer = self._answer(identifier)
            self._store(Label(answer, word, self.who, self._clock(), encodable(why.strip())[:LONGEST]))
            self._undone = None
            return self._state()

    def undo(self) -> dict[str, Any]:
        """Withdraws the last label that stands and shows its answer again."""
        with self._lock:
            if self._labels:
                last = self._labels[next(reversed(self._labels))]
                self._store(Label(last.answer, WITHDRAWN, self.who, self._clock()))
                self._undone = last
            return self._state()

    def skip(self, identifier: str) -> dict[str, Any]:
        """Puts an answer off until the others are labelled."""
        with self._lock:
            answer = self._answer(identifier)
            self._skipped = [each for each in self._skipped if each != answer] + [answer]
            self._undone = None
            return self._state()

    def close(self) -> None:
        """Waits for a label that is being stored; none is taken any more."""
        with self._lock:
            self._closed = True

    def _answer(self, identifier: str) -> AnswerId:
        if identifier not in self._items:
            raise UserError(f"answer {identifier!r}: is not there; load the page again")
        return self._items[identifier][0].id

    def _store(self, label: Label) -> None:
        if self._closed:
            raise UserError("labelling has ended; start `openbook label` again")
        answer, _ = self._items[self._ids[label.answer]]
        whole = replace(label, key=answer.key, probability=self._plan.probability.get(label.answer))
        append(self._run, [whole])
        self._labels.pop(label.answer, None)
        if label.verdict != WITHDRAWN:
            self._labels[label.answer] = whole
        self.given += 1

    def _state(self) -> dict[str, Any]:
        planned = set(self._order)
        quality = measure(self._pairs(), self._sizes)
        return {
            "who": self.who,
            "labelled": sum(answer in planned for answer in self._labels),
            "planned": len(planned),
            "answers": len(self._right),
            "undo": bool(self._labels),
            "quality": {**asdict(quality), "bound": BOUND, "step": STEP, "enough": quality.enough},
            "item": self._next(),
        }

    def _next(self) -> dict[str, Any] | None:
        """The next answer: one that was just taken back, else the first not labelled, skipped ones last."""
        if self._undone:
            before = {"verdict": self._undone.verdict, "comment": self._undone.why}
            return asdict(self._items[self._ids[self._undone.answer]][1]) | {"before": before}
        waiting = [answer for answer in self._order if answer not in self._labels]
        put_off = [answer for answer in self._skipped if answer in waiting]
        coming = [answer for answer in waiting if answer not in put_off] or put_off
        return asdict(self._items[self._ids[coming[0]]][1]) | {"before": None} if coming else None

    def _pairs(self) -> list[Pair]:
        """The labels that can be held against the grader's word, in the order in which they were given."""
        return [
            Pair(
                answer.question, answer.arm, is_right(label.verdict, self._items[self._ids[answer]][1].expects), grader
            )
            for answer, label in self._labels.items()
            if (grader := self._right[answer]) is not None and label.probability is not None
        ]
