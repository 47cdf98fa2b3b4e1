"""The real tables, rewritten in every way people write them, give the same numbers."""

import numpy as np
import pandas as pd
import pytest

from cavae.cohort import read_cohort
from tests.cohort_tables import INDICES, csv, parquet

STUDIES = ("ixi", "study1_train")
COMPOSITES = ["702", "701", "501", "301", "510", "52"]


@pytest.fixture(scope="module", params=STUDIES)
def study(request, shared_data) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Volumes of up to 150 people, with a few composite ones, and participants; ids called ID."""
    tables = (
        pd.read_csv(shared_data / f"{request.param}_{kind}.csv")
        for kind in ("volumes", "participants")
    )
    volumes, participants = (table.rename(columns={"MRID": "ID"}) for table in tables)
    volumes = volumes.loc[:149, ["ID", *COMPOSITES, *INDICES]]
    return volumes, participants[participants["ID"].isin(volumes["ID"])]


def two_files(volumes: pd.DataFrame, participants: pd.DataFrame):
    return csv(volumes), csv(participants)


def one_file(volumes: pd.DataFrame, participants: pd.DataFrame):
    return (csv(participants.merge(volumes, on="ID")),)


def spelled(pattern: str):
    def write(volumes: pd.DataFrame, participants: pd.DataFrame):
        return csv(volumes.rename(columns=lambda c: c if c == "ID" else pattern.format(c))), csv(
            participants
        )

    return write


def named(volumes: pd.DataFrame, participants: pd.DataFrame):
    from cavae.atlas import rois

    names = {one.index: one.name for one in rois()} | {"702": "ICV", "501": "CorpusCallosum"}
    return csv(volumes.rename(columns=names)), csv(participants)


def german(volumes: pd.DataFrame, participants: pd.DataFrame):
    how = {"sep": ";", "decimal": ",", "encoding": "utf-8-sig", "lineterminator": "\r\n"}
    return csv(volumes, **how), csv(participants, **how)


def tabs_in_utf16(volumes: pd.DataFrame, participants: pd.DataFrame):
    return csv(volumes, "v.tsv", "utf-16", sep="\t"), csv(participants, "p.txt", "utf-16", sep="\t")


def as_parquet(volumes: pd.DataFrame, participants: pd.DataFrame):
    return parquet(volumes), parquet(participants)


def coded(sex: dict[str, str], name: str = "Gender"):
    def write(volumes: pd.DataFrame, participants: pd.DataFrame):
        codes = participants["Sex"].map(sex)
        return csv(volumes), csv(participants.drop(columns="Sex").assign(**{name: codes}))

    return write


def without_icv(volumes: pd.DataFrame, participants: pd.DataFrame):
    sex = participants["Sex"].map({"F": "1", "M": "0"})
    kept = participants.drop(columns="DLICV", errors="ignore").assign(Sex=sex)
    return csv(volumes.drop(columns=["702", "701"])), csv(kept)


def shuffled(volumes: pd.DataFrame, participants: pd.DataFrame):
    columns = np.random.default_rng(0).permutation(volumes.columns)
    return csv(volumes[columns]), csv(participants.sample(frac=1, random_state=0))


WAYS = {
    "two files": two_files,
    "one file": one_file,
    "MUSE_47": spelled("MUSE_{}"),
    "MUSE_Volume_47": spelled("MUSE_Volume_{}"),
    "H_MUSE_Volume_47": spelled("H_MUSE_Volume_{}"),
    "DL_MUSE_Volume_47": spelled("DL_MUSE_Volume_{}"),
    "47.0": spelled("{}.0"),
    "names": named,
    "German Excel": german,
    "tabs in UTF-16": tabs_in_utf16,
    "Parquet": as_parquet,
    "sex 1/2": coded({"M": "1", "F": "2"}),
    "sex 0/1": coded({"M": "1", "F": "0"}),
    "sex 0/1 the other way": coded({"M": "0", "F": "1"}),
    "sex 2/1 the other way": coded({"M": "2", "F": "1"}),
    "without ICV, sex turned round": without_icv,
    "columns and rows in any order": shuffled,
}


@pytest.mark.parametrize("write", WAYS.values(), ids=WAYS)
def test_the_same_people_come_out(study, write):
    volumes, participants = study
    check = read_cohort(*write(volumes, participants))
    cohort = check.cohort
    people = volumes[["ID"]].merge(participants, on="ID")
    assert check.problems == ()
    assert check.rois == 139
    assert cohort.subjects["subject_id"].tolist() == volumes["ID"].tolist()
    assert cohort.subjects["sex"].tolist() == people["Sex"].tolist()
    np.testing.assert_allclose(cohort.subjects["age"], people["Age"], rtol=1e-12)
    np.testing.assert_allclose(cohort.features, volumes[list(INDICES)], rtol=1e-12)
    if write is not without_icv:
        np.testing.assert_allclose(cohort.subjects["icv"], volumes["702"], rtol=1e-12)
    if "DX_AD" in participants:
        assert cohort.subjects["diagnosis"].tolist() == people["DX_AD"].tolist()
        assert check.diagnoses == {"CN": 50, "MCI": 48, "AD": 46}


@pytest.mark.parametrize("study_name", STUDIES)
def test_the_files_as_they_are_shared(shared_data, study_name):
    paths = (shared_data / f"{study_name}_{kind}.csv" for kind in ("volumes", "participants"))
    check = read_cohort(*paths)
    assert check.problems == check.notices == ()
    assert check.rois == 139
    assert check.usable == check.rows > 100
    assert check.recognition.dialect == "47"


def test_a_diagnosis_of_zeros_and_ones(study):
    volumes, participants = study
    if "DX_AD" not in participants:
        pytest.skip("healthy people only")
    participants = participants[participants["DX_AD"] != "MCI"]
    codes = participants["DX_AD"].map({"CN": 0, "AD": 1})
    kept = volumes[volumes["ID"].isin(participants["ID"])]
    for column in ("DX_AD", "DX", "Diagnosis"):
        written = participants.drop(columns="DX_AD").assign(**{column: codes})
        assert read_cohort(csv(kept), csv(written)).diagnoses == {"CN": 50, "AD": 46}
