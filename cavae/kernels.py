"""The kernel of the maximum mean discrepancy, with its derivative written out to be fast."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

# Widths of the kernel family, as multiples of the latent dimension: for two standard normal
# draws the expected squared distance is twice the dimension.
KERNEL_WIDTHS = (4.0, 2.0, 1.0, 0.5, 0.25)


def kernel_discrepancy(a: Tensor, b: Tensor) -> Tensor:
    """mean k(a, a) + mean k(b, b) - 2 mean k(a, b) for samples a (n, d) and b (m, d).

    The kernel k(u, v) is the mean of five Gaussians exp(-|u-v|² / (2 d w)), w in KERNEL_WIDTHS.
    """
    return _Discrepancy.apply(_squared_distances(torch.cat([a, b])), len(a), a.shape[-1])


def _squared_distances(points: Tensor) -> Tensor:
    squares = points.square().sum(dim=-1)
    return (squares[:, None] + squares[None, :] - 2.0 * points @ points.T).clamp_min(0.0)


class _Discrepancy(torch.autograd.Function):
    """The discrepancy as a function of all squared distances (n + m, n + m).

    The widths halve, so each Gaussian is the square of the one before: one exponential in all.
    Block by block and in place, what is worked on stays in the processor's cache; left to
    autograd, this term takes more time than the rest of a training step.
    """

    @staticmethod
    def forward(ctx: Any, distances: Tensor, n: int, dimension: int) -> Tensor:
        ctx.scale = -2.0 * dimension * KERNEL_WIDTHS[0]
        ctx.blocks = _blocks(n)
        gaussians = [(distances[block] / ctx.scale).exp_() for block, _ in ctx.blocks]
        ctx.save_for_backward(distances, *gaussians)
        means = zip(ctx.blocks, map(_mean_kernel, gaussians), strict=True)
        return torch.stack([sign * mean for (_, sign), mean in means]).sum()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        distances, *gaussians = ctx.saved_tensors
        of_distances = torch.zeros_like(distances)
        for (block, sign), gaussian in zip(ctx.blocks, gaussians, strict=True):
            of_one = gradient * sign / gaussian.numel() / len(KERNEL_WIDTHS)
            of_distances[block] = _kernel_slope(gaussian, of_one).div_(ctx.scale)
        return of_distances, None, None


def _blocks(n: int) -> list[tuple[tuple[slice, slice], float]]:
    """a with a, b with b and a with b, and how each mean counts."""
    a, b = slice(None, n), slice(n, None)
    return [((a, a), 1.0), ((b, b), 1.0), ((a, b), -2.0)]


def _mean_kernel(gaussian: Tensor) -> Tensor:
    """Mean of the kernel, from its widest Gaussian g: of (g + g² + g⁴ + g⁸ + g¹⁶) / 5."""
    power, total = gaussian.clone(), gaussian.clone()
    for _ in KERNEL_WIDTHS[1:]:
        total += power.square_()
    return total.mean() / len(KERNEL_WIDTHS)


def _kernel_slope(gaussian: Tensor, unit: Tensor) -> Tensor:
    """g d/dg of (g + g² + g⁴ + g⁸ + g¹⁶), times unit (): g (1 + 2g (1 + 2g² (1 + …)))."""
    powers = [gaussian]
    for _ in KERNEL_WIDTHS[2:]:
        powers.append(powers[-1].square())
    slope = torch.full_like(gaussian, float(unit))
    for power in reversed(powers):
        slope.mul_(power).mul_(2.0).add_(unit)
    return slope.mul_(gaussian)
