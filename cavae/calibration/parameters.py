"""The parameters of a calibrated model, and what follows from them: draws, chances, effects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cavae.metrics import square_root
from cavae.preprocessing.adaptation import SIZE_IN_SD

Array = NDArray[np.float64]

MAX_SUBTYPES = 20
LARGEST = 1e12  # of any number in a calibration
ROUNDING = 1e-8
PREVALENCE = 0.05  # chance that somebody of whom nothing is known has the disease


@dataclass(frozen=True)
class Calibration:
    """Latent dimension d, K subtypes, p features; standardized units.

    common_mean (d,), common_covariance (d, d): Gaussian of z over all people; weights (K,), means
    (K, d), covariances (K, d, d): mixture of s over target people; healthy_mean (d,),
    healthy_covariance (d, d): s over background people; mean (p,), covariance (p, p): background;
    shift (p,), residual (p, p), effects (K, p), decoded (K, p), reliability (K,), severity (K,),
    size (p,), spread (): see the package; errors (K, p): standard errors of effects; criterion
    (tried,): BIC of the mixtures of 1, 2 … components, of which the lowest was taken.
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
    errors: Array
    decoded: Array
    reliability: Array
    severity: Array
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
        return share_of_size(self.effects, self.size)

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
        effect += self.share[subtype] * (background - self.mean)
        noise = self.spread * generator.standard_normal(background.shape)
        noise += (self.severity[subtype] * generator.standard_normal(len(subtype)))[:, None]
        return effect + noise * np.abs(self.effects)[subtype]

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
        # The effect on the healthy is 0: what is decoded of them is as far off as it is large.
        mean, square = healthy * silent, healthy * 2 * np.square(silent)
        for k in range(self.subtypes):
            weight = chance[:, [k]]
            own = self._of_subtype(decoded, np.full(len(x), k))
            gain, variance = self._wiener(k)
            variance = variance + np.square(self.errors[k])
            departure = (x - self.mean - own) @ gain.T
            mean = mean + weight * (own + departure)
            square = square + weight * (variance + np.square(own + departure))
        spread_over_subtypes = square - mean**2
        return mean, np.sqrt(np.clip(spread_over_subtypes, 0.0, None))

    def twin_departures(self, x: Array, decoded: Array, chance: Array) -> tuple[Array, Array]:
        """How the twins of target people x (n, p) depart from the mean of background: what is
        expected (n, p), and the covariance (p, p), mean over people, of what cannot be known.

        chance (n, K): of each subtype, sum 1.
        """
        expected, unknown = np.zeros_like(x), np.zeros_like(self.covariance)
        for k in range(self.subtypes):
            own = self._of_subtype(decoded, np.full(len(x), k))
            gain, with_x = self._gain(k, self.covariance)
            expected += chance[:, [k]] * ((x - self.mean - own) @ gain.T)
            unknown += chance[:, k].mean() * (self.covariance - gain @ with_x.T)
        return expected, unknown

    def _of_subtype(self, decoded: Array, subtype: NDArray[np.int64]) -> Array:
        """Expected effect (n, p) on people whose subtype (n,) is known."""
        departure = self.reliability[subtype, None] * (decoded - self.decoded[subtype])
        return self.effects[subtype] + np.where((self.effects != 0)[subtype], departure, 0.0)

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
        """Gain (p, p) of the effect of subtype k and variance (p,) of what remains of it."""
        share, scatter = self.share[k], self._scatter(k)
        gain, with_x = self._gain(k, share[:, None] * self.covariance, scatter)
        prior = share**2 * np.diag(self.covariance) + np.diag(scatter)
        return gain, np.clip(prior - (gain * with_x).sum(axis=1), 0.0, None)

    def _gain(
        self, k: int, with_twin: Array, with_scatter: Array | float = 0.0
    ) -> tuple[Array, Array]:
        """Wiener gain cov(·, x) cov(x)⁻¹ (p, p) for something that covaries by `with_twin` with
        the twin and by `with_scatter` with the scatter of subtype k; and cov(·, x)."""
        kept = 1 + self.share[k]
        of_x = kept[:, None] * self.covariance * kept + self._scatter(k)
        with_x = with_twin * kept + with_scatter
        return np.linalg.solve(of_x, with_x.T).T, with_x

    def _scatter(self, k: int) -> Array:
        """Covariance (p, p) of what the disease does beyond what is expected of subtype k."""
        effect = self.effects[k]
        regions = np.diag(np.square(self.spread * effect))
        return regions + np.outer(effect, effect) * np.square(self.severity[k])

    # -- storing

    def to_tensors(self) -> dict[str, Tensor]:
        """Arrays by name, to be stored with the weights."""
        return {f.name: torch.tensor(getattr(self, f.name)) for f in fields(self)}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> Calibration:
        """Rebuild from `to_tensors`; raises KeyError or ValueError, which say why, when arrays are
        missing, unknown, misshapen or impossible as what they stand for."""
        names = {f.name for f in fields(cls)}
        if unknown := sorted(set(tensors) - names):
            raise ValueError(f"calibration.{unknown[0][:80]} is unknown")
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
            "errors": (k, p),
            "decoded": (k, p),
            "reliability": (k,),
            "severity": (k,),
            "size": (p,),
            "spread": (),
            "criterion": (max(k, arrays["criterion"].size),),
        }
        for name, shape in shapes.items():
            if arrays[name].shape != shape:
                raise ValueError(
                    f"calibration.{name} has shape {arrays[name].shape}; expected {shape}"
                )
        _require_possible(arrays)
        return cls(**arrays)


