"""The semi-synthetic experiment: who loses what, and the files it comes in."""

import numpy as np
import pandas as pd
import pytest

from cavae.atlas import roi
from cavae.cohort import Cohort, join_cohorts
from cavae.errors import DataError
from cavae.experiments import SIMULATED, split_of
from cavae.preprocessing.linear import covariate_matrix, least_squares
from cavae.simulation import (
    SPLITS,
    SUBTYPES,
    SemiSynthetic,
    read_simulation,
    save_simulation,
    simulate,
    subtype_regions,
)

TABLE_1 = {
    "Amygdala": "S1",
    "Temporal pole": "S1 S2 S3",
    "Hippocampus": "S1 S2",
    "Angular gyrus": "S3",
    "Entorhinal area": "S1",
    "Frontal operculum": "S2",
    "Inferior temporal gyrus": "S2",
    "Lateral orbital gyrus": "S3",
    "Medial frontal cortex": "S1 S2",
    "Middle frontal gyrus": "S1",
    "Middle occipital gyrus": "S3",
    "Inferior frontal gyrus, opercular part": "S3",
    "Parahippocampal gyrus": "S2",
    "Posterior insula": "S2",
    "Parietal operculum": "S1 S3",
    "Supramarginal gyrus": "S3",
}
"""As printed in the paper, "OP of the inferior frontal gyrus" by its plain name here."""


@pytest.fixture(scope="module")
def simulated() -> SemiSynthetic:
    return simulate(1300, seed=5)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("simulated") / "new"
    save_simulation(52, 7, folder)
    return folder


def whole(cohorts) -> Cohort:
    return join_cohorts([cohorts[split] for split in SPLITS])


# --------------------------------------------------------------------------- who loses what


@pytest.mark.parametrize("subtype", SUBTYPES)
def test_subtypes_are_those_of_table_1(subtype):
    printed = {name for name, marked in TABLE_1.items() if subtype in marked.split()}
    labels = [roi(index).label for index in subtype_regions(subtype)]
    found = {label.partition(" ")[2].lower() for label in labels}
    assert found == {name.lower() for name in printed}
    assert {label.partition(" ")[0] for label in labels} == {"Left", "Right"}
    assert len(labels) == 2 * len(printed)


def test_sizes_are_the_papers():
    simulated = simulate(3900, seed=0)
    for cohorts in (simulated.background, simulated.target, simulated.truth):
        assert [len(cohorts[split]) for split in SPLITS] == [1050, 450, 450]


def test_other_sizes_keep_the_proportions():
    assert [len(cohort) for cohort in simulate(26, seed=0).target.values()] == [7, 3, 3]
    assert sum(len(cohort) for cohort in simulate(40, seed=0).background.values()) == 20


def test_nobody_is_in_two_cohorts(simulated):
    ids = pd.concat(
        cohort.subjects["subject_id"]
        for cohorts in (simulated.background, simulated.target)
        for cohort in cohorts.values()
    )
    assert ids.is_unique
    assert len(ids) == 1300


def test_twins_are_the_same_people(simulated):
    for split in SPLITS:
        target, truth = simulated.target[split], simulated.truth[split]
        columns = ["subject_id", "age", "sex", "icv"]
        pd.testing.assert_frame_equal(target.subjects[columns], truth.subjects[columns])
        assert set(target.subjects["diagnosis"]) == {"patient"}
        assert set(truth.subjects["diagnosis"]) == {"CN"}
        assert set(truth.extra["subtype"]) == {"healthy"}


def test_only_the_regions_of_the_subtype_shrink(simulated):
    target, truth = whole(simulated.target), whole(simulated.truth)
    lost = truth.features - target.features
    for subtype in SUBTYPES:
        own = (target.extra["subtype"] == subtype).to_numpy()
        assert own.sum() == pytest.approx(650 / 3, abs=50)
        affected = lost.columns.isin(subtype_regions(subtype))
        assert (lost.loc[own, affected] > 0).all(axis=None)
        assert (lost.loc[own, ~affected] == 0).all(axis=None)


