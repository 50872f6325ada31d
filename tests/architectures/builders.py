"""Tiny models of the families that recipes name: as published in all but size, with random weights."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from ..conftest import FACTS

LLAMA3_TEMPLATE = (
    "{% for message in messages %}{% if loop.first %}{{ bos_token }}{% endif %}"
    "<|start_header_id|>{{ message['role'] }}<|end_header_id|>\n\n{{ message['content'] | trim }}<|eot_id|>"
    "{% endfor %}{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}"
)
"""Llama 3: one BOS, then each turn with a header, its content trimmed, and an end."""

PHI3_TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>\n{{ message['content'] }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% else %}{{ eos_token }}{% endif %}"
)
"""Phi-3: no BOS; a finished conversation ends with EOS after the end of its last turn."""

LLAMA3_WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""Where Llama 3's tokenizer parts text before it merges bytes."""

TEXTS = [
    *(text.format(n=n, v=v) for _, *two, values in FACTS for text in two for n in range(9) for v in values),
    "The documents do not say.",
    "You answer questions about our documents. Answer in one short sentence.",
]


LAYERS = 2


@dataclass(frozen=True, slots=True)
class Family:
    """What is known of a family before anything is run."""

    name: str
    bos: int
    """How many tokens that begin a sequence stand in a prompt."""
    turn_end: str
    stops: frozenset[str]
    """All tokens on which its generation settings stop."""
    shapes: Mapping[str, tuple[int, int]]
    """Inputs and outputs of every kind of linear layer but the head, in the tiny model."""


LLAMA3 = Family(
    name="llama3",
    bos=1,
    turn_end="<|eot_id|>",
    stops=frozenset({"<|end_of_text|>", "<|eot_id|>"}),
    shapes={
        "q_proj": (64, 192),
        "k_proj": (64, 64),
        "v_proj": (64, 64),
        "o_proj": (192, 64),
        "gate_proj": (64, 128),
        "up_proj": (64, 128),
        "down_proj": (128, 64),
    },
)
PHI3 = Family(
    name="phi3",
    bos=0,
    turn_end="<|end|>",
    stops=frozenset({"<|endoftext|>", "<|end|>"}),
    shapes={"qkv_proj": (64, 192), "o_proj": (64, 64), "gate_up_proj": (64, 256), "down_proj": (128, 64)},
)
FAMILIES = (LLAMA3, PHI3)


def write_model(family: Family, directory: Path, **changes: Any) -> Path:
    """A model directory of that family; `changes` are made to its configuration."""
    directory.mkdir(parents=True, exist_ok=True)
    return (write_llama3 if family == LLAMA3 else write_phi3)(directory, **changes)


