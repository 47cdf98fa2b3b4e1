"""What is known of how good a model is, in the few figures that models are compared by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from cavae.atlas import are_regions
from cavae.checkpoint import describe_model
from cavae.cohort import Cohort
from cavae.evaluation import FLOOR_RATIO, SEPARATION_RATIO, evaluate_cohort
from cavae.fitted import FittedModel
from cavae.quality import Quality


@dataclass(frozen=True)
class Criterion:
    """A figure that models are compared by: key, what to call it, and what it says."""

    key: str
    name: str
    meaning: str


NOT_SAID = "It is not said on whom its figures were measured."
CRITERIA = (
    Criterion(
        "salient_auc",
        "In s (AUC)",
        "Disease in s: how well salient s tells the most severe from the healthy: 1 is best, "
        "0.5 a guess.",
    ),
    Criterion(
        "leakage_auc",
        "Left in z (AUC)",
        "Disease left in z: how well common z tells the diseased from the healthy: 0.5 is best, "
        "nothing has leaked.",
    ),
    Criterion(
        "hippocampus",
        "Hippocampus (SD)",
        "Mean effect on the hippocampus of the most severe; that of the healthy should be 0.",
    ),
    Criterion(
        "w2_ratio",
        "W2 / floor",
        "Distance of generated people from real ones, over that of real people among themselves: "
        "1 is best.",
    ),
    Criterion(
        "separation",
        "Separation",
        "How far generated groups lie apart, over how far real ones do: 1 is best.",
    ),
    Criterion(
        "useful_auc",
        "Useful (AUC)",
        "How well a classifier trained on its synthetic people does on real ones: 1 is best.",
    ),
    Criterion(
        "attack_auc",
        "Attack (AUC)",
        "Strongest attack: how well an attacker tells who was in the training: 0.5 is best, "
        "1 gives everyone away.",
    ),
)
METRICS: Mapping[str, tuple[str, ...]] = {
    "salient_auc": ("salient s, AUC",),
    "leakage_auc": (
        "common z, AUC (leakage)",
        "AUC of target against background on common z",
    ),
    "hippocampus": ("hippocampal effect, mean (SD)",),
    "w2_ratio": (FLOOR_RATIO,),
    "separation": (SEPARATION_RATIO,),
}
"""Figures of the card by the names that they have there."""
OF_A_LABEL = METRICS["hippocampus"]
RATIOS: Mapping[str, str] = {
    "w2_ratio": "W2, generated to real target",
    "separation": "W2, generated target to generated background",
}
"""Figures of the card that are compared as a ratio to what they refer to."""


@dataclass(frozen=True)
class Standing:
    """A model as it is compared: what it is, from whom, and figures by key of CRITERIA.

    people: how many it was trained and monitored with, 0 if that is not known; measured_on: on whom
    the figures were measured, a sentence.
    """

    variant: str
    background: tuple[str, ...]
    target: tuple[str, ...]
    trained_on: str
    people: int
    features: int
    kind: str
    figures: Mapping[str, float]
    measured_on: str


def standing(name_or_folder: str | Path) -> Standing:
    """What config.json says of a model; raises CheckpointError when it cannot be read."""
    model, training, facts = describe_model(name_or_folder)
    quality = Quality.from_facts(facts)
    return Standing(
        variant=model.variant,
        background=training.background,
        target=training.target,
        trained_on=facts.get("trained_on", ""),
        people=sum(facts.get("people", {}).values()),
        features=len(model.features),
        kind="regions" if are_regions(model.features) else "features",
        figures=_of_card(facts.get("figures", []), training.target[-1]) | _of_quality(quality),
        measured_on=facts.get("measured_on") or (quality.measured_on if quality else NOT_SAID),
    )


def standing_among(model: FittedModel, cohort: Cohort) -> dict[str, float]:
    """Figures by key of CRITERIA on people of one's own; only those that their labels allow.

    Raises MisfitError when the model cannot read them.
    """
    figures = evaluate_cohort(model, cohort)
    known = [f for f in figures if isfinite(f.value)]
    return _of_card(
        [{"metric": f.metric, "group": f.group, "value": f.value} for f in known],
        model.training.target[-1],
    )


def _of_card(figures: Sequence[Mapping[str, Any]], severe: str) -> dict[str, float]:
    """The figures to compare among those of the card; of one a group those of the most severe."""
    found: dict[str, float] = {}
    for figure in figures:
        metric, value, reference = figure["metric"], figure["value"], figure.get("reference", 0)
        if metric in OF_A_LABEL and figure["group"] != severe:
            continue
        found |= {key: float(value) for key, names in METRICS.items() if metric in names}
        if reference > 0:
            found |= {key: value / reference for key, name in RATIOS.items() if metric == name}
    return found


def _of_quality(quality: Quality | None) -> dict[str, float]:
    if quality is None:
        return {}
    values = {key: one.value for key, one in quality.estimates.items() if isfinite(one.value)}
    attacks = [value for key, value in values.items() if key.startswith("attack")]
    useful = {"useful_auc": values["tstr_auc"]} if "tstr_auc" in values else {}
    return useful | ({"attack_auc": max(attacks)} if attacks else {})
