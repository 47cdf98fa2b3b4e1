"""Linear models of age, sex and ICV as plain arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[np.float64]

ICV_UNIT = 1e6  # ICV enters linear models in litres, which keeps them well conditioned


def covariate_matrix(subjects: pd.DataFrame, covariates: Sequence[str]) -> Array:
    """Age (years), sex (1 = M) and ICV (litres), those of `covariates`, as (n, c)."""
    columns = {
        "age": lambda: subjects["age"].to_numpy(float),
        "sex": lambda: (subjects["sex"] == "M").to_numpy(float),
        "icv": lambda: subjects["icv"].to_numpy(float) / ICV_UNIT,
    }
    return np.column_stack(
        [columns[name]() for name in covariates] or [np.empty((len(subjects), 0))]
    )


@dataclass(frozen=True)
class LinearModel:
    """Ordinary or ridge regression as plain arrays: intercept (p,), coefficients (c, p)."""

    intercept: Array
    coefficients: Array

    def predict(self, inputs: Array) -> Array:
        """Expected values (n, p) for inputs (n, c)."""
        return self.intercept + inputs @ self.coefficients


def least_squares(inputs: Array, outputs: Array) -> LinearModel:
    """Fit outputs (n, p) on inputs (n, c) with an intercept."""
    design = np.column_stack([np.ones(len(inputs)), inputs])
    solution = np.linalg.lstsq(design, outputs, rcond=None)[0]
    return LinearModel(solution[0], solution[1:])
