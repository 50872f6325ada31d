"""One person at work: what comes next, what is stored, and what is taken back."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from train.assess import assess_again
from train.errors import UserError
from train.findings import load_findings, stored_labels
from train.grading import standing
from train.labelling.desk import Desk
from train.labelling.items import items
from train.progress import Screen
from train.records import AnswerId
from train.sealing import is_sealed
from train.store import Run

from .conftest import HOSTILE, labels_in


def desk(run: Run, who: str = "kim", size: int = 60) -> Desk:
    return Desk(run, load_findings(run), who, size)


def truth(state: dict, run: Run) -> str:
    """What the answer that is shown is."""
    said = state["item"]["answer"]
    return "correct" if "빨간색" in said else "abstained" if "know" in said else "wrong"


def go_through(at: Desk, run: Run, number: int) -> dict:
    state = at.state()
    for _ in range(number):
        state = at.label(state["item"]["id"], truth(state, run), "")
    return state


def test_a_label_says_who_when_why_of_which_answer_and_how_likely_it_was_drawn(run: Run) -> None:
    at = Desk(run, load_findings(run), " kim ", 60, clock=lambda: "2026-01-02T03:04:05+00:00")
    item = at.state()["item"]
    at.label(item["id"], "wrong", " 축이 바뀜 ")
    (record,) = labels_in(run.directory)
    answer, _ = items(run.recipe, load_findings(run))[item["id"]]
    assert is_sealed(record)
    assert AnswerId(**record["answer"]) == answer.id
    assert (record["who"], record["when"], record["why"]) == ("kim", "2026-01-02T03:04:05+00:00", "축이 바뀜")
    assert (record["verdict"], record["key"]) == ("wrong", answer.key)
    assert 0 < record["probability"] < 1


def test_every_answer_of_the_plan_comes_once_and_then_there_is_none(run: Run) -> None:
    at = desk(run, size=30)
    seen = []
    while (state := at.state())["item"]:
        seen.append(state["item"]["id"])
        at.label(seen[-1], "wrong", "")
    assert len(seen) == len(set(seen)) == state["labelled"] == state["planned"] == 30
    assert state["answers"] == 240


def test_a_desk_opened_again_goes_on_where_it_was(run: Run) -> None:
    first = go_through(desk(run), run, 7)
    assert desk(run).state() == first
    assert first["labelled"] == 7


def test_undo_takes_back_one_after_the_other_also_after_a_restart(run: Run) -> None:
    at = desk(run)
    shown = [at.state()["item"]["id"]]
    at.label(shown[0], "wrong", "why so")
    shown.append(at.state()["item"]["id"])
    at.label(shown[1], "correct", "")
    again = desk(run)
    state = again.undo()
    assert (state["labelled"], state["item"]["id"]) == (1, shown[1])
    assert state["item"]["before"] == {"verdict": "correct", "comment": ""}
    state = again.undo()
    assert (state["labelled"], state["item"]["id"], state["undo"]) == (0, shown[0], False)
    assert state["item"]["before"] == {"verdict": "wrong", "comment": "why so"}
    assert again.undo()["labelled"] == 0
    assert standing(load_findings(run).answers, stored_labels(run)) == []
    assert again.label(shown[0], "abstained", "")["labelled"] == 1
    assert [label.verdict for label in standing(load_findings(run).answers, stored_labels(run))] == ["abstained"]
    assert [record["verdict"] for record in labels_in(run.directory)] == [
        "wrong", "correct", "unscored", "unscored", "abstained",
    ]  # fmt: skip


def test_a_skipped_answer_comes_again_at_the_end(run: Run) -> None:
    at = desk(run, size=4)
    skipped = at.state()["item"]["id"]
    seen = [at.skip(skipped)["item"]["id"]]
    while len(seen) < 4:
        seen.append(at.label(seen[-1], "wrong", "")["item"]["id"])
    assert seen[-1] == skipped
    assert skipped not in seen[:-1]
    assert at.skip(skipped)["item"]["id"] == skipped, "it is the only one"
    assert labels_in(run.directory)[0]["verdict"] == "wrong"


def test_nothing_shows_which_arm_or_condition_made_an_answer_or_what_graders_said(run: Run) -> None:
    at = desk(run)
    keys = {
        "id", "question", "expects", "reference", "facts", "forbidden", "passages", "answer", "note", "before",
    }  # fmt: skip
    for _ in range(60):
        state = at.state()
        assert set(state["item"]) == keys
        rest = str({key: value for key, value in state.items() if key != "item"} | {"id": state["item"]["id"]})
        assert not any(word in rest for word in ("tuned", "base", "gold", "distractors", "rubric"))
        assert not {"probability", "rate"} & {*state, *state["quality"]}
        at.label(state["item"]["id"], "wrong", "")


def test_enough_is_said_when_both_rates_are_known_well_enough(run: Run) -> None:
    at = desk(run, size=160)
    states = [at.state()] + [go_through(at, run, 10) for _ in range(14)]  # 40 to 80 labels do, whichever are drawn
    assert [state["quality"]["after"] for state in states] == list(range(0, 150, 10))
    assert not any(state["quality"]["enough"] for state in states[:3])
    assert states[-1]["quality"]["enough"]
    assert states[-1]["item"], "and one can go on"


def test_two_people_meet_the_same_answers_first(run: Run) -> None:
    kim, lee = desk(run, "kim", 200), desk(run, "lee", 200)
    go_through(kim, run, 40)
    go_through(lee, run, 40)
    labels = standing(load_findings(run).answers, stored_labels(run))
    by_who = {who: {label.answer for label in labels if label.who == who} for who in ("kim", "lee")}
    assert by_who["kim"] == by_who["lee"]
    assert len(by_who["kim"]) == 40


def test_many_threads_and_two_desks_store_whole_lines_and_lose_none(run: Run) -> None:
    ids = list(items(run.recipe, load_findings(run)))[:80]
    desks = [desk(run, "kim"), desk(run, "lee")]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda pair: pair[0].label(pair[1], "wrong", "왜"), [(at, id_) for id_ in ids for at in desks]))
    records = labels_in(run.directory)
    assert len(records) == 160
    assert all(map(is_sealed, records))
    assert len({(record["who"], record["key"]) for record in records}) == 160


def test_a_line_that_a_kill_cut_short_does_not_swallow_the_next(run: Run) -> None:
    go_through(desk(run), run, 2)
    path = run.path("labels.jsonl")
    path.write_bytes(path.read_bytes()[:-9])
    assert desk(run).state()["labelled"] == 1
    assert go_through(desk(run), run, 2)["labelled"] == 3
    assert len(labels_in(run.directory)) == 3


def label_all(at: Desk) -> None:
    """Labels what is left of the plan, now and then unlike the grader."""
    state = at.state()
    while item := state["item"]:
        state = at.label(item["id"], "wrong" if item["id"][0] in "bcdf" else "correct", "")


def figures(run: Run) -> list[dict]:
    """How good the graders are, by all labels that there are."""
    assess_again(run, Screen(quiet=True))
    return json.loads(run.path("comparison.json").read_text(encoding="utf-8"))["graders"]


def test_a_plan_of_another_size_changes_no_label_and_no_figure(run: Run) -> None:
    label_all(desk(run, size=20))
    stored, before = run.path("labels.jsonl").read_bytes(), figures(run)
    assert before[0]["weighted"] and 0 < before[0]["tpr"] < 1
    for size in (10, 120, 240):
        desk(run, size=size)
        assert run.path("labels.jsonl").read_bytes() == stored
    assert figures(run) == before


def test_labels_of_a_small_plan_weigh_as_those_of_the_larger_one_that_follows(run: Run, tmp_path: Path) -> None:
    at_once = Run.of(Path(shutil.copytree(run.directory, tmp_path / "at once")))
    label_all(desk(run, size=20))
    small = {label.answer: label.probability for label in standing(load_findings(run).answers, stored_labels(run))}
    for one in (run, at_once):
        label_all(desk(one, size=120))
    labels = {label.answer: label.probability for label in standing(load_findings(run).answers, stored_labels(run))}
    assert len(labels) == 120
    assert small.items() <= labels.items(), "what was stored stays"
    assert figures(run) == figures(at_once)


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 65, "a\u202eb"])
def test_a_name_that_is_none_is_refused(run: Run, name: str) -> None:
    with pytest.raises(UserError, match=r"^--as .*: is no name; give up to 64"):
        desk(run, name)


def test_a_name_that_is_almost_another_s_is_refused(run: Run) -> None:
    go_through(desk(run, "Kim"), run, 1)
    with pytest.raises(UserError, match=r"'Kim' has labelled here"):
        desk(run, "kim")
    assert desk(run, "김").state()["labelled"] == 0


@pytest.mark.parametrize(
    ("identifier", "verdict"), [("nowhere", "wrong"), ("", "wrong"), (None, "unscored"), (None, "Correct"), (None, "")]
)
def test_an_unknown_answer_or_word_is_refused_and_nothing_stored(run: Run, identifier: str, verdict: str) -> None:
    at = desk(run)
    with pytest.raises(UserError):
        at.label(at.state()["item"]["id"] if identifier is None else identifier, verdict, "")
    assert labels_in(run.directory) == []


def test_after_closing_no_label_is_taken(run: Run) -> None:
    at = desk(run)
    at.close()
    with pytest.raises(UserError, match="has ended"):
        at.label(at.state()["item"]["id"], "wrong", "")
    assert labels_in(run.directory) == []


def test_answers_that_are_not_graded_are_not_shown(run_directory: Path) -> None:
    (run_directory / "verdicts.jsonl").unlink()
    with pytest.raises(UserError, match="not graded yet: 240 of 240 answers; run `openbook grade` first"):
        desk(Run.of(run_directory))


def test_a_comment_with_half_a_character_is_stored_without_it(run: Run) -> None:
    at = desk(run)
    at.label(at.state()["item"]["id"], "wrong", "a\ud800b" + "x" * 20_000)
    (record,) = labels_in(run.directory)
    assert record["why"].startswith("a\ufffdbx")
    assert len(record["why"]) == 10_000


def test_the_hostile_answer_is_among_those_shown(run: Run) -> None:
    assert any(item.answer == HOSTILE for _, item in items(run.recipe, load_findings(run)).values())
