"""Fit the reference: published centile curves, and how volumes go together in real people."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import elementwise
from scipy.special import exprel, ndtri
from scipy.stats import rankdata

from cavae.atlas import rois
from cavae.cohort import Cohort
from cavae.errors import DataError
from cavae.reference.curves import PUBLISHED, Array, Curves, spline
from cavae.reference.sampling import AGE_RANGE, ICV, REFERENCE, SEXES, Reference

CENTILES = {"F": "centiles_cn_female.csv", "M": "centiles_cn_male.csv"}
KNOTS = np.linspace(*AGE_RANGE, 9)


def fit_reference(people: Cohort, data: Path) -> Reference:
    """Fit to the centile tables in the folder `data` and to the CN people of a real cohort.

    Their volumes are of other scanners than the centiles, so they only say how volumes go together.

    Raises:
        DataError: a centile table cannot be read or is not complete.
    """
    healthy = people.select((people.subjects["diagnosis"] == "CN").to_numpy())
    regions = [one.index for one in rois()]
    volumes = healthy.features[regions].assign(**{ICV: healthy.subjects["icv"]})
    residuals = fit_residuals(volumes.to_numpy(), healthy.subjects)
    curves = {}
    for sex in SEXES:
        ages, centiles = read_centiles(data / CENTILES[sex], regions)
        own = (healthy.subjects["sex"] == sex).to_numpy()
        icv = _typical_icv(healthy.select(own), ages, centiles[1].sum(axis=1))
        icv_spread = float(residuals[own, -1].std(ddof=1))
        curves[sex] = _append(fit_curves(ages, centiles), 0.0, icv, icv_spread)
    return Reference((*regions, ICV), curves, fit_correlation(residuals))


def save_reference(reference: Reference, path: Path = REFERENCE) -> None:
    """Write the asset; raises DataError when it cannot be written."""
    text = json.dumps(reference.to_dict(), separators=(",", ":"))
    try:
        path.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise DataError(f"Output {str(path)!r} cannot be written: {error.strerror}.") from error


# ------------------------------------------------------------------- each volume by itself


def read_centiles(path: Path, regions: list[str]) -> tuple[Array, Array]:
    """Ages (a,) in years, and the 5th, 50th and 95th centile (3, a, p) in mm³ of the regions."""
    try:
        table = pd.read_csv(path, dtype={"ROI": str})
        table = table[table["Age"].between(*AGE_RANGE)].set_index(["Age", "ROI"]).sort_index()
        wide = [table[f"centile_{c}"].unstack()[regions] for c in (5, 50, 95)]
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"Centile table {path.name!r} cannot be read: {error}.") from error
    centiles = np.stack([one.to_numpy(float) for one in wide])
    if not np.isfinite(centiles).all():
        raise DataError(f"Centile table {path.name!r} lacks a region at an age.")
    return wide[0].index.to_numpy(float), centiles


def fit_curves(ages: Array, centiles: Array) -> Curves:
    """Fit to the 5th, 50th and 95th centile (3, a, p) in mm³ of p volumes at ages (a,).

    The three give skew, median and spread of each age exactly; splines then smooth these.
    """
    median = np.log(centiles[1])
    low, high = np.log(centiles[0]) - median, np.log(centiles[2]) - median
    skew = _skew(low, high)
    log_spread = np.log(high * exprel(skew * high) / PUBLISHED)
    smooth = np.linalg.pinv(spline(KNOTS, np.eye(len(KNOTS)))(ages))
    return Curves(KNOTS, smooth @ skew, np.exp(smooth @ median), np.exp(smooth @ log_spread))


def _skew(low: Array, high: Array) -> Array:
    """The power that puts two logarithms at one distance: (exp(λ low) + exp(λ high) - 2) / λ = 0.

    The left side rises in λ.
    """

    def difference(power: Array, low: Array, high: Array) -> Array:
        return low * exprel(power * low) + high * exprel(power * high)

    bounds = (np.full(low.shape, -20.0), np.full(low.shape, 20.0))
    with np.errstate(invalid="ignore"):  # find_root also computes the step that it does not take
        return elementwise.find_root(difference, bounds, args=(low, high)).x


def _typical_icv(people: Cohort, ages: Array, median_brain: Array) -> float:
    """Median ICV in mm³ on the scale of the centiles, which are of another scanner and software.

    Everyone's ICV is scaled as their brain is to the median brain (a,) of their age: that ratio
    is the same at all ages, as it must be for an ICV that does not shrink.
    """
    brain = people.features.sum(axis=1).to_numpy()
    expected = np.interp(people.subjects["age"], ages, median_brain)
    return float(np.median(people.subjects["icv"].to_numpy() * expected / brain))


def _append(curves: Curves, skew: float, median: float, spread: float) -> Curves:
    """The curves and one more volume whose distribution is the same at all ages."""
    columns = (np.full((len(curves.knots), 1), value) for value in (skew, median, spread))
    parts = zip((curves.skew, curves.median, curves.spread), columns, strict=True)
    return Curves(curves.knots, *(np.hstack(pair) for pair in parts))


# ------------------------------------------------------------------- and how they go together


def fit_residuals(volumes: Array, subjects: pd.DataFrame) -> Array:
    """What age, sex and site leave of log volumes, (n, p) from (n, p)."""
    age = subjects["age"].to_numpy(float) / 10 - 6.5
    man = (subjects["sex"] == "M").to_numpy(float)
    sites = pd.get_dummies(subjects["site"], dtype=float).to_numpy()
    design = np.column_stack([age, age**2, man, man * age, sites])
    logs = np.log(volumes)
    return logs - design @ np.linalg.lstsq(design, logs, rcond=None)[0]


def fit_correlation(residuals: Array) -> Array:
    """Correlation (p, p) of the normal scores of residuals (n, p), shrunk (Ledoit and Wolf)."""
    from sklearn.covariance import ledoit_wolf

    scores = ndtri((rankdata(residuals, axis=0) - 0.5) / len(residuals))
    covariance, _ = ledoit_wolf(scores)
    sd = np.sqrt(np.diag(covariance))
    return covariance / np.outer(sd, sd)
