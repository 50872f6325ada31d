"""vLLM as the engine: when it is chosen, and the seeds it draws with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from train.arms import LoRA, QLoRA, Tuned, Untuned
from train.conditions import GOLD
from train.errors import UserError
from train.loading import load_recipe
from train.recipe import Comparison, Recipe
from train.records import Prompt
from train.sampling import ENGINE, Request, Settings, pick_engine, vllm

PLAIN = {"base": Untuned(), "open-book": Tuned(GOLD, LoRA(rank=4))}
SETTINGS = Settings(temperature=0.8, top_p=1.0, max_new_tokens=12, seed=0, stop=(2,))


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python believes that vLLM 0.19.1 is installed."""
    metadata = tmp_path / "vllm-0.19.1.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text("Metadata-Version: 2.1\nName: vllm\nVersion: 0.19.1\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))


def asking(project: Path, engine: str, arms: dict) -> Recipe:
    recipe = load_recipe(str(project / "recipe.py"), [])
    return recipe.replace(arms=arms, sampling=replace(recipe.sampling, engine=engine), comparison=Comparison())


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("engine", "device", "processes", "arms", "chosen"),
    [
        ("auto", "cuda", 1, PLAIN, "vllm-0.19.1"),
        ("vllm", "cpu", 1, PLAIN, "vllm-0.19.1"),
        ("openbook", "cuda", 1, PLAIN, ENGINE),
        ("auto", "cpu", 1, PLAIN, ENGINE),
        ("auto", "cuda", 2, PLAIN, ENGINE),
        ("auto", "cuda", 1, {**PLAIN, "4bit": Tuned(GOLD, QLoRA(rank=4))}, ENGINE),
        ("auto", "cuda", 1, {**PLAIN, "dora": Tuned(GOLD, LoRA(rank=4, dora=True))}, ENGINE),
    ],
)
def test_one_engine_answers_for_all_arms(project, engine, device, processes, arms, chosen):
    assert pick_engine(asking(project, engine, arms), device, processes)[0] == chosen


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("arms", "processes", "words"),
    [
        ({**PLAIN, "4bit": Tuned(GOLD, QLoRA(rank=4))}, 1, "arm 4bit was trained on a base in 4 bits"),
        ({**PLAIN, "dora": Tuned(GOLD, LoRA(rank=4, dora=True))}, 1, "arm dora has a DoRA adapter"),
        (PLAIN, 2, "several processes"),
    ],
)
def test_asked_for_what_it_cannot_do_it_is_refused(project, arms, processes, words):
    with pytest.raises(UserError, match=words):
        pick_engine(asking(project, "vllm", arms), "cuda", processes)


def test_asked_for_where_it_is_not_installed_it_is_refused(project):
    with pytest.raises(UserError, match="pip install vllm"):
        pick_engine(asking(project, "vllm", PLAIN), "cuda", 1)


def request(samples: tuple[int, ...], arm: str = "base", question: str = "q1") -> Request:
    prompt = Prompt(question, "none", "", (5, 6, 7))
    return Request(arm, 0, prompt, None, samples, tuple(f"{arm} {sample}" for sample in samples))


def seeds(requests: list[Request]) -> dict[str, int]:
    """The seed of each sample by its key, as vLLM numbers those of a part."""
    return {
        part.request.keys[place]: part.seed(SETTINGS) + number
        for part in vllm.parts(requests)
        for number, place in enumerate(part.places)
    }


@pytest.mark.parametrize("samples", [(2,), (0, 3), (3, 1, 2), (0, 1, 3)])
def test_a_sample_has_the_same_seed_whatever_is_drawn_beside_it(samples):
    together = seeds([request((0, 1, 2, 3))])
    assert seeds([request(samples)]) == {key: together[key] for key in (f"base {sample}" for sample in samples)}


def test_cells_are_paired_and_questions_are_not():
    mine, other, elsewhere = (
        list(seeds([each]).values())
        for each in (request((0, 1)), request((0, 1), arm="tuned"), request((0, 1), question="q2"))
    )
    assert mine == other
    assert not set(mine) & set(elsewhere)
