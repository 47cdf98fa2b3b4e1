"""How far a figure would move if other people had been measured: intervals by resampling people."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cavae.metrics import gaussian_wasserstein2

Array = NDArray[np.float64]

LEVEL = 0.95
RESAMPLES = 1000  # as in Table A1 of the paper


@dataclass(frozen=True)
class Bootstrap:
    """Intervals from `resamples` draws of people with replacement, the same for the same seed."""

    resamples: int = RESAMPLES
    seed: int = 0

    def interval(
        self, value: float, statistic: Callable[..., float], *samples: Array
    ) -> tuple[float, float]:
        """95 % interval of `value`, which is `statistic(*samples)`; people are rows.

        Every sample is resampled on its own, at its own size. The interval is that between the
        2.5 % and 97.5 % quantiles of the replicates, moved so that their mean lies on `value`.
        Without the move it would not even hold the value where a distance is near its floor: a
        resampled cohort has fewer different people (63 %), which adds a second floor on top.
        nan when `value` is, and without resamples.
        """
        if np.isnan(value) or not self.resamples:
            return float("nan"), float("nan")
        replicates = [
            statistic(*(sample[people] for sample, people in zip(samples, drawn, strict=True)))
            for drawn in self._draws(samples)
        ]
        return _around(value, replicates)

    def wasserstein2_interval(self, value: float, a: Array, b: Array) -> tuple[float, float]:
        """`interval` of `metrics.wasserstein2`, of a (n, p) to b (m, p), in half the time.

        The same people are drawn, and each of them counted as often as drawn.
        """
        if np.isnan(value) or not self.resamples:
            return float("nan"), float("nan")
        replicates = [
            gaussian_wasserstein2(*_moments(b, of_b), *_moments(a, of_a))
            for of_a, of_b in self._draws((a, b))
        ]
        return _around(value, replicates)

    def _draws(self, samples: Sequence[Array]) -> Iterator[tuple[NDArray[np.int64], ...]]:
        """Rows of each sample, resample after resample."""
        generator = np.random.default_rng(self.seed)
        for _ in range(self.resamples):
            yield tuple(generator.integers(0, len(s), len(s)) for s in samples)


def _around(value: float, replicates: Sequence[float]) -> tuple[float, float]:
    tail = (1 - LEVEL) / 2
    low, high = np.nanquantile(replicates, (tail, 1 - tail)) - np.nanmean(replicates)
    return float(value + low), float(value + high)


def _moments(sample: Array, people: NDArray[np.int64]) -> tuple[Array, Array]:
    """Mean (p,) and covariance (p, p) of the rows `people` (n,) of a sample (n, p)."""
    counts = np.bincount(people, minlength=len(sample))
    different = counts > 0
    values, counts = sample[different], counts[different]
    mean = counts @ values / len(people)
    centred = np.sqrt(counts)[:, None] * (values - mean)
    return mean, centred.T @ centred / (len(people) - 1)
