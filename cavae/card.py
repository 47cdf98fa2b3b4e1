"""The card of a model: what it is, from whom, how good, and what it is not for. Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from cavae.atlas import rois
from cavae.evaluation import Figure
from cavae.quality import FACT, Quality
from cavae.training import TrainedModel

LIMITS = """\
- A research and teaching tool, not a diagnostic device.
- A healthy twin is what the model expects of the same person without the disease pattern it
  learned. It is not a causal claim and not a forecast.
- Volumes of a scanner or software version that the model has never seen look like disease unless
  the table brings at least 20 healthy people of the same site to correct with.
- The effect is the average pattern of the people the model learned from; rare patterns and other
  diseases are not in it.
"""


def write_card(
    trained: TrainedModel,
    name: str,
    sources: str,
    figures: Sequence[Figure],
    measured_on: str,
    command: str,
    quality: Quality | None = None,
) -> str:
    """Compose the card; `measured_on` says who the figures were measured on."""
    config, training = trained.config, trained.training
    low, high = trained.preprocessor.age_range
    people = ", ".join(f"{count} {part}" for part, count in trained.people.items())
    healthy, ill = "/".join(training.background), "/".join(training.target)
    are_volumes = set(config.features) <= {roi.index for roi in rois()}
    kind = "regional brain volumes" if are_volumes else "features"
    harmonized = trained.preprocessor.harmonizer is not None
    sites = ", ".join(trained.preprocessor.sites) if harmonized else "none, people are of one site"
    return f"""# {name}

A contrastive VAE of {len(config.features)} {kind}: {config.latent} common dimensions z that
{healthy} and {ill} share, {config.latent} salient dimensions s that only {ill} add.

## From whom

{sources}

People: {people}. Ages of the healthy: {low:.0f} to {high:.0f} years.
Covariates removed: {", ".join(trained.preprocessor.covariates) or "none"}.
Sites harmonized: {sites}.

## How it was made

Preset `{training.preset}`, λ = {training.mmd_weight:g}, seed {training.seed},
best epoch {trained.best_epoch} of at most {training.epochs}:

    {command}

## How good

{measured_on}

{figure_rows(figures)}

## How useful and how private its synthetic people are

{quality_rows(quality)}

## Limits

{LIMITS}
## Privacy

The folder holds network weights and summary figures of the cohorts (regression coefficients,
standard deviations, rounded percentiles of age, mean and SD of ICV). No row of a person is in it.
How well an attacker can tell whose data it learned from is measured above.
"""


def figure_rows(figures: Sequence[Figure]) -> str:
    """Figures as a Markdown table."""
    rows = [f"| {f.metric} | {f.group} | {f.value:.2f} | {f.good} |" for f in figures]
    return "\n".join(["| figure | of | value | best |", "| --- | --- | --- | --- |", *rows])


def quality_rows(quality: Quality | None) -> str:
    """On whom the quality was measured, and its figures as a Markdown table."""
    if quality is None:
        return "Not measured."
    rows = [
        f"| {row.metric} | {_with_unit(row.value, row.unit)}{_span(row.low, row.high)} | "
        f"{_best(row.direction, row.referred_to, row.reference, row.unit)} |"
        for row in quality.table().itertuples()
    ]
    head = ["| figure | value (95 % interval) | best |", "| --- | --- | --- |"]
    return "\n".join([quality.measured_on, "", *head, *rows])


def _with_unit(value: float, unit: str) -> str:
    return f"{value:.2f} {unit}".rstrip()


def _span(low: float, high: float) -> str:
    return "" if np.isnan(low) else f" ({low:.2f} to {high:.2f})"


def _best(direction: str, referred_to: str, reference: float, unit: str) -> str:
    if np.isnan(reference):
        return direction
    return f"{direction}; {referred_to}: {_with_unit(reference, unit)}"


def facts(
    trained: TrainedModel,
    trained_on: str,
    figures: Sequence[Figure],
    quality: Quality | None = None,
) -> Mapping[str, object]:
    """What config.json says besides settings: people, best epoch, the figures of the card and,
    where it was measured, the quality."""
    measured = {} if quality is None else {FACT: quality.to_dict()}
    return {
        "trained_on": trained_on,
        "people": trained.people,
        "best_epoch": trained.best_epoch,
        "figures": [
            {"metric": f.metric, "group": f.group, "value": round(f.value, 4)}
            for f in figures
            if f.value == f.value
        ],
        **measured,
    }
