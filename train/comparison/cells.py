"""Folds answers and verdicts into counts per question, and counts into the cells of comparison.json."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from operator import attrgetter
from typing import Any

from train.comparison import statistics
from train.comparison.attribution import cause_of
from train.errors import UserError, nearest
from train.records import ALL, CAUSES, DUMP, Answer, AnswerId, Cell, Context, Expectation, Question, Verdict, Word

WORDS: tuple[Word, ...] = ("correct", "wrong", "abstained", "unscored")
SPLIT_ORDER: tuple[str, ...] = ("seen", "unseen", ALL, "unanswerable", "validation", "train")
"""The splits that have cells, where their questions were asked."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How the answers of one cell to one question were graded; `texts` are the different answer texts.

    `dumps` counts right answers that recite a passage whole (`records.DUMP`); `causes` has the cause of each answer
    that was not right.
    """

    correct: int
    wrong: int
    abstained: int
    unscored: int
    right: int
    dumps: int
    texts: frozenset[str]
    graders: tuple[str, ...]
    causes: tuple[str, ...]

    @property
    def answers(self) -> int:
        """All answers, scored or not."""
        return self.scored + self.unscored

    @property
    def scored(self) -> int:
        """The answers with a verdict other than `unscored`."""
        return self.correct + self.wrong + self.abstained

    @property
    def share(self) -> Fraction | None:
        """The share right of the scored answers; None where none was scored: unscored is never wrong."""
        return _share(self.right, self.scored) if self.scored else None


@lru_cache(maxsize=4096)  # a table has thousands of entries and a handful of different ones
def _share(right: int, scored: int) -> Fraction:
    return Fraction(right, scored)


@dataclass(frozen=True, slots=True)
class Tally:
    """One question in one cell: what was expected, and the counts under each training seed and of all together."""

    expects: Expectation
    seeds: Mapping[int, Counts]
    pooled: Counts


Table = Mapping[Cell, Mapping[str, Tally]]
"""cell -> question id -> tally; questions in the order of their ids, so that no figure depends on record order."""


def merge(parts: Iterable[Counts]) -> Counts:
    """The counts of several seeds, or questions, together."""
    parts = list(parts)
    if len(parts) == 1:
        return parts[0]
    return Counts(
        correct=sum(part.correct for part in parts),
        wrong=sum(part.wrong for part in parts),
        abstained=sum(part.abstained for part in parts),
        unscored=sum(part.unscored for part in parts),
        right=sum(part.right for part in parts),
        dumps=sum(part.dumps for part in parts),
        texts=frozenset[str]().union(*(part.texts for part in parts)),
        graders=tuple(grader for part in parts for grader in part.graders),
        causes=tuple(cause for part in parts for cause in part.causes),
    )


def fold(
    questions: Sequence[Question],
    contexts: Sequence[Context],
    answers: Sequence[Answer],
    verdicts: Mapping[AnswerId, Verdict],
) -> Table:
    """The table of all cells that were asked. An answer without a verdict is unscored.

    Raises UserError for an answer given twice, to an unknown question, or without a context of its condition.
    """
    known = {question.id: question for question in questions}
    shown = {(context.question, context.condition): context for context in contexts}
    grouped: dict[tuple[str, str], dict[str, dict[int, list[Answer]]]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(list))
    )
    seen: set[AnswerId] = set()
    for answer in sorted(answers, key=attrgetter("id")):
        if answer.question not in known:
            raise _misplaced(answer, f"no question {answer.question!r}{nearest(answer.question, known)}")
        if (answer.question, answer.condition) not in shown:
            raise _misplaced(answer, f"question {answer.question!r} has no context of this condition; make it first")
        if answer.id in seen:
            raise _misplaced(answer, f"question {answer.question!r} is answered twice; keep one of the two")
        seen.add(answer.id)
        grouped[answer.arm, answer.condition][answer.question][answer.seed].append(answer)
    table: dict[Cell, dict[str, Tally]] = {}
    for place, by_question in sorted(grouped.items()):
        cell = Cell(*place)
        table[cell] = {}
        for question, by_seed in sorted(by_question.items()):
            context = shown[question, cell.condition]
            seeds = {seed: _count(by_seed[seed], verdicts, context, known[question]) for seed in sorted(by_seed)}
            table[cell][question] = Tally(context.expects, seeds, merge(seeds.values()))
    return table


def _misplaced(answer: Answer, what: str) -> UserError:
    place = f"answer {answer.sample} of {answer.arm!r} (seed {answer.seed}) under {answer.condition!r}"
    return UserError(f"{place}: {what}")


def _count(
    answers: Sequence[Answer], verdicts: Mapping[AnswerId, Verdict], context: Context, question: Question
) -> Counts:
    given = [verdicts.get(answer.id) for answer in answers]
    words = [verdict.verdict if verdict else "unscored" for verdict in given]
    causes = [cause_of(*pair, context, question) for pair in zip(answers, given, strict=True)]
    dumped = [verdict is not None and verdict.overlap >= DUMP for verdict in given]
    return Counts(
        correct=words.count("correct"),
        wrong=words.count("wrong"),
        abstained=words.count("abstained"),
        unscored=words.count("unscored"),
        right=causes.count(None),
        dumps=list(zip(dumped, causes, strict=True)).count((True, None)),
        texts=frozenset([answer.text for answer in answers]),
        graders=tuple([verdict.grader for verdict in given if verdict]),
        causes=tuple([cause for cause in causes if cause]),
    )


IN_ALL = ("seen", "unseen", "")
"""The questions' own splits that are reported together; one without a split counts there alone."""


