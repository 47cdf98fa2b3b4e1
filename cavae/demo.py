"""The bundled demo cohort: synthetic people, made by the project's own model."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cavae.cohort import Cohort
from cavae.fitted import FittedModel
from cavae.metrics import square_root
from cavae.preprocessing import HARMONIZED
from cavae.synthesis import decode, encode, possible_volumes

Array = NDArray[np.float64]

PEOPLE: Mapping[str, int] = {"CN": 120, "MCI": 90, "AD": 90}


def make_demo(model: FittedModel, cohort: Cohort, seed: int = 0) -> pd.DataFrame:
    """300 synthetic people, whole mm³, columns as in the template.

    `cohort` are the people the model learned from: each diagnosis has salient latents around its
    own mean, which the model's mixture of all target people does not tell apart.
    """
    generator = np.random.default_rng(seed)
    encoding = encode(model, cohort)
    diagnosis = cohort.subjects["diagnosis"].to_numpy(str)
    groups = [
        _draw_group(model, label, people, encoding.salient[diagnosis == label], generator)
        for label, people in PEOPLE.items()
    ]
    everyone = pd.concat(groups, ignore_index=True)
    everyone = everyone.iloc[generator.permutation(len(everyone))].reset_index(drop=True)
    everyone.insert(0, "subject_id", [f"demo-{i + 1:03d}" for i in range(len(everyone))])
    return everyone


def _draw_group(
    model: FittedModel, label: str, people: int, salient: Array, generator: np.random.Generator
) -> pd.DataFrame:
    calibration = model.calibration
    healthy = label in model.training.background
    population = model.preprocessor.populations["background" if healthy else "target"]
    subjects = population.sample(people, generator)
    z = calibration.sample_common(people, generator)
    without = decode(model, z, np.zeros_like(z))
    values = without + calibration.sample_residual(people, generator)
    if not healthy:
        root = square_root(np.cov(salient, rowvar=False))
        s = salient.mean(axis=0) + generator.standard_normal(z.shape) @ root
        chance = calibration.membership(s)
        subtype = chance.argmax(axis=1)
        values += calibration.sample_effect(
            values, decode(model, z, s) - without, subtype, generator
        )
    volumes = possible_volumes(model, values, subjects).round().astype(int)
    named = pd.DataFrame(volumes, columns=[f"MUSE_Volume_{i}" for i in model.config.features])
    subjects = subjects.assign(icv=subjects["icv"].astype(int), site=HARMONIZED, diagnosis=label)
    return pd.concat([subjects, named], axis=1)
