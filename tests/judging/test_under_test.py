"""A judge is never the model under test: not a copy of the base, and not an arm that `openbook merge` has written."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.judging.project import grade
from train.errors import UserError
from train.judging.under_test import UnderTest, check_name, check_weights
from train.models import origin_of, resolve
from train.recipe import Base
from train.store import Run


@pytest.fixture(scope="module")
def merged(finished_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An arm of the finished run as a whole model."""
    from train.cli import main

    out = tmp_path_factory.mktemp("merged") / "expert"
    assert main(["merge", str(finished_run), "--arm", "open-book", "--out", str(out)]) == 0
    return out


def test_a_merged_arm_says_whose_it_is(merged, finished_run):
    origin, manifest = origin_of(merged), Run.of(finished_run).manifest()
    assert origin is not None
    assert (origin.recipe, origin.arm, origin.seed) == ("tiny", "open-book", 0)
    assert (origin.base, origin.weights) == (manifest["hashes"]["base"], manifest["hashes"]["weights"])
    trained = next(each for each in manifest["training"] if each["arm"] == "open-book")
    assert origin.adapter == trained["digest"]


def test_a_merged_arm_may_not_judge_its_run_or_another_of_the_same_base(openbook, merged, finished_run, folder):
    setting = "grading.judge=" + json.dumps({"kind": "local", "model": str(merged)})
    said = f"grading.judge.model = '{merged}': is arm 'open-book' of recipe 'tiny', merged from the base under test"
    for recipe, run in ((finished_run.parent, finished_run), (folder, folder / "run")):
        code, out, err = openbook("grade", recipe / "recipe.py", "--out", run, "--set", setting)
        assert (code, out) == (2, "")
        assert said in err
        assert "; name another model" in err


def test_a_run_that_has_not_noted_its_bases_weights_still_knows_a_merged_arm(openbook, merged, folder):
    run = Run.of(folder / "run")
    hashes = {name: value for name, value in run.manifest()["hashes"].items() if name != "weights"}
    run.amend({"hashes": hashes})
    code, _, err = grade(openbook, folder, "grading.judge=" + json.dumps({"kind": "local", "model": str(merged)}))
    assert (code, "merged from the base under test" in err) == (2, True)


@pytest.mark.parametrize(
    ("tested", "refused"),
    [
        ("base", True),
        ("weights", True),  # the same weights, with which another tokenizer came
        ("neither", False),
        ("unknown", False),
    ],
)
def test_a_merged_arm_is_refused_for_its_own_base_alone(tested, refused, merged):
    origin = origin_of(merged)
    assert origin is not None
    under = {
        "base": UnderTest(origin.base, ""),
        "weights": UnderTest("another", origin.weights),
        "neither": UnderTest("another", "others"),
        "unknown": UnderTest("another", ""),
    }[tested]
    for check in (
        lambda: check_name(str(merged), under),
        lambda: check_weights(str(merged), resolve(Base(str(merged))), under),
    ):
        if refused:
            with pytest.raises(UserError, match="merged from the base under test"):
                check()
        else:
            check()


def test_weights_are_known_again_whatever_lies_beside_them(tiny_model, tmp_path):
    base = resolve(Base(str(tiny_model)))
    copy = Path(shutil.copytree(tiny_model, tmp_path / "copy"))
    (copy / "notes.txt").write_text("An expert.", encoding="utf-8")
    (copy / "model.safetensors").rename(copy / "weights.safetensors")
    other = resolve(Base(str(copy)))
    assert (other.weights, other.fingerprint != base.fingerprint) == (base.weights, True)


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", '{"merged": 3}', '{"merged": {"arm": "x"}}', '{"arm": "x", "seed": 0}']
)
def test_a_directory_that_says_something_else_says_nothing(content, tmp_path):
    (tmp_path / "openbook.json").write_text(content, encoding="utf-8")
    assert origin_of(tmp_path) is None
