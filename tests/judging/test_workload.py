"""What a judge will have to do at most, as `openbook check` and the plan say it before the first step."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.judging.project import grade, judge, local, provisional
from train.estimate import GIB, two_digits
from train.judging.ready import make_ready
from train.judging.under_test import UnderTest
from train.judging.workload import prompts_at_most
from train.loading import load_recipe
from train.prepare import prepare

AT_MOST = 96
"""Answers to 8 questions without a rubric, under 3 conditions, of 2 arms, 2 samples each."""


def line(text: str, begin: str) -> str:
    """The one line that begins so."""
    (found,) = [each for each in text.splitlines() if each.startswith(begin)]
    return found


def test_check_says_what_a_local_judge_takes(openbook, folder, other_model):
    code, out, _ = openbook("check", folder / "recipe.py", "--set", local(other_model))
    assert code == 0
    on_disk = sum(path.stat().st_size for path in other_model.iterdir())
    assert line(out, "judge ").startswith(
        f"judge      at most {AT_MOST} answers, those that are alike once; judge: {other_model}, on this machine; "
        f"files of {two_digits(on_disk / GIB)} GiB, weights of about "
    )
    assert line(out, "judge ").endswith(" GiB in float32")
    assert re.search(r"sampling about \S+ GiB, judging about \S+ GiB \(of ", line(out, "memory "))
    assert re.search(rf", judging about .*? \(at most {AT_MOST} replies of 16 tokens\)$", line(out, "time "))


def test_the_plan_says_what_a_local_judge_takes(openbook, folder, other_model):
    _, _, err = openbook("run", folder / "recipe.py", "--out", folder / "run", "--dry-run", "--set", local(other_model))
    assert re.search(
        rf"do +at most {AT_MOST} answers.*on this machine; files of \S+ GiB, weights of about \S+ GiB in float32$",
        line(err, "  judging"),
    )


def test_without_a_judge_nothing_is_said_of_judging(openbook, folder):
    assert "judg" not in openbook("check", folder / "recipe.py")[1]


def test_a_judge_that_every_prompt_is_too_long_for_takes_no_time(openbook, folder, other_model, tmp_path):
    short = Path(shutil.copytree(other_model, tmp_path / "short"))
    config = json.loads((short / "config.json").read_text(encoding="utf-8"))
    (short / "config.json").write_text(json.dumps(config | {"max_position_embeddings": 64}), encoding="utf-8")
    code, out, _ = openbook("check", folder / "recipe.py", "--set", local(short))
    assert (code, "judging about" in out) == (0, False)


def test_a_judge_without_a_chat_template_is_warned_of_and_not_estimated(openbook, folder, other_model, tmp_path):
    silent = Path(shutil.copytree(other_model, tmp_path / "silent"))
    (silent / "chat_template.jinja").unlink()
    code, out, _ = openbook("check", folder / "recipe.py", "--set", local(silent))
    said = f"grading.judge.model = '{silent}': its tokenizer has no chat template"
    assert code == 0
    assert line(out, "warning ").startswith(f"warning    {said}")
    assert line(out, "judging ").startswith(f"judging    not estimated: {said}")
    assert "sampling about " in line(out, "memory ")


@pytest.mark.parametrize("scope", ["provisional", "all"])
def test_an_endpoint_gets_no_more_requests_and_about_the_tokens_that_check_announces(scope, openbook, folder, server):
    pytest.importorskip("openai")
    setting = judge(server, scope=scope, input_price=2.0, output_price=10.0)
    _, out, _ = openbook("check", folder / "recipe.py", "--set", setting)
    number, sent, received, price = re.search(
        r"^requests   at most (\d+), with about ([\d,]+) tokens in all, as the base's tokenizer counts references in "
        r"place of answers, and at most ([\d,]+) in reply; about (\S+) at the recipe's prices$",
        line(out, "requests "),
    ).groups()
    sent, received = (int(each.replace(",", "")) for each in (sent, received))
    assert received == 16 * int(number)
    assert float(price) == pytest.approx((2 * sent + 10 * received) / 1e6, rel=0.05)
    assert grade(openbook, folder, setting)[0] == 0
    assert 0 < len(server.prompts) <= int(number)

    prepared = prepare(load_recipe(str(folder / "recipe.py"), [setting]))
    encode = prepared.chat.tokenizer.encode
    lengths = [len(encode(prompt, add_special_tokens=False)) for prompt in server.prompts]
    assert sent / int(number) == pytest.approx(sum(lengths) / len(lengths), rel=0.2)


def test_what_is_announced_is_what_is_asked_where_every_answer_is_the_reference(folder, server):
    prepared = prepare(load_recipe(str(folder / "recipe.py"), [judge(server)]))
    bench = make_ready(prepared.recipe, UnderTest.of(prepared.source))
    prompts = prompts_at_most(prepared, bench)
    assert prompts.total() == AT_MOST >= len(provisional(folder))
    asked = {question.text for question in prepared.dataset.questions if not question.facts and question.answer}
    for text in prompts:
        assert sum(f"\n{question}\n" in text for question in asked) == 1
