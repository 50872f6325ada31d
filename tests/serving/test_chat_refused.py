"""What a chat cannot ask, it refuses with the mend."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.serving.talking import ASKED, rewrite_recipe, talk
from train.errors import UserError
from train.store import Run


def remove_adapter(directory: Path) -> None:
    shutil.rmtree(directory / "adapters/open-book/seed-0")


def change_adapter(directory: Path) -> None:
    with (directory / "adapters/open-book/seed-0/adapter_model.safetensors").open("ab") as file:
        file.write(b" ")


def set_base(**fields) -> Callable[[Path], None]:
    return lambda directory: rewrite_recipe(directory, lambda recipe: recipe["base"].update(fields))


def exchange_base(directory: Path) -> None:
    run = Run.of(directory)
    run.amend({"hashes": {**run.manifest()["hashes"], "base": "another"}})


def forget_passages(directory: Path) -> None:
    (directory / "passages.jsonl").write_text("")


def only_begun(directory: Path) -> None:
    Run.of(directory).amend({"hashes": {}})


def edit_manifest(directory: Path) -> None:
    path = directory / "manifest.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"temperature": 0.8', '"temperature": 0.9'))


@pytest.mark.parametrize(
    ("change", "options", "says"),
    [
        (
            None,
            {"arm": "openbook"},
            r"--arm 'openbook': no such arm in .*; there is 'base', 'closed-book', 'open-book'",
        ),
        (None, {"seed": 7}, r"--seed 7: no such training seed of arm 'open-book'; there is 0"),
        (None, {"arm": "base", "seed": 7}, r"--seed 7: .*'base'; it is not trained and has none; leave it out"),
        (None, {"passages": -1}, r"--passages -1: cannot be negative; 0 asks without passages"),
        (forget_passages, {"passages": 2}, r"--passages 2: .* has no passages; give --passages 0"),
        (
            remove_adapter,
            {},
            r"seed-0: holds no adapter of arm 'open-book'; there is closed-book/seed-0; train it with",
        ),
        (change_adapter, {}, r"adapters/open-book/seed-0: is not as training left it .*; train the arm again"),
        (set_base(model="/no/model"), {}, r"base.model = '/no/model': is not there any more; put the base back"),
        (
            set_base(model="models/tiny"),
            {},
            r"'models/tiny': is not there any more \(seen from /.*\); put the base back",
        ),
        (exchange_base, {}, r"base.model = .*: its files are not those that the run was made with; put the old ones"),
        (
            set_base(trust_remote_code=True),
            {},
            r"runs Python code of its own; give --trust-remote-code if you trust it",
        ),
        (
            set_base(color="red"),
            {},
            r"manifest.json: recipe.base.color: .*; the run is of openbook .*: use that version",
        ),
        (set_base(dtype="int3"), {}, r"manifest.json: recipe.base.dtype: Input should be 'auto', "),
        (only_begun, {}, r"was stopped before its first step; go on with `openbook run`"),
        (edit_manifest, {}, r"manifest.json: was edited"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_the_mend(run_copy, change, options, says):
    if change is not None:
        change(run_copy)
    with pytest.raises(UserError, match=says) as caught:
        talk(run_copy, **{"arm": "open-book", **options})
    assert len(str(caught.value).splitlines()) <= 2


def test_an_arm_without_passages_in_its_run_is_asked_without(run_copy):
    forget_passages(run_copy)
    assert not talk(run_copy, "open-book", ASKED).startswith("[")


def test_a_run_of_answers_made_elsewhere_has_nobody_to_talk_to(finished_run, openbook):
    answers, questions = finished_run / "answers.csv", finished_run.parent / "questions.jsonl"
    Path("answers.csv").write_text("arm,condition,question,sample,answer\nx,gold,lamp2,0,It is blue.\n")
    assert answers.exists()
    assert openbook("compare", "answers.csv", "--questions", questions, "--out", "compared")[0] == 0
    with pytest.raises(UserError, match="compared: holds answers that were made elsewhere and no model; give a run of"):
        talk(Path("compared"), "x")