def _require_possible(arrays: Mapping[str, Array]) -> None:
    """Refuse arrays that cannot be what they stand for; raises ValueError."""
    weights = arrays["weights"]
    if not 1 <= len(weights) <= MAX_SUBTYPES:
        raise ValueError(f"calibration.weights has {len(weights)}; expected 1 to {MAX_SUBTYPES}")
    if (weights < 0).any() or abs(weights.sum() - 1) > ROUNDING:
        raise ValueError("calibration.weights are no probabilities: 0 or more, sum 1")
    for name in ("severity", "spread", "errors", "reliability"):
        if (arrays[name] < 0).any():
            raise ValueError(f"calibration.{name} holds a number below 0")
    if (arrays["reliability"] > 1).any():
        raise ValueError("calibration.reliability holds a number above 1")
    for name, values in arrays.items():
        if values.size and np.abs(values).max() > LARGEST:
            raise ValueError(f"calibration.{name} holds a number beyond {LARGEST:,.0f}")
    for name in ("common_covariance", "covariances", "healthy_covariance", "covariance"):
        _require_covariance(name, arrays[name], least=1e-12)
    _require_covariance("residual", arrays["residual"], least=-ROUNDING)


def _require_covariance(name: str, matrices: Array, least: float) -> None:
    """Refuse (…, d, d) not symmetric, or with a variance below `least` times its largest."""
    symmetric = np.allclose(matrices, np.swapaxes(matrices, -1, -2), rtol=1e-6, atol=ROUNDING)
    variances = np.linalg.eigvalsh(matrices)
    if not symmetric or (variances.min(axis=-1) < least * variances.max(axis=-1)).any():
        raise ValueError(f"calibration.{name} is no covariance")
    if (variances.max(axis=-1) <= 0).any():
        raise ValueError(f"calibration.{name} has no variance at all")


def share_of_size(effects: Array, size: Array) -> Array:
    """Effects as shares of size, (…, p); 0 for features around zero, which are no amounts."""
    return np.where(size >= SIZE_IN_SD, effects / np.maximum(size, SIZE_IN_SD), 0.0)


def _log_density(points: Array, mean: Array, covariance: Array) -> Array:
    """Log density of a Gaussian at points (n, d), (n,), less a constant that d fixes."""
    root = np.linalg.cholesky(covariance)
    scaled = np.linalg.solve(root, (points - mean).T)
    return -0.5 * np.square(scaled).sum(axis=0) - np.log(np.diag(root)).sum()
