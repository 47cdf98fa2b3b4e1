"""What a model reaches on people it was not trained on: twins in, a tidy table out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cavae.cohort import Cohort
from cavae.fitted import FittedModel
from cavae.metrics import auc, logistic_auc
from cavae.synthesis import Twins, encode, healthy_twins

Array = NDArray[np.float64]

FLOOR_RATIO = "W2 of generated people, over its floor"
SEPARATION_RATIO = "separation of generated groups, over that of real ones"
HIPPOCAMPI = ("47", "48")  # right, left
MEANINGS = {
    "MAD, median (SD)": "Should rise from healthy to severe; alike in all groups, the distance "
    "from the twin says nothing of the disease.",
    "MAD, Spearman with diagnosis": "At 1 the distance from the twin orders people as their "
    "diagnoses do; at 0 it has nothing to do with them.",
    "effect, AUC": "At 1 the size of the effect tells the two groups apart without error; at 0.5 "
    "it is a coin toss.",
    "salient s, AUC": "At 1 salient s tells the two groups apart without error; at 0.5 it is a "
    "coin toss.",
    "common z, AUC (leakage)": "At 0.5 common z says nothing of the disease; towards 1 the disease "
    "leaks into what should be shared.",
    "hippocampal effect, mean (SD)": "Near 0 in healthy people, and the lower the more severe; far "
    "below 0 in healthy people it is a false alarm.",
    FLOOR_RATIO: "At 1 generated people are as like the real ones as other real people are; above "
    "it, they differ more.",
    SEPARATION_RATIO: "At 1 generated groups lie as far apart as real ones; below it the disease "
    "comes out too weak, above it too strong.",
}
"""What good and bad look like, by the metric of a `Figure`."""


@dataclass(frozen=True)
class Figure:
    """One figure of a model: name, the group it is of, value, and what good looks like.

    reference: what the value is to be held against, nan where there is nothing.
    """

    metric: str
    group: str
    value: float
    good: str
    reference: float = float("nan")


def ranking_auc(score: Array, diseased: NDArray[np.bool_]) -> float:
    """Chance that a diseased person scores above a healthy one; nan when a group is empty."""
    return auc(score[diseased], score[~diseased])


def evaluate_cohort(model: FittedModel, cohort: Cohort) -> tuple[Figure, ...]:
    """`clinical_figures` of a model on a labelled cohort that it was not trained on."""
    twins = healthy_twins(model, encode(model, cohort))
    return clinical_figures(twins, model.training.background, model.training.target)


def clinical_figures(
    twins: Twins, background: Sequence[str], target: Sequence[str]
) -> tuple[Figure, ...]:
    """The figures of the real-data experiment; `target` labels from mild to severe."""
    diagnosis = twins.encoding.subjects["diagnosis"].to_numpy(str)
    labels = (*background, *target)
    known = np.isin(diagnosis, labels)
    healthy = np.isin(diagnosis, background)
    severe = diagnosis == target[-1]
    ends = healthy | severe
    against = f"{target[-1]} against {'/'.join(background)}"
    everyone = f"{'/'.join(target)} against {'/'.join(background)}"
    figures = [
        Figure("MAD, median (SD)", label, _median(twins.mad[diagnosis == label]), "rises")
        for label in labels
    ]
    figures += [
        Figure("MAD, Spearman with diagnosis", "all", _spearman(twins, labels), "1"),
        Figure("effect, AUC", against, ranking_auc(twins.effect_mad[ends], severe[ends]), "1"),
        Figure(
            "salient s, AUC", against, logistic_auc(twins.encoding.salient[ends], severe[ends]), "1"
        ),
        Figure(
            "common z, AUC (leakage)",
            everyone,
            logistic_auc(twins.encoding.common[known], ~healthy[known]),
            "0.5",
        ),
    ]
    return (*figures, *_hippocampal_figures(twins, diagnosis, labels, background))


def _hippocampal_figures(
    twins: Twins, diagnosis: NDArray[np.str_], labels: Sequence[str], background: Sequence[str]
) -> list[Figure]:
    columns = [twins.features.index(name) for name in HIPPOCAMPI if name in twins.features]
    if not columns:
        return []
    effect = twins.effect[:, columns].mean(axis=1)
    return [
        Figure(
            "hippocampal effect, mean (SD)",
            label,
            _mean(effect[diagnosis == label]),
            "0" if label in background else "below 0",
        )
        for label in labels
    ]


def _mean(values: Array) -> float:
    return float(np.mean(values)) if len(values) else float("nan")


def _median(values: Array) -> float:
    return float(np.median(values)) if len(values) else float("nan")


def _spearman(twins: Twins, labels: Sequence[str]) -> float:
    from scipy.stats import spearmanr

    order = {label: rank for rank, label in enumerate(labels)}
    rank = twins.encoding.subjects["diagnosis"].map(order).to_numpy(float)
    known = np.isfinite(rank)
    if len(np.unique(rank[known])) < 2:
        return float("nan")
    return float(spearmanr(twins.mad[known], rank[known]).statistic)
