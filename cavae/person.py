"""One person beside their healthy twin, and what they become when salient s is moved."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cavae import numbers
from cavae.atlas import are_regions, rois
from cavae.checkpoint import Model
from cavae.cohort import Cohort
from cavae.preprocessing.preprocessor import AGE_MARGIN
from cavae.synthesis import Encoding, Twins, decode, disease_effect, draw_prior

Array = NDArray[np.float64]

WRITTEN_AS_ZERO = 0.05  # SD; an end of an interval nearer to 0 than this excludes nothing


@dataclass(frozen=True)
class Person:
    """One person, of a cohort or drawn from the prior; p features.

    facts: subject_id, age, sex, icv, diagnosis … as in `Standardized.subjects`; common z and
    salient s (latent,), their own; observed and healthy (p,): now and healthy twin, mm³ (or the
    features' own unit); effect (p,) SD, at their own s, and its 90 % interval, two (p,), None where
    nothing was measured or the model tells none; mean and sd (p,): healthy people of the same age,
    sex and ICV as this person's scanner would measure them.
    """

    facts: pd.Series
    features: tuple[str, ...]
    common: Array
    salient: Array
    observed: Array
    healthy: Array
    effect: Array
    interval: tuple[Array, Array] | None
    mean: Array
    sd: Array

    @property
    def subject_id(self) -> str:
        """Who this is."""
        return str(self.facts["subject_id"])

    @property
    def unit(self) -> str:
        """Unit of observed, healthy, mean and sd: "mm³" for regions of the atlas, else unknown."""
        return "mm³" if are_regions(self.features) else ""

    @property
    def own_anatomy(self) -> bool:
        """Whether the twin is this person less the effect; the paper's twin is not."""
        return np.allclose(self.healthy + self.sd * self.effect, self.observed)

    def twin_with(self, effect: Array) -> Array:
        """Volumes of the twin (p,) if the disease had this effect (p,) in SD on the person."""
        return self.observed - self.sd * effect if self.own_anatomy else self.healthy


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
        interval=_row_of(twins.effect_interval, row),
        mean=mean,
        sd=sd,
    )


def _row_of(interval: tuple[Array, Array] | None, row: int) -> tuple[Array, Array] | None:
    return None if interval is None else (interval[0][row], interval[1][row])


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
        None,  # Drawn, not measured: there is no doubt about it.
        zero,
        one - zero,
    )


def _draw_latents(model: Model, generator: np.random.Generator) -> tuple[Array, Array, Array]:
    """z and s (1, latent), and what is peculiar to the person (p,) in SD."""
    calibration = model.calibration
    if calibration is None:
        z, s = draw_prior(model, 1, generator)
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

    For the person's own effect also the ends of its 90 % interval: low, high (SD), percent_low,
    percent_high, and those of the twin's volume, twin_low, twin_high (NaN for the paper's twin);
    clear says whether it excludes 0. All NaN and not clear for any other effect: an interval tells
    what a measurement leaves open, and an imagined effect was not measured.
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
            **_interval_columns(person, effect),
        }
    )


def _interval_columns(person: Person, effect: Array) -> dict[str, Array | NDArray[np.bool_]]:
    low = high = np.full(len(effect), np.nan)
    if person.interval is not None and np.array_equal(effect, person.effect):
        low, high = person.interval
    # A small effect leaves a large twin: the ends change places.
    twin_high, twin_low = (person.twin_with(end) for end in (low, high))
    return {
        "low": low,
        "high": high,
        "percent_low": 100 * person.sd * low / twin_high,
        "percent_high": 100 * person.sd * high / twin_low,
        "twin_low": twin_low if person.own_anatomy else np.full(len(effect), np.nan),
        "twin_high": twin_high if person.own_anatomy else np.full(len(effect), np.nan),
        "clear": (low > WRITTEN_AS_ZERO) | (high < -WRITTEN_AS_ZERO),
    }


def compared(row: pd.Series, unit: str, own_anatomy: bool = True) -> str:
    """A row of `person_table` as a clinician writes it, the interval in brackets if there is one.

    `Right hippocampus 18 % smaller than the twin's (12 to 24 %)`; for features that are no volumes
    (unit "") the difference is in SD. Beside the paper's twin, which differs by more than the
    effect (own_anatomy False), it says what the effect alone does.
    """
    ending, places, less, more = " %", 0, "smaller", "larger"
    value, low, high = row["percent"], row["percent_low"], row["percent_high"]
    if not unit:
        ending, places = " SD", 1
        less, more = ("below", "above") if own_anatomy else ("lower", "higher")
        value, low, high = row["effect"], row["low"], row["high"]
    twin = f"{'than ' if unit else ''}the twin's" if own_anatomy else "by the effect alone"
    known = not np.isnan(low)
    if (known and not row["clear"]) or round(abs(value), places) == 0:
        span = f" ({numbers.interval(low, high, places)}{ending})" if known else ""
        return f"{row['label']} not clearly changed{span}"
    near, far = sorted((abs(low), abs(high)))
    span = f" ({near:.{places}f} to {far:.{places}f}{ending})" if known else ""
    word = less if value < 0 else more
    return f"{row['label']} {abs(value):.{places}f}{ending} {word} {twin}{span}"


def export_table(table: pd.DataFrame, unit: str) -> pd.DataFrame:
    """`person_table` to take away: roi, label, healthy_twin, now, effect_sd, effect_percent.

    With intervals also the low and high of each, but of now, which was measured. With "mm³" as
    unit the columns of volumes are called healthy_twin_mm3 and so on.
    """
    ending = "_mm3" if unit == "mm³" else ""
    names = {
        "index": "roi",
        "label": "label",
        "healthy": f"healthy_twin{ending}",
        "observed": f"now{ending}",
        "effect": "effect_sd",
        "percent": "effect_percent",
        "low": "effect_sd_low",
        "high": "effect_sd_high",
        "percent_low": "effect_percent_low",
        "percent_high": "effect_percent_high",
        "twin_low": f"healthy_twin_low{ending}",
        "twin_high": f"healthy_twin_high{ending}",
    }
    return table[list(names)].rename(columns=names).dropna(axis=1, how="all")


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
