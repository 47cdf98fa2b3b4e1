"""The named terms of the objective, eq. 8 of the paper, to be minimized; and of its variants.

Every term is averaged over subjects, so that λ has one meaning whatever the batch size. Of several
members of an ensemble, (members, n, …) each, every term is one number a member, (members,).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from cavae.config import TrainConfig
from cavae.kernels import kernel_discrepancy
from cavae.model import (
    ConditionalVAE,
    ContrastiveVAE,
    Generators,
    Network,
    Posterior,
    two_layers,
)

WEIGHT_OF = {"mmd": "mmd_weight", "salient_silence": "salient_silence"}
"""Terms that are left out where their weight, a setting of `TrainConfig`, is 0."""


@dataclass(frozen=True)
class Weights:
    """The weights of `TrainConfig`, one a member, (members,); or 0.0 where no member has any."""

    mmd_weight: Tensor | float
    salient_silence: Tensor | float

    @classmethod
    def of(cls, configs: Sequence[TrainConfig], device: torch.device) -> Self:
        """Those of the members' settings."""

        def together(values: Sequence[float]) -> Tensor | float:
            return torch.tensor(values, device=device) if any(values) else 0.0

        return cls(
            together([config.mmd_weight for config in configs]),
            together([config.salient_silence for config in configs]),
        )


def reconstruction(x: Tensor, decoded: Tensor) -> Tensor:
    """-log p(x|z, s) under identity covariance, less its constant: ½ Σ (x - x̂)², mean over n."""
    return _half_squares(x, decoded).mean(dim=-1)


def _half_squares(x: Tensor, decoded: Tensor) -> Tensor:
    return _HalfSquares.apply(decoded, x)


