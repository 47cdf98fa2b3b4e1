"""Recorded runs: how models are made, and what they reach on people they were not trained on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cavae.card import facts, write_card
from cavae.checkpoint import save_model
from cavae.cohort import Cohort, join_cohorts, read_cohort
from cavae.config import DEFAULT_VARIANT, TrainConfig, train_config
from cavae.demo import make_demo
from cavae.evaluation import Figure, evaluate_cohort
from cavae.quality import Quality, mean_quality, measure_quality
from cavae.simulation import SemiSynthetic, read_simulation
from cavae.tables import save_table
from cavae.training import OnProgress, Split, TrainedModel, split_cohort, train

# Labels of the semi-synthetic experiment, and the λ that the paper has for it (section 4.2).
SIMULATED = {"background": ("CN",), "target": ("patient",), "mmd_weight": 10.0}
AD_MCI_SEED = 0
FOLDS, REPEATS = 3, 3

AD_MCI_SOURCES = """\
Background: 291 healthy volunteers of the IXI study (three London hospitals) and 50 cognitively
normal people of Study1. Target: 48 people with mild cognitive impairment and 46 with Alzheimer's
disease of Study1. One T1-weighted MRI scan a person, segmented into MUSE regions.

Sources: CBICA/NiChart_Project (SBIA Software License: research use, attribution kept; see NOTICE);
IXI dataset, brain-development.org (CC BY-SA 3.0)."""


def train_and_save(
    split: Split,
    config: TrainConfig,
    folder: Path,
    trained_on: str,
    latent: int = 5,
    on_progress: OnProgress | None = None,
    variant: str = DEFAULT_VARIANT,
) -> TrainedModel:
    """Train and write the model folder, its card with figures on the validation people; those of
    what it generates are measured on the test people, if there are any."""
    trained = train(split, config, latent, on_progress, variant)
    figures = evaluate_cohort(trained, split.validation)
    measured_on = (
        f"Measured on the {len(split.validation)} people that training was monitored with. They "
        "had a part in choosing the epoch: read these figures as a first impression."
    )
    quality = _quality_apart(trained, split, measured_on)
    save_trained(trained, folder, trained_on, figures, measured_on, quality=quality)
    return trained


def _quality_apart(trained: TrainedModel, split: Split, of_validation: str) -> Quality | None:
    """Quality on the test people, and without any on the validation people."""
    if split.test is None:
        quality, measured_on = (
            measure_quality(trained, split.train, split.validation),
            of_validation,
        )
    else:
        quality = measure_quality(trained, split.train, split.test, split.validation)
        measured_on = f"Measured on {len(split.test):,} test people, who had no part in training."
    return None if quality is None else replace(quality, measured_on=measured_on)


def simulated_split(folder: Path) -> Split:
    """The people of a semi-synthetic experiment written by `simulate`."""
    return split_of(read_simulation(folder))


def split_of(simulated: SemiSynthetic) -> Split:
    """Background and target people of a semi-synthetic experiment, by the part they have in it."""
    return Split(
        *(
            join_cohorts([simulated.background[part], simulated.target[part]])
            for part in ("train", "validation", "test")
        )
    )


def save_trained(
    trained: TrainedModel,
    folder: Path,
    trained_on: str,
    figures: Sequence[Figure] = (),
    measured_on: str = "Not measured.",
    sources: str = "",
    command: str = "python -m cavae train",
    quality: Quality | None = None,
) -> None:
    """Write the model folder with a card."""
    if quality is not None:
        quality = replace(quality, command=command)
    card = write_card(
        trained, folder.name, sources or trained_on, figures, measured_on, command, quality
    )
    save_model(trained, folder, card, facts(trained, trained_on, figures, quality))


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
        "python -m cavae pretrain --data ../shared/data",
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
    for number, held_out in enumerate(_folds(cohort, config)):
        settings = replace(config, seed=config.seed + number)
        split, others = split_cohort(cohort.select(~held_out), settings), cohort.select(held_out)
        trained = train(split, settings)
        qualities.append(measure_quality(trained, split.train, others, split.validation))
        for figure in evaluate_cohort(trained, others):
            values[figure.metric, figure.group, figure.good].append(figure.value)
    figures = tuple(
        Figure(metric, group, float(np.mean(of_folds)), good)
        for (metric, group, good), of_folds in values.items()
    )
    return figures, mean_quality([q for q in qualities if q is not None], FOLDS)


def _folds(cohort: Cohort, config: TrainConfig) -> Iterator[NDArray[np.bool_]]:
    """Masks of held-out people, every person of a tested site once a repeat."""
    from sklearn.model_selection import StratifiedKFold

    subjects = cohort.subjects
    with_target = subjects.loc[subjects["diagnosis"].isin(config.target), "site"].unique()
    tested = np.flatnonzero(subjects["site"].isin(with_target))
    for repeat in range(REPEATS):
        folds = StratifiedKFold(FOLDS, shuffle=True, random_state=config.seed + repeat)
        for _, rows in folds.split(tested, subjects["diagnosis"].iloc[tested]):
            held_out = np.zeros(len(cohort), dtype=bool)
            held_out[tested[rows]] = True
            yield held_out
