"""The contrastive variational autoencoder (paper, sections 2.1 and 3.1). No I/O."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cavae.config import ModelConfig


@dataclass(frozen=True)
class Posterior:
    """A diagonal Gaussian q(·|x): mean and log-variance, each (n, latent)."""

    mean: Tensor
    log_variance: Tensor

    def sample(self, generator: torch.Generator) -> Tensor:
        """Draw one latent per subject by reparameterization, (n, latent)."""
        noise = torch.randn(
            self.mean.shape,
            generator=generator,
            device=self.mean.device,
            dtype=self.mean.dtype,
        )
        return self.mean + noise * (0.5 * self.log_variance).exp()


class ContrastiveVAE(nn.Module):
    """Two encoders q(z|x), q(s|x) and one decoder p(x|z, s), two linear layers each.

    Inputs and outputs are standardized features, (n, p). Common z and salient s are (n, latent).
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        inputs, hidden, latent = len(config.features), config.hidden, config.latent
        self.latent = latent
        self.common_encoder = _two_layers(inputs, hidden, 2 * latent)
        self.salient_encoder = _two_layers(inputs, hidden, 2 * latent)
        self.decoder = _two_layers(2 * latent, hidden, inputs)

    def encode_common(self, x: Tensor) -> Posterior:
        """q(z|x): what background and target share."""
        return Posterior(*self.common_encoder(x).chunk(2, dim=-1))

    def encode_salient(self, x: Tensor) -> Posterior:
        """q(s|x): what only the target adds."""
        return Posterior(*self.salient_encoder(x).chunk(2, dim=-1))

    def decode(self, z: Tensor, s: Tensor) -> Tensor:
        """Mean of p(x|z, s), (n, p)."""
        return self.decoder(torch.cat([z, s], dim=-1))

    def decode_background(self, z: Tensor) -> Tensor:
        """Mean of p(y|z, 0), (n, p): the salient latent of background is exactly zero (eq. 2)."""
        return self.decode(z, torch.zeros_like(z))


def _two_layers(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, hidden), nn.LeakyReLU(), nn.Linear(hidden, outputs))


def initialize(config: ModelConfig, seed: int) -> ContrastiveVAE:
    """Build a network whose first weights depend on the seed alone, not on global state."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return ContrastiveVAE(config)
