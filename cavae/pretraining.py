"""The models in the box: how each is made, and measured on people it was not trained on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from cavae.cohort import Cohort, join_cohorts, read_cohort
from cavae.config import TrainConfig, train_config
from cavae.demo import make_demo
from cavae.evaluation import Figure, evaluate_cohort
from cavae.experiments import SIMULATED, save_trained, split_of
from cavae.fidelity import fidelity_figures
from cavae.folds import deal_folds
from cavae.quality import Quality, mean_quality, measure_quality
from cavae.simulation import simulate
from cavae.simulation_evaluation import METRICS, Estimate, Metric, evaluate_simulation
from cavae.tables import save_table
from cavae.training import TrainedModel, split_cohort, train

COMMAND = "python -m cavae pretrain --data ../shared/data"
AD_MCI_SEED = 0
FOLDS, REPEATS = 3, 3

AD_MCI_SOURCES = """\
Background: 291 healthy volunteers of the IXI study (three London hospitals) and 50 cognitively
normal people of Study1. Target: 48 people with mild cognitive impairment and 46 with Alzheimer's
disease of Study1. One T1-weighted MRI scan a person, segmented into MUSE regions.

Sources: CBICA/NiChart_Project (SBIA Software License: research use, attribution kept; see NOTICE);
IXI dataset, brain-development.org (CC BY-SA 3.0)."""

SEMI_SYNTHETIC_PEOPLE, SEMI_SYNTHETIC_SEED = 3900, 0
SEMI_SYNTHETIC_SOURCES = f"""\
The semi-synthetic experiment (section 4.1 of the paper): {SEMI_SYNTHETIC_PEOPLE:,} healthy people
drawn from the reference cohort, half of them made patients of one of three subtypes, who lose 10
to 30 % of the regions of Table 1. Nobody in it exists; everyone's true healthy twin is known.

    python -m cavae simulate --seed {SEMI_SYNTHETIC_SEED} --output simulated"""


def read_ad_mci(folder: Path) -> Cohort:
    """IXI (healthy) and Study1 (CN, MCI, AD) from the shared data folder, sites named.

    IXI people are healthy volunteers of three London hospitals, which their ids name.
    """
    ixi = read_cohort(folder / "ixi_volumes.csv", folder / "ixi_participants.csv").cohort
    study = read_cohort(
        folder / "study1_train_volumes.csv", folder / "study1_train_participants.csv"
    ).cohort
    hospital = ixi.subjects["subject_id"].str.split("-").str[1]
    ixi = replace(ixi, subjects=ixi.subjects.assign(diagnosis="CN", site="IXI " + hospital))
    return join_cohorts([ixi, study])


def pretrain_ad_mci(data: Path, output: Path, demo: Path) -> TrainedModel:
    """Make pretrained/ad-mci (cross-validated figures for the card, then the model itself) and
    the demo cohort."""
    cohort = read_ad_mci(data)
    config = train_config("calibrated", seed=AD_MCI_SEED, device="cpu")
    figures, quality = cross_validate(cohort, config)
    trained = train(split_cohort(cohort, config), config)
    measured_on = (
        f"Measured on Study1 people that the model had not seen: {FOLDS}-fold cross-validation, "
        f"{REPEATS} times over, each time preprocessing and network fitted without them. Means of "
        f"{FOLDS * REPEATS} models. The model in this folder has seen all of them."
    )
    save_trained(
        trained,
        output / "ad-mci",
        "IXI and Study1 CN against Study1 MCI and AD",
        figures,
        measured_on,
        AD_MCI_SOURCES,
        COMMAND,
        replace(quality, measured_on=measured_on),
    )
    save_table([make_demo(trained, cohort)], demo)
    return trained


def cross_validate(cohort: Cohort, config: TrainConfig) -> tuple[tuple[Figure, ...], Quality]:
    """Mean figures and quality on held-out people of the sites that have target people.

    Sites of healthy people alone stay in training: without patients they cannot be tested.
    """
    values: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    qualities = []
    dealt = (
        held_out
        for repeat in range(REPEATS)
        for held_out in deal_folds(cohort, config.target, FOLDS, config.seed + repeat)
    )
    for number, held_out in enumerate(dealt):
        settings = replace(config, seed=config.seed + number)
        split, others = split_cohort(cohort.select(~held_out), settings), cohort.select(held_out)
        trained = train(split, settings)
        qualities.append(measure_quality(trained, split.train, others, split.validation))
        apart = evaluate_cohort(trained, others)
        for figure in (*apart, *fidelity_figures(trained, split.train, others)):
            values[figure.metric, figure.group, figure.good].append(figure.value)
    figures = tuple(
        Figure(metric, group, float(np.mean(of_folds)), good)
        for (metric, group, good), of_folds in values.items()
    )
    return figures, mean_quality([q for q in qualities if q is not None], FOLDS)


def pretrain_semi_synthetic(output: Path) -> TrainedModel:
    """Make pretrained/semi-synthetic, its card with the figures of its test people."""
    simulated = simulate(SEMI_SYNTHETIC_PEOPLE, SEMI_SYNTHETIC_SEED)
    split = split_of(simulated)
    trained = train(split, train_config("calibrated", device="cpu", **SIMULATED))
    measured_on = (
        f"Measured on {len(split.test):,} test people of the same simulation, who had no part in "
        "training, and on pairs drawn with seed 0."
    )
    quality = measure_quality(trained, split.train, split.test, split.validation)
    save_trained(
        trained,
        output / "semi-synthetic",
        "Simulated patients of three subtypes against simulated healthy people",
        _figures(evaluate_simulation(trained, simulated).estimates),
        measured_on,
        SEMI_SYNTHETIC_SOURCES,
        COMMAND,
        replace(quality, measured_on=measured_on),
    )
    return trained


def _figures(estimates: Mapping[str, Estimate]) -> tuple[Figure, ...]:
    """The metrics of the semi-synthetic experiment for the card, beside what they refer to."""
    return tuple(
        Figure(
            metric.name,
            "test people",
            estimates[metric.key].value,
            _best(metric, estimates),
            estimates[metric.key].reference,
        )
        for metric in METRICS
    )


def _best(metric: Metric, estimates: Mapping[str, Estimate]) -> str:
    reference = estimates[metric.key].reference
    beside = f"; {metric.reference}: {reference:.2f}" if np.isfinite(reference) else ""
    return metric.direction + beside
