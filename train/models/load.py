"""Load a resolved base for training or asking."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any

from train.errors import UserError
from train.models.repairs import allow_explicit_head_sizes
from train.models.source import Source
from train.recipe import Base, QLoRA

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

WHOLE = "(a model directory holds configuration, tokenizer and weights as they were published)"
"""What to look for where a library's message names no mend."""


def pick_device() -> str:
    """The accelerator where there is one, else the CPU."""
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def pick_dtype(base: Base, device: str) -> torch.dtype:
    """What `base.dtype` means on that device."""
    import torch

    if base.dtype != "auto":
        chosen: torch.dtype = getattr(torch, base.dtype)
        return chosen
    return torch.bfloat16 if device == "cuda" and torch.cuda.is_bf16_supported() else torch.float32


def load_tokenizer(source: Source, base: Base) -> PreTrainedTokenizerBase:
    """The base's tokenizer, with a pad token; raises `UserError` where it has no chat template."""
    from huggingface_hub.errors import StrictDataclassError
    from transformers import AutoTokenizer

    allow_explicit_head_sizes()  # the tokenizer's class may be found through the configuration
    try:
        tokenizer = AutoTokenizer.from_pretrained(source.directory, trust_remote_code=base.trust_remote_code)
    except (OSError, ValueError, StrictDataclassError) as error:
        raise UserError(
            f"base.model = {base.model!r}: its tokenizer cannot be loaded: {first_line(error)} {WHOLE}"
        ) from error
    if not tokenizer.chat_template:
        raise UserError(f"base.model = {base.model!r}: its tokenizer has no chat template; use an instruct model")
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def load_model(source: Source, base: Base, quantization: QLoRA | None = None) -> PreTrainedModel:
    """The base model in evaluation mode, on the device and in the precision that `pick_dtype` names.

    With `quantization`, its linear layers are held in 4 bits as that adapter says, and computed in that precision.

    Raises:
        UserError: the directory's model cannot be loaded, cannot be held in 4 bits, or needs remote code that the
            recipe does not trust.
    """
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM

    allow_explicit_head_sizes()
    device = pick_device()
    dtype = pick_dtype(base, device)
    options = {} if quantization is None else four_bit(quantization, dtype, device)
    try:
        model = AutoModelForCausalLM.from_pretrained(
            source.directory,
            dtype=dtype,
            use_safetensors=True,
            trust_remote_code=base.trust_remote_code,
            **options,
        )
    except (OSError, ValueError, SafetensorError) as error:
        raise UserError(f"base.model = {base.model!r}: cannot be loaded: {first_line(error)} {WHOLE}") from error
    if quantization is None:
        model.to(device)
    elif device == "cpu":
        # On processors with AVX512-BF16, bitsandbytes packs the weights anew in the first evaluation, after which
        # training loses its gradients, and answers are computed otherwise than the arm was trained.
        for module in model.modules():
            if hasattr(module, "support_avx512bf16_for_cpu"):
                module.support_avx512bf16_for_cpu = False
    model.eval()
    return model


def four_bit(quantization: QLoRA, dtype: torch.dtype, device: str) -> dict[str, Any]:
    """What transformers is told to load linear layers in 4 bits; raises `UserError` where that cannot be done."""
    if device == "mps" or importlib.util.find_spec("bitsandbytes") is None:
        reason = "Apple's GPU" if device == "mps" else "without the package bitsandbytes"
        raise UserError(f"QLoRA: 4-bit weights cannot be had on {reason}; use LoRA, or another machine")
    import torch
    from transformers import BitsAndBytesConfig

    return {
        "quantization_config": BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type=quantization.quantization,
            bnb_4bit_use_double_quant=quantization.double_quantization,
            bnb_4bit_compute_dtype=dtype,
        ),
        "device_map": {"": torch.cuda.current_device() if device == "cuda" else device},
    }


def load_config(source: Source, base: Base) -> Any:
    """The base's configuration; raises `UserError` where there is none that transformers knows."""
    from huggingface_hub.errors import StrictDataclassError
    from transformers import AutoConfig

    allow_explicit_head_sizes()
    try:
        return AutoConfig.from_pretrained(source.directory, trust_remote_code=base.trust_remote_code)
    except (OSError, ValueError, StrictDataclassError) as error:
        raise UserError(f"base.model = {base.model!r}: {first_line(error)} {WHOLE}") from error


def stop_tokens(source: Source) -> list[int]:
    """The tokens on which the model's own generation settings stop; none where it has no such settings."""
    from transformers import GenerationConfig

    try:
        tokens = GenerationConfig.from_pretrained(source.directory).eos_token_id
    except OSError:
        return []
    return tokens if isinstance(tokens, list) else [] if tokens is None else [tokens]


def linear_layers(config: Any, base: Base) -> dict[str, int]:
    """The names of the model's linear layers but the head, and how many inputs each has; no weights are loaded."""
    import torch
    from transformers import AutoModelForCausalLM

    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config, trust_remote_code=base.trust_remote_code)
    head = model.get_output_embeddings()
    return {
        name: module.in_features
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear) and module is not head
    }


def window(config: Any) -> int | None:
    """The longest sequence in tokens that the model was made for, None where its configuration does not say."""
    length = getattr(config.get_text_config(), "max_position_embeddings", None)
    return int(length) if length else None


def first_line(error: BaseException) -> str:
    """The error's first line, for a message of one line."""
    if type(error).__name__.startswith("StrictDataclass") and error.__cause__:
        error = error.__cause__  # which says what is wrong; the error itself, which check found it
    return (str(error).strip() or type(error).__name__).splitlines()[0]
