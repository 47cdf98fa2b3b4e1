"""The demo cohort: synthetic people who are as ill as those of their diagnosis, and as old."""

from dataclasses import replace

import numpy as np
import pytest

from cavae.cohort import Cohort
from cavae.demo import PEOPLE, make_demo
from cavae.preprocessing import Population
from tests.people import FEATURES, SHRUNKEN, make_cohort

YOUNG = Population(1.0, (50.0,) * 10, {"F": (1.3e6, 1e4), "M": (1.3e6, 1e4)})
OLD = Population(0.0, (80.0,) * 10, {"F": (1.5e6, 1e4), "M": (1.5e6, 1e4)})


@pytest.fixture(scope="module")
def learned() -> Cohort:
    cohort = make_cohort(healthy=60, diseased=80)
    diagnosis = ["CN"] * 60 + ["MCI"] * 40 + ["AD"] * 40
    return replace(cohort, subjects=cohort.subjects.assign(diagnosis=diagnosis))


@pytest.fixture(scope="module")
def demo(tiny_model, learned):
    own = replace(tiny_model.preprocessor, populations={"background": YOUNG, "target": OLD})
    return make_demo(replace(tiny_model, preprocessor=own), learned)


def in_sd(model, table) -> np.ndarray:
    """People without a diagnosis, so that nothing is learned from the table."""
    features = table[[f"MUSE_Volume_{name}" for name in FEATURES]].set_axis(FEATURES, axis=1)
    subjects = table[["subject_id", "age", "sex", "icv", "site"]].assign(diagnosis="")
    return model.preprocessor.transform(Cohort(subjects, features, subjects[[]], "muse")).values


def test_300_people_in_no_order_of_diagnosis(demo):
    assert demo["diagnosis"].value_counts().to_dict() == {"CN": 120, "MCI": 90, "AD": 90}
    assert demo["subject_id"].tolist() == [f"demo-{k:03d}" for k in range(1, 301)]
    assert demo["diagnosis"].head(100).nunique() == 3
    assert set(demo.filter(like="MUSE_").dtypes) == {np.dtype(int)}, "mm³ without decimals"


def test_the_healthy_are_healthy_and_patients_as_ill_as_those_of_their_diagnosis(
    demo, tiny_model, learned
):
    drawn = in_sd(tiny_model, demo)
    real = tiny_model.preprocessor.transform(learned).values
    shrunken = [FEATURES.index(name) for name in SHRUNKEN]
    for label in PEOPLE:
        found = drawn[(demo["diagnosis"] == label).to_numpy()]
        expected = real[(learned.subjects["diagnosis"] == label).to_numpy()]
        assert found.mean(axis=0) == pytest.approx(expected.mean(axis=0), abs=1.0), label
        assert found[:, shrunken].mean() == pytest.approx(expected[:, shrunken].mean(), abs=0.5)
    healthy = drawn[(demo["diagnosis"] == "CN").to_numpy()]
    assert healthy.std(axis=0) == pytest.approx(1.0, abs=0.3)


def test_patients_are_of_the_age_sex_and_head_size_of_patients(demo):
    healthy = demo["diagnosis"] == "CN"
    assert set(demo["age"][healthy]) == {50.0}
    assert set(demo["age"][~healthy]) == {80.0}
    assert (set(demo["sex"][healthy]), set(demo["sex"][~healthy])) == ({"F"}, {"M"})
    assert demo["icv"].groupby(healthy).mean().tolist() == pytest.approx([1.5e6, 1.3e6], rel=0.01)