def write_llama3(directory: Path, **changes: Any) -> Path:
    """A Llama as Kanana-1.5-2.1B is one: grouped queries, heads wider than hidden / heads, tied embeddings."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    core = llama3_tokenizer()
    write_tokenizer(
        core,
        directory,
        tokenizer_class="PreTrainedTokenizerFast",
        bos_token="<|begin_of_text|>",
        eos_token="<|eot_id|>",
        clean_up_tokenization_spaces=True,
        chat_template=LLAMA3_TEMPLATE,
    )
    torch.manual_seed(0)
    settings = {
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 32,
        "tie_word_embeddings": True,
        "max_position_embeddings": 512,
    }
    begins, ends, turn_ends = (
        core.token_to_id(name) for name in ("<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>")
    )
    config = LlamaConfig(
        **(settings | changes),
        vocab_size=rounded_up(core.get_vocab_size()),
        bos_token_id=begins,
        eos_token_id=[ends, turn_ends],
        initializer_range=0.1,
    )
    # Six heads of their own width are no divisor of the hidden size, as Kanana's 24 are none of 1792. transformers
    # computes such a model, but since 5.8 it neither makes nor saves the configuration, so that is written past it.
    config.num_attention_heads = 6
    model = LlamaForCausalLM(config)
    config.num_attention_heads = 4
    model.save_pretrained(directory)
    path = directory / "config.json"
    write_json(path, json.loads(path.read_text(encoding="utf-8")) | {"num_attention_heads": 6})
    write_generation(directory, bos_token_id=begins, eos_token_id=[ends, turn_ends])
    return directory


def write_phi3(directory: Path, **changes: Any) -> Path:
    """A Phi-3-mini-4k: fused projections, a head of its own, attention over a window that most prompts exceed."""
    import torch
    from transformers import Phi3Config, Phi3ForCausalLM

    core = phi3_tokenizer()
    write_tokenizer(
        core,
        directory,
        tokenizer_class="LlamaTokenizer",
        legacy=False,
        add_bos_token=False,
        bos_token="<s>",
        eos_token="<|endoftext|>",
        pad_token="<|endoftext|>",
        unk_token="<unk>",
        padding_side="left",
        chat_template=PHI3_TEMPLATE,
    )
    torch.manual_seed(0)
    settings = {
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": 4,
        "max_position_embeddings": 512,
        "original_max_position_embeddings": 512,
        "sliding_window": 24,
    }
    ends = core.token_to_id("<|endoftext|>")
    config = Phi3Config(
        **(settings | changes),
        vocab_size=rounded_up(core.get_vocab_size()),
        bos_token_id=core.token_to_id("<s>"),
        eos_token_id=ends,
        pad_token_id=ends,
        initializer_range=0.1,
    )
    Phi3ForCausalLM(config).save_pretrained(directory)
    # As published, it also names code of its own, which is not to be run.
    path = directory / "config.json"
    code = {"AutoConfig": "configuration_phi3.Phi3Config", "AutoModelForCausalLM": "modeling_phi3.Phi3ForCausalLM"}
    write_json(path, json.loads(path.read_text(encoding="utf-8")) | {"auto_map": code})
    write_generation(directory, bos_token_id=1, eos_token_id=[ends, core.token_to_id("<|end|>")], pad_token_id=ends)
    return directory


def llama3_tokenizer() -> Tokenizer:
    """Byte-level BPE that adds a BOS when it encodes."""
    core = Tokenizer(models.BPE(ignore_merges=True))
    core.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(LLAMA3_WORDS), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    core.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    core.train_from_iterator(TEXTS, trainers.BpeTrainer(vocab_size=400, initial_alphabet=alphabet, show_progress=False))
    names = ("begin_of_text", "end_of_text", "start_header_id", "end_header_id", "eot_id")
    core.add_special_tokens([AddedToken(f"<|{name}|>", normalized=False, special=True) for name in names])
    begins = "<|begin_of_text|>"
    core.post_processor = processors.Sequence(
        [
            processors.ByteLevel(trim_offsets=False),
            processors.TemplateProcessing(single=f"{begins} $A", special_tokens=[(begins, core.token_to_id(begins))]),
        ]
    )
    return core


def phi3_tokenizer() -> Tokenizer:
    """SentencePiece's BPE with bytes for what it does not know; special tokens swallow the blanks behind them."""
    trained = Tokenizer(models.BPE())
    trained.pre_tokenizer = pre_tokenizers.Metaspace()
    trained.train_from_iterator(TEXTS, trainers.BpeTrainer(vocab_size=200, show_progress=False))
    learnt = json.loads(trained.to_str())["model"]
    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), *learnt["vocab"]]
    core = Tokenizer(
        models.BPE(
            vocab={token: number for number, token in enumerate(tokens)},
            merges=[tuple(merge) for merge in learnt["merges"]],
            unk_token="<unk>",
            fuse_unk=True,
            byte_fallback=True,
        )
    )
    core.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    core.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    core.add_special_tokens([AddedToken(name, normalized=False, special=True) for name in ("<unk>", "<s>")])
    core.add_special_tokens([AddedToken("<|endoftext|>", normalized=False, special=True)])
    core.add_special_tokens(
        [
            AddedToken(f"<|{name}|>", rstrip=True, normalized=False, special=True)
            for name in ("assistant", "system", "end", "user")
        ]
    )
    return core


def write_tokenizer(core: Tokenizer, directory: Path, **settings: Any) -> None:
    """The tokenizer as the hub has it: `tokenizer.json` and `tokenizer_config.json` with the chat template in it."""
    core.save(str(directory / "tokenizer.json"))
    write_json(directory / "tokenizer_config.json", settings)


def write_generation(directory: Path, **settings: Any) -> None:
    """The generation settings."""
    write_json(directory / "generation_config.json", settings)


def write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")


def rounded_up(vocabulary: int) -> int:
    """The embedding's rows: published models have more of them than their tokenizers have tokens."""
    return (vocabulary // 64 + 1) * 64
