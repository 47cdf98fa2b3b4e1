"""Draw cognitively normal people: age and sex, then volumes and ICV that go together."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from cavae.atlas import ASSETS, rois
from cavae.cohort import COVARIATES, Cohort
from cavae.errors import DataError
from cavae.reference.curves import Array, Curves

REFERENCE = ASSETS / "reference.json"
AGE_RANGE = (40.0, 92.0)
ICV = "702"
SEXES = ("F", "M")


@dataclass(frozen=True)
class Reference:
    """Fitted parameters of healthy people.

    names: p volumes by MUSE index, the 139 ROIs and "702", the ICV; curves: by sex, in this order;
    correlation: (p, p) of their normal scores.
    """

    names: tuple[str, ...]
    curves: Mapping[str, Curves]
    correlation: Array

    def sample_volumes(
        self, ages: Array, sex: NDArray[np.str_], generator: np.random.Generator
    ) -> pd.DataFrame:
        """Volumes in mm³ (n, p), columns `names`, of people of these ages and sexes, (n,) each.

        Whose brain would not fit into the skull is drawn again: one of 500,000 people of 40 years,
        fewer at any later age.
        """
        volumes = np.empty((len(ages), len(self.names)))
        factor = np.linalg.cholesky(self.correlation)
        left = np.arange(len(ages))
        while len(left):
            scores = generator.standard_normal((len(left), len(self.names))) @ factor.T
            for label, curves in self.curves.items():
                rows = sex[left] == label
                volumes[left[rows]] = curves.quantiles(scores[rows], ages[left[rows]])
            left = left[~self._fits(volumes[left])]
        return pd.DataFrame(volumes, columns=list(self.names))

    def _fits(self, volumes: Array) -> NDArray[np.bool_]:
        icv = volumes[:, self.names.index(ICV)]
        return volumes.sum(axis=1) - icv < icv

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain JSON types, six digits, the lower half of the correlation."""
        curves = {
            sex: {
                "knots": _plain(of_sex.knots),
                "skew": _plain(of_sex.skew),
                "median": _plain(of_sex.median),
                "spread": _plain(of_sex.spread),
            }
            for sex, of_sex in self.curves.items()
        }
        lower = [_plain(row[:i]) for i, row in enumerate(self.correlation)]
        return {"names": list(self.names), "curves": curves, "correlation": lower}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Reference:
        """Rebuild from `to_dict`."""
        names = tuple(content["names"])
        correlation = np.eye(len(names))
        for i, row in enumerate(content["correlation"]):
            correlation[i, :i] = correlation[:i, i] = row
        curves = {
            sex: Curves(**{name: np.array(values) for name, values in of_sex.items()})
            for sex, of_sex in content["curves"].items()
        }
        return cls(names, curves, correlation)


@lru_cache(maxsize=1)
def load_reference(path: Path = REFERENCE) -> Reference:
    """The reference that ships with the project."""
    return Reference.from_dict(json.loads(path.read_text(encoding="utf-8")))


def sample_reference(
    people: int,
    generator: np.random.Generator,
    age_mean: float = 62.9,
    age_sd: float = 7.6,
    female: float = 0.52,
) -> Cohort:
    """Draw cognitively normal people of 40 to 92 years, volumes of the 139 ROIs and ICV in mm³.

    Ages (years, to 0.1) follow a normal distribution cut to 40 to 92, `female` is the share of
    women; the defaults are those of the paper's semi-synthetic cohort (section 4.1). Everyone has
    the diagnosis "CN" and an id of "ref-000001" and so on.

    Raises:
        DataError: a setting is out of range.
    """
    _require(people >= 1, "people", people, "1 or more")
    _require(AGE_RANGE[0] <= age_mean <= AGE_RANGE[1], "age_mean", age_mean, "40 to 92 years")
    _require(0 < age_sd < np.inf, "age_sd", age_sd, "above 0 years")
    _require(0 <= female <= 1, "female", female, "0 to 1")
    sex = np.where(generator.random(people) < female, *SEXES)
    ages = _sample_ages(people, generator, age_mean, age_sd)
    volumes = load_reference().sample_volumes(ages, sex, generator)
    subjects = pd.DataFrame(
        {
            "subject_id": [f"ref-{number:06d}" for number in range(1, people + 1)],
            "age": ages,
            "sex": sex.astype(object),
            "icv": volumes[ICV],
            "site": "",
            "diagnosis": "CN",
        },
        columns=list(COVARIATES),
    )
    features = volumes[[one.index for one in rois()]]
    return Cohort(subjects, features, pd.DataFrame(index=subjects.index), "muse")


def _sample_ages(people: int, generator: np.random.Generator, mean: float, sd: float) -> Array:
    low, high = ndtr((np.array(AGE_RANGE) - mean) / sd)
    return (mean + sd * ndtri(generator.uniform(low, high, people))).clip(*AGE_RANGE).round(1)


def _require(good: bool, name: str, value: float, accepted: str) -> None:
    if not good:
        raise DataError(f"{name} is {value:g}; accepted: {accepted}.")


def _plain(values: Array) -> list[Any]:
    rounded = np.vectorize(lambda value: float(f"{value:.6g}"), otypes=[float])(values)
    return rounded.tolist()
