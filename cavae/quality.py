"""How useful and how private what a model generates is: measured once, kept with the model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from cavae import privacy, usefulness
from cavae.baselines import sample_baseline
from cavae.bootstrap import RESAMPLES, Bootstrap
from cavae.cohort import Cohort
from cavae.errors import CheckpointError
from cavae.estimates import UNKNOWN, Estimate
from cavae.fitted import FittedModel
from cavae.groups import Groups
from cavae.privacy import measure_closest, measure_file, measure_model
from cavae.synthesis import SampleRequest, sample_pairs
from cavae.usefulness import SmallStudy, measure_usefulness, measure_with

METRICS = (*usefulness.METRICS, *privacy.METRICS)
FACT = "quality"  # its name in config.json
PAIRS, SEED = 1000, 0  # what is measured: `sample --standardized --pairs 1000 --seed 0`
OnStep = Callable[[str], None]  # Told what begins; raises Stopped to end it.
STEPS = ("how useful its synthetic people are", "how private they are")
LEAST = 10  # held-out people a group; fewer say nothing
PLACES = 4
LARGEST = 1e12  # of any figure
MANY = 1000  # of anything that is read; more was not measured here


@dataclass(frozen=True)
class Quality:
    """Estimates by key of METRICS, and the curve of small studies.

    measured_on: on whom, a sentence; command: what measures it again, "" if there is none.
    """

    estimates: Mapping[str, Estimate]
    small_studies: tuple[SmallStudy, ...]
    measured_on: str = ""
    command: str = ""

    def table(self) -> pd.DataFrame:
        """One row a metric that is known: key, metric, value, low, high, reference, referred_to,
        unit, direction, meaning; nan where there is no interval or reference."""
        rows = []
        for metric in METRICS:
            estimate = self.estimates.get(metric.key, UNKNOWN)
            if np.isnan(estimate.value):
                continue
            low, high = estimate.interval
            rows.append(
                {
                    "key": metric.key,
                    "metric": metric.name,
                    "value": estimate.value,
                    "low": low,
                    "high": high,
                    "reference": estimate.reference,
                    "referred_to": metric.reference,
                    "unit": metric.unit,
                    "direction": metric.direction,
                    "meaning": metric.meaning,
                }
            )
        return pd.DataFrame(rows)

    def record(self) -> dict[str, Any]:
        """What belongs beside a download: on whom it was measured, and every figure in words."""
        rows = self.table().replace({np.nan: None}).to_dict("records")
        return {
            "measured_on": self.measured_on,
            "command": self.command,
            "figures": {
                row.pop("key"): {
                    name: value for name, value in row.items() if value not in (None, "")
                }
                for row in rows
            },
        }

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON types, rounded to PLACES decimals; null where something is not known."""
        return {
            "measured_on": self.measured_on,
            "command": self.command,
            "figures": {key: _plain(estimate) for key, estimate in self.estimates.items()},
            "small_studies": [
                {"people": s.people, "alone": _plain(s.alone), "added": _plain(s.added)}
                for s in self.small_studies
            ],
        }

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Quality | None:
        """Read it from the facts of config.json; None when it was not measured.

        Raises CheckpointError when it is not what `to_dict` writes.
        """
        if FACT not in facts:
            return None
        content = facts[FACT]
        try:
            return cls(
                {str(key): _estimate(figure) for key, figure in content["figures"].items()},
                tuple(
                    SmallStudy(_count(s["people"]), _estimate(s["alone"]), _estimate(s["added"]))
                    for s in content["small_studies"][:MANY]
                ),
                str(content["measured_on"])[:MANY],
                str(content["command"])[:MANY],
            )
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise CheckpointError(f"The quality in config.json cannot be read: {error}.") from error


def measure_quality(
    model: FittedModel,
    train: Cohort,
    held_out: Cohort,
    reference: Cohort | None = None,
    resamples: int = RESAMPLES,
    on_step: OnStep = lambda _: None,
) -> Quality | None:
    """Measure what a model generates on people that it did not learn from.

    train: those it learned from; of them only people of the sites of the others count, or site
    would tell groups apart and give members away. reference: more people it did not learn from,
    see `measure_file`. on_step: told of each of STEPS. None when a group has fewer than LEAST
    people to measure on.
    """
    members, test, known = (
        None if people is None else groups_of(model, people)
        for people in (_of_sites(train, held_out), held_out, reference)
    )
    if min(*members.sizes, *test.sizes) < LEAST:
        return None
    useful, private = STEPS
    on_step(useful)
    generated, bootstrap = draw_groups(model), Bootstrap(resamples)
    estimates, small_studies = measure_usefulness(generated, members, test, bootstrap)
    on_step(private)
    copula = _copula_of(groups_of(model, train))
    of_file = measure_file(generated, copula, members, test, known, bootstrap)
    of_model = measure_model(model, members, test, bootstrap)
    return Quality(estimates | of_file | of_model, small_studies)


