"""Healthy people in any number, distributed and correlated as real ones."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtri

from cavae.atlas import rois
from cavae.cohort import Cohort, read_cohort
from cavae.errors import DataError
from cavae.pretraining import read_ad_mci
from cavae.reference import REFERENCE, Curves, Reference, load_reference, sample_reference
from cavae.reference.fitting import (
    CENTILES,
    fit_correlation,
    fit_curves,
    fit_reference,
    fit_residuals,
    read_centiles,
    save_reference,
)

REGIONS = [one.index for one in rois()]
EVERY_AGE = {"age_mean": 66.0, "age_sd": 1000.0}  # as good as uniform from 40 to 92


def draw(people: int, seed: int = 0, **settings) -> Cohort:
    return sample_reference(people, np.random.default_rng(seed), **settings)


def with_icv(cohort: Cohort) -> np.ndarray:
    return np.column_stack([cohort.features, cohort.subjects["icv"]])


@pytest.fixture(scope="module")
def crowd() -> Cohort:
    """20,000 people of every age."""
    return draw(20_000, **EVERY_AGE)


# --------------------------------------------------------------------------- who is drawn


def test_people_of_the_papers_cohort():
    subjects = draw(3900).subjects
    assert subjects["age"].mean() == pytest.approx(62.9, abs=0.4)
    assert subjects["age"].std() == pytest.approx(7.6, abs=0.3)
    assert (subjects["sex"] == "F").mean() == pytest.approx(0.52, abs=0.03)
    assert list(subjects["subject_id"][:2]) == ["ref-000001", "ref-000002"]
    assert set(subjects["diagnosis"]) == {"CN"}


def test_people_as_asked():
    subjects = draw(500, age_mean=80, age_sd=2, female=1.0).subjects
    assert set(subjects["sex"]) == {"F"}
    assert subjects["age"].mean() == pytest.approx(80, abs=0.5)


def test_nobody_is_younger_than_40_or_older_than_92(crowd):
    assert crowd.subjects["age"].between(40, 92).all()
    assert draw(500, age_mean=92, age_sd=20).subjects["age"].max() <= 92


def test_one_seed_draws_the_same_people():
    pd.testing.assert_frame_equal(draw(50, seed=3).features, draw(50, seed=3).features)
    assert not draw(50, seed=3).features.equals(draw(50, seed=4).features)


@pytest.mark.parametrize(
    "settings",
    [{"people": 0}, {"age_mean": 30}, {"age_sd": 0}, {"age_sd": np.nan}, {"female": 1.2}],
    ids=str,
)
def test_settings_out_of_range_are_named(settings):
    (name,) = settings
    with pytest.raises(DataError, match=f"{name} is .*accepted"):
        draw(**{"people": 10, **settings})


# --------------------------------------------------------------------------- what they have


def test_their_table_is_read_without_a_fault(tmp_path):
    people = draw(300, **EVERY_AGE)
    table = pd.concat([people.subjects, people.features], axis=1)
    table.to_parquet(tmp_path / "people.parquet")
    check = read_cohort(tmp_path / "people.parquet")
    assert check.problems == ()
    assert (check.rois, check.usable) == (139, 300)


def test_no_age_and_no_score_gives_an_impossible_volume():
    ages = np.linspace(40, 92, 105)
    typical = np.array([one.typical for one in rois()])
    for curves in load_reference().curves.values():
        scores = np.linspace(-6, 6, 121)
        volumes = np.stack([curves.quantiles(np.full((105, 140), z), ages) for z in scores])
        assert (np.diff(volumes, axis=0) >= 0).all()
        assert (volumes[..., :139] > typical / 8).all()
        assert (volumes[..., :139] < typical * 4).all()


def test_every_brain_fits_into_its_skull(crowd):
    share = crowd.features.sum(axis=1) / crowd.subjects["icv"]
    assert share.max() < 1
    assert share[crowd.subjects["age"] < 50].mean() == pytest.approx(0.875, abs=0.02)
    assert crowd.subjects["icv"].between(0.9e6, 2.2e6).all()


def test_the_skull_does_not_shrink_with_age(crowd):
    subjects = crowd.subjects[crowd.subjects["sex"] == "F"]
    old = subjects["age"] > 66
    young_icv, old_icv = subjects["icv"][~old].mean(), subjects["icv"][old].mean()
    assert old_icv == pytest.approx(young_icv, rel=0.01)


@pytest.mark.parametrize("sex", ["F", "M"])
def test_centiles_are_the_published_ones_within_sampling_error(crowd, shared_data, sex):
    ages, centiles = read_centiles(shared_data / CENTILES[sex], REGIONS)
    people = (crowd.subjects["sex"] == sex).to_numpy()
    age, volumes = crowd.subjects["age"][people].to_numpy(), crowd.features[people].to_numpy()
    errors = []
    for level, published in zip((0.05, 0.5, 0.95), centiles, strict=True):
        limits = np.array([np.interp(age, ages, column) for column in published.T]).T
        for start in range(40, 92, 13):
            group = (age >= start) & (age < start + 13)
            found = (volumes[group] < limits[group]).mean(axis=0)
            errors.append((found - level) / np.sqrt(level * (1 - level) / group.sum()))
    errors = np.abs(errors)
    # Of 1,668 standard errors the largest is about 3.5 when only chance makes them.
    assert errors.max() < 4.5
    assert (errors > 2).mean() < 0.09


def test_volumes_go_together_as_in_real_people(crowd, shared_data):
    people = read_ad_mci(shared_data)
    real = people.select((people.subjects["diagnosis"] == "CN").to_numpy())
    pairs = np.triu_indices(140, 1)
    of_real, of_ours = (
        np.corrcoef(fit_residuals(with_icv(cohort), cohort.subjects).T)[pairs]
        for cohort in (real, crowd)
    )
    # 0.074 is what the halves of the real people differ by.
    assert np.abs(of_real - of_ours).mean() < 0.02


# --------------------------------------------------------------------------- the curves


def test_scores_of_the_centiles():
    curves = Curves(
        knots=np.array([40.0, 66.0, 92.0]),
        skew=np.tile([0.0, 1.0], (3, 1)),
        median=np.array([[1000.0, 500.0], [900.0, 450.0], [800.0, 400.0]]),
        spread=np.full((3, 2), 0.1),
    )
    scores = np.array([[0.0, 0.0], [1.0, 1.0], [-1.0, -1.0]])
    lognormal, normal = curves.quantiles(scores, np.full(3, 66.0)).T
    np.testing.assert_allclose(lognormal, [900, 900 * np.exp(0.1), 900 * np.exp(-0.1)])
    np.testing.assert_allclose(normal, [450, 495, 405])


def test_beyond_the_published_centiles_curves_go_straight_on():
    edge, step = ndtri(0.95), 1e-4
    for skew in (-3.0, 0.0, 2.0):
        curves = Curves(*np.broadcast_arrays([40.0, 92.0], skew, 1000.0, 0.1))
        curves = Curves(
            curves.knots, *(x[:, None] for x in (curves.skew, curves.median, curves.spread))
        )
        for end in (edge, -edge):
            at = end + step * np.array([-1.0, 0.0, 1.0])
            logs = np.log(curves.quantiles(at[:, None], np.full(3, 60.0))[:, 0])
            assert logs[2] - logs[1] == pytest.approx(logs[1] - logs[0], rel=1e-2), skew


def test_volumes_go_together_as_their_correlation_says():
    names, correlation = (
        ("47", "48", "702"),
        np.array([[1, 0.8, 0.1], [0.8, 1, 0.5], [0.1, 0.5, 1]]),
    )
    flat = Curves(
        np.array([40.0, 92.0]),
        np.zeros((2, 3)),
        np.tile([100.0, 100.0, 9000.0], (2, 1)),
        np.full((2, 3), 0.1),
    )
    drawn = Reference(names, {"F": flat, "M": flat}, correlation).sample_volumes(
        np.full(20_000, 60.0), np.repeat(["F", "M"], 10_000), np.random.default_rng(0)
    )
    assert np.corrcoef(np.log(drawn).T) == pytest.approx(correlation, abs=0.03)


def test_curves_meet_the_centiles_that_they_are_fitted_to():
    ages = np.arange(40.0, 93.0)
    median = 4000 - 0.5 * (ages - 40) ** 2
    centiles = np.stack([median * 0.8, median, median * 1.3])[..., None]
    curves = fit_curves(ages, centiles)
    for level, expected in zip((0.05, 0.5, 0.95), centiles[..., 0], strict=True):
        found = curves.quantiles(np.full((len(ages), 1), ndtri(level)), ages)[:, 0]
        np.testing.assert_allclose(found, expected, rtol=2e-3)


def test_a_normal_distribution_is_recognized():
    ages = np.arange(40.0, 93.0)
    centiles = 1000 + 100 * ndtri([0.05, 0.5, 0.95])[:, None, None] * np.ones((3, len(ages), 1))
    curves = fit_curves(ages, centiles)
    np.testing.assert_allclose(curves.skew, 1, rtol=1e-6)
    np.testing.assert_allclose(curves.spread, 0.1, rtol=1e-6)


def test_correlation_is_one_of_ranks_and_shrunk():
    generator = np.random.default_rng(0)
    normal = generator.standard_normal((200, 2)) @ np.linalg.cholesky([[1, 0.8], [0.8, 1]]).T
    correlation = fit_correlation(np.exp(3 * normal))
    np.testing.assert_allclose(correlation, fit_correlation(normal))
    assert 0.7 < correlation[0, 1] < np.corrcoef(normal.T)[0, 1]


def test_residuals_are_what_age_sex_and_site_leave_of_log_volumes():
    generator = np.random.default_rng(0)
    subjects = pd.DataFrame(
        {
            "age": generator.uniform(50, 90, 300),
            "sex": generator.choice(["F", "M"], 300),
            "site": generator.choice(["A", "B", "C"], 300),
        }
    )
    noise = 0.05 * generator.standard_normal((300, 2))
    man, age = (subjects["sex"] == "M").to_numpy(), subjects["age"].to_numpy()
    effects = 0.1 * man - 0.01 * (age - 65) * (1 + man) - 1e-4 * (age - 65) ** 2
    effects += subjects["site"].map({"A": 0.0, "B": 0.3, "C": -0.2}).to_numpy()
    found = fit_residuals(1000 * np.exp(effects[:, None] + noise), subjects)
    assert np.abs(found - noise).max() < 0.04
    assert found.std() == pytest.approx(0.05, abs=0.005)


def test_each_sex_has_the_curves_and_the_head_size_of_its_own_table(tmp_path):
    """Heads here are twice their brains; people are measured at 80 % of what the tables say."""
    generator = np.random.default_rng(0)
    for sex, factor in (("F", 1.0), ("M", 1.1)):
        rows = [
            (age, name, *(factor * np.array([900.0, 1000.0, 1110.0])))
            for age in range(40, 93)
            for name in REGIONS
        ]
        columns = ["Age", "ROI", "centile_5", "centile_50", "centile_95"]
        pd.DataFrame(rows, columns=columns).to_csv(tmp_path / CENTILES[sex], index=False)
    assert {sex: name.removesuffix(".csv").split("_")[-1] for sex, name in CENTILES.items()} == {
        "F": "female",
        "M": "male",
    }
    sexes = np.repeat(["F", "M"], 60)
    sizes = 800 * np.where(sexes == "F", 1.0, 1.1)
    volumes = sizes[:, None] * np.exp(0.05 * generator.standard_normal((120, 139)))
    people = draw(120)
    subjects = people.subjects.assign(sex=sexes, icv=2 * volumes.sum(axis=1), site="")
    features = pd.DataFrame(volumes, columns=REGIONS)
    fitted = fit_reference(Cohort(subjects, features, people.extra, "muse"), tmp_path)
    for sex, factor in (("F", 1.0), ("M", 1.1)):
        _, median, spread = fitted.curves[sex].at(np.array([65.0]))
        assert median[0, :139] == pytest.approx(1000 * factor, rel=1e-6)
        assert median[0, 139] == pytest.approx(2 * 139_000 * factor, rel=1e-3)
        assert spread[0, :139] == pytest.approx(0.0635, abs=0.003)
        own = np.log(subjects["icv"][sexes == sex])
        assert spread[0, 139] == pytest.approx(own.std(), rel=0.2)


# --------------------------------------------------------------------------- the asset


def test_the_asset_is_what_the_fit_gives(shared_data, tmp_path):
    save_reference(fit_reference(read_ad_mci(shared_data), shared_data), tmp_path / "fitted.json")
    fitted = Reference.from_dict(json.loads((tmp_path / "fitted.json").read_text()))
    shipped = load_reference()
    assert fitted.names == shipped.names
    np.testing.assert_allclose(fitted.correlation, shipped.correlation, atol=1e-5)
    for sex in ("F", "M"):
        for part in ("knots", "skew", "median", "spread"):
            found, expected = (getattr(one.curves[sex], part) for one in (fitted, shipped))
            np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_the_asset_holds_parameters_only():
    content = json.loads(REFERENCE.read_text(encoding="utf-8"))
    assert set(content) == {"names", "curves", "correlation"}
    assert {len(curves["knots"]) for curves in content["curves"].values()} == {9}
    assert len(content["correlation"]) == 140


def test_a_centile_table_that_lacks_a_region_is_named(shared_data, tmp_path):
    table = pd.read_csv(shared_data / CENTILES["F"], dtype={"ROI": str})
    table[table["ROI"] != "47"].to_csv(tmp_path / "without.csv", index=False)
    with pytest.raises(DataError, match=r"without\.csv.*47"):
        read_centiles(tmp_path / "without.csv", REGIONS)
    with pytest.raises(DataError, match=r"absent\.csv"):
        read_centiles(tmp_path / "absent.csv", REGIONS)
