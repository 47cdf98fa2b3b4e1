"""How a volume is distributed at each age: the LMS method (Cole and Green, 1992)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

Array = NDArray[np.float64]

PUBLISHED = 1.6448536269514722  # SDs from the median to the 5th and to the 95th centile
FARTHEST = 4.0  # SDs: nobody is drawn beyond


@dataclass(frozen=True)
class Curves:
    """Box-Cox normal distributions of p volumes whose parameters are smooth in age.

    At an age, (v / median)^skew is normal: v = median · (1 + skew · spread · z)^(1 / skew) has the
    standard normal score z; skew 0 is the lognormal, skew 1 the normal distribution. `knots` (k,)
    are ages in years; `skew`, `median` (mm³) and `spread` (about SD / median) are their values
    there, (k, p); between the knots skew, log median and log spread are natural cubic splines.

    Beyond the 5th and the 95th centile, where nothing is published, log v goes on in a straight
    line of z: a strong skew would give volumes of zero or of ten times the median there.
    """

    knots: Array
    skew: Array
    median: Array
    spread: Array

    def quantiles(self, scores: Array, ages: Array) -> Array:
        """Volumes (n, p) in mm³ of people with these normal scores (n, p) and ages (n,)."""
        skew, median, spread = self.at(ages)
        scores = np.clip(scores, -FARTHEST, FARTHEST)
        inner = np.clip(scores, -PUBLISHED, PUBLISHED)
        slope = spread / (1 + skew * spread * inner)
        return median * np.exp(_log_box_cox(skew, spread * inner) + slope * (scores - inner))

    def at(self, ages: Array) -> tuple[Array, Array, Array]:
        """Skew, median and spread, (n, p) each, at ages (n,)."""
        skew, log_median, log_spread = spline(
            self.knots, np.stack([self.skew, np.log(self.median), np.log(self.spread)], axis=1)
        )(ages).swapaxes(0, 1)
        return skew, np.exp(log_median), np.exp(log_spread)


def spline(knots: Array, values: Array) -> CubicSpline:
    """The natural cubic spline through `values` (k, …) at `knots` (k,)."""
    return CubicSpline(knots, values, bc_type="natural")


def _log_box_cox(skew: Array, deviations: Array) -> Array:
    """log(1 + skew · x) / skew, which is x where skew is 0."""
    flat = np.abs(skew) < 1e-6
    safe = np.where(flat, 1.0, skew)
    return np.where(flat, deviations, np.log1p(safe * deviations) / safe)