def measure_own(model: FittedModel, cohort: Cohort, resamples: int = RESAMPLES) -> Quality | None:
    """Measure what a model generates on people of one's own, whom it may have learned from or not.

    None when a group has fewer than LEAST people.
    """
    people, generated = groups_of(model, cohort), draw_groups(model)
    if min(people.sizes) < LEAST:
        return None
    useful = measure_with(generated, people, Bootstrap(resamples))
    return Quality({**useful, **measure_closest(generated.everyone, people.everyone)}, ())


def draw_groups(model: FittedModel) -> Groups:
    """What is measured: PAIRS pairs, as the command `sample` writes them."""
    pairs = sample_pairs(model, SampleRequest(PAIRS, SEED, standardized=True))
    return Groups(pairs.background, pairs.target)


def _copula_of(people: Groups) -> Groups:
    """As many people as are measured, drawn from what people would use instead."""
    background, target = (
        sample_baseline("copula", group, PAIRS, SEED)
        for group in (people.background, people.target)
    )
    return Groups(background, target)


def groups_of(model: FittedModel, cohort: Cohort) -> Groups:
    """The people of the model's two groups, standardized."""
    values = model.preprocessor.transform(cohort).values
    diagnosis = cohort.subjects["diagnosis"]
    background, target = (
        values[diagnosis.isin(labels).to_numpy()]
        for labels in (model.training.background, model.training.target)
    )
    return Groups(background, target)


def mean_quality(folds: Sequence[Quality], independent: int) -> Quality:
    """Mean of the folds of a repeated cross-validation.

    independent: folds of one repeat, in which everyone is tested once: the mean is that much
    surer than a fold. Repeats test the same people again and make it no surer.
    """

    def mean(estimates: Sequence[Estimate]) -> Estimate:
        return _mean(estimates, independent)

    keys = [key for key in folds[0].estimates if all(key in fold.estimates for fold in folds)]
    studies = [
        SmallStudy(
            together[0].people,
            mean([study.alone for study in together]),
            mean([study.added for study in together]),
        )
        for together in zip(*(fold.small_studies for fold in folds), strict=False)
    ]
    return replace(
        folds[0],
        estimates={key: mean([fold.estimates[key] for fold in folds]) for key in keys},
        small_studies=tuple(studies),
    )


def _mean(estimates: Sequence[Estimate], independent: int) -> Estimate:
    values = np.array([[e.value, *e.interval, e.reference] for e in estimates])
    value, _, _, reference = values.mean(axis=0)
    below, above = (values[:, 0] - values[:, 1]), (values[:, 2] - values[:, 0])
    low, high = (np.sqrt(np.mean(side**2) / independent) for side in (below, above))
    return Estimate(float(value), (float(value - low), float(value + high)), float(reference))


def _of_sites(train: Cohort, held_out: Cohort) -> Cohort:
    return train.select(train.subjects["site"].isin(held_out.subjects["site"]).to_numpy())


def _plain(estimate: Estimate) -> dict[str, float | None]:
    numbers = (estimate.value, *estimate.interval, estimate.reference)
    names = ("value", "low", "high", "reference")
    return {
        name: round(number, PLACES) if np.isfinite(number) else None
        for name, number in zip(names, numbers, strict=True)
    }


def _estimate(figure: Mapping[str, Any]) -> Estimate:
    value, low, high, reference = (
        float("nan") if figure[name] is None else _number(figure[name])
        for name in ("value", "low", "high", "reference")
    )
    return Estimate(value, (low, high), reference)


def _number(value: object) -> float:
    """A number of JSON, and neither text that reads as one, "inf" among it, nor true."""
    if type(value) not in (int, float) or abs(value) > LARGEST:
        raise ValueError("a figure is no number of a likely size")
    return float(value)


def _count(value: object) -> int:
    if type(value) is not int or not 0 <= value <= LARGEST:
        raise ValueError("people are no count")
    return value
