"""The kernel of the maximum mean discrepancy, with its derivative written out to be fast."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

# Widths of the kernel family, as multiples of the latent dimension: for two standard normal
# draws the expected squared distance is twice the dimension.
KERNEL_WIDTHS = (4.0, 2.0, 1.0, 0.5, 0.25)


def kernel_discrepancy(a: Tensor, b: Tensor) -> Tensor:
    """mean k(a, a) + mean k(b, b) - 2 mean k(a, b) for samples a (n, d) and b (m, d), ().

    The kernel k(u, v) is the mean of five Gaussians exp(-|u-v|² / (2 d w)), w in KERNEL_WIDTHS.
    Samples of several members, (members, n, d) and (members, m, d), give one a member, (members,).
    """
    if a.dim() == 2:
        return _Discrepancy.apply(a[None], b[None])[0]
    return _Discrepancy.apply(a, b)


class _Discrepancy(torch.autograd.Function):
    """The discrepancy of each member; its derivative is found along with it.

    Left to autograd, this term takes more time than the rest of a training step. Member by member
    and block by block, what is worked on stays in the processor's cache.
    """

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
        means, of_a, of_b = zip(*map(_member, a, b), strict=True)
        ctx.save_for_backward(torch.stack(of_a), torch.stack(of_b))
        return torch.stack(means)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
        a, b = (gradient[:, None, None] * slope for slope in ctx.saved_tensors)
        return a, b


def _member(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The discrepancy of a (n, d) and b (m, d), and its derivatives by both."""
    scale = -2.0 * a.shape[-1] * KERNEL_WIDTHS[0]
    n, points = len(a), torch.cat([a, b])
    squares, ones = points.square().sum(dim=1, keepdim=True), torch.ones_like(points[:, :1])
    # Products of such rows are |u-v|² / scale; and those with a slope, what pulls at u.
    left = torch.cat([points, squares, ones], dim=1)
    right = torch.cat([-2.0 * points, ones, squares], dim=1) / scale
    pulls, sums, shares = torch.zeros_like(left), [], []
    room = a.new_empty(2, max(n, len(b)) ** 2)
    a_people, b_people = slice(None, n), slice(n, None)
    for one, other, sign in (
        (a_people, a_people, 1.0),
        (b_people, b_people, 1.0),
        (a_people, b_people, -2.0),
    ):
        u, v = left[one], right[other]
        gaussian, slope = (x[: len(u) * len(v)].view(len(u), len(v)) for x in room)
        torch.mm(u, v.T, out=gaussian).clamp_max_(0.0).exp_()
        share = sign / (len(KERNEL_WIDTHS) * gaussian.numel())
        kernels = _kernel(gaussian, slope)
        sums += kernels
        shares += [share] * len(kernels)
        twice = 2.0 if one == other else 1.0
        pulls[one].addmm_(slope, left[other], alpha=twice * share)
        if one != other:
            pulls[other].addmm_(slope.T, u, alpha=share)
    of_points = (2.0 / scale) * (points * pulls[:, -1:] - pulls[:, :-2])
    total = torch.stack(sums) @ torch.tensor(shares, dtype=a.dtype, device=a.device)
    return total, of_points[:n], of_points[n:]


def _kernel(gaussian: Tensor, slope: Tensor) -> list[Tensor]:
    """Sums over all pairs of g, g², g⁴, g⁸ and g¹⁶, for the widest Gaussian g (n, m), which is
    written over; slope (n, m) becomes g d/dg (g + g² + g⁴ + g⁸ + g¹⁶), the derivative by the
    exponent.

    The widths halve, so each Gaussian is the square of the one before: one exponential in all.
    """
    sums, factor = [gaussian.sum()], 1.0
    slope.copy_(gaussian)
    for width in KERNEL_WIDTHS[1:]:
        factor *= 2.0
        flat = gaussian.view(-1)
        sums.append(torch.dot(flat, flat))
        slope.addcmul_(gaussian, gaussian, value=factor)
        if width != KERNEL_WIDTHS[-1]:
            gaussian.square_()
    return sums
