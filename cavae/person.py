"""One person beside their healthy twin, and what they become when salient s is moved."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cavae.atlas import rois
from cavae.checkpoint import Model
from cavae.cohort import Cohort
from cavae.preprocessing.preprocessor import AGE_MARGIN
from cavae.synthesis import Encoding, Twins, decode, disease_effect

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Person:
    """One person, of a cohort or drawn from the prior; p features.

    facts: subject_id, age, sex, icv, diagnosis … as in `Standardized.subjects`; common z and
    salient s (latent,), their own; observed and healthy (p,): now and healthy twin, mm³ (or the
    features' own unit); effect (p,) SD, at their own s; mean and sd (p,): healthy people of the
    same age, sex and ICV as this person's scanner would measure them.
    """

    facts: pd.Series
    features: tuple[str, ...]
    common: Array
    salient: Array
    observed: Array
    healthy: Array
    effect: Array
    mean: Array
    sd: Array

    @property
    def subject_id(self) -> str:
        """Who this is."""
        return str(self.facts["subject_id"])

    @property
    def unit(self) -> str:
        """Unit of observed, healthy, mean and sd: "mm³" for regions of the atlas, else unknown."""
        return "mm³" if set(self.features) <= {roi.index for roi in rois()} else ""


def person_of(model: Model, cohort: Cohort, twins: Twins, row: int) -> Person:
    """Person number `row` of a cohort; the figures are those of `twins`, to the last digit."""
    encoding = twins.encoding
    mean, sd = healthy_people(model, encoding, row)
    return Person(
        facts=encoding.subjects.iloc[row],
        features=twins.features,
        common=encoding.common[row],
        salient=encoding.salient[row],
        observed=cohort.features[list(twins.features)].to_numpy(float)[row],
        healthy=twins.healthy[row],
        effect=twins.effect[row],
        mean=mean,
        sd=sd,
    )


def healthy_people(model: Model, encoding: Encoding, row: int) -> tuple[Array, Array]:
    """Mean and SD (p,) of healthy people of this person's age, sex and ICV, on their scanner.

    The way from standardized values to volumes is a straight line, so its points at 0 and at
    1 SD give both, scanner correction included.
    """
    subject = encoding.subjects.iloc[[row, row]]
    steps = np.repeat([[0.0], [1.0]], len(model.config.features), axis=1)
    zero, one = model.preprocessor.inverse_transform(steps, subject, encoding.adaptations)
    return zero, one - zero


def draw_person(model: Model, seed: int, twin: str = "residual") -> Person:
    """A synthetic person: as the model draws pairs, with the ages at which the disease occurs.

    Their twin is the background of the pair; the paper's, decode(z, 0), lacks what is peculiar to
    one person, which only a calibrated model draws.
    """
    generator = np.random.default_rng(seed)
    drawn = model.preprocessor.populations["target"].sample(1, generator)
    facts = drawn[list(model.preprocessor.covariates)]
    facts.insert(0, "subject_id", f"Synthetic person {seed}")
    z, s, peculiar = _draw_latents(model, generator)
    effect = disease_effect(model, z, s)[0]
    shared = decode(model, z, np.zeros_like(s))[0]
    own = shared + peculiar
    twins = {"residual": own, "paper": shared}
    points = np.stack([np.zeros_like(own), np.ones_like(own), twins[twin], own + effect])
    zero, one, healthy, observed = model.preprocessor.inverse_transform(
        points, facts.iloc[[0] * len(points)]
    )
    return Person(
        facts.iloc[0],
        model.config.features,
        z[0],
        s[0],
        observed,
        healthy,
        effect,
        zero,
        one - zero,
    )


def _draw_latents(model: Model, generator: np.random.Generator) -> tuple[Array, Array, Array]:
    """z and s (1, latent), and what is peculiar to the person (p,) in SD."""
    calibration = model.calibration
    if calibration is None:
        z, s = generator.standard_normal((2, 1, model.config.latent))
        return z, s, np.zeros(len(model.config.features))
    z = calibration.sample_common(1, generator)
    s, _ = calibration.sample_salient(1, generator)
    return z, s, calibration.sample_residual(1, generator)[0]


def effect_at(model: Model, person: Person, salient: Array) -> Array:
    """Effect (p,) in SD that salient s (latent,) would have on this person; theirs at their own."""
    if np.array_equal(salient, person.salient):
        return person.effect
    there, here = disease_effect(
        model, np.stack([person.common] * 2), np.stack([salient, person.salient])
    )
    return there + (person.effect - here) * _kept(there, here)


def _kept(there: Array, here: Array) -> Array:
    """How much of what is peculiar to a person's effect goes with them, (p,) from 0 to 1.

    Nothing of it where there is no effect, all of it where the effect is at least their own.
    """
    ratio = np.divide(there, here, out=np.zeros_like(there), where=here != 0)
    return np.clip(ratio, 0.0, 1.0)


def step_effects(model: Model, person: Person) -> Array:
    """What one more of each salient dimension would change in this person, SD, (latent, p)."""
    steps = np.vstack([np.zeros_like(person.salient), np.eye(len(person.salient))])
    common = np.repeat(person.common[None], len(steps), axis=0)
    effects = disease_effect(model, common, person.salient + steps)
    return effects[1:] - effects[0]


def person_table(person: Person, effect: Array) -> pd.DataFrame:
    """One row a feature: what the person would be with this effect (p,) in SD.

    Columns index, label, healthy, observed (now), effect (SD), percent (the effect as a share of
    the twin), mean and sd of healthy people like this one. Now is what was measured plus what
    the effect differs from the person's own.
    """
    names = {roi.index: roi.label for roi in rois()}
    return pd.DataFrame(
        {
            "index": person.features,
            "label": [names.get(name, name) for name in person.features],
            "healthy": person.healthy,
            "observed": person.observed + person.sd * (effect - person.effect),
            "effect": effect,
            "percent": 100 * person.sd * effect / person.healthy,
            "mean": person.mean,
            "sd": person.sd,
        }
    )


def export_table(table: pd.DataFrame, unit: str) -> pd.DataFrame:
    """`person_table` to take away: roi, label, healthy_twin, now, effect_sd, effect_percent.

    With "mm³" as unit the columns of volumes are called healthy_twin_mm3 and now_mm3.
    """
    ending = "_mm3" if unit == "mm³" else ""
    names = {
        "index": "roi",
        "label": "label",
        "healthy": f"healthy_twin{ending}",
        "observed": f"now{ending}",
        "effect": "effect_sd",
        "percent": "effect_percent",
    }
    return table[list(names)].rename(columns=names)


def caveats(model: Model, person: Person) -> tuple[str, ...]:
    """What makes this person's result less certain, in sentences."""
    facts, found = person.facts, []
    if facts.get("site_status") == "as is":
        found.append(
            "This scanner is new to the model and was not corrected for: "
            "its differences may look like disease."
        )
    if facts.get("icv_estimated", False):
        found.append("Head size (ICV) was missing and was estimated from the other volumes.")
    low, high = model.preprocessor.age_range
    known = "age" in model.preprocessor.covariates
    if known and not low - AGE_MARGIN <= facts["age"] <= high + AGE_MARGIN:
        found.append(
            f"Age {facts['age']:.0f} is outside the ages the model learned from "
            f"({low:.0f} to {high:.0f} years)."
        )
    return tuple(found)
