"""Draw the next token from logits with one given uniform number: inverse transform sampling."""

from __future__ import annotations

import torch


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
    probabilities = chances(logits, temperature)
    if top_p < 1:
        ordered, order = probabilities.sort(dim=-1, descending=True, stable=True)
        outside = ordered.cumsum(dim=-1) - ordered >= top_p
        probabilities = probabilities.scatter(-1, order, ordered.masked_fill(outside, 0.0))
    sums = probabilities.cumsum(dim=-1)
    # The first token whose cumulative probability exceeds the number; scaled, since the sum is 1 only nearly.
    picked = torch.searchsorted(sums, numbers.unsqueeze(-1).to(sums.device) * sums[:, -1:], right=True)
    return picked.squeeze(-1).clamp(max=logits.shape[-1] - 1).to(logits.device)


def chances(logits: torch.Tensor, temperature: float) -> torch.Tensor:
    """The tokens' probabilities in float64; on the CPU where the device (Apple's) has no float64."""
    wide = logits.cpu().double() if logits.device.type == "mps" else logits.double()
    return torch.softmax(wide / temperature, dim=-1)


def margin(logits: torch.Tensor, numbers: torch.Tensor, temperature: float) -> torch.Tensor:
    """How far each row's number is from where another token would be drawn, in probability (for tests)."""
    sums = chances(logits, temperature).cumsum(dim=-1)
    scaled = numbers.unsqueeze(-1).to(sums.device) * sums[:, -1:]
    return (sums - scaled).abs().min(dim=-1).values
