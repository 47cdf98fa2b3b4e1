"""A network looked at while it learns: how it does on people that it does not learn from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from cavae.errors import ConfigError
from cavae.metrics import gaussian_wasserstein2, logistic_auc, square_root
from cavae.model import Network

Array = NDArray[np.float64]
Pair = tuple[Array, Array]  # standardized background (m, p) and target (n, p)

DRAWS = 1000  # synthetic people per cohort for a look
MOST = 150  # validation people of each cohort whose latents are looked at
FOLDS = 2  # of an AUC, which is asked for often: a few milliseconds

DIVERGED = (
    "Training diverged: the network's numbers are not finite any more; accepted: a smaller λ or "
    "learning rate."
)


@dataclass(frozen=True)
class Look:
    """A network at one moment, on validation people.

    w2_target, w2_background: squared 2-Wasserstein distance of generated people to them, SD²;
    floor_target, floor_background: that of the people learned from, who are real;
    common, salient: latent means, (n, d), of background and target people, told apart by
    is_target, (n,). Latents describe persons: they are not for disk.
    """

    w2_target: float
    w2_background: float
    floor_target: float
    floor_background: float
    common: NDArray[np.float32]
    salient: NDArray[np.float32]
    is_target: NDArray[np.bool_]

    @cached_property
    def leakage_auc(self) -> float:
        """`logistic_auc` of target against background on common z: 0.5 is best."""
        return logistic_auc(self.common, self.is_target, folds=FOLDS)

    @cached_property
    def separation_auc(self) -> float:
        """The same on salient s and its squares, as subtypes lie around the healthy: the higher
        the better; nan where s is the same for everyone."""
        if not np.ptp(self.salient, axis=0).any():
            return float("nan")
        curved = np.concatenate([self.salient, np.square(self.salient)], axis=1)
        return logistic_auc(curved, self.is_target, folds=FOLDS)


class Monitor:
    """Validation people, made ready once for all looks at a network."""

    def __init__(self, training: Pair, validation: Pair, seed: int) -> None:
        self._seed = seed
        self._real = [_Moments(values) for values in validation]
        self._floors = self._distances(training)
        chosen = [_some(values, seed) for values in validation]
        self._people = torch.as_tensor(np.concatenate(chosen), dtype=torch.float32, device="cpu")
        self._is_target = np.repeat([False, True], [len(values) for values in chosen])

    @torch.no_grad()
    def look(self, network: Network) -> Look:
        """The network as it is now; leaves it in eval mode.

        Raises ConfigError when its numbers are not finite any more.
        """
        network.eval()
        device = next(network.parameters()).device
        generator = torch.Generator(device).manual_seed(self._seed)
        shape = (DRAWS, network.latent)
        z, s = (torch.randn(shape, generator=generator, device=device) for _ in range(2))
        generated = network.decode_background(z), network.decode(z, network.prior_salient(s))
        if not all(torch.isfinite(sample).all() for sample in generated):
            raise ConfigError(DIVERGED)
        w2_background, w2_target = self._distances(x.cpu().double().numpy() for x in generated)
        floor_background, floor_target = self._floors
        people = self._people.to(device)
        return Look(
            w2_target=w2_target,
            w2_background=w2_background,
            floor_target=floor_target,
            floor_background=floor_background,
            common=network.encode_common(people).mean.cpu().numpy(),
            salient=network.encode_salient(people).mean.cpu().numpy(),
            is_target=self._is_target,
        )

    def _distances(self, samples: Iterable[Array]) -> tuple[float, float]:
        """Of background and target samples to the validation people of their cohort."""
        background, target = (
            real.distance(sample) for real, sample in zip(self._real, samples, strict=True)
        )
        return background, target


class _Moments:
    """People (n, p) as a Gaussian."""

    def __init__(self, values: Array) -> None:
        self.mean, self.covariance = values.mean(axis=0), np.cov(values, rowvar=False)
        self.root = square_root(self.covariance)

    def distance(self, sample: Array) -> float:
        """`metrics.wasserstein2` to a sample (m, p)."""
        of_sample = sample.mean(axis=0), np.cov(sample, rowvar=False)
        return gaussian_wasserstein2(self.mean, self.covariance, *of_sample, self.root)


def _some(values: Array, seed: int) -> Array:
    """At most MOST people, in the order they had."""
    chosen = np.random.default_rng(seed).permutation(len(values))[:MOST]
    return values[np.sort(chosen)]
