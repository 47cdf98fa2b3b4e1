"""How far a figure would move if other people had been measured: intervals by resampling people."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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
        generator = np.random.default_rng(self.seed)
        replicates = np.array(
            [
                statistic(*(s[generator.integers(0, len(s), len(s))] for s in samples))
                for _ in range(self.resamples)
            ]
        )
        tail = (1 - LEVEL) / 2
        low, high = np.nanquantile(replicates, (tail, 1 - tail)) - np.nanmean(replicates)
        return float(value + low), float(value + high)
