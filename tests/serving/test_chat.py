"""A chat answers as the run's own asking would, and says what it shows."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest

from tests.serving.talking import ASKED, introduction, rewrite_recipe, talk
from train import sampling
from train.loading import load_recipe
from train.prepare import prepare
from train.recipe import GOLD, LoRA, QLoRA, Tuned
from train.records import Answer, Passage, Prompt
from train.report.texts import visible
from train.retrieval import BM25
from train.serialising import revive, to_json
from train.serving import chat
from train.serving.stored import load, stored_arm
from train.store import Run


def found(directory: Path, question: str, count: int) -> list[Passage]:
    passages = [revive(Passage, record) for record in Run.of(directory).records("passages.jsonl")]
    known = {passage.id: passage for passage in passages}
    return [known[each] for each in BM25(passages).search(question, count)]


def engine_answers(directory: Path, arm: str, question: str, shown: list[Passage], samples: int) -> list[Answer]:
    """What the engine of the run answers to the prompt that `prepare` makes with these passages."""
    prepared = prepare(load_recipe(str(directory.parent / "recipe.py")))
    text, tokens = prepared.chat.prompt(prepared.recipe.prompt, question, shown)
    model = load(stored_arm(Run.of(directory), arm, None), lambda line: None).model
    request = sampling.Request(
        arm=arm,
        seed=0,
        prompt=Prompt(question, "asked", text, tokens),
        adapter=None if arm == "base" else "default",
        samples=tuple(range(samples)),
        keys=tuple(map(str, range(samples))),
    )
    answers: list[Answer] = []
    sampling.answer([request], model, prepared.chat.tokenizer, prepared.settings, answers.extend)
    return answers


def written(shown: list[Passage], answer: Answer) -> str:
    """How a chat writes passages that are short, and an answer."""
    lines = [f"[{number}] {passage.id}: {' '.join(passage.text.split())}\n" for number, passage in enumerate(shown, 1)]
    cut = "" if answer.finish == "stop" else " … (cut after 12 tokens)"
    return "".join([*lines, "\n", visible(answer.text) + cut if answer.text else "(an empty answer)", "\n\n"])


@pytest.mark.parametrize(("arm", "count"), [("base", 2), ("closed-book", 0), ("open-book", 1), ("open-book", 3)])
def test_answers_are_those_of_asking_and_a_question_asked_again_gets_its_next_sample(finished_run, arm, count):
    shown = found(finished_run, ASKED, count)
    first, second = engine_answers(finished_run, arm, ASKED, shown, 2)
    assert len(shown) == count
    said = talk(finished_run, arm, ASKED, f"  {ASKED} ", passages=count)
    assert said == written(shown, first) + written(shown, second)


def test_prompts_are_those_that_prepare_makes_and_the_run_stored(finished_run):
    run = Run.of(finished_run)
    prepared = prepare(load_recipe(str(finished_run.parent / "recipe.py")))
    respondent = load(stored_arm(run, "open-book", None), lambda line: None)
    texts = {record["id"]: record["text"] for record in run.records("questions.jsonl")}
    passages = {record["id"]: revive(Passage, record) for record in run.records("passages.jsonl")}
    stored = run.records("contexts.jsonl")
    assert {record["condition"] for record in stored} >= {"none", "gold"}
    for record in stored:
        shown = [passages[each] for each in record["passages"]]
        text, tokens = respondent.format.prompt(respondent.stored.prompt, texts[record["question"]], shown)
        assert text == record["prompt"]
        assert tokens == prepared.prompts[record["question"], record["condition"]].tokens
    assert sorted(respondent.format.stop) == list(prepared.settings.stop)


@pytest.mark.parametrize(
    ("arm", "count", "says"),
    [
        ("base", 3, "with the 3 passages that a search finds; --passages N shows others, 0 none"),
        ("open-book", 3, "with the 3 passages that a search finds; --passages N shows others, 0 none"),
        ("closed-book", 0, "without passages, as the arm was trained; --passages N shows it some"),
    ],
)
def test_an_arm_is_asked_as_it_was_trained_unless_told_otherwise(finished_run, arm, count, says):
    assert len(re.findall(r"^\[\d\] ", talk(finished_run, arm, ASKED), re.MULTILINE)) == count
    assert len(re.findall(r"^\[\d\] ", talk(finished_run, arm, ASKED, passages=1), re.MULTILINE)) == 1
    assert introduction(finished_run, arm)[1] == f"each question is asked alone, {says}"


def test_the_introduction_says_who_answers_and_how(finished_run):
    who, _, how = introduction(finished_run, "open-book")
    assert who.startswith("tiny: arm open-book, seed 0, trained under gold; base /")
    assert " in float32 on " in who
    assert how == "temperature 0.8, at most 12 tokens, as in the run; an empty line ends"
    assert ": arm base, not tuned; " in introduction(finished_run, "base")[0]


def test_an_arm_trained_on_retrieved_passages_is_asked_with_as_many(run_copy):
    rewrite_recipe(run_copy, lambda recipe: recipe["arms"]["open-book"].update(condition="retrieved@2"))
    assert talk(run_copy, "open-book", ASKED).count("\n[") == 1


def test_a_blank_line_ends_the_chat(finished_run):
    questions = iter([ASKED, " \t", "What is the code of gate 1?"])
    chat(Run.of(finished_run), "base", ask=questions, out=io.StringIO())
    assert next(questions) == "What is the code of gate 1?"


def test_a_question_that_does_not_fit_is_not_asked_and_the_chat_goes_on(finished_run):
    said = talk(finished_run, "base", "lamp " * 600, ASKED, passages=0)
    assert re.match(r"\(not asked: \d+ tokens, and 12 for the answer, are more than the model's window of 512; ", said)
    assert said.endswith(talk(finished_run, "base", ASKED, passages=0))


def test_counterfactual_passages_are_never_found(run_copy):
    untrue = Passage("q#counterfactual", f"{ASKED} {ASKED} It is no colour.", "counterfactual")
    run = Run.of(run_copy)
    run.write_records("passages.jsonl", [*run.records("passages.jsonl"), to_json(untrue)])
    assert "counterfactual" not in talk(run_copy, "base", ASKED, passages=50)


def test_no_control_character_of_a_passage_or_an_answer_reaches_the_terminal(run_copy, finished_run):
    """A random model with a byte-level vocabulary says control characters by itself."""
    run = Run.of(run_copy)
    passage = Passage("a\x1b]0;b\x07", "lamp \x1b[31mred\x9b2J\r\nnext\x00line " + "pier " * 100, "a.md")
    run.write_records("passages.jsonl", [to_json(passage)])
    answers = engine_answers(finished_run, "base", ASKED, [passage], 60)
    assert any(re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", answer.text) for answer in answers)
    said = talk(run_copy, "base", *[ASKED] * 60)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]", said)
    line = next(line for line in said.splitlines() if line.startswith("[1] "))
    assert line.startswith("[1] a␛]0;b␇: lamp ␛[31mred⟨U+009B⟩2J next␀line pier pier")
    assert line.endswith("…") and len(line) == 204
    assert [visible(answer.text) in said for answer in answers] == [True] * 60


def test_empty_answers_are_named(run_copy):
    """One token an answer: some are blanks, which are no answer."""
    rewrite_recipe(run_copy, lambda recipe: recipe["sampling"].update(max_new_tokens=1, temperature=2.0))
    said = talk(run_copy, "base", *[ASKED] * 80, passages=0)
    assert "\n(an empty answer)\n" in said and " … (cut after 1 tokens)\n" in said


def test_a_question_with_broken_letters_is_asked(finished_run):
    assert talk(finished_run, "base", "What is \udcff the lamp?", passages=0)


@pytest.mark.parametrize("adapter", [LoRA(), QLoRA(quantization="fp4"), QLoRA(alpha=8.0, quantization="fp4")])
def test_an_arm_is_asked_on_the_base_that_it_was_tuned_on_in_4_bits_or_not(run_copy, finished_run, adapter):
    recipe = load_recipe(str(finished_run.parent / "recipe.py"))
    arms = recipe.replace(arms={**recipe.arms, "open-book": Tuned(condition=GOLD, adapter=adapter)}).to_json()["arms"]
    rewrite_recipe(run_copy, lambda stored: stored.update(arms=arms))
    stored = stored_arm(Run.of(run_copy), "open-book", None)
    assert stored.quantization == (adapter if isinstance(adapter, QLoRA) else None)
    if isinstance(adapter, QLoRA):
        pytest.importorskip("bitsandbytes")
        assert "(fp4 weights)" in introduction(run_copy, "open-book")[0]
        state = load(stored, lambda line: None).model.state_dict()
        assert any(name.endswith("quant_state.bitsandbytes__fp4") for name in state)


def test_chatting_changes_nothing_in_the_run(run_copy):
    def state() -> dict[str, tuple[int, int]]:
        return {
            str(path): (path.stat().st_mtime_ns, path.stat().st_size) for path in run_copy.rglob("*") if path.is_file()
        }

    before = state()
    talk(run_copy, "open-book", ASKED)
    assert state() == before
