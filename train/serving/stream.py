"""An answer as it comes: token by token, and as pieces of text that never have to be taken back.

This is the engine's arithmetic for one row, with the same draws from the same uniform numbers, so a streamed answer is
the one that asking would give. transformers' own `generate` with a `TextIteratorStreamer` would not be: it adds the
model's own generation settings (top-k, penalties) to the recipe's, and it needs a thread, which an interruption leaves
running and whose errors never arrive.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from train import interruption

if TYPE_CHECKING:
    from train.sampling import Settings

UNFINISHED = "\ufffd"
"""What a decoder gives for the first bytes of a letter whose other bytes are still to come."""


def answer_tokens(model: Any, prompt: Sequence[int], question: str, sample: int, settings: Settings) -> Iterator[int]:
    """The answer's tokens as they are drawn, the stop token included where one comes.

    Args:
        model: a causal language model with the adapter that is to answer.
        prompt: the prompt's tokens.
        question: names the random numbers, with `sample`: the same two always draw the same answer.
        sample: counts from 0.
        settings: how the answer is drawn.
    """
    import torch
    from transformers import DynamicCache

    from train.sampling import uniforms
    from train.sampling.draw import draw

    numbers = torch.from_numpy(uniforms(settings.seed, question, sample, settings.max_new_tokens))
    cache = DynamicCache(config=model.config)
    tokens = torch.tensor([list(prompt)], device=model.device)
    mask = torch.ones_like(tokens)
    positions = torch.arange(len(prompt), device=model.device)[None]
    for number in numbers:
        interruption.check()
        # Not around the loop: what asks for the tokens runs between two of them and is not ours to change.
        with torch.inference_mode():
            logits = model(
                input_ids=tokens,
                attention_mask=mask,
                position_ids=positions,
                past_key_values=cache,
                logits_to_keep=1,
            ).logits[:, -1]
            tokens = draw(logits, number[None], settings.temperature, settings.top_p)[:, None]
            mask = torch.cat([mask, mask.new_ones(1, 1)], dim=1)
            positions = positions[:, -1:] + 1
        yield int(tokens.item())
        if int(tokens.item()) in settings.stop:
            return


def pieces(tokens: Iterable[int], stop: Collection[int], decode: Callable[[list[int]], str]) -> Iterator[str]:
    """The text of the tokens before the stop token, piece by piece; together they are the whole text, stripped.

    Blanks and unfinished letters at the end wait for what follows them. Where a decoder changes what it has said
    already (as some do once bytes turn out to be no letter), the whole text follows once more on a new line.
    """
    said: list[int] = []
    given = ""
    for token in tokens:
        if token in stop:
            break
        said.append(token)
        text = decode(said).strip().rstrip(UNFINISHED).rstrip()
        if text.startswith(given) and text != given:
            yield text[len(given) :]
            given = text
    whole = decode(said).strip()
    if not whole.startswith(given):
        yield f"\n{whole}"
    elif whole != given:
        yield whole[len(given) :]
