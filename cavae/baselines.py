"""What people would use instead: general synthesizers, fitted to one cohort alone.

None of them makes pairs: each draws a cohort, and nobody in it has a healthy twin.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from cavae.errors import ConfigError, DataError

Array = NDArray[np.float64]

MIN_PEOPLE = 10
MAX_COMPONENTS = 6
SHAPES = ("full", "tied")  # a covariance for each component, or one for all
BANDWIDTHS = np.arange(1, 11) / 10  # SD
FOLDS = 5


def sample_baseline(name: str, train: Array, n: int, seed: int) -> Array:
    """Draw n people (n, p) from a baseline fitted to `train` (m, p), standardized.

    name: one of BASELINES; seed: 0 to 4,294,967,295, the same seed draws the same people.

    Raises:
        ConfigError: no baseline has this name.
        DataError: there are fewer than 10 people to fit to.
    """
    if name not in BASELINES:
        raise ConfigError(f"baseline is {name!r}; accepted: {', '.join(BASELINES)}.")
    if len(train) < MIN_PEOPLE:
        raise DataError(
            f"{len(train)} people to fit a baseline to; accepted: {MIN_PEOPLE} or more."
        )
    return BASELINES[name](train, n, seed)


def _gaussian_mixture(train: Array, n: int, seed: int) -> Array:
    """Gaussian mixture; the number of components and their shape have the lowest BIC."""
    from sklearn.mixture import GaussianMixture

    fitted = [
        GaussianMixture(k, covariance_type=shape, random_state=seed).fit(train)
        for shape in SHAPES
        for k in range(1, MAX_COMPONENTS + 1)
    ]
    drawn, _ = min(fitted, key=lambda mixture: mixture.bic(train)).sample(n)
    return drawn


def _kernel_density(train: Array, n: int, seed: int) -> Array:
    """Gaussian kernels on the people; the bandwidth makes people left out most likely.

    A narrower one would look better by distance and copy the people it was given.
    """
    from sklearn.model_selection import GridSearchCV
    from sklearn.neighbors import KernelDensity

    search = GridSearchCV(KernelDensity(), {"bandwidth": BANDWIDTHS}, cv=FOLDS).fit(train)
    return search.best_estimator_.sample(n, random_state=seed)


def _gaussian_copula(train: Array, n: int, seed: int) -> Array:
    """Gaussian copula with empirical margins: correlated normal scores, put back by quantile."""
    from scipy.special import ndtr, ndtri
    from scipy.stats import rankdata

    scores = ndtri(rankdata(train, axis=0) / (len(train) + 1))
    generator = np.random.default_rng(seed)
    correlation = np.corrcoef(scores, rowvar=False)
    origin = np.zeros(len(correlation))
    ranks = ndtr(generator.multivariate_normal(origin, correlation, n, method="eigh"))
    margins = zip(train.T, ranks.T, strict=True)
    return np.column_stack([np.quantile(x, rank, method="weibull") for x, rank in margins])


BASELINES: Mapping[str, Callable[[Array, int, int], Array]] = {
    "gmm": _gaussian_mixture,
    "kde": _kernel_density,
    "copula": _gaussian_copula,
}