def question_splits(question: Question) -> tuple[str, ...]:
    """The splits under which a question is reported."""
    own = (question.split,) if question.split else ()
    return (*own, ALL) if question.split in IN_ALL else own


def in_split(table: Table, cell: Cell, split: str, questions: Mapping[str, Question]) -> dict[str, Tally]:
    """The tallies of one cell for the questions of one split; empty where it was not asked."""
    own = IN_ALL if split == ALL else (split,)
    return {name: tally for name, tally in table.get(cell, {}).items() if questions[name].split in own}


def cell_row(
    cell: Cell,
    tallies: Mapping[str, Tally],
    rows: Mapping[str, dict[str, Any]],
    *,
    kind: str,
    split: str,
    topics: Mapping[str, str],
    alpha: float,
) -> dict[str, Any]:
    """One entry of `cells`. Accuracies and shares are means over questions in [0, 1]; counts are of answers.

    `rows` are the cell's `question_rows`, of which those of the `tallies` are taken.
    """
    pooled = {name: tally.pooled for name, tally in tallies.items()}
    total = merge(pooled.values())
    seeds = sorted({seed for tally in tallies.values() for seed in tally.seeds})
    shares = {name: counts.share for name, counts in pooled.items()}
    scored = {name: share for name, share in shares.items() if share is not None}
    error = statistics.standard_error(list(scored.values()), [topics[name] for name in scored])
    expected = {tally.expects for tally in tallies.values()}
    return {
        "arm": cell.arm,
        "kind": kind,
        "condition": cell.condition,
        "split": split,
        "expects": expected.pop() if len(expected) == 1 else "mixed",
        "questions": len(tallies),
        "unscored_questions": len(tallies) - len(scored),
        "seeds": seeds,
        "answers": total.answers,
        **{word: getattr(total, word) for word in WORDS},
        "right": total.right,
        "distinct": sum(len(counts.texts) for counts in pooled.values()),
        "accuracy": statistics.mean(list(scored.values())),
        "standard_error": error,
        "interval": _listed(statistics.cell_interval(list(scored.values()), error, alpha)),
        "per_seed": [_seed_accuracy(tallies.values(), seed) for seed in seeds],
        "false_refusal": _abstention(tallies.values(), "answer"),
        "right_abstention": _abstention(tallies.values(), "abstain"),
        "answered_from_memory": sum(
            counts.correct for name, counts in pooled.items() if tallies[name].expects == "abstain"
        ),
        "dumps": total.dumps,
        "accuracy_without_dumps": statistics.mean(
            [Fraction(counts.right - counts.dumps, counts.scored) for counts in pooled.values() if counts.scored]
        ),
        **_passes(tallies.values()),
        "causes": {cause: total.causes.count(cause) for cause in CAUSES if cause in total.causes},
        "topics": _topics(scored, topics, alpha),
        "graders": dict(sorted(Counter(total.graders).items())),
        "per_question": [rows[name] for name in tallies],
    }


