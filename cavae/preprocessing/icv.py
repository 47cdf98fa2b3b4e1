"""Intracranial volume where a table has none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cavae.preprocessing.linear import Array, LinearModel, covariate_matrix


@dataclass(frozen=True)
class IcvModel:
    """ICV (mm³) from age, sex and all volumes, by ridge regression on the background cohort.

    error: root mean square error in mm³ on people left out of the fit (5-fold).
    """

    model: LinearModel
    error: float

    def predict(self, volumes: Array, subjects: pd.DataFrame) -> Array:
        """Expected ICV in mm³, (n,)."""
        inputs = np.column_stack([covariate_matrix(subjects, ("age", "sex")), volumes])
        return self.model.predict(inputs)[:, 0]


def fit_icv(volumes: Array, subjects: pd.DataFrame) -> IcvModel:
    """Fit on people whose ICV is known, volumes (n, p)."""
    from sklearn.linear_model import RidgeCV
    from sklearn.model_selection import cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    inputs = np.column_stack([covariate_matrix(subjects, ("age", "sex")), volumes])
    icv = subjects["icv"].to_numpy(float)
    pipeline = make_pipeline(StandardScaler(), RidgeCV(alphas=np.logspace(-1, 4, 11)))
    folds = min(5, len(icv))
    error = np.sqrt(np.mean((cross_val_predict(pipeline, inputs, icv, cv=folds) - icv) ** 2))
    scaler, ridge = (step for _, step in pipeline.fit(inputs, icv).steps)
    slopes = ridge.coef_ / scaler.scale_
    intercept = ridge.intercept_ - slopes @ scaler.mean_
    return IcvModel(LinearModel(np.array([intercept]), slopes[:, None]), float(error))
