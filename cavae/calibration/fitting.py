"""Measuring the calibration of a trained network on its training data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import chdtrc, ndtr

from cavae.calibration.parameters import Calibration, share_of_size
from cavae.calibration.reading import Reading, numbers_of, read_people
from cavae.metrics import square_root
from cavae.model import ContrastiveVAE, Posterior

if TYPE_CHECKING:
    from sklearn.mixture import GaussianMixture

Array = NDArray[np.float64]

MAX_SUBTYPES = 6
DRAWS_A_PERSON = 20  # posterior draws that stand for one training person
MOMENT_DRAWS = 20_000  # synthetic people whose moments are compared with the real ones
ROUNDS = 3  # the second and third together moved no figure by more than 0.003
EM_STEPS = 50
MAX_CHANCE = 0.05  # of finding an effect where there is none
MIN_LATENT_VARIANCE = 1e-3
"""Keeps a mixture from collapsing on a few people."""


def fit_calibration(
    network: ContrastiveVAE, background: Array, target: Array, size: Array, seed: int
) -> Calibration:
    """Measure it on the training data, background (m, p) and target (n, p), standardized.

    size (p,): mean of each feature in SD. Who somebody is without the disease depends on what the
    disease does and the other way round, so both are estimated in turn, ROUNDS times.
    """
    healthy, diseased = (read_people(network, None, x) for x in (background, target))
    mixture, criterion = _fit_mixture(diseased.salient, seed)
    chance = mixture.predict_proba(diseased.salient)
    latents = {
        "weights": mixture.weights_,
        "means": mixture.means_,
        "covariances": mixture.covariances_,
        "healthy_mean": healthy.salient.mean(axis=0),
        "healthy_covariance": np.cov(healthy.salient, rowvar=False)
        + MIN_LATENT_VARIANCE * np.eye(network.latent),
        "mean": background.mean(axis=0),
        "size": size,
        "criterion": criterion,
    }

    def measured() -> Calibration:
        return Calibration(
            **latents,
            **_subtype_effects(target, background, covariance, diseased.decoded, size, chance),
            **_common_moments(network, healthy, diseased, background, covariance, seed),
            covariance=covariance,
        )

    covariance = pooled_covariance(background)
    calibration = measured()
    for _ in range(ROUNDS - 1):
        covariance = pooled_covariance(
            background, *calibration.twin_departures(target, diseased.decoded, chance)
        )
        healthy, diseased = (read_people(network, calibration, x) for x in (background, target))
        calibration = measured()
    return calibration


def _common_moments(
    network: ContrastiveVAE,
    healthy: Reading,
    diseased: Reading,
    background: Array,
    covariance: Array,
    seed: int,
) -> dict[str, Array]:
    """Distribution of z over all people, and what decoding it lacks of background people."""
    generator = np.random.default_rng(seed)
    common = np.concatenate([_draw(reading.common, generator) for reading in (healthy, diseased)])
    mean, spread = common.mean(axis=0), np.cov(common, rowvar=False)
    twins = _decode_twins(network, mean, spread, generator)
    return {
        "common_mean": mean,
        "common_covariance": spread,
        "shift": background.mean(axis=0) - twins.mean(axis=0),
        "residual": _nearest_covariance(covariance - np.cov(twins, rowvar=False)),
    }


def pooled_covariance(
    background: Array, departures: Array | None = None, unknown: Array | None = None
) -> Array:
    """Covariance of people without the disease, (p, p), shrunk (Ledoit and Wolf, 2004).

    From background people and, where given, from the twins of target people: `departures` (n, p)
    from the mean, as far as they are known, and the covariance `unknown` (p, p) of what is not
    (the M-step of an EM algorithm). Twice as many people halve its error.
    """
    from sklearn.covariance import ledoit_wolf_shrinkage

    people = background - background.mean(axis=0)
    squares = people.T @ people
    if departures is not None:
        departures = departures - departures.mean(axis=0)
        squares = squares + departures.T @ departures + len(departures) * unknown
        people = np.concatenate([people, departures])
    covariance = squares / len(people)
    shrinkage = ledoit_wolf_shrinkage(people, assume_centered=True)
    round_one = np.trace(covariance) / len(covariance) * np.eye(len(covariance))
    return (1 - shrinkage) * covariance + shrinkage * round_one


def _subtype_effects(
    target: Array, background: Array, covariance: Array, decoded: Array, size: Array, chance: Array
) -> dict[str, Array]:
    """Effects, decoded, reliability and spread of all subtypes; chance (n, K) of each person."""
    effects = [
        subtype_effect(target, background, covariance, decoded, size, weight)
        for weight in (chance / chance.sum(axis=0)).T
    ]
    squares = max(sum(effect.squares for effect in effects), 1e-12)
    scatter = sum(effect.excess for effect in effects) / squares
    return {
        "effects": np.stack([effect.mean for effect in effects]),
        "errors": np.stack([effect.error for effect in effects]),
        "decoded": np.stack([effect.decoded for effect in effects]),
        "reliability": np.array([effect.reliability for effect in effects]),
        "severity": np.array([effect.severity for effect in effects]),
        "spread": np.sqrt(max(scatter, 0.0)),
    }


@dataclass(frozen=True)
class SubtypeEffect:
    """mean, error, decoded, reliability, severity: a row of those of `Calibration`; excess and
    squares: sums over people and regions of the variance that is scatter, and of the squared mean
    effect."""

    mean: Array
    error: Array
    decoded: Array
    reliability: float
    severity: float
    excess: float
    squares: float


def subtype_effect(
    target: Array, background: Array, covariance: Array, decoded: Array, size: Array, weight: Array
) -> SubtypeEffect:
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
    t = difference / error
    effect = difference * chance_of_effect(t) * differ_at_all(t, covariance)
    error = np.where(effect != 0, error, 0.0)
    own_mean = weight @ decoded
    if not effect.any():
        return SubtypeEffect(effect, error, own_mean, 0.0, 0.0, 0.0, 0.0)
    kept, squares = 1 + share_of_size(effect, size), effect @ effect
    beyond = variance - np.square(kept) * background.var(axis=0, ddof=1)
    excess = float(beyond[effect != 0].sum() / squares)
    along = np.linalg.solve(covariance, effect)
    along /= along @ effect
    of_target = unbiased * weight @ np.square((target - mean) @ along)
    together = float(of_target - (along * kept) @ covariance @ (kept * along))
    mixed = float(np.square(along * effect).sum())  # share of scatter that looks like severity
    severity = max((together - mixed * excess) / (1 - mixed), 0.0) if mixed < 1 else 0.0
    of_decoded = unbiased * weight @ np.square((decoded - own_mean) @ along)
    reliability = float(np.clip(severity / max(of_decoded, 1e-12), 0.0, 1.0))
    return SubtypeEffect(
        effect,
        error,
        own_mean,
        reliability,
        float(np.sqrt(max(severity - reliability**2 * of_decoded, 0.0))),
        float(people * (excess - severity) * squares),
        float(people * squares),
    )


def chance_of_effect(t: Array) -> Array:
    """The chance that each effect is real, given its size in standard errors t (p,); 0 below ½.

    Empirical Bayes with a spike and a slab (Johnstone and Silverman, 2004): a share of the regions
    is unaffected, t ~ N(0, 1), the others have t ~ N(0, 1 + τ²); share and τ are fitted to the
    regions themselves. A disease of a few regions leaves the others at exactly 0, one that touches
    the whole brain a little keeps its many small effects.
    """
    affected, variance = 0.5, max(float(np.square(t).mean()), 1.5)
    for _ in range(EM_STEPS):
        spike = (1 - affected) * np.exp(-0.5 * np.square(t))
        slab = affected * np.exp(-0.5 * np.square(t) / variance) / np.sqrt(variance)
        real = slab / np.maximum(spike + slab, 1e-300)
        affected = float(np.clip(real.mean(), 1e-6, 1 - 1e-6))
        variance = max(float(real @ np.square(t) / max(real.sum(), 1e-12)), 1.0)
    return np.where(real > 0.5, real, 0.0)


def differ_at_all(t: Array, covariance: Array) -> bool:
    """Whether differences of t (p,) standard errors are more than chance makes of all regions.

    Regions go together, so that chance moves many of them at once: Σ t² is held against the
    weighted sum of χ² that it then follows (Satterthwaite), and the largest |t| against that of p
    regions (Bonferroni), for a disease of a few of them. Of groups of healthy people a share of
    MAX_CHANCE differs by chance.
    """
    sd = np.sqrt(np.diag(covariance))
    together = float(np.square(covariance / np.outer(sd, sd)).sum()) / len(t)
    chance_of_sum = chdtrc(len(t) / together, np.square(t).sum() / together)
    chance_of_largest = 2 * len(t) * ndtr(-np.abs(t).max())
    return bool(min(chance_of_sum, chance_of_largest) < MAX_CHANCE / 2)


def _fit_mixture(means: Array, seed: int) -> tuple[GaussianMixture, Array]:
    """The mixture of s (n, d) over target people with the lowest BIC, and the BIC of 1, 2 …
    components."""
    from sklearn.mixture import GaussianMixture

    most = max(1, min(MAX_SUBTYPES, len(means) // (5 * means.shape[1])))
    fitted = [
        GaussianMixture(k, n_init=5, reg_covar=MIN_LATENT_VARIANCE, random_state=seed).fit(means)
        for k in range(1, most + 1)
    ]
    criterion = np.array([mixture.bic(means) for mixture in fitted])
    return fitted[int(criterion.argmin())], criterion


def _draw(posterior: Posterior, generator: np.random.Generator) -> Array:
    """DRAWS_A_PERSON draws of everyone's posterior, one below the other."""
    mean = numbers_of(posterior.mean)
    sd = numbers_of((0.5 * posterior.log_variance).exp())
    noise = generator.standard_normal((DRAWS_A_PERSON, *mean.shape))
    return (mean + sd * noise).reshape(-1, mean.shape[1])


def _decode_twins(
    network: ContrastiveVAE, mean: Array, covariance: Array, generator: np.random.Generator
) -> Array:
    z = mean + generator.standard_normal((MOMENT_DRAWS, len(mean))) @ square_root(covariance)
    with torch.no_grad():
        return numbers_of(network.decode_background(torch.as_tensor(z, dtype=torch.float32)))


def _nearest_covariance(matrix: Array) -> Array:
    """The closest matrix without negative variances in any direction."""
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    return (vectors * np.clip(values, 1e-6, None)) @ vectors.T
