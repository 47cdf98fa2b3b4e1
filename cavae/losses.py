"""The named terms of the objective, eq. 8 of the paper, to be minimized.

Every term is averaged over subjects, so that λ has one meaning whatever the batch size.
"""

from __future__ import annotations

import torch
from torch import Tensor

from cavae.config import TrainConfig
from cavae.kernels import kernel_discrepancy
from cavae.model import ContrastiveVAE, Posterior


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


def salient_silence(salient: Posterior) -> Tensor:
    """½ |E[s|y]|² for background y, mean over subjects: the healthy are read as s = 0 too.

    Eq. 2 fixes s at 0 when background is decoded but leaves open what the encoder says of it.
    """
    return 0.5 * salient.mean.square().sum(dim=-1).mean()


def pair_consistency(
    model: ContrastiveVAE, background: Tensor, common: Posterior, salient: Tensor
) -> Tensor:
    """½ |E[z|x'] - E[z|y]|², mean over subjects: both members of a pair share one z (eq. 6).

    x' is the person y (m, p) with the disease of somebody else, s (m, latent), added. The effect
    is held fixed, so that the term teaches the encoder and does not silence the disease.
    """
    with torch.no_grad():
        z = common.mean
        effect = model.decode(z, salient) - model.decode_background(z)
    diseased = model.encode_common(background + effect)
    return 0.5 * (diseased.mean - common.mean).square().sum(dim=-1).mean()


def objective(
    model: ContrastiveVAE,
    target: Tensor,
    background: Tensor,
    config: TrainConfig,
    generator: torch.Generator,
) -> dict[str, Tensor]:
    """The named terms of eq. 8 for one batch, weighted, and their sum under "total".

    target x is (n, p), background y is (m, p), both standardized; λ is config.mmd_weight.
    """
    z_x, s_x = model.encode_common(target), model.encode_salient(target)
    z_y = model.encode_common(background)
    z_x_draw, s_x_draw, z_y_draw = (q.sample(generator) for q in (z_x, s_x, z_y))
    terms = {
        "target_reconstruction": reconstruction(target, model.decode(z_x_draw, s_x_draw)),
        "background_reconstruction": reconstruction(background, model.decode_background(z_y_draw)),
        "target_common_kl": kl_divergence(z_x),
        "target_salient_kl": kl_divergence(s_x),
        "background_common_kl": kl_divergence(z_y),
        "mmd": config.mmd_weight * mmd(z_x_draw, z_y_draw),
    }
    if config.salient_silence:
        silence = salient_silence(model.encode_salient(background))
        terms["salient_silence"] = config.salient_silence * silence
    if config.pair_consistency:
        dealt = torch.randint(
            len(target), (len(background),), generator=generator, device=target.device
        )
        consistency = pair_consistency(model, background, z_y, s_x.mean.detach()[dealt])
        terms["pair_consistency"] = config.pair_consistency * consistency
    return terms | {"total": torch.stack(list(terms.values())).sum()}
