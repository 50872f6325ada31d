"""Keys and values of the questions that are being answered, allocated once."""

from __future__ import annotations

import math

import numpy as np
import torch

from train.decoder.anatomy import Decoder

Where = tuple[torch.Tensor, torch.Tensor, torch.Tensor]
"""Of each of many tokens of answers, its slot, its place and its number in the answer."""


def zeros(decoder: Decoder, *shape: int) -> torch.Tensor:
    """A tensor of the decoder's kind and place, zero since what is masked away may be anything but infinite or none.

    On a CPU it takes memory only as it is written to, and that in large pages, which numpy asks the system for.
    """
    if decoder.device.type != "cpu":
        return torch.zeros(shape, dtype=decoder.dtype, device=decoder.device)
    empty = np.zeros(math.prod(shape) * decoder.dtype.itemsize, dtype=np.uint8)
    return torch.from_numpy(empty).view(decoder.dtype).view(shape)


class Store:
    """A slot for each question: the keys and values of its prompt, which its answers share, and of each answer.

    A prompt's keys lie size × tokens, as products with them are fastest so. Those of answers lie as values do, tokens ×
    size: most answers are much shorter than they may be, and what is not written to takes no memory.
    """

    def __init__(self, decoder: Decoder, slots: int, samples: int, prompt: int, answer: int) -> None:
        """Makes room for so many questions with so many answers each, and for their longest prompt and answer."""
        self.samples = samples
        lying, size = (len(decoder.blocks), slots, decoder.kv_heads), decoder.head_size
        self.prompt_keys = zeros(decoder, *lying, size, prompt)
        self.prompt_values = zeros(decoder, *lying, prompt, size)
        self.answer_keys = zeros(decoder, *lying, samples, answer, size)
        self.answer_values = zeros(decoder, *lying, samples, answer, size)

    def put_prompt(self, block: int, slot: int, keys: torch.Tensor, values: torch.Tensor) -> None:
        """Keeps a prompt's keys and values in a block, tokens × key heads × size."""
        self.prompt_keys[block, slot, ..., : len(keys)] = keys.permute(1, 2, 0)
        self.prompt_values[block, slot, :, : len(values)] = values.transpose(0, 1)

    def put_tokens(self, block: int, where: Where, keys: torch.Tensor, values: torch.Tensor) -> None:
        """Keeps one more token of each row, rows × key heads × size."""
        self.answer_keys[block].permute(0, 2, 3, 1, 4)[where] = keys
        self.answer_values[block].permute(0, 2, 3, 1, 4)[where] = values

    def move(self, source: int, target: int, prompt: int, answer: int) -> None:
        """Copies a question with so many tokens into another slot."""
        self.prompt_keys[:, target, ..., :prompt] = self.prompt_keys[:, source, ..., :prompt]
        self.prompt_values[:, target, :, :prompt] = self.prompt_values[:, source, :, :prompt]
        for each in (self.answer_keys, self.answer_values):
            each[:, target, ..., :answer, :] = each[:, source, ..., :answer, :]
