"""ComBat-GAM (Pomponio et al., 2020): the effect of the training sites, fitted by combatlearn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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

    def transform(self, volumes: Array, subjects: pd.DataFrame) -> Array:
        """Remove the effect of known sites, (n, p) to (n, p); other people pass unchanged."""
        expected, location, scale = self._effects(subjects)
        rest = (volumes - expected) / self.pooled_sd
        return expected + (rest - location) / scale * self.pooled_sd

    def inverse_transform(self, harmonized: Array, subjects: pd.DataFrame) -> Array:
        """Put the effect of known sites back; inverse of `transform`."""
        expected, location, scale = self._effects(subjects)
        rest = (harmonized - expected) / self.pooled_sd
        return expected + (rest * scale + location) * self.pooled_sd

    def _effects(self, subjects: pd.DataFrame) -> tuple[Array, Array, Array]:
        design = _spline_design(subjects, self.covariates, self.knots)
        expected = self.grand_mean + design @ self.coefficients
        neutral_location = np.vstack([self.location, np.zeros_like(self.grand_mean)])
        neutral_scale = np.vstack([self.scale, np.ones_like(self.grand_mean)])
        row = {site: i for i, site in enumerate(self.sites)}
        rows = [row.get(site, len(self.sites)) for site in subjects["site"]]
        return expected, neutral_location[rows], neutral_scale[rows]


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
    modelled = tuple(c for c in covariates if c != "sex" or discrete is not None)
    return Harmonizer(
        sites=tuple(str(level) for level in combat._batch_levels),
        covariates=modelled,
        knots=np.asarray(combat._smooth_knots["age"], float),
        grand_mean=np.asarray(combat._grand_mean, float),
        coefficients=np.asarray(combat._beta_hat_nonbatch, float),
        pooled_sd=np.sqrt(np.asarray(combat._pooled_var, float)),
        location=np.asarray(combat._gamma_star, float),
        scale=np.sqrt(np.asarray(combat._delta_star, float)),
    )
