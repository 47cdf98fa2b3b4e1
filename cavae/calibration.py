"""What the mean of a decoder leaves out, measured after training, so that cohorts are as wide as
real ones: where latents lie, what is left of a person's anatomy, how the effect scatters.

A pair is drawn as y = decode(z, 0) + shift + r and x = y + effect + ε, with
effect = decode(z, s) - decode(z, 0) + effect_shift. The residual r ~ N(0, residual) is drawn once
a pair and shared, so that x - y stays the disease alone; ε ~ N(0, effect_variance) is how much the
same disease differs from person to person. All are matched to the moments of the training data.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cavae.metrics import square_root
from cavae.model import ContrastiveVAE, Posterior

Array = NDArray[np.float64]

MAX_SUBTYPES = 6
DRAWS_A_PERSON = 20  # posterior draws that stand for one training person
MOMENT_DRAWS = 20_000  # synthetic people whose moments are compared with the real ones


@dataclass(frozen=True)
class Calibration:
    """Latent dimension d, K subtypes, p features; standardized units.

    common_mean (d,), common_covariance (d, d): Gaussian of z over all people; weights (K,), means
    (K, d), covariances (K, d, d): mixture of s over target people, its components are subtypes;
    shift (p,), residual (p, p), effect_shift (p,), effect_variance (p,): see the module.
    """

    common_mean: Array
    common_covariance: Array
    weights: Array
    means: Array
    covariances: Array
    shift: Array
    residual: Array
    effect_shift: Array
    effect_variance: Array

    @property
    def subtypes(self) -> int:
        """Number of components of the salient mixture."""
        return len(self.weights)

    def sample_common(self, people: int, generator: np.random.Generator) -> Array:
        """Draw z, (people, d)."""
        root = square_root(self.common_covariance)
        noise = generator.standard_normal((people, len(self.common_mean)))
        return self.common_mean + noise @ root

    def sample_salient(
        self, people: int, generator: np.random.Generator, subtype: int | None = None
    ) -> tuple[Array, NDArray[np.int64]]:
        """Draw s, (people, d), and the subtype of each, (people,), counted from 0."""
        noise = generator.standard_normal((people, self.means.shape[1]))
        drawn = generator.choice(self.subtypes, size=people, p=self.weights)
        component = drawn if subtype is None else np.full(people, subtype)
        roots = np.stack([square_root(covariance) for covariance in self.covariances])
        scattered = np.einsum("nd,nde->ne", noise, roots[component])
        return self.means[component] + scattered, component

    def sample_residual(self, people: int, generator: np.random.Generator) -> Array:
        """Draw what a pair shares beyond z, shift included, (people, p)."""
        noise = generator.standard_normal((people, len(self.shift)))
        return self.shift + noise @ square_root(self.residual)

    def sample_effect_noise(self, people: int, generator: np.random.Generator) -> Array:
        """Draw how the effect departs from the decoded one, (people, p)."""
        noise = generator.standard_normal((people, len(self.effect_shift)))
        return self.effect_shift + noise * np.sqrt(self.effect_variance)

    def to_tensors(self) -> dict[str, Tensor]:
        """Arrays by name, to be stored with the weights."""
        return {
            f.name: torch.from_numpy(np.ascontiguousarray(getattr(self, f.name)))
            for f in fields(self)
        }

    @classmethod
    def from_tensors(cls, tensors: dict[str, Tensor]) -> Calibration:
        """Rebuild from `to_tensors`; raises ValueError when arrays are missing or misshapen."""
        arrays = {f.name: tensors[f.name].double().numpy() for f in fields(cls)}
        calibration = cls(**arrays)
        d, k, p = len(calibration.common_mean), calibration.subtypes, len(calibration.shift)
        shapes = [(d,), (d, d), (k,), (k, d), (k, d, d), (p,), (p, p), (p,), (p,)]
        for (name, array), shape in zip(arrays.items(), shapes, strict=True):
            if array.shape != shape:
                raise ValueError(f"calibration.{name} has shape {array.shape}; expected {shape}")
        return calibration


def fit_calibration(
    network: ContrastiveVAE, background: Array, target: Array, seed: int
) -> Calibration:
    """Measure it on the training data, background (m, p) and target (n, p), standardized."""
    generator = np.random.default_rng(seed)
    y, x = (torch.as_tensor(values, dtype=torch.float32) for values in (background, target))
    with torch.no_grad():
        common = _draw(network.encode_common(torch.cat([y, x])), generator)
        salient = network.encode_salient(x)
    weights, means, covariances = _fit_mixture(salient, generator, seed)
    latents = Calibration(
        common.mean(axis=0),
        np.cov(common, rowvar=False),
        weights,
        means,
        covariances,
        *(np.zeros(0) for _ in range(4)),
    )
    twin, diseased = _decode_draws(network, latents, generator)
    residual = _nearest_covariance(_shrunk_covariance(background) - np.cov(twin, rowvar=False))
    shift = background.mean(axis=0) - twin.mean(axis=0)
    effect_shift = (target.mean(axis=0) - background.mean(axis=0)) - (diseased - twin).mean(axis=0)
    excess = target.var(axis=0, ddof=1) - diseased.var(axis=0, ddof=1) - np.diag(residual)
    return Calibration(
        latents.common_mean,
        latents.common_covariance,
        weights,
        means,
        covariances,
        shift,
        residual,
        effect_shift,
        np.clip(excess, 0.0, None),
    )


def _draw(posterior: Posterior, generator: np.random.Generator) -> Array:
    """DRAWS_A_PERSON draws of everyone's posterior, one below the other."""
    mean = posterior.mean.double().numpy()
    sd = (0.5 * posterior.log_variance).exp().double().numpy()
    noise = generator.standard_normal((DRAWS_A_PERSON, *mean.shape))
    return (mean + sd * noise).reshape(-1, mean.shape[1])


def _fit_mixture(
    posterior: Posterior, generator: np.random.Generator, seed: int
) -> tuple[Array, Array, Array]:
    """Components of s over target people; their number has the lowest BIC on posterior means.

    Each component is then widened by the average posterior variance, so that drawing from it is
    drawing from the aggregated posterior.
    """
    from sklearn.mixture import GaussianMixture

    means = posterior.mean.double().numpy()
    most = max(1, min(MAX_SUBTYPES, len(means) // (5 * means.shape[1])))
    fitted = [
        GaussianMixture(k, n_init=5, reg_covar=1e-3, random_state=seed).fit(means)
        for k in range(1, most + 1)
    ]
    best = min(fitted, key=lambda mixture: mixture.bic(means))
    within = np.diag(posterior.log_variance.exp().mean(dim=0).double().numpy())
    return best.weights_, best.means_, best.covariances_ + within


def _decode_draws(
    network: ContrastiveVAE, latents: Calibration, generator: np.random.Generator
) -> tuple[Array, Array]:
    z = latents.sample_common(MOMENT_DRAWS, generator)
    s, _ = latents.sample_salient(MOMENT_DRAWS, generator)
    z_tensor, s_tensor = (torch.as_tensor(v, dtype=torch.float32) for v in (z, s))
    with torch.no_grad():
        twin, diseased = network.decode_background(z_tensor), network.decode(z_tensor, s_tensor)
    return twin.double().numpy(), diseased.double().numpy()


def _shrunk_covariance(values: Array) -> Array:
    from sklearn.covariance import LedoitWolf

    return LedoitWolf().fit(values).covariance_


def _nearest_covariance(matrix: Array) -> Array:
    """The closest matrix without negative variances in any direction."""
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    return (vectors * np.clip(values, 1e-6, None)) @ vectors.T
