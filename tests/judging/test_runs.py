"""A judge in a run: who is asked about what, and what is kept of it."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from tests.judging.project import (
    ARMS,
    CONDITIONS,
    SECRET,
    WORDS,
    grade,
    judge,
    letter_for,
    opinion,
    provisional,
    records,
    says_something,
    verdicts,
)
from tests.judging.server import Refusal
from train.store import Run


def test_answers_without_a_rubric_are_judged_each_as_the_judge_said(openbook, folder, server):
    pytest.importorskip("openai")
    code, _, err = grade(openbook, folder, judge(server))
    assert code == 0
    assert "judge: org/Judge-X at 127.0.0.1" in err
    assert "replies of judge:judge-x hold no letter and count for nothing, like 'I would rather not say.'" in err
    asked, given = provisional(folder), verdicts(folder)
    assert len(asked) > 50
    assert len(given) == len(asked)
    for each in asked:
        verdict = given[each["arm"], each["condition"], each["question"], each["sample"]]
        assert verdict["verdict"] == WORDS[letter_for(each["text"].strip())], each["text"]
    assert {verdict["verdict"] for verdict in given.values()} == set(WORDS.values())
    assert all("rather not say" in each["why"] for each in given.values() if each["verdict"] == "unscored")


def test_what_is_alike_is_asked_once_and_the_manifest_says_what_it_took(openbook, folder, server):
    pytest.importorskip("openai")
    assert grade(openbook, folder, judge(server, input_price=1.0, output_price=2.0))[0] == 0
    assert len(server.prompts) == len(set(server.prompts)) <= len(provisional(folder)) / 2
    judged = Run.of(folder / "run").manifest()["judging"]
    assert (judged["judged"], judged["requested"]) == (len(provisional(folder)), len(server.prompts))
    assert judged["cached"] == judged["judged"] - judged["requested"]
    assert judged["prompt_tokens"] == 100 * len(server.prompts)
    assert judged["unparsed"] == sum(not letter_for(each["text"].strip()) for each in provisional(folder)) > 0
    assert judged["cost"] == pytest.approx(len(server.prompts) * 104e-6)
    assert judged["models"] == ["judge-2026-01-01"]
    assert openbook("report", folder / "recipe.py", "--out", folder / "run", "--set", judge(server))[0] == 0
    report = (folder / "run/report.html").read_text(encoding="utf-8")
    assert "judge:judge-x" in report
    assert "unparsed" in report


def test_arm_and_condition_and_ids_are_in_no_request(openbook, folder, server):
    pytest.importorskip("openai")
    assert grade(openbook, folder, judge(server, scope="all"))[0] == 0
    answers = "\n".join(each["text"] for each in records(folder, "answers.jsonl"))
    names = [*ARMS, *CONDITIONS, "distractor", *(each["id"] for each in records(folder, "questions.jsonl"))]
    for body, headers in zip(server.bodies, server.headers, strict=True):
        sent = json.dumps([body, headers], ensure_ascii=False).casefold()
        assert not [name for name in names if name in sent and name not in answers]


def test_regrading_asks_nothing_and_says_the_same(openbook, folder, server):
    pytest.importorskip("openai")
    assert grade(openbook, folder, judge(server))[0] == 0
    before, judgements = verdicts(folder), (folder / "run/judgements.jsonl").read_bytes()
    server.forget()
    for setting in (judge(server), judge(server, concurrency=2, timeout=5.0, input_price=1.0, output_price=1.0)):
        (folder / "run/verdicts.jsonl").unlink()
        assert grade(openbook, folder, setting)[0] == 0
        assert verdicts(folder) == before
    assert server.bodies == []
    assert (folder / "run/judgements.jsonl").read_bytes() == judgements


def test_regrading_needs_no_key_when_all_is_judged(openbook, folder, server, monkeypatch):
    pytest.importorskip("openai")
    assert grade(openbook, folder, judge(server))[0] == 0
    monkeypatch.delenv("OPENAI_API_KEY")
    (folder / "run/verdicts.jsonl").unlink()
    server.say = lambda prompt, number: Refusal(401)
    assert grade(openbook, folder, judge(server))[0] == 0


def test_a_wider_scope_asks_only_about_what_is_new(openbook, folder, server):
    pytest.importorskip("openai")
    assert grade(openbook, folder, judge(server))[0] == 0
    first = set(server.prompts)
    server.forget()
    assert grade(openbook, folder, judge(server, scope="all"))[0] == 0
    assert server.prompts
    assert not first & set(server.prompts)
    everything = [each for each in records(folder, "answers.jsonl") if says_something(each)]
    assert len(verdicts(folder)) == len(everything)
    assert {"B: wrong"} <= {line[:8] for prompt in server.prompts for line in prompt.splitlines()}


def test_another_judge_is_asked_anew_and_none_leaves_no_verdicts(openbook, folder, server):
    pytest.importorskip("openai")
    assert grade(openbook, folder, judge(server))[0] == 0
    first = len(server.bodies)
    assert grade(openbook, folder, judge(server, model="other"))[0] == 0
    assert len(server.bodies) == 2 * first
    assert verdicts(folder, "judge:other")
    assert not verdicts(folder)
    assert grade(openbook, folder, judge(server))[0] == 0
    assert len(server.bodies) == 2 * first
    assert grade(openbook, folder, "grading.judge=null")[0] == 0
    assert not verdicts(folder)
    assert Run.of(folder / "run").manifest()["judging"] is None


def wait_for(true: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not true():
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_killed_in_the_middle_it_goes_on_and_asks_nothing_twice(end, openbook, folder, server):
    pytest.importorskip("openai")
    server.seconds = 0.05
    command = [sys.executable, "-m", "train", "grade", folder / "recipe.py", "--out", folder / "run", "--set",
               judge(server, concurrency=1)]  # fmt: skip
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, env={**os.environ, "OPENAI_API_KEY": SECRET})
    wait_for(lambda: len(server.bodies) >= 6)
    process.send_signal(end)
    code = process.wait(timeout=20)
    assert code == {signal.SIGKILL: -9, signal.SIGINT: 130, signal.SIGTERM: 143}[end]
    stored = len(records(folder, "judgements.jsonl"))
    assert stored >= 4
    server.forget()
    server.seconds = 0.0
    with (folder / "run/judgements.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"key": "cut sho')  # what a kill may leave
    assert grade(openbook, folder, judge(server))[0] == 0
    keys = [record["key"] for record in records(folder, "judgements.jsonl")]
    assert len(keys) == len(set(keys)) == stored + len(server.bodies)
    assert len(verdicts(folder)) == len(provisional(folder))


def test_a_refusal_in_the_middle_keeps_what_was_said_and_is_one_line(openbook, folder, server):
    pytest.importorskip("openai")
    server.say = lambda prompt, number: opinion(prompt, number) if number < 5 else Refusal(404, "no such model")
    code, _, err = grade(openbook, folder, judge(server, concurrency=1))
    assert code == 2
    assert err.splitlines()[-1].startswith("openbook: error: grading.judge.model = 'org/Judge-X': ")
    assert len(records(folder, "judgements.jsonl")) == 5
    code, _, err = openbook("report", folder / "recipe.py", "--out", folder / "run")
    assert (code, "not graded; run `openbook grade` first" in err) == (2, True)
    server.say = opinion
    assert grade(openbook, folder, judge(server))[0] == 0
    assert len(verdicts(folder)) == len(provisional(folder))


def test_labels_that_come_before_a_judge_is_through_do_not_end_its_work(openbook, folder, server):
    pytest.importorskip("openai")
    assert grade(openbook, folder, "grading.judge=null")[0] == 0
    server.say = lambda prompt, number: opinion(prompt, number) if number < 5 else Refusal(404, "no such model")
    assert grade(openbook, folder, judge(server, concurrency=1))[0] == 2
    sheet = folder / "sheet.csv"
    assert openbook("label", folder / "run", "--export", sheet, "--answers", "20")[0] == 0
    rows = list(csv.DictReader(io.StringIO(sheet.read_text(encoding="utf-8-sig"), newline="")))
    with sheet.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows({**row, "verdict": "wrong"} for row in rows)
    assert openbook("label", folder / "run", "--import", sheet, "--as", "kim")[0] == 0
    assert 0 < len(verdicts(folder)) < len(provisional(folder))
    reporting = ("report", folder / "recipe.py", "--out", folder / "run", "--set", judge(server))
    server.say = lambda prompt, number: Refusal(404, "no such model")
    assert grade(openbook, folder, judge(server))[0] == 2
    assert openbook(*reporting)[0] == 0, "what was graded stays so where the judge says nothing more"
    assert "judge not finished" in (folder / "run/report.md").read_text(encoding="utf-8")
    server.say = opinion
    code, _, err = grade(openbook, folder, judge(server))
    assert code == 0, err
    assert len(verdicts(folder)) == len(provisional(folder))
    assert len(verdicts(folder, "person:kim")) == 20
    assert openbook(*reporting)[0] == 0
    assert "judge not finished" not in (folder / "run/report.md").read_text(encoding="utf-8")


def test_an_endpoint_that_stays_broken_is_the_runs_failure(openbook, folder, server):
    pytest.importorskip("openai")
    server.say = lambda prompt, number: Refusal(500, "oops", headers={"retry-after-ms": "1"})
    code, _, err = grade(openbook, folder, judge(server, retries=1))
    assert code == 1
    assert "(500: oops); its other replies are kept: give the same command again" in err.splitlines()[-1]


def test_the_key_is_in_no_file_and_in_nothing_that_is_said(openbook, folder, server):
    pytest.importorskip("openai")
    server.say = lambda prompt, number: f"{opinion(prompt, number)} {SECRET}"
    said = [grade(openbook, folder, judge(server)), grade(openbook, folder, judge(server), "report")]
    server.say = lambda prompt, number: Refusal(401, f"Incorrect API key provided: {SECRET}")
    said.append(grade(openbook, folder, judge(server, model="other")))
    assert [code for code, _, _ in said] == [0, 0, 2]
    assert SECRET not in json.dumps(said)
    for path in folder.rglob("*"):
        assert not path.is_file() or SECRET.encode() not in path.read_bytes(), path


def test_check_and_the_plan_say_who_judges_how_much_and_where_answers_go(openbook, folder, monkeypatch):
    away = 'grading.judge={"kind": "endpoint", "model": "gpt-4o-mini"}'
    monkeypatch.delenv("OPENAI_API_KEY")
    _, out, _ = openbook("check", folder / "recipe.py", "--set", away)
    # 8 questions without a rubric, 3 conditions, 2 arms, 2 samples
    assert "judge      at most 96 answers, those that are alike once; judge: gpt-4o-mini at api.openai.com; " in out
    assert "questions, references and answers leave this machine for api.openai.com\n" in out
    assert "warning    grading.judge: " in out
    _, _, err = openbook("run", folder / "recipe.py", "--out", folder / "run", "--dry-run", "--set", away)
    (line,) = [line for line in err.splitlines() if line.startswith("  judging")]
    assert "at most 96 answers" in line
    assert "api.openai.com" in line
    assert "\njudge " not in openbook("check", folder / "recipe.py")[1]


def test_a_run_whose_judge_cannot_be_asked_stops_before_the_first_step(openbook, project, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    setting = 'grading.judge={"kind": "endpoint", "model": "gpt-4o-mini", "scope": "all"}'
    code, _, err = openbook("run", project / "recipe.py", "--out", project / "run", "--set", setting)
    assert code == 2
    assert err.splitlines()[-1].startswith("openbook: error: grading.judge: ")
    assert not (project / "run/manifest.json").exists()


def test_a_finished_judged_run_is_left_as_it_is(openbook, folder, server):
    pytest.importorskip("openai")
    assert grade(openbook, folder, judge(server), "run")[0] == 0
    server.forget()
    before = (folder / "run/verdicts.jsonl").stat().st_mtime_ns
    code, _, err = grade(openbook, folder, judge(server), "run")
    assert (code, server.bodies) == (0, [])
    assert (folder / "run/verdicts.jsonl").stat().st_mtime_ns == before
    assert "  judging      reuse" in err
