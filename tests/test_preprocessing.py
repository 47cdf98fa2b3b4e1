"""Volumes become comparable between people and sites, and come back unharmed."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from cavae.errors import CheckpointError, DataError
from cavae.preprocessing import Preprocessor, fit_preprocessor
from cavae.preprocessing.adaptation import adapt
from cavae.preprocessing.harmonizer import empirical_bayes
from cavae.preprocessing.icv import fit_icv
from cavae.preprocessing.linear import covariate_matrix
from cavae.preprocessing.population import fit_population
from tests.people import FEATURES, make_cohort


@pytest.fixture(scope="module")
def cohort():
    return make_cohort()


@pytest.fixture(scope="module")
def preprocessor(cohort):
    return fit_preprocessor(cohort, ["CN"], ["AD"])


def healthy(cohort):
    return cohort.select(cohort.subjects["diagnosis"] == "CN")


def elsewhere(cohort, factor=1.3, site="Elsewhere"):
    """The same people, measured by a scanner that the model has never seen."""
    return replace(
        cohort,
        features=cohort.features * factor,
        subjects=cohort.subjects.assign(site=site),
    )


def round_trip(preprocessor, cohort):
    there = preprocessor.transform(cohort)
    return preprocessor.inverse_transform(there.values, there.subjects, there.adaptations)


def test_background_is_standard_and_uncorrelated_with_covariates(preprocessor, cohort):
    people = healthy(cohort)
    values = preprocessor.transform(people).values
    np.testing.assert_allclose(values.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(values.std(axis=0, ddof=1), 1, atol=1e-9)
    for column in ("age", "icv"):
        correlation = np.corrcoef(people.subjects[column], values.T)[0, 1:]
        np.testing.assert_allclose(correlation, 0, atol=1e-9)


def test_target_people_do_not_change_what_is_fitted(preprocessor, cohort):
    doubled = cohort.features.where(cohort.subjects["diagnosis"] == "CN", 2 * cohort.features)
    other = fit_preprocessor(replace(cohort, features=doubled), ["CN"], ["AD"])
    np.testing.assert_array_equal(other.sd, preprocessor.sd)
    np.testing.assert_array_equal(other.linear.coefficients, preprocessor.linear.coefficients)


def test_sites_no_longer_differ(preprocessor, cohort):
    people = healthy(cohort)
    north = (people.subjects["site"] == "North").to_numpy()
    raw = people.features.to_numpy() / people.features.to_numpy().mean(axis=0)
    values = preprocessor.transform(people).values
    assert (raw[~north].mean(axis=0) > 1.01 * raw[north].mean(axis=0)).all()
    assert np.abs(values[north].mean(axis=0) - values[~north].mean(axis=0)).max() < 0.3


def test_the_additive_model_is_the_librarys(cohort):
    from combatlearn.core import ComBatModel

    people = healthy(cohort)
    harmonizer = fit_preprocessor(cohort, ["CN"], ["AD"]).harmonizer
    combat = ComBatModel(method="gam", smooth_terms=["age"], spline_df=5, spline_degree=3)
    design = {
        "batch": people.subjects["site"],
        "discrete_covariates": pd.DataFrame({"sex": pd.Categorical(people.subjects["sex"])}),
        "continuous_covariates": people.subjects[["age", "icv"]] / [1, 1e6],
    }
    theirs = combat.fit(people.features, **design).transform(people.features, **design)
    ours = harmonizer.transform(people.features.to_numpy(), people.subjects)
    # Only the strength of shrinking differs, which 30 people a site leave little room for.
    assert (np.abs(ours - theirs.to_numpy()) / harmonizer.pooled_sd).mean() < 0.1


def test_site_effects_are_drawn_towards_the_mean_over_features():
    values = np.random.default_rng(0).standard_normal((12, 40)) * 2 + 1
    location, scale = empirical_bayes(values)
    raw = values.mean(axis=0)
    inside = (location - raw.mean()) / (raw - raw.mean())
    assert ((inside > 0) & (inside < 1)).all()
    assert location.mean() == pytest.approx(1, abs=0.3)
    assert scale.mean() == pytest.approx(2, abs=0.3)


@pytest.mark.parametrize("site", ["known", "adapted", "as it is"])
def test_the_way_back_to_volumes_is_exact(preprocessor, cohort, site):
    people = cohort if site == "known" else elsewhere(cohort)
    if site == "as it is":
        people = people.select(people.subjects["diagnosis"] == "AD")
    np.testing.assert_allclose(round_trip(preprocessor, people), people.features, rtol=1e-9)


def test_a_new_site_is_adapted_from_its_own_healthy_people(preprocessor, cohort):
    north = cohort.select(cohort.subjects["site"] == "North")
    here, there = preprocessor.transform(north), preprocessor.transform(elsewhere(north))
    assert set(there.subjects["site_status"]) == {"adapted"}
    assert there.notices[-1] == (
        "Site 'Elsewhere' is new to the model: its 50 people were adapted from their own 30 "
        "healthy people."
    )
    assert np.abs(here.values - there.values).mean() < 0.3


def test_nineteen_healthy_people_are_too_few_to_adapt_and_the_result_says_so(preprocessor, cohort):
    ill = cohort.select(cohort.subjects["diagnosis"] == "AD")
    few = make_cohort(healthy=19, diseased=20, seed=1)
    done = preprocessor.transform(elsewhere(few))
    assert set(done.subjects["site_status"]) == {"as is"}
    assert done.notices[0].startswith("Warning: site 'Elsewhere' is new")
    assert "fewer than 20 people marked healthy (CN)" in done.notices[0]
    assert not preprocessor.transform(ill).notices


def test_many_new_sites_share_one_warning(preprocessor, cohort):
    sites = [f"site {i}" for i in range(len(cohort))]
    done = preprocessor.transform(replace(cohort, subjects=cohort.subjects.assign(site=sites)))
    assert len(done.notices) == 1
    assert "and 97 more are new to the model" in done.notices[0]


def test_a_known_name_on_another_scanner_is_noticed(preprocessor, cohort):
    impostor = elsewhere(cohort, factor=1.3, site="North")
    done = preprocessor.transform(impostor)
    assert "has the name of a site the model knows" in done.notices[0]
    assert set(done.subjects["site_status"]) == {"adapted"}
    np.testing.assert_allclose(round_trip(preprocessor, impostor), impostor.features, rtol=1e-9)


def test_missing_icv_is_estimated_flagged_and_its_error_stated(preprocessor, cohort):
    without = replace(cohort, subjects=cohort.subjects.assign(icv=np.nan))
    done = preprocessor.transform(without)
    assert done.subjects["icv_estimated"].all()
    normal = cohort.subjects.loc[cohort.subjects["diagnosis"] == "CN"].groupby("sex")["icv"].mean()
    error = preprocessor.icv.error  # mm³; a mL has 1,000 of them
    told = f"typical error {error / 1000:.0f} mL, {100 * error / normal.mean():.1f} % in healthy"
    assert told in done.notices[0]
    assert "ICV was missing for 100 of 100 people" in done.notices[0]
    error = (done.subjects["icv"] - cohort.subjects["icv"])[cohort.subjects["diagnosis"] == "CN"]
    assert np.sqrt(np.mean(error**2)) < 1.2 * preprocessor.icv.error


def test_the_error_that_is_told_of_an_estimated_icv_is_that_on_other_people():
    """40 people and 30 volumes that say little: on those it was learned from it looks smaller."""
    generator = np.random.default_rng(0)

    def draw(people: int) -> tuple[np.ndarray, pd.DataFrame]:
        icv = generator.normal(1.5e6, 1e5, people)
        volumes = icv[:, None] / 1e3 + generator.normal(0, 300, (people, 30))
        return volumes, pd.DataFrame({"age": 70.0, "sex": "F", "icv": icv})

    learned_from, others = draw(40), draw(2000)
    fitted = fit_icv(*learned_from)
    own, true = (
        np.sqrt(np.mean((fitted.predict(*people) - people[1]["icv"]) ** 2))
        for people in (learned_from, others)
    )
    assert own < 0.8 * true
    assert fitted.error == pytest.approx(true, rel=0.15)


def test_only_the_missing_icv_is_estimated(preprocessor, cohort):
    icv = cohort.subjects["icv"].copy()
    icv.iloc[3] = np.nan
    done = preprocessor.transform(replace(cohort, subjects=cohort.subjects.assign(icv=icv)))
    assert list(np.flatnonzero(done.subjects["icv_estimated"])) == [3]
    assert done.subjects["icv"].drop(3).equals(cohort.subjects["icv"].drop(3))


def test_the_order_of_columns_and_rows_does_not_matter(preprocessor, cohort):
    turned = replace(cohort, features=cohort.features[list(reversed(FEATURES))])
    np.testing.assert_array_equal(
        preprocessor.transform(turned).values, preprocessor.transform(cohort).values
    )
    order = np.random.default_rng(0).permutation(len(cohort))
    np.testing.assert_allclose(
        preprocessor.transform(cohort.select(order)).values,
        preprocessor.transform(cohort).values[order],
        atol=1e-9,
    )


def test_a_missing_region_is_named(preprocessor, cohort):
    without = replace(cohort, features=cohort.features.drop(columns="47"))
    with pytest.raises(DataError, match=r"lacks 1 of them: Right hippocampus \(47\)"):
        preprocessor.transform(without)


def test_a_label_nobody_has_is_refused_with_those_there_are(cohort):
    with pytest.raises(DataError, match=r"0 people labelled MCI.*Labels in the table: AD, CN"):
        fit_preprocessor(cohort, ["CN"], ["MCI"])


def test_a_constant_column_is_refused_by_name(cohort):
    constant = cohort.features.assign(**{"47": 3500.0})
    with pytest.raises(DataError, match="Right hippocampus"):
        fit_preprocessor(replace(cohort, features=constant), ["CN"], ["AD"])


@pytest.mark.parametrize("site", ["North", "Elsewhere"])
@pytest.mark.parametrize("factor", [1e-3, 1e3])
def test_another_unit_is_said_whether_the_site_is_adapted_to_it_or_not(
    preprocessor, cohort, site, factor
):
    features = cohort.features.assign(**{"47": cohort.features["47"] * factor})
    subjects = cohort.subjects.assign(site=site)
    told = preprocessor.transform(replace(cohort, features=features, subjects=subjects)).notices
    assert any("Right hippocampus (47) are far from" in notice for notice in told)
    usual = preprocessor.transform(elsewhere(cohort)).notices
    assert not any("far from" in notice for notice in usual)


def test_ages_outside_the_training_range_are_noticed(preprocessor, cohort):
    old = replace(cohort, subjects=cohort.subjects.assign(age=99.0))
    assert "Outside the ages the model learned from" in preprocessor.transform(old).notices[0]


def test_three_years_beyond_the_training_ages_pass_without_a_notice(preprocessor, cohort):
    low, high = preprocessor.age_range
    ages = cohort.subjects["age"].clip(low, high).to_numpy(copy=True)
    ages[:4] = low - 2.9, high + 2.9, low - 3.1, high + 3.1
    told = preprocessor.transform(replace(cohort, subjects=cohort.subjects.assign(age=ages)))
    (said,) = (notice for notice in told.notices if "Outside the ages" in notice)
    assert f"({low:.0f} to {high:.0f} years): 2 of 100 people." in said


def test_one_site_needs_no_harmonizing(cohort):
    one = fit_preprocessor(make_cohort(sites=("Only",)), ["CN"], ["AD"])
    assert one.harmonizer is None
    assert one.sites == ("Only",)


def test_json_round_trip_is_exact(preprocessor, cohort):
    again = Preprocessor.from_dict(json.loads(json.dumps(preprocessor.to_dict())))
    np.testing.assert_array_equal(
        again.transform(cohort).values, preprocessor.transform(cohort).values
    )


@pytest.mark.parametrize(
    ("part", "value"),
    [("sd", [1.0]), ("sd", ["a"]), ("sd", [float("nan")] * 8), ("linear", {}), ("features", None)],
)
def test_a_damaged_file_is_refused(preprocessor, part, value):
    damaged = preprocessor.to_dict() | {part: value}
    with pytest.raises(CheckpointError, match=r"preprocessor\.json"):
        Preprocessor.from_dict(damaged)


def test_no_person_is_in_what_is_stored(preprocessor, cohort):
    stored = json.dumps(preprocessor.to_dict())
    for column in (cohort.subjects["icv"], cohort.features["47"]):
        assert not any(repr(float(value)) in stored for value in column)
    assert not any(subject in stored for subject in cohort.subjects["subject_id"])


def test_adaptation_recovers_what_a_scanner_does():
    generator = np.random.default_rng(0)
    expected = generator.uniform(900, 1100, (500, 30))
    volumes = 1.2 * expected + 3.0 * 10 * generator.standard_normal((500, 30))
    found = adapt(volumes, expected, sd=np.full(30, 10.0))
    np.testing.assert_allclose(found.factor, 1.2, atol=0.01)
    np.testing.assert_allclose(found.scale, 3.0, atol=0.2)
    np.testing.assert_array_equal(found.offset, 0.0)
    assert found.people == 500


def test_features_around_zero_are_shifted_instead():
    values = 2.0 + np.random.default_rng(0).standard_normal((500, 30))
    found = adapt(values, np.zeros((500, 30)), sd=np.ones(30))
    np.testing.assert_allclose(found.offset, 2.0, atol=0.1)
    np.testing.assert_array_equal(found.factor, 1.0)


def test_adaptation_trusts_few_people_less_than_many():
    values = np.random.default_rng(0).standard_normal((20, 30)) + np.linspace(-1, 1, 30)
    found = adapt(values, np.zeros((20, 30)), sd=np.ones(30)).offset
    assert np.abs(found - values.mean()).sum() < np.abs(values.mean(axis=0) - values.mean()).sum()


def test_covariates_enter_models_in_years_as_men_and_in_litres():
    subjects = pd.DataFrame({"age": [70.0, 50.0], "sex": ["M", "F"], "icv": [1.5e6, 1.2e6]})
    inputs = covariate_matrix(subjects, ("age", "sex", "icv"))
    np.testing.assert_allclose(inputs, [[70, 1, 1.5], [50, 0, 1.2]])


def test_people_are_drawn_of_the_age_sex_and_head_size_of_a_cohort():
    generator = np.random.default_rng(0)
    women = generator.random(2000) < 0.7
    subjects = pd.DataFrame(
        {
            "age": generator.normal(70, 6, 2000).round(1),
            "sex": np.where(women, "F", "M"),
            "icv": np.where(women, 1.35e6, 1.55e6) + 1e5 * generator.standard_normal(2000),
        }
    )
    population = fit_population(subjects)
    assert population.female == pytest.approx(women.mean(), abs=0.001)
    assert population.ages == tuple(np.percentile(subjects["age"], range(5, 96, 10)).round())
    drawn = population.sample(20_000, generator)
    assert (drawn["sex"] == "F").mean() == pytest.approx(0.7, abs=0.03)
    assert drawn["age"].mean() == pytest.approx(70, abs=0.3)
    assert drawn["age"].agg(["min", "max"]).tolist() == [population.ages[0], population.ages[-1]]
    for sex, mean in (("F", 1.35e6), ("M", 1.55e6)):
        icv = drawn.loc[drawn["sex"] == sex, "icv"]
        assert icv.mean() == pytest.approx(mean, rel=0.01)
        assert icv.std() == pytest.approx(1e5, rel=0.08)


def test_icv_is_estimated_by_what_grows_with_it():
    """Ridge regression by its formula, on inputs that need scaling."""
    generator = np.random.default_rng(0)
    n = 200
    subjects = pd.DataFrame({"age": generator.uniform(50, 90, n), "sex": ["F", "M"] * (n // 2)})
    volumes = generator.normal([1000, 50_000], [100, 4_000], (n, 2))
    subjects["icv"] = 1e6 + 50 * volumes[:, 0] + 6 * volumes[:, 1] - 500 * subjects["age"]
    found = fit_icv(volumes, subjects)
    assert np.abs(found.predict(volumes, subjects) - subjects["icv"]).max() < 500
    assert found.error < 500


def test_a_new_site_shifts_features_around_zero_and_the_shift_is_taken_away_and_put_back(cohort):
    around_zero = cohort.features - cohort.features.mean()
    here = replace(cohort, features=around_zero, kind="other")
    preprocessor = fit_preprocessor(here, ["CN"], ["AD"])
    shifted = replace(
        here,
        features=around_zero + 2 * preprocessor.sd,
        subjects=cohort.subjects.assign(site="Elsewhere"),
    )
    found = preprocessor.transform(shifted)
    own = (cohort.subjects["diagnosis"] == "CN").to_numpy()
    assert np.abs(found.values[own].mean(axis=0)).max() < 0.3
    assert (found.adaptations["Elsewhere"].offset > preprocessor.sd).all()
    np.testing.assert_allclose(round_trip(preprocessor, shifted), shifted.features, rtol=1e-9)
    assert not any("far from" in notice for notice in found.notices)
    far = replace(shifted, features=around_zero + 20 * preprocessor.sd)
    assert any("far from" in notice for notice in preprocessor.transform(far).notices)


def test_sizes_are_in_sd_and_ages_from_whole_year_to_whole_year(preprocessor, cohort):
    people = healthy(cohort)
    size = preprocessor.mean_size(cohort, ["CN"])
    np.testing.assert_allclose(size * preprocessor.sd, people.features.mean(), rtol=0.02)
    ages = people.subjects["age"]
    assert preprocessor.age_range == (np.floor(ages.min()), np.ceil(ages.max()))
