"""Loss and gradients of adapters on a flat stream of rows: the whole of a training step but the optimizer."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from train.decoder.adapters import Routes
from train.decoder.anatomy import Decoder
from train.decoder.arithmetic import normalise, normalise_backward
from train.decoder.attention import row_attention
from train.decoder.blocks import Chosen, Drop, Kept, backward, embed, forward_kept, run
from train.decoder.flat import Flat
from train.decoder.products import linear

LOGITS_AT_ONCE = 2**26
"""So many scores (rows × vocabulary) are held at a time."""


@dataclass(frozen=True, slots=True)
class Targets:
    """What is learnt: after the stream's token `places[i]` comes the token `tokens[i]`, counted with `weights[i]`.

    `arms[i]` is the number of the arm that the sum of losses is kept for.
    """

    places: torch.Tensor
    tokens: torch.Tensor
    weights: torch.Tensor
    arms: torch.Tensor


def losses(
    decoder: Decoder, x: torch.Tensor, targets: Targets, chosen: Chosen, arms: int, *, gradient: bool
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """The weighted sums of the negative log-likelihoods in nats, one for each arm, and the gradient of `x`.

    `x` holds the chosen tokens' hidden states after the last block, which are those that have a target. The gradient of
    the scores is softmax(scores) − onehot(target), written over the scores.
    """
    sums = torch.zeros(arms, device=x.device)
    back = torch.zeros_like(x) if gradient else None
    all_places = torch.searchsorted(chosen.places, targets.places)
    together = max(1, LOGITS_AT_ONCE // decoder.head.outputs)
    for start in range(0, len(targets.places), together):
        part = slice(start, start + together)
        places, tokens, weights = all_places[part], targets.tokens[part], targets.weights[part]
        rows = x[places]
        y, factor = normalise(rows, decoder.norm)
        weight = decoder.head.weight
        scores = linear(y, weight, decoder.head.bias).float()
        at = torch.arange(len(tokens), device=x.device)
        each = torch.logsumexp(scores, dim=-1) - scores[at, tokens]
        sums.index_add_(0, targets.arms[part], each * weights)
        if back is None:
            continue
        scores = torch.softmax(scores, dim=-1)
        scores[at, tokens] -= 1
        scores.mul_(weights[:, None])
        through = torch.zeros_like(rows)
        normalise_backward(through, linear(scores.to(x.dtype), weight.t()), rows, factor, decoder.norm)
        back.index_add_(0, places, through)
    return sums, back


def keep_all(_block: int, _group: int, _route: object) -> None:
    """Drops nothing out."""


@torch.no_grad()
def loss_and_gradients(
    decoder: Decoder,
    flat: Flat,
    targets: Targets,
    routes: Routes,
    *,
    arms: int,
    drop: Drop = keep_all,
    checkpointing: bool = False,
) -> torch.Tensor:
    """The weighted sums of losses, one for each arm; the gradients of their total are added to the adapters'.

    With `checkpointing` only each block's input is kept, and its forward pass is computed again when its turn comes.
    """
    x, rotary = embed(decoder, flat.tokens, flat.positions)
    numbers = range(len(decoder.blocks))
    inputs: list[torch.Tensor] = []
    kept: list[Kept] = []
    attention = row_attention(decoder, flat, keep=True)
    passing = row_attention(decoder, flat) if checkpointing else attention
    chosen = Chosen.of(targets.places, routes)
    end: dict[int, Chosen] = {numbers[-1]: chosen}  # what comes after the last attention is read at targets only
    for number in numbers:
        after, what = forward_kept(decoder, number, x, rotary, passing, routes, drop, end.get(number))
        if checkpointing:
            inputs.append(x)
        else:
            kept.append(what)
        x = after
        del what  # before the next block's is made
    sums, gradient = losses(decoder, x, targets, chosen, arms, gradient=True)
    for number in reversed(numbers):
        if checkpointing:
            _, again = forward_kept(decoder, number, inputs.pop(), rotary, attention, routes, drop, end.get(number))
        else:
            again = kept.pop()
        assert gradient is not None, "only the first block gives none, and it is the last to be asked"
        gradient = backward(decoder, number, gradient, again, rotary, attention.backward, routes, end.get(number))
        del again
    return sums


@torch.no_grad()
def loss_only(decoder: Decoder, flat: Flat, targets: Targets, routes: Routes, *, arms: int) -> torch.Tensor:
    """The weighted sums of losses, one for each arm, without dropout."""
    chosen = Chosen.of(targets.places, routes)
    x = run(decoder, flat.tokens, flat.positions, row_attention(decoder, flat), routes, chosen)
    return losses(decoder, x, targets, chosen, arms, gradient=False)[0]
