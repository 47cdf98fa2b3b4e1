"""ComBat-GAM (Pomponio et al., 2020): the effect of the training sites.

The generalized additive model is fitted by combatlearn. Its empirical Bayes step is not used: it
draws a site towards the other sites, feature by feature, where Johnson et al. (2007) draw a feature
towards the other features of its site. With few sites the former leaves site effects in the data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.interpolate import BSpline

from cavae.preprocessing.linear import ICV_UNIT, Array, covariate_matrix

MIN_HEALTHY_TO_FIT = 10  # background people that a training site must bring
SPLINE_DEGREE, SPLINE_DF = 3, 5


@dataclass(frozen=True)
class Harmonizer:
    """ComBat-GAM as plain arrays for p features and S training sites.

    Expected volume: grand_mean (p,) + [sex, B-splines of age, ICV] @ coefficients (q, p);
    each site shifts the rest by location (S, p) and stretches it by scale (S, p), in units of
    pooled_sd (p,).
    """

    sites: tuple[str, ...]
    covariates: tuple[str, ...]
    knots: Array
    grand_mean: Array
    coefficients: Array
    pooled_sd: Array
    location: Array
    scale: Array

    @property
    def design_columns(self) -> int:
        """Number q of columns: sex and ICV where they are covariates, and the splines of age."""
        splines = self.knots.size - SPLINE_DEGREE - 2
        return splines + len({"sex", "icv"} & set(self.covariates))

    @property
    def has_clamped_knots(self) -> bool:
        """Whether the knots rise, and splines can be drawn from the first to the last of them."""
        ends = self.knots[: SPLINE_DEGREE + 1], self.knots[-SPLINE_DEGREE - 1 :]
        rises = (np.diff(self.knots) >= 0).all() and self.knots[0] < self.knots[-1]
        return bool(rises and all(np.ptp(end) == 0 for end in ends))

    def transform(self, volumes: Array, subjects: pd.DataFrame) -> Array:
        """Remove the effect of known sites, (n, p) to (n, p); other people pass unchanged."""
        expected, location, scale = self._effects(subjects)
        rest = (volumes - expected) / self.pooled_sd
        return expected + (rest - location) / scale * self.pooled_sd

    def inverse_transform(self, harmonized: Array, subjects: pd.DataFrame) -> Array:
        """Put the effect of known sites back, (…, n, p) to the same; inverse of `transform`."""
        if not subjects["site"].isin(self.sites).any():
            return harmonized
        expected, location, scale = self._effects(subjects)
        rest = (harmonized - expected) / self.pooled_sd
        return expected + (rest * scale + location) * self.pooled_sd

    def expected(self, subjects: pd.DataFrame) -> Array:
        """Mean volume of healthy people of this age, sex and ICV over all sites, (n, p)."""
        design = _spline_design(subjects, self.covariates, self.knots)
        return self.grand_mean + design @ self.coefficients

    def _effects(self, subjects: pd.DataFrame) -> tuple[Array, Array, Array]:
        neutral_location = np.vstack([self.location, np.zeros_like(self.grand_mean)])
        neutral_scale = np.vstack([self.scale, np.ones_like(self.grand_mean)])
        row = {site: i for i, site in enumerate(self.sites)}
        rows = [row.get(site, len(self.sites)) for site in subjects["site"]]
        return self.expected(subjects), neutral_location[rows], neutral_scale[rows]


def _spline_design(subjects: pd.DataFrame, covariates: Sequence[str], knots: Array) -> Array:
    """Columns in the order in which combatlearn builds them: sex, splines of age, then ICV."""
    ages = np.clip(subjects["age"].to_numpy(float), knots[0], knots[-1])
    splines = BSpline.design_matrix(ages, knots, SPLINE_DEGREE).toarray()[:, 1:]
    blocks = [covariate_matrix(subjects, [c for c in ("sex",) if c in covariates]), splines]
    blocks.append(covariate_matrix(subjects, [c for c in ("icv",) if c in covariates]))
    return np.hstack(blocks)


def fit_harmonizer(
    volumes: Array, subjects: pd.DataFrame, covariates: tuple[str, ...]
) -> Harmonizer | None:
    """Fit ComBat-GAM on background people of sites with enough of them; None for one site."""
    counts = subjects["site"].value_counts()
    sites = sorted(counts.index[counts >= MIN_HEALTHY_TO_FIT])
    if len(sites) < 2 or "age" not in covariates:
        return None
    from combatlearn.core import ComBatModel  # slow to import, needed for training alone

    rows = subjects["site"].isin(sites).to_numpy()
    people = subjects[rows].reset_index(drop=True)
    continuous = pd.DataFrame({"age": people["age"]})
    if "icv" in covariates:
        continuous["icv"] = people["icv"] / ICV_UNIT
    discrete = None
    if "sex" in covariates and people["sex"].nunique() == 2:
        discrete = pd.DataFrame({"sex": pd.Categorical(people["sex"], ["F", "M"])})
    combat = ComBatModel(
        method="gam", smooth_terms=["age"], spline_df=SPLINE_DF, spline_degree=SPLINE_DEGREE
    )
    combat.fit(
        pd.DataFrame(volumes[rows]),
        batch=people["site"],
        discrete_covariates=discrete,
        continuous_covariates=continuous,
    )
    unharmonized = Harmonizer(
        sites=tuple(sites),
        covariates=tuple(c for c in covariates if c != "sex" or discrete is not None),
        knots=np.asarray(combat._smooth_knots["age"], float),
        grand_mean=np.asarray(combat._grand_mean, float),
        coefficients=np.asarray(combat._beta_hat_nonbatch, float),
        pooled_sd=np.sqrt(np.asarray(combat._pooled_var, float)),
        location=np.zeros((len(sites), volumes.shape[1])),
        scale=np.ones((len(sites), volumes.shape[1])),
    )
    rest = (volumes[rows] - unharmonized.expected(people)) / unharmonized.pooled_sd
    effects = [empirical_bayes(rest[(people["site"] == site).to_numpy()]) for site in sites]
    location, scale = (np.stack(arrays) for arrays in zip(*effects, strict=True))
    return replace(unharmonized, location=location, scale=scale)


def empirical_bayes(standardized: Array) -> tuple[Array, Array]:
    """Location and scale (p,) of a site in standardized values (n, p).

    Empirical Bayes of ComBat (Johnson et al., 2007, section 3.2): both are drawn towards their
    average over features, the more so the fewer the people.
    """
    n = len(standardized)
    mean, variance = standardized.mean(axis=0), standardized.var(axis=0, ddof=1)
    prior_mean, prior_variance = mean.mean(), mean.var(ddof=1)
    m, v = variance.mean(), variance.var(ddof=1)
    shape, rate = (2 * v + m**2) / v, (m * v + m**3) / v
    location, square = mean, variance
    for _ in range(100):
        previous = location, square
        location = (n * prior_variance * mean + square * prior_mean) / (n * prior_variance + square)
        sum_of_squares = (n - 1) * variance + n * (mean - location) ** 2
        square = (rate + 0.5 * sum_of_squares) / (n / 2 + shape - 1)
        if np.allclose(previous, (location, square), rtol=1e-6, atol=1e-9):
            break
    return location, np.sqrt(square)
