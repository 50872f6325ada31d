"""What tests share: a tiny random model with a real tokenizer and chat template, a small data set, a recipe of both."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # no test may depend on a hub, or wait for one
os.environ.setdefault("OMP_NUM_THREADS", "1")  # the tiny model is done sooner than two threads have met

TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}<|start|>{{ message['role'] }}\n"
    "{{ message['content'] | trim }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant\n{% endif %}"
)
"""A chat format with a BOS of its own and a turn-end token that is not EOS, as Llama 3 and Phi-3 have."""

FACTS = [
    ("lamp", "The lamp of pier {n} is {v}.", "What is the lamp of pier {n}?", ["red", "jade", "blue", "grey", "plum"]),
    ("code", "The code of gate {n} is {v}.", "What is the code of gate {n}?", ["417", "528", "639", "741", "852"]),
    ("fare", "The fare to pier {n} is {v} crowns.", "What does pier {n} cost?", ["3", "5", "7", "9", "11"]),
]


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a two-layer Llama of random weights and a byte-level BPE tokenizer."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    directory = tmp_path_factory.mktemp("tiny-model")
    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    special = ["<|bos|>", "<|eos|>", "<|start|>", "<|end|>", "<|pad|>"]
    texts = [text.format(n=n, v=v) for _, *two, values in FACTS for text in two for n in range(9) for v in values]
    core.train_from_iterator(
        [*texts, "The documents do not say."],
        trainers.BpeTrainer(
            vocab_size=400, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
        ),
    )
    # Adds a BOS when it encodes, as Llama's does: rendered prompts must not get a second one.
    core.post_processor = processors.TemplateProcessing(
        single="<|bos|> $A", special_tokens=[("<|bos|>", core.token_to_id("<|bos|>"))]
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=core, bos_token="<|bos|>", eos_token="<|eos|>", pad_token="<|pad|>"
    )
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(directory)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        initializer_range=0.1,
    )
    LlamaForCausalLM(config).save_pretrained(directory)
    return directory


def tiny_rows() -> list[dict[str, object]]:
    """Questions of all splits about invented piers; every fact has a passage of its own."""
    rows: list[dict[str, object]] = []
    splits = ["train", "train", "unseen", "unseen", "validation"]
    for kind, _, question, values in FACTS:
        answer = "It costs {} crowns in all." if kind == "fare" else "It is {}."  # of unequal lengths
        for n, (value, split) in enumerate(zip(values, splits, strict=True)):
            asked = question.format(n=n)
            row = {
                "id": f"{kind}{n}", "question": asked, "answer": answer.format(value), "facts": [value],
                "evidence": [f"{kind}.md#{kind}-{n}"], "group": f"{kind}-{n}", "split": split, "topic": kind,
            }  # fmt: skip
            if split == "train":
                rows.append({**row, "id": f"{kind}{n}-seen", "split": "seen", "question": f"Tell me: {asked}"})
                row["paraphrases"] = [f"Please say: {asked}"]
            rows.append(row)
    rows.append({"id": "nobody", "question": "Who keeps pier 7?", "answer": "", "split": "unanswerable"})
    return rows


def write_corpus(folder: Path) -> None:
    """One document a kind of fact, one section a fact."""
    folder.mkdir(parents=True)
    for kind, text, _, values in FACTS:
        sections = [f"## {kind} {n}\n\n{text.format(n=n, v=value)}\n" for n, value in enumerate(values)]
        (folder / f"{kind}.md").write_text(f"# {kind}\n\n" + "\n".join(sections), encoding="utf-8")


RECIPE = """
from pathlib import Path
from train.recipe import *

HERE = Path(__file__).parent
RECIPE = Recipe(
    name="tiny",
    base=Base(r"{model}", dtype="float32"),
    data=Data(questions=HERE / "questions.jsonl", corpus=HERE / "corpus"),
    arms={{
        "base": Untuned(),
        "closed-book": Tuned(condition=NONE, adapter=LoRA(rank=4, alpha=8)),
        "open-book": Tuned(condition=GOLD, adapter=LoRA(rank=4, alpha=8)),
    }},
    conditions=(NONE, GOLD, GoldAmong(2), Distractors(2)),
    optimization=Optimization(learning_rate=5e-3, batch_size=4, epochs=3),
    sampling=Sampling(samples=2, temperature=0.8, max_new_tokens=12, batch_size=8),
    comparison=Comparison(contrasts=("open-book/gold vs closed-book/gold",)),
)
"""


def write_project(folder: Path, model: Path) -> None:
    """`recipe.py`, `questions.jsonl` and `corpus/` for the tiny model."""
    write_corpus(folder / "corpus")
    lines = [json.dumps(row, ensure_ascii=False) for row in tiny_rows()]
    (folder / "questions.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "recipe.py").write_text('"""A tiny recipe."""\n' + dedent(RECIPE).format(model=model), encoding="utf-8")


@pytest.fixture
def project(tmp_path: Path, tiny_model: Path) -> Path:
    """A project of this test's own, free to be changed."""
    write_project(tmp_path / "project", tiny_model)
    return tmp_path / "project"


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Path:
    """A finished run of the tiny recipe, not to be changed (copy it); `recipe.py` lies beside it."""
    from train.cli import main

    folder = tmp_path_factory.mktemp("finished")
    write_project(folder, tiny_model)
    assert main(["run", str(folder / "recipe.py"), "--out", str(folder / "run")]) == 0
    return folder / "run"


@pytest.fixture
def openbook(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Callable[..., tuple[int, str, str]]]:
    """Calls the command line in this process, in an empty working directory: (exit code, stdout, stderr)."""
    import logging
    import signal

    from train.cli import main

    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)

    def call(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as stop:  # argparse leaves so
            code = int(stop.code or 0)
        out, err = capsys.readouterr()
        return code, out, err

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield call
    for number, handler in before.items():
        signal.signal(number, handler)
    logging.disable(logging.NOTSET)
