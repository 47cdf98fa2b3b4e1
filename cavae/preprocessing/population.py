"""Who is drawn: age, sex and ICV of a training cohort as summary figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Population:
    """Age, sex and ICV of a training cohort as summary figures, to draw new people from.

    female: share of women; ages: 5th, 15th, … 95th percentile in whole years;
    icv: mean and SD (mm³) of F and of M.
    """

    female: float
    ages: tuple[float, ...]
    icv: Mapping[str, tuple[float, float]]

    def sample(self, people: int, generator: np.random.Generator) -> pd.DataFrame:
        """Draw `people` new subjects: columns age (years), sex, icv (mm³)."""
        sex = np.where(generator.random(people) < self.female, "F", "M")
        rank = generator.uniform(5, 95, people)
        age = np.interp(rank, np.linspace(5, 95, len(self.ages)), self.ages).round(1)
        mean, sd = (np.array([self.icv[s][k] for s in sex]) for k in (0, 1))
        icv = (mean + sd * np.clip(generator.standard_normal(people), -2.5, 2.5)).round()
        return pd.DataFrame({"age": age, "sex": sex, "icv": icv})


def fit_population(subjects: pd.DataFrame) -> Population:
    """Summarize the people of a training cohort; what a table lacks counts as 0 and F."""
    subjects = subjects.assign(
        age=subjects["age"].fillna(0.0),
        sex=subjects["sex"].replace("", "F"),
        icv=subjects["icv"].fillna(0.0),
    )
    ages = np.percentile(subjects["age"], np.linspace(5, 95, 10)).round()
    icv = {}
    for sex in ("F", "M"):
        of_sex = subjects.loc[subjects["sex"] == sex, "icv"]
        values = of_sex if len(of_sex) > 2 else subjects["icv"]
        icv[sex] = (round(float(values.mean()), -3), round(float(values.std()), -3))
    female = float((subjects["sex"] == "F").mean())
    return Population(round(female, 3), tuple(float(a) for a in ages), icv)
