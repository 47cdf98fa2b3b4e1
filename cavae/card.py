"""The card of a model: what it is, from whom, how good, and what it is not for. Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from cavae.atlas import rois
from cavae.config import ModelConfig
from cavae.evaluation import Figure
from cavae.quality import FACT, Quality
from cavae.training import TrainedModel

SPACE = "\N{NO-BREAK SPACE}"  # keeps a number and its interval in one line

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

{_what(config, kind, healthy, ill)}

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

{_quality(quality)}

## Limits

{LIMITS}
## Privacy

The folder holds network weights and summary figures of the cohorts (regression coefficients,
standard deviations, rounded percentiles of age, mean and SD of ICV). No row of a person is in it.
How well an attacker can tell whose data it learned from is measured above.
"""


def _what(config: ModelConfig, kind: str, healthy: str, ill: str) -> str:
    """What the network is, in a sentence."""
    inputs = f"{len(config.features)} {kind}"
    if config.variant == "conditional":
        return (
            f"A conditional VAE of {inputs}: {config.latent} dimensions z, and a label that\n"
            f"tells {ill} from {healthy}. It has no salient space."
        )
    kept_apart = {"total-correlation": ", kept apart by total correlation"}.get(config.variant, "")
    return (
        f"A contrastive VAE of {inputs}: {config.latent} common dimensions z that\n"
        f"{healthy} and {ill} share, {config.latent} salient dimensions s that only {ill} add"
        f"{kept_apart}."
    )


def figure_rows(figures: Sequence[Figure]) -> str:
    """Figures as a Markdown table."""
    rows = [f"| {f.metric} | {f.group} | {f.value:.2f} | {f.good} |" for f in figures]
    return "\n".join(["| figure | of | value | best |", "| --- | --- | --- | --- |", *rows])


def _quality(quality: Quality | None) -> str:
    if quality is None:
        return "Not measured."
    return f"{quality.measured_on}\n\n{quality_rows(quality)}"


def quality_rows(quality: Quality) -> str:
    """The figures of what a model generates as a Markdown table."""
    rows = [
        f"| {row.metric} | {_with_unit(row.value, row.unit)}{_span(row.low, row.high)} | "
        f"{_best(row.direction, row.referred_to, row.reference, row.unit)} |"
        for row in quality.table().itertuples()
    ]
    return "\n".join(["| figure | value (95 % interval) | best |", "| --- | --- | --- |", *rows])


def _with_unit(value: float, unit: str) -> str:
    return f"{value:.2f}{SPACE}{unit}".rstrip()


def _span(low: float, high: float) -> str:
    return "" if np.isnan(low) else f" ({low:.2f} to {high:.2f})".replace(" ", SPACE)


def _best(direction: str, referred_to: str, reference: float, unit: str) -> str:
    """`as high as 0.81 (trained on real people)`: the reference by its value."""
    if np.isnan(reference):
        return direction
    value = _with_unit(reference, unit)
    if "the reference" in direction:
        return f"{direction.replace('the reference', value)} ({referred_to})"
    return f"{direction} ({value} {referred_to})"


def facts(
    trained: TrainedModel,
    trained_on: str,
    figures: Sequence[Figure],
    measured_on: str,
    quality: Quality | None = None,
) -> Mapping[str, object]:
    """What config.json says besides settings: people, best epoch, the figures of the card, on whom
    they were measured and, where it was, the quality."""
    measured = {} if quality is None else {FACT: quality.to_dict()}
    return {
        "trained_on": trained_on,
        "people": trained.people,
        "best_epoch": trained.best_epoch,
        "measured_on": measured_on,
        "figures": [_figure(f) for f in figures if f.value == f.value],
        **measured,
    }


def _figure(figure: Figure) -> Mapping[str, object]:
    known = {"reference": round(figure.reference, 4)} if np.isfinite(figure.reference) else {}
    value = round(figure.value, 4)
    return {"metric": figure.metric, "group": figure.group, "value": value, **known}
