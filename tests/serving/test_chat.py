"""A chat answers as the run's own asking would, says what it shows, and ends when it is told to."""

from __future__ import annotations

import io
import os
import pty
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from train import sampling
from train.errors import UserError
from train.loading import load_recipe
from train.prepare import prepare
from train.recipe import GOLD, LoRA, QLoRA, Tuned
from train.records import Answer, Passage, Prompt, to_json
from train.report.texts import visible
from train.retrieval import BM25
from train.serving import chat
from train.serving.stored import load, stored_arm
from train.store import Run, revive

ASKED = "What is the lamp of pier 2?"
HEAD = 3
"""The lines that say who answers and how, before the first question."""


def talk(directory: Path, arm: str, *questions: str, **options) -> str:
    """What a chat wrote after its introduction."""
    out = io.StringIO()
    chat(Run.of(directory), arm, ask=iter(questions), out=out, **options)
    return "".join(out.getvalue().splitlines(keepends=True)[HEAD:])


def introduction(directory: Path, arm: str, **options) -> list[str]:
    out = io.StringIO()
    chat(Run.of(directory), arm, ask=iter(()), out=out, **options)
    return out.getvalue().splitlines()


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


def rewrite_recipe(directory: Path, change: Callable[[dict], object]) -> None:
    run = Run.of(directory)
    recipe = run.manifest()["recipe"]
    change(recipe)
    run.amend({"recipe": recipe})


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


def test_chatting_changes_nothing_in_the_run(run_copy):
    def state() -> dict[str, tuple[int, int]]:
        return {
            str(path): (path.stat().st_mtime_ns, path.stat().st_size) for path in run_copy.rglob("*") if path.is_file()
        }

    before = state()
    talk(run_copy, "open-book", ASKED)
    assert state() == before


COMMAND = [sys.executable, "-m", "train", "chat", "--arm", "base", "--passages", "0"]

ON_A_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # the standard input becomes the terminal whose keys send signals
os.execv(sys.argv[1], sys.argv[1:])
"""


def test_questions_come_through_a_pipe_without_prompts_between(finished_run):
    text = f"{ASKED}\nWhat \udcff?\n".encode("utf-8", "surrogateescape")
    command = [*COMMAND, str(finished_run)]
    done = subprocess.run(command, input=text, capture_output=True, check=True, timeout=120)
    said = "".join(done.stdout.decode("utf-8").splitlines(keepends=True)[HEAD:])
    assert said == talk(finished_run, "base", ASKED, "What \ufffd?", passages=0)


@pytest.mark.parametrize(
    ("moment", "key", "code"),
    [
        ("at the question", b"\x04", 0),
        ("at the question", b"\r", 0),
        ("at the question", b"\x03", 130),
        ("in an answer", b"\x03", 130),
    ],
)
def test_on_a_terminal_an_end_ends_and_an_interruption_interrupts(run_copy, moment, key, code):
    rewrite_recipe(run_copy, lambda recipe: recipe["sampling"].update(max_new_tokens=400))
    screen, terminal = pty.openpty()
    command = [sys.executable, "-c", ON_A_TERMINAL, *COMMAND, str(run_copy)]
    process = subprocess.Popen(command, stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True)
    os.close(terminal)
    try:
        read_until(screen, b"> ")
        if moment == "in an answer":
            os.write(screen, b"lamp\r")
            read_until(screen, b"\r\n\r\n")  # the blank line before the answer
        until = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < until:
            os.write(screen, key)  # again, as a person would: readline misses a key in the moment before it waits
            time.sleep(1)
        assert process.poll() == code
        assert b"\r\n> " not in rest(screen), "the answer was not interrupted but waited for"
    finally:
        process.kill()
        os.close(screen)


def rest(screen: int) -> bytes:
    """What a process that has ended left on the screen."""
    seen = b""
    with suppress(OSError):  # how a terminal says that nobody holds its other side
        while more := os.read(screen, 4096):
            seen += more
    return seen


def read_until(screen: int, text: bytes) -> bytes:
    seen, until = b"", time.monotonic() + 120
    while text not in seen:
        assert time.monotonic() < until, seen
        seen += os.read(screen, 4096)
    return seen
