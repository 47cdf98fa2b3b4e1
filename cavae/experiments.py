"""Recorded runs: how the pretrained models were made, and what they reach on unseen people."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from cavae.cohort import Cohort, join_cohorts, read_cohort


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
