"""Products with weight matrices by the fastest code at hand, where no gradients are wanted."""

from __future__ import annotations

from functools import cache

import torch


def linear(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
    """x · weightᵀ + bias, tokens × outputs.

    PyTorch's own float32 products on a CPU are MKL's, which on AMD's processors leaves half of each AVX-512 register
    unused; oneDNN does not, and takes half the time. Both add up in float32, in another order.
    """
    if x.dtype == torch.float32 and x.is_cpu and onednn():
        try:
            product: torch.Tensor = torch.ops.mkldnn._linear_pointwise(dense(x), dense(weight), bias, "none", [], "")
            return product
        except (
            RuntimeError
        ):  # "could not create a primitive", whatever the reason; PyTorch's own product can or says why
            pass
    return torch.nn.functional.linear(x, weight, bias)


def dense(matrix: torch.Tensor) -> torch.Tensor:
    """The matrix with its rows, or its columns, one after the other: oneDNN is slow beyond measure with any other."""
    return matrix if matrix.is_contiguous() or matrix.t().is_contiguous() else matrix.contiguous()


@cache
def onednn() -> bool:
    """Whether oneDNN can be called, and has wider registers to use. PyTorch's compiler calls it by the same name, which
    no release has promised to keep; so it is tried."""
    if torch.backends.cpu.get_cpu_capability() != "AVX512":
        return False
    x, weight, bias = torch.arange(6.0).view(2, 3), torch.arange(12.0).view(4, 3), torch.arange(4.0)
    try:
        product = torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")
    except (AttributeError, RuntimeError, TypeError):
        return False
    return torch.equal(product, torch.nn.functional.linear(x, weight, bias))