def shares_lost(simulated: SemiSynthetic) -> pd.DataFrame:
    """What the target people lost of their volumes corrected for age, sex and ICV, 0 to 1."""
    target, truth = whole(simulated.target), whole(simulated.truth)
    healthy = join_cohorts([whole(simulated.background), truth])
    inputs = covariate_matrix(healthy.subjects, ("age", "sex", "icv"))
    slopes = least_squares(inputs, healthy.features.to_numpy()).coefficients
    effects = (inputs[-len(truth) :] - inputs.mean(axis=0)) @ slopes
    return (truth.features - target.features) / (truth.features - effects)


def test_a_tenth_to_three_tenths_of_the_corrected_volume_is_lost(simulated):
    shares = shares_lost(simulated).to_numpy()
    shares = shares[shares > 0]
    assert shares.min() > 0.0995  # volumes are rounded to 0.1 mm³
    assert shares.max() < 0.3005
    assert shares.mean() == pytest.approx(0.2, abs=0.002)
    assert shares.std() == pytest.approx(0.2 / np.sqrt(12), abs=0.002)


def test_losses_are_drawn_for_each_person_and_region(simulated):
    own = (whole(simulated.target).extra["subtype"] == "S1").to_numpy()
    shares = shares_lost(simulated)[own][list(subtype_regions("S1"))]
    between = shares.corr().to_numpy()[np.triu_indices(14, 1)]
    assert np.abs(between).mean() < 0.1


@pytest.mark.parametrize("subjects", [27, 24, 0, -4])
def test_odd_and_tiny_numbers_are_refused(subjects, tmp_path):
    with pytest.raises(DataError, match="even numbers from 26"):
        save_simulation(subjects, 0, tmp_path / "never")
    assert not (tmp_path / "never").exists()


def test_a_negative_seed_is_refused():
    with pytest.raises(DataError, match="seed is -1"):
        simulate(26, seed=-1)


def test_people_learned_from_monitored_with_and_tested_on_keep_their_parts(simulated):
    split = split_of(simulated)
    for part, cohort in zip(SPLITS, (split.train, split.validation, split.test), strict=True):
        roles = simulated.background[part], simulated.target[part]
        ids = [name for role in roles for name in role.subjects["subject_id"]]
        assert cohort.subjects["subject_id"].tolist() == ids


def test_it_is_trained_with_the_settings_of_the_paper():
    assert SIMULATED == {"background": ("CN",), "target": ("patient",), "mmd_weight": 10.0}


# --------------------------------------------------------------------------- files


def test_files_are_read_as_they_were_written(folder):
    read, written = read_simulation(folder), simulate(52, seed=7)
    for role in ("background", "target", "truth"):
        for split in SPLITS:
            found, expected = getattr(read, role)[split], getattr(written, role)[split]
            pd.testing.assert_frame_equal(found.subjects, expected.subjects)
            pd.testing.assert_frame_equal(found.features, expected.features)
            pd.testing.assert_frame_equal(found.extra, expected.extra)


def test_files_hold_the_columns_of_the_contract(folder):
    assert len(list(folder.iterdir())) == 9
    for path in folder.glob("*.csv"):
        columns = list(pd.read_csv(path, nrows=0).columns)
        assert columns[:6] == ["subject_id", "age", "sex", "icv", "diagnosis", "subtype"]
        assert len(columns) == 6 + 139
        assert "47" in columns


def test_one_seed_writes_the_same_bytes(folder, tmp_path):
    save_simulation(52, 7, tmp_path / "again")
    save_simulation(52, 8, tmp_path / "other")
    for path in folder.iterdir():
        assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes()
        assert (tmp_path / "other" / path.name).read_bytes() != path.read_bytes()


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(DataError, match="taken"):
        save_simulation(26, 0, tmp_path / "taken")
    assert (tmp_path / "taken").read_text() == "a file"


def test_what_is_missing_is_named(folder, tmp_path):
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "truth_test.csv").unlink()
    with pytest.raises(DataError, match=r"truth_test\.csv.*missing"):
        read_simulation(tmp_path)
    twins = pd.read_csv(folder / "truth_test.csv")
    twins.iloc[::-1].to_csv(tmp_path / "truth_test.csv", index=False)
    with pytest.raises(DataError, match=r"truth_test\.csv.*twins of target_test\.csv"):
        read_simulation(tmp_path)
