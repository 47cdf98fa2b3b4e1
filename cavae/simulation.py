"""The semi-synthetic experiment (paper, section 4.1 and Table 1), with everyone's true twin."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from cavae.atlas import rois
from cavae.cohort import Cohort, read_cohort
from cavae.errors import DataError
from cavae.preprocessing.linear import Array, covariate_matrix, least_squares
from cavae.reference import sample_reference
from cavae.tables import save_table

SUBTYPES: Mapping[str, tuple[str, ...]] = {
    "S1": (
        "Amygdala",
        "TemporalPole",
        "Hippocampus",
        "EntorhinalArea",
        "MedialFrontalCortex",
        "MiddleFrontalGyrus",
        "ParietalOperculum",
    ),
    "S2": (
        "TemporalPole",
        "Hippocampus",
        "FrontalOperculum",
        "InferiorTemporalGyrus",
        "MedialFrontalCortex",
        "ParahippocampalGyrus",
        "PosteriorInsula",
    ),
    "S3": (
        "TemporalPole",
        "AngularGyrus",
        "LateralOrbitalGyrus",
        "MiddleOccipitalGyrus",
        "OpercularPartInferiorFrontalGyrus",
        "ParietalOperculum",
        "SupramarginalGyrus",
    ),
}
"""Table 1: the regions that each subtype shrinks, by MUSE name without the side; both sides."""

ATROPHY = (0.1, 0.3)
HEALTHY = "healthy"
"""Subtype of those who have none: background people and true twins."""
DIAGNOSES = {"background": "CN", "target": "patient", "truth": "CN"}
SPLITS = {"train": 7, "validation": 3, "test": 3}
"""Parts of 13: 1050, 450 and 450 of the paper's 1950 people a cohort."""
SMALLEST = 2 * sum(SPLITS.values())


@dataclass(frozen=True)
class SemiSynthetic:
    """Cohorts by split ("train", "validation", "test"): volumes of the 139 ROIs in mm³.

    `background` are healthy, `target` have lost volume by the subtype in `extra["subtype"]`, and
    `truth` holds the same people in the same order without the loss: the true healthy twins.
    """

    background: Mapping[str, Cohort]
    target: Mapping[str, Cohort]
    truth: Mapping[str, Cohort]


def subtype_regions(subtype: str) -> tuple[str, ...]:
    """MUSE indices of the regions that a subtype shrinks, both sides."""
    names = {f"{name}_{side}" for name in SUBTYPES[subtype] for side in "LR"}
    return tuple(one.index for one in rois() if one.name in names)


def simulate(subjects: int, seed: int) -> SemiSynthetic:
    """Draw healthy people and make half of them diseased; the same seed gives the same people.

    Raises:
        DataError: `subjects` is odd or below 26, or `seed` is negative.
    """
    if subjects < SMALLEST or subjects % 2:
        raise DataError(f"subjects is {subjects}; accepted: even numbers from {SMALLEST} on.")
    if seed < 0:
        raise DataError(f"seed is {seed}; accepted: 0 or more.")
    generator = np.random.default_rng(seed)
    people = _rounded(sample_reference(subjects, generator))
    half = subjects // 2
    diseased = np.arange(subjects) >= half
    subtypes = np.where(diseased, generator.choice(list(SUBTYPES), subjects), HEALTHY)
    lost = _loss(people, subtypes, generator)
    shrunken = replace(people, features=(people.features - lost).round(1))
    return SemiSynthetic(
        background=_split(people.select(~diseased), "background", subtypes[~diseased]),
        target=_split(shrunken.select(diseased), "target", subtypes[diseased]),
        truth=_split(people.select(diseased), "truth", np.full(half, HEALTHY)),
    )


def _rounded(people: Cohort) -> Cohort:
    """Volumes to 0.1 mm³ and ICV to 1 mm³, as files hold them."""
    subjects = people.subjects.assign(icv=people.subjects["icv"].round())
    return replace(people, subjects=subjects, features=people.features.round(1))