class _HalfSquares(torch.autograd.Function):
    """½ Σ (a - b)² over the last dimension; autograd would write four arrays for its derivative."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
        difference = a - b
        ctx.save_for_backward(difference)
        return 0.5 * torch.linalg.vector_norm(difference, dim=-1).square()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor | None]:
        (difference,) = ctx.saved_tensors
        of_a = gradient[..., None] * difference
        return of_a, -of_a if ctx.needs_input_grad[1] else None


def kl_divergence(posterior: Posterior) -> Tensor:
    """KL(q || N(0, I)) in closed form, summed over dimensions, mean over subjects."""
    return _divergences(posterior).mean(dim=-1)


def _divergences(posterior: Posterior) -> Tensor:
    return _Divergences.apply(posterior.mean, posterior.log_variance)


class _Divergences(torch.autograd.Function):
    """½ Σ (μ² + σ² - log σ² - 1) over the last dimension, with its derivatives written out."""

    @staticmethod
    def forward(ctx: Any, mean: Tensor, log_variance: Tensor) -> Tensor:
        beyond = log_variance.exp().sub_(1.0)
        ctx.save_for_backward(mean, beyond)
        return (mean.square() + beyond).sub_(log_variance).sum(dim=-1).mul_(0.5)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
        mean, beyond = ctx.saved_tensors
        gradient = gradient[..., None]
        return gradient * mean, (0.5 * gradient) * beyond


def mmd(a: Tensor, b: Tensor) -> Tensor:
    """Squared maximum mean discrepancy between samples a (n, d) and b (m, d), eq. 8."""
    return kernel_discrepancy(a, b)


class Discriminator(nn.Module):
    """Log-odds that z and s, (n, latent) each, are of one person rather than of two, (n,)."""

    def __init__(self, latent: int, hidden: int) -> None:
        super().__init__()
        self.layers = two_layers(2 * latent, hidden, 1)

    def forward(self, z: Tensor, s: Tensor) -> Tensor:
        """Log of q(z, s) / (q(z) q(s)) once it has learned to tell them apart."""
        return self.layers(torch.cat([z, s], dim=-1)).squeeze(-1)


def total_correlation(discriminator: Discriminator, z: Tensor, s: Tensor) -> Tensor:
    """KL(q(z, s) || q(z) q(s)) by the density ratio of a discriminator (Abid and Zou, 2019)."""
    return discriminator(z, s).mean(dim=-1)


def discrimination(discriminator: Discriminator, z: Tensor, s: Tensor) -> Tensor:
    """What the discriminator minimizes: cross-entropy of (z, s) against z with the s of the next
    person; people must come in no order."""
    of_another = s.roll(1, dims=-2)
    one, two = discriminator(z, s), discriminator(z, of_another)
    return (softplus(-one) + softplus(two)).mean(dim=-1)


def salient_silence(salient: Posterior) -> Tensor:
    """½ |E[s|y]|² for background y, mean over subjects: the healthy are read as s = 0 too.

    Eq. 2 fixes s at 0 when background is decoded but leaves open what the encoder says of it.
    """
    return 0.5 * salient.mean.square().sum(dim=-1).mean(dim=-1)


def objective(
    model: Network,
    target: Tensor,
    background: Tensor,
    config: TrainConfig | Weights,
    generator: Generators,
    discriminator: Discriminator | None = None,
) -> dict[str, Tensor]:
    """The named terms for one batch, weighted, and their sum under "total".

    target x is (n, p), background y is (m, p), both standardized; λ is config.mmd_weight. A
    discriminator makes it the variant total-correlation.
    """
    if isinstance(model, ConditionalVAE):
        terms = _conditional(model, target, background, generator)
    else:
        terms = _contrastive(model, target, background, config, generator, discriminator)
    return terms | {"total": torch.stack(list(terms.values())).sum(dim=0)}


def _contrastive(
    model: ContrastiveVAE,
    target: Tensor,
    background: Tensor,
    config: TrainConfig | Weights,
    generator: Generators,
    discriminator: Discriminator | None,
) -> dict[str, Tensor]:
    """Eq. 8; with a discriminator the total correlation of target people instead of the MMD."""
    # Both cohorts in one product wherever they go through the same layers.
    people, sizes = (
        torch.cat([target, background], dim=-2),
        (target.shape[-2], background.shape[-2]),
    )
    heard = _weighs(config.salient_silence)
    z = model.encode_common(people)
    s_x, *s_y = (
        model.encode_salient(people).split(sizes) if heard else [model.encode_salient(target)]
    )
    z_draw, s_x_draw = z.sample(generator), s_x.sample(generator)
    z_x_draw, z_y_draw = z_draw.split(sizes, dim=-2)
    s_draw = torch.cat(
        [s_x_draw, torch.zeros_like(z_y_draw)], dim=-2
    )  # Eq. 2: background has none.
    of_x, of_y = _half_squares(people, model.decode(z_draw, s_draw)).split(sizes, dim=-1)
    z_x, z_y = _divergences(z).split(sizes, dim=-1)
    terms = {
        "target_reconstruction": of_x.mean(dim=-1),
        "background_reconstruction": of_y.mean(dim=-1),
        "target_common_kl": z_x.mean(dim=-1),
        "target_salient_kl": kl_divergence(s_x),
        "background_common_kl": z_y.mean(dim=-1),
    }
    if discriminator is not None:
        correlation = total_correlation(discriminator, z_x_draw, s_x_draw)
        terms["total_correlation"] = config.mmd_weight * correlation
    elif _weighs(config.mmd_weight):
        terms["mmd"] = config.mmd_weight * mmd(z_x_draw, z_y_draw)
    if heard:
        terms["salient_silence"] = config.salient_silence * salient_silence(*s_y)
    return terms


def _weighs(weight: Tensor | float) -> bool:
    return isinstance(weight, Tensor) or weight != 0


def _conditional(
    model: ConditionalVAE, target: Tensor, background: Tensor, generator: Generators
) -> dict[str, Tensor]:
    """The evidence lower bound of a conditional VAE, background under label 0, target under 1."""
    z_x, z_y = model.encode_common(target), model.encode_common(background)
    z_x_draw, z_y_draw = (q.sample(generator) for q in (z_x, z_y))
    label = model.encode_salient(target).mean
    return {
        "target_reconstruction": reconstruction(target, model.decode(z_x_draw, label)),
        "background_reconstruction": reconstruction(background, model.decode_background(z_y_draw)),
        "target_common_kl": kl_divergence(z_x),
        "background_common_kl": kl_divergence(z_y),
    }
