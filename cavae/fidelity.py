"""How like held-out people those are whom a model generates, where no truth is known."""

from __future__ import annotations

from cavae.bootstrap import Bootstrap
from cavae.cohort import Cohort
from cavae.estimates import Estimate
from cavae.evaluation import FLOOR_RATIO, SEPARATION_RATIO, Figure
from cavae.fitted import FittedModel
from cavae.quality import draw_groups, groups_of
from cavae.simulation_evaluation import fidelity, separation


def cohort_fidelity(model: FittedModel, train: Cohort, held_out: Cohort) -> dict[str, Estimate]:
    """w2_target, w2_background (floor: those the model learned from, who are real, to the held-out
    people) and separation, SD², without intervals.

    As many generated people are taken as the model learned from: few people lie farther from
    others than many do, and a floor of few people would flatter. Nothing when a group has not two
    people.
    """
    learned, real = groups_of(model, train), groups_of(model, held_out)
    if min(*learned.sizes, *real.sizes) < 2:
        return {}
    generated, none = draw_groups(model), Bootstrap(0)
    targets = generated.target[: len(learned.target)]
    backgrounds = generated.background[: len(learned.background)]
    return {
        "w2_target": fidelity(targets, real.target, learned.target, none),
        "w2_background": fidelity(backgrounds, real.background, learned.background, none),
        "separation": separation(
            (generated.target, generated.background), (real.target, real.background), none
        ),
    }


def fidelity_figures(model: FittedModel, train: Cohort, held_out: Cohort) -> tuple[Figure, ...]:
    """`cohort_fidelity` of target and separation, each over what real people have."""
    estimates = cohort_fidelity(model, train, held_out)
    return tuple(
        Figure(metric, group, estimates[key].value / estimates[key].reference, "1")
        for key, metric, group in (
            ("w2_target", FLOOR_RATIO, "target"),
            ("separation", SEPARATION_RATIO, "target and background"),
        )
        if key in estimates
    )
