"""Draw the next token from logits with one given uniform number: inverse transform sampling."""

from __future__ import annotations

import torch

BLOCK = 256
"""Tokens whose chances are summed in float32; the sums of such blocks are added up in float64."""
CANDIDATES = (64, 2048)
"""So many of the likeliest tokens are looked at for a nucleus, one after the other, before all of them are sorted."""


def draw(logits: torch.Tensor, numbers: torch.Tensor, temperature: float, top_p: float) -> torch.Tensor:
    """The next token of each row.

    Args:
        logits: rows × vocabulary.
        numbers: one uniform number in [0, 1) for each row, float64.
        temperature: divides the logits; 0 takes the likeliest token.
        top_p: only the smallest set of likeliest tokens that holds this much probability is drawn from
            (nucleus sampling, Holtzman et al. 2020).

    Returns:
        Token ids, one for each row. A row's token depends on that row alone.
    """
    if temperature == 0:
        return logits.argmax(dim=-1)
    weights = chances(logits, temperature)
    if top_p < 1:
        keep_nucleus(weights, top_p)
    return invert(weights, numbers).clamp(max=logits.shape[-1] - 1).to(logits.device)


def chances(logits: torch.Tensor, temperature: float) -> torch.Tensor:
    """The tokens' probabilities up to one factor a row, in float32, filled up with zeros to whole blocks."""
    rows, vocabulary = logits.shape
    weights = logits.new_zeros(rows, -(-vocabulary // BLOCK) * BLOCK, dtype=torch.float32)
    part = weights[:, :vocabulary].copy_(logits)
    part.sub_(part.amax(dim=-1, keepdim=True)).mul_(1 / temperature).exp_()
    return weights


def invert(weights: torch.Tensor, numbers: torch.Tensor) -> torch.Tensor:
    """The first place of each row at which the sum of weights exceeds the row's number times the sum of all.

    First the block is found, then the place within it, so that few sums are made in float64.
    """
    blocks = weights.view(len(weights), -1, BLOCK)
    sums = exact(blocks.sum(dim=-1)).cumsum(dim=-1)
    wanted = numbers.to(sums.device).unsqueeze(-1) * sums[:, -1:]
    found = torch.searchsorted(sums, wanted, right=True).clamp(max=sums.shape[-1] - 1)
    before = torch.where(found > 0, sums.gather(-1, (found - 1).clamp(min=0)), 0.0)
    rows = torch.arange(len(weights), device=weights.device)
    within = exact(blocks[rows, found.squeeze(-1).to(weights.device)]).cumsum(dim=-1)
    # The block's own sum may be rounded otherwise; what is wanted has to stay within it.
    rest = torch.minimum(wanted - before, torch.nextafter(within[:, -1:], torch.zeros_like(before)))
    return (found * BLOCK + torch.searchsorted(within, rest, right=True)).squeeze(-1)


def keep_nucleus(weights: torch.Tensor, top_p: float) -> None:
    """Sets the weights outside the nucleus to zero; of equal weights at its edge, the first ones stay."""
    total = exact(weights.view(len(weights), -1, BLOCK).sum(dim=-1)).sum(dim=-1, keepdim=True)
    for count in (*(each for each in CANDIDATES if each < weights.shape[1]), weights.shape[1]):
        likeliest = weights.topk(count, dim=-1).values
        sums = exact(likeliest)
        inside = sums.cumsum(dim=-1) - sums < top_p * total
        if not inside[:, -1].any():  # so the next less likely one is outside in every row
            break
    sizes = inside.sum(dim=-1, keepdim=True).clamp(min=1).to(weights.device)
    least = likeliest.gather(-1, sizes - 1)
    weights.masked_fill_(weights < least, 0.0)
    edge = weights == least
    wanted = sizes - (likeliest > least).sum(dim=-1, keepdim=True)
    if (edge.sum(dim=-1, keepdim=True) > wanted).any():
        weights.masked_fill_(edge & (edge.cumsum(dim=-1) > wanted), 0.0)


def exact(weights: torch.Tensor) -> torch.Tensor:
    """In float64; on the CPU where the device (Apple's) has none."""
    return weights.cpu().double() if weights.device.type == "mps" else weights.double()


def margin(logits: torch.Tensor, numbers: torch.Tensor, temperature: float) -> torch.Tensor:
    """How far each row's number is from where another token would be drawn, in probability (for tests)."""
    sums = torch.softmax(exact(logits) / temperature, dim=-1).cumsum(dim=-1)
    scaled = numbers.unsqueeze(-1).to(sums.device) * sums[:, -1:]
    return (sums - scaled).abs().min(dim=-1).values
