"""Who is shown in the explorer: real or synthetic people, and the average person."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cavae.atlas import ASSETS, are_regions
from cavae.checkpoint import Model
from cavae.cohort import Cohort, read_cohort
from cavae.person import Person
from cavae.preprocessing import HARMONIZED
from cavae.synthesis import SampleRequest, decode, sample_pairs

DEMO_COHORT = ASSETS / "demo_cohort.csv"
MAX_PEOPLE = 2_000
DRAWN = (120, 180)  # healthy and diseased people where the demo cohort does not suit the model
AVERAGE = "Average person"


def shown_rows(people: int) -> NDArray[np.int64]:
    """Rows of the people who are shown: all, or MAX_PEOPLE of them at random, always the same."""
    if people <= MAX_PEOPLE:
        return np.arange(people)
    return np.sort(np.random.default_rng(0).permutation(people)[:MAX_PEOPLE])


def bundled_cohort(model: Model) -> Cohort:
    """Synthetic people to look at: the demo cohort if it has the model's disease, else drawn."""
    demo = read_cohort(DEMO_COHORT).cohort
    suits = set(model.training.target) <= set(demo.subjects["diagnosis"])
    return demo if suits and set(model.config.features) <= set(demo.features) else _draw(model)


def _draw(model: Model) -> Cohort:
    """People as the model draws pairs: of some the background, of the others the target."""
    healthy, diseased = DRAWN
    pairs = sample_pairs(model, SampleRequest(healthy + diseased))
    volumes = np.concatenate([pairs.background[:healthy], pairs.target[healthy:]])
    muse = are_regions(model.config.features)
    people = healthy + diseased
    subjects = pairs.subjects.assign(
        subject_id=[f"synthetic-{i + 1:03d}" for i in range(people)],
        site=HARMONIZED,
        diagnosis=[model.training.background[0]] * healthy + [model.training.target[0]] * diseased,
    )
    features = pd.DataFrame(volumes.round() if muse else volumes, columns=[*model.config.features])
    extra = pd.DataFrame(index=subjects.index)
    return Cohort(subjects, features, extra, "muse" if muse else "other")


def average_person(model: Model) -> Person:
    """Nobody in particular: average common z, no disease, median age, nothing peculiar.

    To this person belongs a point that is moved freely through salient space.
    """
    population = model.preprocessor.populations["target"]
    sex = "F" if population.female >= 0.5 else "M"
    facts = pd.DataFrame(
        {
            "subject_id": [AVERAGE],
            "age": [float(np.median(population.ages))],
            "sex": [sex],
            "icv": [population.icv[sex][0]],
            "site": [HARMONIZED],
            "diagnosis": [""],
        }
    )
    calibration, latent = model.calibration, model.config.latent
    common = np.zeros(latent) if calibration is None else calibration.common_mean
    healthy = decode(model, common[None], np.zeros((1, latent)))[0]
    if calibration is not None:
        healthy = healthy + calibration.shift
    points = np.stack([healthy, np.zeros_like(healthy), np.ones_like(healthy)])
    volumes, zero, one = model.preprocessor.inverse_transform(points, facts.iloc[[0, 0, 0]])
    return Person(
        facts=facts.iloc[0],
        features=model.config.features,
        common=common,
        salient=np.zeros(latent),
        observed=volumes,
        healthy=volumes,
        effect=np.zeros_like(volumes),
        interval=None,
        mean=zero,
        sd=one - zero,
    )