def _loss(people: Cohort, subtypes: np.ndarray, generator: np.random.Generator) -> Array:
    """What everyone loses of each region in mm³, (n, p): u v, with v corrected for covariates.

    As v(1-u) plus the covariate effect is the volume less u v, nothing else has to be added back.
    """
    affected = np.zeros(people.features.shape, dtype=bool)
    for subtype in SUBTYPES:
        regions = people.features.columns.isin(subtype_regions(subtype))
        affected[subtypes == subtype] = regions
    share = generator.uniform(*ATROPHY, affected.shape)
    return np.where(affected, share * _corrected(people), 0.0)


def _corrected(people: Cohort) -> Array:
    """Volumes (n, p) in mm³ as if everyone had the mean age, sex and ICV."""
    volumes = people.features.to_numpy()
    inputs = covariate_matrix(people.subjects, ("age", "sex", "icv"))
    return volumes - (inputs - inputs.mean(axis=0)) @ least_squares(inputs, volumes).coefficients


def _split(people: Cohort, role: str, subtypes: np.ndarray) -> dict[str, Cohort]:
    labelled = replace(
        people,
        subjects=people.subjects.assign(diagnosis=DIAGNOSES[role]),
        extra=pd.DataFrame({"subtype": subtypes.astype(object)}),
    )
    ends = np.cumsum(list(SPLITS.values())) * len(people) / sum(SPLITS.values())
    bounds = [0, *np.round(ends).astype(int)]
    return {
        split: labelled.select(np.arange(start, end))
        for split, start, end in zip(SPLITS, bounds, bounds[1:], strict=False)
    }


# --------------------------------------------------------------------------- files


def save_simulation(subjects: int, seed: int, folder: Path) -> None:
    """Write background, target and truth of each split as CSV into `folder`, all or none of them.

    Columns: subject_id, age (years), sex, icv (mm³), diagnosis, subtype, and the 139 ROIs by MUSE
    index (mm³). The same seed writes the same bytes.

    Raises:
        DataError: as `simulate`, or the folder cannot be written.
    """
    simulated = simulate(subjects, seed)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".writing-") as temporary:
            for name, cohort in _files(simulated).items():
                save_table([_table(cohort)], Path(temporary) / name)
            for name in _files(simulated):
                os.replace(Path(temporary) / name, folder / name)
    except OSError as error:
        raise DataError(f"Folder {str(folder)!r} cannot be written: {error.strerror}.") from error


def read_simulation(folder: Path) -> SemiSynthetic:
    """Read what `save_simulation` wrote.

    Raises:
        DataError: a file is missing or holds faulty rows, or a target has no twin.
    """
    read = {
        role: {split: _read(folder / f"{role}_{split}.csv") for split in SPLITS}
        for role in DIAGNOSES
    }
    for split in SPLITS:
        target, truth = (read[role][split].subjects["subject_id"] for role in ("target", "truth"))
        if not target.equals(truth):
            raise DataError(
                f"truth_{split}.csv does not hold the twins of target_{split}.csv: the column "
                "subject_id must be the same in both."
            )
    return SemiSynthetic(**read)


def _files(simulated: SemiSynthetic) -> dict[str, Cohort]:
    return {
        f"{role}_{split}.csv": getattr(simulated, role)[split]
        for role in DIAGNOSES
        for split in SPLITS
    }


def _table(cohort: Cohort) -> pd.DataFrame:
    subjects = cohort.subjects.drop(columns="site")
    return pd.concat([subjects, cohort.extra, cohort.features], axis=1)


def _read(path: Path) -> Cohort:
    if not path.is_file():
        raise DataError(f"{str(path)!r} is missing; `simulate` writes it.")
    check = read_cohort(path)
    if check.problems:
        raise DataError(f"{path.name}: {check.problems[0].message}")
    if "subtype" not in check.cohort.extra:
        raise DataError(f"{path.name} lacks the column subtype, which `simulate` writes.")
    return check.cohort
