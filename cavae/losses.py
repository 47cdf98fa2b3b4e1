"""The named terms of the objective, eq. 8 of the paper, to be minimized; and of its variants.

Every term is averaged over subjects, so that λ has one meaning whatever the batch size.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from cavae.config import TrainConfig
from cavae.kernels import kernel_discrepancy
from cavae.model import ConditionalVAE, ContrastiveVAE, Network, Posterior, two_layers


def reconstruction(x: Tensor, decoded: Tensor) -> Tensor:
    """-log p(x|z, s) under identity covariance, less its constant: ½ Σ (x - x̂)², mean over n."""
    return 0.5 * (x - decoded).square().sum(dim=-1).mean()


def kl_divergence(posterior: Posterior) -> Tensor:
    """KL(q || N(0, I)) in closed form, summed over dimensions, mean over subjects."""
    mean, log_variance = posterior.mean, posterior.log_variance
    return 0.5 * (mean.square() + log_variance.exp() - 1.0 - log_variance).sum(dim=-1).mean()


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
    return discriminator(z, s).mean()


def discrimination(
    discriminator: Discriminator, z: Tensor, s: Tensor, generator: torch.Generator
) -> Tensor:
    """What the discriminator minimizes: cross-entropy of (z, s) against z with permuted s."""
    permuted = s[torch.randperm(len(s), generator=generator, device=s.device)]
    return softplus(-discriminator(z, s)).mean() + softplus(discriminator(z, permuted)).mean()


def salient_silence(salient: Posterior) -> Tensor:
    """½ |E[s|y]|² for background y, mean over subjects: the healthy are read as s = 0 too.

    Eq. 2 fixes s at 0 when background is decoded but leaves open what the encoder says of it.
    """
    return 0.5 * salient.mean.square().sum(dim=-1).mean()


def objective(
    model: Network,
    target: Tensor,
    background: Tensor,
    config: TrainConfig,
    generator: torch.Generator,
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
    return terms | {"total": torch.stack(list(terms.values())).sum()}


def _contrastive(
    model: ContrastiveVAE,
    target: Tensor,
    background: Tensor,
    config: TrainConfig,
    generator: torch.Generator,
    discriminator: Discriminator | None,
) -> dict[str, Tensor]:
    """Eq. 8; with a discriminator the total correlation of target people instead of the MMD."""
    z_x, s_x = model.encode_common(target), model.encode_salient(target)
    z_y = model.encode_common(background)
    z_x_draw, s_x_draw, z_y_draw = (q.sample(generator) for q in (z_x, s_x, z_y))
    terms = {
        "target_reconstruction": reconstruction(target, model.decode(z_x_draw, s_x_draw)),
        "background_reconstruction": reconstruction(background, model.decode_background(z_y_draw)),
        "target_common_kl": kl_divergence(z_x),
        "target_salient_kl": kl_divergence(s_x),
        "background_common_kl": kl_divergence(z_y),
    }
    if discriminator is not None:
        correlation = total_correlation(discriminator, z_x_draw, s_x_draw)
        terms["total_correlation"] = config.mmd_weight * correlation
    elif config.mmd_weight:
        terms["mmd"] = config.mmd_weight * mmd(z_x_draw, z_y_draw)
    if config.salient_silence:
        silence = salient_silence(model.encode_salient(background))
        terms["salient_silence"] = config.salient_silence * silence
    return terms


def _conditional(
    model: ConditionalVAE, target: Tensor, background: Tensor, generator: torch.Generator
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