def _topics(shares: Mapping[str, Fraction], topics: Mapping[str, str], alpha: float) -> list[dict[str, Any]]:
    """The accuracy on the questions of each topic; a question without a topic is in none.

    One topic is one sample of its own, so that its interval needs no clusters.
    """
    by_topic: dict[str, list[Fraction]] = {}
    for name, share in shares.items():
        if topics[name]:
            by_topic.setdefault(topics[name], []).append(share)
    return [
        {
            "topic": topic,
            "questions": len(own),
            "accuracy": statistics.mean(own),
            "interval": _listed(statistics.cell_interval(own, statistics.standard_error(own), alpha)),
        }
        for topic, own in sorted(by_topic.items())
    ]


def question_rows(tallies: Mapping[str, Tally], alpha: float) -> dict[str, dict[str, Any]]:
    """The counts of each question of a cell, by its id: the entries of a cell's `per_question`."""
    return {name: _question_row(name, tally, alpha) for name, tally in tallies.items()}


def _question_row(name: str, tally: Tally, alpha: float) -> dict[str, Any]:
    counts = tally.pooled
    return {
        "question": name,
        "expects": tally.expects,
        "samples": samples(tally),
        "answers": counts.answers,
        **{word: getattr(counts, word) for word in WORDS},
        "right": counts.right,
        "distinct": len(counts.texts),
        "interval": _listed(statistics.entry_interval(counts.right, counts.scored, alpha)) if counts.scored else None,
    }


def samples(tally: Tally) -> int:
    """The answers per training seed: k, or the largest where an interrupted run left some seeds short."""
    return max(counts.answers for counts in tally.seeds.values())


def _seed_accuracy(tallies: Iterable[Tally], seed: int) -> float | None:
    shares = [tally.seeds[seed].share for tally in tallies if seed in tally.seeds]
    return statistics.mean([share for share in shares if share is not None])


def _abstention(tallies: Iterable[Tally], expects: Expectation) -> float | None:
    """The mean over questions of the share abstained, where `expects` was expected; None where it never was."""
    pooled = [tally.pooled for tally in tallies if tally.expects == expects]
    return statistics.mean([Fraction(counts.abstained, counts.scored) for counts in pooled if counts.scored])


def _passes(tallies: Iterable[Tally]) -> dict[str, dict[str, float | None]]:
    """pass@k and pass^k at k = 1, 2, 4, … and all samples: of one checkpoint, averaged over its seeds and questions.

    A question with fewer than k scored answers under a seed is left out at that k.
    """
    entries = [tuple([(counts.right, counts.scored) for counts in tally.seeds.values()]) for tally in tallies]
    different = set(entries)  # of thousands a handful
    most = max((scored for entry in different for _, scored in entry), default=0)
    sizes = sorted({most} | {2**power for power in range(most.bit_length())}) if most else []
    result: dict[str, dict[str, float | None]] = {"pass_at_k": {}, "pass_hat_k": {}}
    for k in sizes:
        enough = {entry: own for entry in different if (own := [pair for pair in entry if pair[1] >= k])}
        for name, chance in (("pass_at_k", statistics.pass_at_k), ("pass_hat_k", statistics.pass_hat_k)):
            of_entry = {entry: sum(chance(*pair, k) for pair in own) / len(own) for entry, own in enough.items()}
            means = [of_entry[entry] for entry in entries if entry in of_entry]
            result[name][str(k)] = sum(means) / len(means) if means else None
    return result


def _listed(interval: statistics.Interval | None) -> list[float] | None:
    return None if interval is None else list(interval)
