"""What the mean of a decoder leaves out, measured after training on the training data.

The decoder alone makes cohorts far too narrow, and the effect it decodes is blurred: salient s
also follows healthy variation, and the KL term shrinks it. Calibrated, a pair (standardized
target x, healthy twin y) is

    y = decode(z, 0) + shift + r,     r ~ N(0, residual), drawn once a pair and shared
    x = y + e,                        e ~ N(expected effect(z, s) + share * (y - mean), scatter)

s lies in a Gaussian mixture, whose components are subtypes, or near the salient latents of healthy
people. With g = decode(z, s) - decode(z, 0), which is 0 for s = 0, the expected effect of somebody
of subtype k is effects_k + reliability_k * (g - decoded_k) in the regions that subtype k clearly
affects and 0 elsewhere: the mean difference of its people from background, and as much of the
decoded departure from its mean as the data bear out. Atrophy takes a share of what is there:
share = effects_k / size with size the mean volume in SD, and scatter = (spread * effects_k)²: how
much the same disease differs from person to person and from region to region.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cavae.metrics import square_root
from cavae.model import ContrastiveVAE, Posterior
from cavae.preprocessing.adaptation import SIZE_IN_SD

Array = NDArray[np.float64]

MAX_SUBTYPES = 6
DRAWS_A_PERSON = 20  # posterior draws that stand for one training person
MOMENT_DRAWS = 20_000  # synthetic people whose moments are compared with the real ones
PREVALENCE = 0.05  # chance that somebody of whom nothing is known has the disease
CLEAR = 3.0  # standard errors that a subtype's mean effect on a region must have
MIN_LATENT_VARIANCE = 1e-3
"""Keeps a mixture from collapsing on a few people."""


@dataclass(frozen=True)
class Calibration:
    """Latent dimension d, K subtypes, p features; standardized units.

    common_mean (d,), common_covariance (d, d): Gaussian of z over all people; weights (K,), means
    (K, d), covariances (K, d, d): mixture of s over target people; healthy_mean (d,),
    healthy_covariance (d, d): s over background people; mean (p,), covariance (p, p): background;
    shift (p,), residual (p, p), effects (K, p), decoded (K, p), reliability (K,), size (p,),
    spread (): see the module; criterion (tried,): BIC of the mixtures of 1, 2 … components, of
    which the lowest was taken.
    """

    common_mean: Array
    common_covariance: Array
    weights: Array
    means: Array
    covariances: Array
    healthy_mean: Array
    healthy_covariance: Array
    mean: Array
    covariance: Array
    shift: Array
    residual: Array
    effects: Array
    decoded: Array
    reliability: Array
    size: Array
    spread: Array
    criterion: Array

    @property
    def subtypes(self) -> int:
        """Number of components of the salient mixture."""
        return len(self.weights)

    @property
    def share(self) -> Array:
        """What a subtype takes of each region, as a share of its volume (negative), (K, p)."""
        return _share(self.effects, self.size)

    # -- drawing

    def sample_common(self, people: int, generator: np.random.Generator) -> Array:
        """Draw z, (people, d)."""
        noise = generator.standard_normal((people, len(self.common_mean)))
        return self.common_mean + noise @ square_root(self.common_covariance)

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

    def sample_effect(
        self,
        background: Array,
        decoded: Array,
        subtype: NDArray[np.int64],
        generator: np.random.Generator,
    ) -> Array:
        """Draw the effect (n, p) on twins `background` (n, p) of known subtypes (n,)."""
        effect = self._of_subtype(decoded, subtype)
        effect = effect + self.share[subtype] * (background - self.mean)
        noise = generator.standard_normal(background.shape)
        return effect + noise * self.spread * np.abs(self.effects[subtype])

    # -- reading people

    def membership(self, salient: Array) -> Array:
        """Chance of each subtype for salient s (n, d), (n, K); the rest to 1 is being healthy.

        At s = 0, where the healthy are by definition, it is set to exactly 0.
        """
        at_zero = self._membership(np.zeros((1, salient.shape[1]))).sum()
        chance = self._membership(salient)
        diseased = chance.sum(axis=1, keepdims=True)
        beyond = np.clip((diseased - at_zero) / (1 - at_zero), 0.0, None)
        return chance / np.maximum(diseased, 1e-300) * beyond

    def expected_effect(self, salient: Array, decoded: Array) -> Array:
        """Expected effect (n, p) at salient s (n, d) with decoded effect g (n, p); 0 at s = 0."""
        chance = self.membership(salient)
        affected = (self.effects != 0).any(axis=0)
        healthy = (1 - chance.sum(axis=1, keepdims=True)) * decoded * affected
        return healthy + sum(
            chance[:, [k]] * self._of_subtype(decoded, np.full(len(decoded), k))
            for k in range(self.subtypes)
        )

    def effect_posterior(self, x: Array, salient: Array, decoded: Array) -> tuple[Array, Array]:
        """Mean and SD (n, p) of the effect on people x (n, p), given what was measured in them.

        Within a subtype twin and effect are jointly Gaussian, so the part of a person's departure
        from what is expected that the scatter of the effect explains is the Wiener estimate
        cov(e, x) cov(x)⁻¹ (x - mean - expected).
        """
        chance = self.membership(salient)
        silent = decoded * (self.effects != 0).any(axis=0)
        healthy = 1 - chance.sum(axis=1, keepdims=True)
        mean, square = healthy * silent, healthy * np.square(silent)
        for k in range(self.subtypes):
            weight = chance[:, [k]]
            own = self._of_subtype(decoded, np.full(len(x), k))
            gain, variance = self._wiener(k)
            departure = (x - self.mean - own) @ gain.T
            mean = mean + weight * (own + departure)
            square = square + weight * (variance + np.square(own + departure))
        spread_over_subtypes = square - mean**2
        return mean, np.sqrt(np.clip(spread_over_subtypes, 0.0, None))

    def _of_subtype(self, decoded: Array, subtype: NDArray[np.int64]) -> Array:
        """Expected effect (n, p) on people whose subtype (n,) is known."""
        departure = self.reliability[subtype, None] * (decoded - self.decoded[subtype])
        return self.effects[subtype] + np.where(self.effects[subtype] != 0, departure, 0.0)

    def _membership(self, salient: Array) -> Array:
        healthy = _log_density(salient, self.healthy_mean, self.healthy_covariance)
        logs = [healthy + np.log(1 - PREVALENCE)]
        for weight, mean, covariance in zip(
            self.weights, self.means, self.covariances, strict=True
        ):
            logs.append(_log_density(salient, mean, covariance) + np.log(PREVALENCE * weight))
        stacked = np.stack(logs, axis=1)
        chance = np.exp(stacked - stacked.max(axis=1, keepdims=True))
        return (chance / chance.sum(axis=1, keepdims=True))[:, 1:]

    def _wiener(self, k: int) -> tuple[Array, Array]:
        """Gain (p, p) of subtype k and variance (p,) of the effect that remains."""
        share, scatter = self.share[k], np.diag((self.spread * self.effects[k]) ** 2)
        kept = (1 + share)[:, None] * self.covariance
        of_x = kept * (1 + share) + scatter
        with_x = share[:, None] * self.covariance * (1 + share) + scatter
        gain = np.linalg.solve(of_x, with_x.T).T
        prior = share**2 * np.diag(self.covariance) + np.diag(scatter)
        return gain, np.clip(prior - (gain * with_x).sum(axis=1), 0.0, None)

    # -- storing

    def to_tensors(self) -> dict[str, Tensor]:
        """Arrays by name, to be stored with the weights."""
        return {f.name: torch.tensor(getattr(self, f.name)) for f in fields(self)}

    @classmethod
    def from_tensors(cls, tensors: dict[str, Tensor]) -> Calibration:
        """Rebuild from `to_tensors`; raises ValueError when arrays are missing or misshapen."""
        arrays = {f.name: tensors[f.name].double().numpy() for f in fields(cls)}
        d, k, p = (len(arrays[name]) for name in ("common_mean", "weights", "shift"))
        shapes: dict[str, tuple[int, ...]] = {
            "common_mean": (d,),
            "common_covariance": (d, d),
            "weights": (k,),
            "means": (k, d),
            "covariances": (k, d, d),
            "healthy_mean": (d,),
            "healthy_covariance": (d, d),
            "mean": (p,),
            "covariance": (p, p),
            "shift": (p,),
            "residual": (p, p),
            "effects": (k, p),
            "decoded": (k, p),
            "reliability": (k,),
            "size": (p,),
            "spread": (),
            "criterion": (max(k, arrays["criterion"].size),),
        }
        for name, shape in shapes.items():
            if arrays[name].shape != shape:
                raise ValueError(
                    f"calibration.{name} has shape {arrays[name].shape}; expected {shape}"
                )
        return cls(**arrays)


def fit_calibration(
    network: ContrastiveVAE, background: Array, target: Array, size: Array, seed: int
) -> Calibration:
    """Measure it on the training data, background (m, p) and target (n, p), standardized.

    size (p,): mean of each feature in SD.
    """
    generator = np.random.default_rng(seed)
    y, x = (torch.as_tensor(values, dtype=torch.float32) for values in (background, target))
    with torch.no_grad():
        common = _draw(network.encode_common(torch.cat([y, x])), generator)
        salient, silent = network.encode_salient(x), _array(network.encode_salient(y).mean)
        z = network.encode_common(x).mean
        decoded = _array(network.decode(z, salient.mean) - network.decode_background(z))
    mixture, chance, criterion = _fit_mixture(salient, seed)
    common_mean, common_covariance = common.mean(axis=0), np.cov(common, rowvar=False)
    twins = _decode_twins(network, common_mean, common_covariance, generator)
    covariance = _shrunk_covariance(background)
    effects = [
        _subtype_effect(target, background, covariance, decoded, size, weight)
        for weight in (chance / chance.sum(axis=0)).T
    ]
    scatter = sum(effect.excess for effect in effects) / max(
        sum(effect.squares for effect in effects), 1e-12
    )
    return Calibration(
        common_mean=common_mean,
        common_covariance=common_covariance,
        weights=mixture.weights_,
        means=mixture.means_,
        covariances=mixture.covariances_,
        healthy_mean=silent.mean(axis=0),
        healthy_covariance=np.cov(silent, rowvar=False)
        + MIN_LATENT_VARIANCE * np.eye(network.latent),
        mean=background.mean(axis=0),
        covariance=covariance,
        shift=background.mean(axis=0) - twins.mean(axis=0),
        residual=_nearest_covariance(covariance - np.cov(twins, rowvar=False)),
        effects=np.stack([effect.mean for effect in effects]),
        decoded=np.stack([effect.decoded for effect in effects]),
        reliability=np.array([effect.reliability for effect in effects]),
        size=size,
        spread=np.sqrt(max(scatter, 0.0)),
        criterion=criterion,
    )


@dataclass(frozen=True)
class _SubtypeEffect:
    mean: Array
    decoded: Array
    reliability: float
    excess: float
    squares: float


def _subtype_effect(
    target: Array, background: Array, covariance: Array, decoded: Array, size: Array, weight: Array
) -> _SubtypeEffect:
    """Mean effect of one subtype (weight (n,) of each target person, sum 1) and how it varies.

    Variance beyond that of background people, less the share that the disease takes from them, is
    the disease's own: along the mean effect it bears out the decoded departures (reliability), and
    in each affected region on its own it is scatter.
    """
    people = 1 / np.square(weight).sum()
    unbiased = people / (people - 1)
    mean = weight @ target
    variance = unbiased * weight @ np.square(target - mean)
    difference = mean - background.mean(axis=0)
    error = np.sqrt(variance / people + background.var(axis=0) / len(background))
    effect = np.where(np.abs(difference) > CLEAR * error, difference, 0.0)
    own_mean = weight @ decoded
    if not effect.any():
        return _SubtypeEffect(effect, own_mean, 0.0, 0.0, 0.0)
    kept = 1 + _share(effect, size)
    along = np.linalg.solve(covariance, effect)
    along /= along @ effect
    severity = unbiased * weight @ np.square((target - mean) @ along)
    severity -= (along * kept) @ covariance @ (kept * along)
    of_decoded = unbiased * weight @ np.square((decoded - own_mean) @ along)
    reliability = float(np.clip(severity / max(of_decoded, 1e-12), 0.0, 1.0))
    excess = variance - np.square(kept) * background.var(axis=0, ddof=1)
    excess -= max(severity, 0.0) * np.square(effect)
    affected = effect != 0
    return _SubtypeEffect(
        effect,
        own_mean,
        reliability,
        float(people * excess[affected].sum()),
        float(people * np.square(effect).sum()),
    )


def _share(effects: Array, size: Array) -> Array:
    """Effects as shares of size, (…, p); 0 for features around zero, which are no amounts."""
    return np.where(size >= SIZE_IN_SD, effects / np.maximum(size, SIZE_IN_SD), 0.0)


def _fit_mixture(posterior: Posterior, seed: int) -> tuple[object, Array, Array]:
    """Components of s over target people, as many as the lowest BIC says; memberships (n, K);
    the BIC of 1, 2 … components."""
    from sklearn.mixture import GaussianMixture

    means = _array(posterior.mean)
    most = max(1, min(MAX_SUBTYPES, len(means) // (5 * means.shape[1])))
    fitted = [
        GaussianMixture(k, n_init=5, reg_covar=MIN_LATENT_VARIANCE, random_state=seed).fit(means)
        for k in range(1, most + 1)
    ]
    criterion = np.array([mixture.bic(means) for mixture in fitted])
    best = fitted[int(criterion.argmin())]
    return best, best.predict_proba(means), criterion


def _draw(posterior: Posterior, generator: np.random.Generator) -> Array:
    """DRAWS_A_PERSON draws of everyone's posterior, one below the other."""
    mean = _array(posterior.mean)
    sd = _array((0.5 * posterior.log_variance).exp())
    noise = generator.standard_normal((DRAWS_A_PERSON, *mean.shape))
    return (mean + sd * noise).reshape(-1, mean.shape[1])


def _decode_twins(
    network: ContrastiveVAE, mean: Array, covariance: Array, generator: np.random.Generator
) -> Array:
    z = mean + generator.standard_normal((MOMENT_DRAWS, len(mean))) @ square_root(covariance)
    with torch.no_grad():
        return _array(network.decode_background(torch.as_tensor(z, dtype=torch.float32)))


def _log_density(points: Array, mean: Array, covariance: Array) -> Array:
    """Log density of a Gaussian at points (n, d), (n,), less a constant that d fixes."""
    root = np.linalg.cholesky(covariance)
    scaled = np.linalg.solve(root, (points - mean).T)
    return -0.5 * np.square(scaled).sum(axis=0) - np.log(np.diag(root)).sum()


def _shrunk_covariance(values: Array) -> Array:
    from sklearn.covariance import LedoitWolf

    return LedoitWolf().fit(values).covariance_


def _nearest_covariance(matrix: Array) -> Array:
    """The closest matrix without negative variances in any direction."""
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    return (vectors * np.clip(values, 1e-6, None)) @ vectors.T


def _array(values: Tensor) -> Array:
    return values.double().numpy()
