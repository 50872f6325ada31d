"""The pieces of a decoder block, forward and backward, written out so that nothing is copied or kept needlessly.

Tokens stand in rows: every tensor is tokens × something. Gradients of frozen weights are never made.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.nn.functional import silu

from train.decoder.adapters import Adapter, Low, Route, Routes
from train.decoder.anatomy import Group, Norm
from train.decoder.products import linear

Inner = list[torch.Tensor | None]
"""What adapters keep of a group's forward pass, one for each route: inner values (tokens × members · rank)."""

Masks = list[torch.Tensor | None]
"""What dropout kept of a group's input, one for each route: tokens × inputs, True where kept."""


def normalise(x: torch.Tensor, norm: Norm) -> tuple[torch.Tensor, torch.Tensor]:
    """weight · x / √(mean(x²) + ε), and the factor 1/√…, tokens × 1; both computed in float32 as transformers does."""
    wide = x.float()
    length = torch.linalg.vector_norm(wide, dim=-1, keepdim=True)
    factor = torch.rsqrt(length.square_().div_(x.shape[-1]).add_(norm.epsilon))
    return (wide * factor).to(x.dtype).mul_(norm.weight), factor


def normalise_backward(
    into: torch.Tensor, gradient: torch.Tensor, x: torch.Tensor, factor: torch.Tensor, norm: Norm
) -> None:
    """Adds the gradient of `normalise`'s input to `into`; `gradient`, that of its output, is overwritten.

    With g the gradient times the weight: factor · g − x · factor³ · mean(g · x).
    """
    g, wide = gradient.mul_(norm.weight).float(), x.float()
    mean = torch.linalg.vecdot(g, wide).unsqueeze(-1) / x.shape[-1]
    if into.dtype == torch.float32:
        into.addcmul_(g, factor).addcmul_(wide, mean * factor**3, value=-1)
    else:
        into.add_(torch.addcmul(g * factor, wide, mean * factor**3, value=-1))


def rotate(heads: torch.Tensor, cosine: torch.Tensor, sine: torch.Tensor, *, back: bool = False) -> None:
    """Rotates tokens × heads × size in place by rotary positions (Su et al. 2021), or back.

    `cosine` and `sine` are tokens × 1 × half the rotated dimensions; dimensions beyond are left as they are.
    """
    half = cosine.shape[-1]
    first, second = heads[..., :half], heads[..., half : 2 * half]
    sign = -1 if back else 1
    moved = first * sine
    first.mul_(cosine).addcmul_(second, sine, value=-sign)
    second.mul_(cosine).add_(moved, alpha=sign)


def parts_of(side_by_side: torch.Tensor, rank: int) -> Sequence[torch.Tensor]:
    """The inner values of a group's members, as views of the whole."""
    return torch.split(side_by_side, rank, dim=1)


def gate_and_up(outputs: Sequence[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    """Gate and up, from a layer each or side by side from one."""
    if len(outputs) == 2:
        return outputs[0], outputs[1]
    left, right = outputs[0].chunk(2, dim=-1)
    return left, right


def gated(outputs: Sequence[torch.Tensor]) -> torch.Tensor:
    """silu(gate) · up."""
    left, right = gate_and_up(outputs)
    return silu(left).mul_(right)


def gated_backward(outputs: Sequence[torch.Tensor], gradient: torch.Tensor) -> None:
    """Overwrites gate and up with their gradients, given that of `gated`."""
    left, right = gate_and_up(outputs)
    activated = silu(left)
    through = gradient * right
    torch.mul(gradient, activated, out=right)
    torch.ops.aten.silu_backward(through, left, grad_input=left)


def project(
    group: Group, x: torch.Tensor, lows: Sequence[tuple[Route, Low]], masks: Masks, kept: Inner | None = None
) -> list[torch.Tensor]:
    """The outputs of each of a group's layers, adapters added to the tokens that are routed to them.

    `masks` has one entry for each of `lows`, None where nothing is dropped out. The adapters' inner values are
    appended to `kept`.
    """
    outputs = [linear(x, layer.weight, layer.bias) for layer in group]
    for (route, low), mask in zip(lows, masks, strict=True):
        inner = None
        if low.outer:
            inner = linear(dropped(x[route.start : route.end], mask, route.adapter), low.inner)
            for (at, outer), values in zip(low.outer, parts_of(inner, route.adapter.rank), strict=True):
                outputs[at][route.start : route.end].add_(linear(values, outer), alpha=route.adapter.scale)
        if kept is not None:
            kept.append(inner)
    return outputs


def project_backward(
    group: Group,
    gradients: Sequence[torch.Tensor],
    x: torch.Tensor,
    lows: Sequence[tuple[Route, Low, Low]],
    masks: Masks,
    kept: Inner,
    *,
    wanted: bool = True,
) -> torch.Tensor | None:
    """The gradient of `project`'s input from those of its outputs; adds to the adapters' own gradients.

    Each of `lows` has a route, the adapter's matrices and their gradients. Without `wanted`, only the adapters'
    gradients are made.
    """
    back: torch.Tensor | None = None
    if wanted:
        back = linear(gradients[0], group[0].weight.t())
        for layer, gradient in zip(group[1:], gradients[1:], strict=True):
            back += linear(gradient, layer.weight.t())
    for (route, low, into), mask, inner in zip(lows, masks, kept, strict=True):
        if inner is None:
            continue
        adapter, here = route.adapter, slice(route.start, route.end)
        through = torch.empty_like(inner)
        each = zip(low.outer, into.outer, parts_of(inner, adapter.rank), parts_of(through, adapter.rank), strict=True)
        for (at, outer), (_, outer_gradient), values, to in each:
            gradient = gradients[at][here]
            torch.mul(linear(gradient, outer.t()), adapter.scale, out=to)
            # The narrow side first: the product is made several times as fast, and turned when it is added.
            outer_gradient.t().add_(linear(values.t(), gradient.t()), alpha=adapter.scale)
        into.inner.add_(linear(through.t(), dropped(x[here], mask, adapter).t()))
        if back is not None:
            back[here].add_(dropped(linear(through, low.inner.t()), mask, adapter))
    return back


def dropped(x: torch.Tensor, mask: torch.Tensor | None, adapter: Adapter) -> torch.Tensor:
    """The input after dropout (Srivastava et al. 2014), scaled so that its mean stays."""
    return x if mask is None else (x * mask).mul_(1 / (1 - adapter.dropout))


def pick(routes: Routes, place: int) -> list[tuple[Route, Low]]:
    """The routes with their adapters' matrices at the group of that number."""
    return [(route, route.adapter.lows[place]) for route in routes]
