"""What the benchmarks work on: models of random weights at real shapes, and rows and prompts as a run has them.

Random weights change neither speed nor memory. Rows for a real tokenizer are questions of the data set `ml_terms` with
their gold passage among others, rendered by openbook's own prompt code; a random model gets random tokens after a
common beginning of the length of a system message.

    python scripts/benchmark_material.py SHAPE DIRECTORY     # write such a model
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from typing import Any

from train import models
from train.recipe import Base
from train.records import Passage
from train.tuning import TokenRow

SHAPES: dict[str, dict[str, Any]] = {
    "kanana": {
        "kind": "llama", "hidden_size": 1792, "intermediate_size": 8064, "num_hidden_layers": 32,
        "num_attention_heads": 24, "head_dim": 128, "num_key_value_heads": 8, "vocab_size": 128_256,
        "tie_word_embeddings": True,
    },
    "phi3": {
        "kind": "phi3", "hidden_size": 3072, "intermediate_size": 8192, "num_hidden_layers": 32,
        "num_attention_heads": 32, "num_key_value_heads": 32, "vocab_size": 32_064, "tie_word_embeddings": False,
        "pad_token_id": 0,
    },
    "tiny": {
        "kind": "llama", "hidden_size": 128, "intermediate_size": 256, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 512, "tie_word_embeddings": True,
    },
}  # fmt: skip

MODELS = (
    "smollm2 (the model of the recipe quickstart), kanana, phi3 or tiny (random weights of that shape), or what "
    "base.model takes"
)
BEGINNING = 36
"""Tokens that all random rows begin with: as many as a system message has."""
COMPLETION = 20
"""Tokens of a random row's answer."""
TEMPLATE = (
    "{% for message in messages %}<|start|>{{ message['role'] }}\n{{ message['content'] | trim }}<|end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|start|>assistant\n{% endif %}"
)


def byte_tokenizer() -> Any:
    """A tokenizer whose tokens are bytes, with a chat template, for models that have none; padding is token 0."""
    from tokenizers import Tokenizer, decoders, pre_tokenizers
    from tokenizers.models import BPE
    from transformers import PreTrainedTokenizerFast

    special = ["<|pad|>", "<|end|>", "<|start|>"]
    known = [*special, *sorted(pre_tokenizers.ByteLevel.alphabet())]
    core = Tokenizer(BPE({token: number for number, token in enumerate(known)}, []))
    core.add_special_tokens(special)
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(
        tokenizer_object=core, pad_token="<|pad|>", eos_token="<|end|>", chat_template=TEMPLATE
    )


def write_random_model(name: str, directory: Path) -> None:
    """A model of that shape with random weights, and the tokenizer of bytes, as a directory."""
    import torch
    from transformers import AutoModelForCausalLM, LlamaConfig, Phi3Config

    from train.models.repairs import allow_explicit_head_sizes

    allow_explicit_head_sizes()
    shape = dict(SHAPES[name])
    config = {"llama": LlamaConfig, "phi3": Phi3Config}[shape.pop("kind")](**shape)
    with torch.device(models.pick_device()):
        model = AutoModelForCausalLM.from_config(config, dtype=models.pick_dtype(Base("x"), models.pick_device()))
    model.save_pretrained(directory)
    byte_tokenizer().save_pretrained(directory)


@contextmanager
def model_named(name: str) -> Iterator[dict[str, Any]]:
    """The model as a task names it: `model`, as `base.model` takes it, and whether its weights are `random`.

    Random weights are written into a temporary directory, by a process whose memory is gone afterwards.
    """
    if name not in SHAPES:
        from recipes.quickstart import RECIPE

        yield {"model": RECIPE.base.model if name == "smollm2" else name, "random": False}
        return
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run([sys.executable, __file__, name, directory], check=True)
        yield {"model": directory, "random": True}


def make_rows(
    base: Base,
    *,
    random_tokens: bool,
    count: int,
    length: int,
    spread: float,
    context: bool = True,
    learnt: bool = True,
) -> list[TokenRow]:
    """Training rows in tokens, the same for the same arguments.

    Args:
        base: whose tokenizer renders them.
        random_tokens: rows of random tokens instead.
        count: how many.
        length: their mean length in tokens, where they have context.
        spread: lengths are uniform in length · (1 ± spread).
        context: with passages; without, rows are as long as question and answer are.
        learnt: whether the answer counts as part of the row; where only prompts are wanted, it does not.
    """
    rng = random.Random(0)
    # Evenly spaced, so that few rows have that mean, too.
    targets = [length * (1 + spread * (2 * (place + 0.5) / count - 1)) for place in range(count)]
    rng.shuffle(targets)
    if random_tokens:
        vocabulary = models.load_config(models.resolve(base), base).get_text_config().vocab_size
        sizes = [round(target) if context else min(length, 2 * BEGINNING + COMPLETION) for target in targets]
        return [random_row(vocabulary, size + COMPLETION * (not learnt), rng) for size in sizes]
    return list(rendered_rows(base, targets, context, learnt, rng))


def random_row(vocabulary: int, size: int, rng: random.Random) -> TokenRow:
    """A row of random tokens that begins as all do, without the first ones of the vocabulary, which are special."""
    alike = random.Random(0)
    said = max(1, min(COMPLETION, size // 4))
    asked = max(1, size - said)
    beginning = [alike.randrange(5, vocabulary) for _ in range(min(BEGINNING, asked - 1))]
    prompt = [*beginning, *(rng.randrange(5, vocabulary) for _ in range(asked - len(beginning)))]
    return TokenRow(tuple(prompt), tuple(rng.randrange(5, vocabulary) for _ in range(said)))


def rendered_rows(
    base: Base, targets: Sequence[float], context: bool, learnt: bool, rng: random.Random
) -> Iterator[TokenRow]:
    """Questions of `ml_terms`, with as many passages beside the gold one as bring the row nearest to its target."""
    from recipes.phi3_ml_terms import RECIPE
    from train.dataset import load_dataset
    from train.prompts import ChatFormat

    source = models.resolve(base)
    tokenizer = models.load_tokenizer(source, base)
    chat = ChatFormat.of(tokenizer, models.stop_tokens(source))
    dataset, template = load_dataset(RECIPE), RECIPE.prompt
    passages = list(dataset.passages.values())
    questions = [question for question in dataset.questions if question.evidence and question.answer]
    for target in targets:
        question = rng.choice(questions)
        text = rng.choice([question.text, *question.paraphrases])
        shown: list[Passage] = [dataset.passages[passage] for passage in question.evidence] if context else []
        completion = chat.completion(template, text, shown, question.answer)
        wanted = target - len(completion) * learnt
        prompt = chat.prompt(template, text, shown)[1]
        for other in cycle(rng.sample(passages, len(passages))) if context else ():
            longer = chat.prompt(template, text, [*shown, other])[1]
            if len(longer) - wanted > wanted - len(prompt):
                break
            shown.append(other)
            prompt = longer
        rng.shuffle(shown)
        yield TokenRow(chat.prompt(template, text, shown)[1], completion)


if __name__ == "__main__":
    from train.pipeline import quiet_libraries

    quiet_libraries()
    write_random_model(sys.argv[1], Path(sys.argv[2]))
