"""The contrastive variational autoencoder (paper, sections 2.1 and 3.1), and the conditional one
that it is compared with. No I/O."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cavae.config import ModelConfig

_SEEDING = threading.Lock()

Generators = torch.Generator | Sequence[torch.Generator]
"""Where noise comes from; for an ensemble one a member, so that no member depends on another."""


def normal_like(values: Tensor, generator: Generators) -> Tensor:
    """Standard normal noise of the shape of values: (…), or (members, …) by their generators."""
    noise = torch.empty_like(values)
    if isinstance(generator, torch.Generator):
        return noise.normal_(generator=generator)
    for of_member, own in zip(noise, generator, strict=True):
        of_member.normal_(generator=own)
    return noise


@dataclass(frozen=True)
class Posterior:
    """A diagonal Gaussian q(·|x): mean and log-variance, each (n, latent)."""

    mean: Tensor
    log_variance: Tensor

    def sample(self, generator: Generators) -> Tensor:
        """Draw one latent per subject by reparameterization, (n, latent)."""
        noise = normal_like(self.mean, generator)
        return torch.addcmul(self.mean, noise, (0.5 * self.log_variance).exp())

    def split(self, sizes: tuple[int, ...]) -> tuple[Posterior, ...]:
        """Of the first people, of those after them, and so on, as many as sizes says."""
        parts = self.mean.split(sizes, dim=-2), self.log_variance.split(sizes, dim=-2)
        return tuple(Posterior(*pair) for pair in zip(*parts, strict=True))


class ContrastiveVAE(nn.Module):
    """Two encoders q(z|x), q(s|x) and one decoder p(x|z, s), two linear layers each.

    Inputs and outputs are standardized features, (n, p). Common z and salient s are (n, latent).
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        inputs, hidden, latent = len(config.features), config.hidden, config.latent
        self.latent = latent
        self.common_encoder = two_layers(inputs, hidden, 2 * latent)
        self.salient_encoder = two_layers(inputs, hidden, 2 * latent)
        self.decoder = two_layers(2 * latent, hidden, inputs)

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

    def prior_salient(self, noise: Tensor) -> Tensor:
        """s of target people by the prior N(0, I), from standard normal noise (n, latent)."""
        return noise


class ConditionalVAE(nn.Module):
    """A standard conditional VAE: one encoder q(z|x) and one decoder p(x|z, c), no contrast.

    The cohort label c, 0 for background and 1 for target, takes the place of salient s, (n, 1).
    Whoever is asked about as target is given the label 1, so that methods are those of
    `ContrastiveVAE`.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        inputs, hidden, latent = len(config.features), config.hidden, config.latent
        self.latent = latent
        self.common_encoder = two_layers(inputs, hidden, 2 * latent)
        self.decoder = two_layers(latent + 1, hidden, inputs)

    def encode_common(self, x: Tensor) -> Posterior:
        """q(z|x)."""
        return Posterior(*self.common_encoder(x).chunk(2, dim=-1))

    def encode_salient(self, x: Tensor) -> Posterior:
        """The label 1 for everyone, without doubt: a point mass."""
        label = torch.ones_like(x[..., :1])
        return Posterior(label, torch.full_like(label, float("-inf")))

    def decode(self, z: Tensor, s: Tensor) -> Tensor:
        """Mean of p(x|z, c = s), (n, p)."""
        return self.decoder(torch.cat([z, s], dim=-1))

    def decode_background(self, z: Tensor) -> Tensor:
        """Mean of p(y|z, c = 0), (n, p)."""
        return self.decode(z, torch.zeros_like(z[..., :1]))

    def prior_salient(self, noise: Tensor) -> Tensor:
        """The label 1 for everyone, (n, 1), whatever the noise (n, latent)."""
        return torch.ones_like(noise[..., :1])


Network = ContrastiveVAE | ConditionalVAE
NETWORKS = {
    "contrastive": ContrastiveVAE,
    "conditional": ConditionalVAE,
    "total-correlation": ContrastiveVAE,  # Its objective differs, not its network.
}


def two_layers(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    """A shallow network, as every part of the model is (section 4.2)."""
    # In place: the less is written anew, the more stays in the processor's cache.
    active = nn.LeakyReLU(inplace=True)
    return nn.Sequential(nn.Linear(inputs, hidden), active, nn.Linear(hidden, outputs))


def build_network(config: ModelConfig) -> Network:
    """The network of a variant; its first weights come from torch's global random state."""
    return NETWORKS[config.variant](config)


def initialize(config: ModelConfig, seed: int) -> Network:
    """Build a network whose first weights depend on the seed alone, not on global state."""
    with seeded(seed):
        return build_network(config)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw first weights by a seed, and leave torch's global random state as it was.

    One thread at a time: the state is shared, and two trainings would draw from each other's. On
    the CPU, so that they are the same whatever device they are sent to.
    """
    with _SEEDING, torch.random.fork_rng(devices=[]), torch.device("cpu"):
        torch.manual_seed(seed)
        yield
