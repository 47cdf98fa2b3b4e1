"""Tiny made-up cohorts: eight regions whose volumes follow age, sex, ICV, site and disease."""

import numpy as np
import pandas as pd

from cavae.cohort import Cohort

FEATURES = ("31", "32", "47", "48", "59", "60", "116", "117")
SHRUNKEN = ("31", "32", "47", "48")  # what the made-up disease takes from


def make_cohort(
    healthy: int = 60,
    diseased: int = 40,
    sites: tuple[str, ...] = ("North", "South"),
    site_factor: float = 1.0,
    seed: int = 0,
) -> Cohort:
    """CN people and AD people who have lost about 3 SD in four regions; site i scales by 4 % i."""
    generator = np.random.default_rng(seed)
    n = healthy + diseased
    subjects = pd.DataFrame(
        {
            "subject_id": [f"p{i:03d}" for i in range(n)],
            "age": generator.uniform(50, 85, n).round(1),
            "sex": np.where(generator.random(n) < 0.5, "F", "M"),
            "icv": generator.normal(1.4e6, 1.2e5, n),
            "site": [sites[i % len(sites)] for i in range(n)],
            "diagnosis": ["CN"] * healthy + ["AD"] * diseased,
        }
    )
    base = np.linspace(900, 4000, len(FEATURES))
    shared = generator.standard_normal((n, 2)) @ generator.standard_normal((2, len(FEATURES)))
    noise = shared + generator.standard_normal((n, len(FEATURES)))
    lost = np.zeros((n, len(FEATURES)))
    ill = np.arange(n) >= healthy
    columns = [FEATURES.index(name) for name in SHRUNKEN]
    lost[np.ix_(ill, columns)] = generator.uniform(2, 4, (diseased, 1))
    covariates = (
        1
        - 0.004 * (subjects["age"].to_numpy() - 65)
        + 0.3e-6 * (subjects["icv"].to_numpy() - 1.4e6)
    )
    factor = site_factor * (1 + 0.04 * np.array([sites.index(s) for s in subjects["site"]]))
    volumes = (base * (covariates[:, None] + 0.03 * (noise - lost))) * factor[:, None]
    features = pd.DataFrame(volumes, columns=list(FEATURES))
    return Cohort(subjects, features, pd.DataFrame(index=subjects.index), "muse")


def write_cohort(cohort: Cohort, path) -> None:
    """Write a cohort as a person would have it, MUSE columns, ICV as 702."""
    table = pd.concat([cohort.subjects, cohort.features.add_prefix("MUSE_Volume_")], axis=1)
    table.to_csv(path, index=False)
