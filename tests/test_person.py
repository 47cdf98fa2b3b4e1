from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose as assert_same

from cavae.person import (
    Person,
    caveats,
    compared,
    draw_person,
    effect_at,
    export_table,
    person_of,
    person_table,
    step_effects,
)
from cavae.synthesis import SampleRequest, decode, encode, healthy_twins, sample_pairs
from tests.people import make_cohort

ILL = 70


@pytest.fixture(scope="module")
def cohort():
    return make_cohort(seed=1)


def person(model, cohort, twin: str = "residual", row: int = ILL) -> Person:
    return person_of(model, cohort, healthy_twins(model, encode(model, cohort), twin), row)


def test_an_untouched_person_is_what_the_table_of_twins_says(tiny_model, cohort):
    twins = healthy_twins(tiny_model, encode(tiny_model, cohort))
    one = person_of(tiny_model, cohort, twins, ILL)
    rows = person_table(one, effect_at(tiny_model, one, one.salient))
    assert (rows["healthy"] == twins.healthy[ILL]).all()
    assert (rows["effect"] == twins.effect[ILL]).all()
    assert (rows["observed"] == cohort.features.iloc[ILL].to_numpy()).all()
    assert (one.common == twins.encoding.common[ILL]).all()
    assert (one.salient == twins.encoding.salient[ILL]).all()


def test_twin_and_effect_make_the_person(tiny_model, cohort):
    one = person(tiny_model, cohort)
    rows = person_table(one, one.effect)
    assert_same(rows["healthy"] + rows["effect"] * rows["sd"], rows["observed"])
    assert_same(rows["percent"], 100 * (rows["observed"] / rows["healthy"] - 1))
    assert (rows["mean"] == one.mean).all()


def test_without_salient_the_person_is_their_twin(tiny_model, cohort):
    one = person(tiny_model, cohort)
    rows = person_table(one, effect_at(tiny_model, one, np.zeros_like(one.salient)))
    assert rows["effect"].abs().max() < 1e-6
    assert_same(rows["observed"], rows["healthy"], rtol=1e-6)


def test_moved_salient_moves_now_and_leaves_the_twin(tiny_model, cohort):
    one = person(tiny_model, cohort)
    before = person_table(one, one.effect)
    after = person_table(one, effect_at(tiny_model, one, one.salient + 1))
    assert (before["healthy"] == after["healthy"]).all()
    assert (before["observed"] != after["observed"]).any()
    moved = (after["effect"] - before["effect"]) * one.sd
    assert_same(after["observed"] - before["observed"], moved, atol=1e-6)


def test_the_papers_twin_differs_and_the_effect_does_not(tiny_model, cohort):
    own, paper = person(tiny_model, cohort), person(tiny_model, cohort, "paper")
    assert not np.allclose(own.healthy, paper.healthy)
    assert (own.effect == paper.effect).all()
    assert (own.observed == paper.observed).all()


@pytest.mark.parametrize("site_factor", [1.0, 1.3])
def test_healthy_people_are_those_of_the_persons_own_scanner(tiny_model, site_factor: float):
    # A new scanner that measures everything larger is corrected by its own healthy people.
    cohort = make_cohort(sites=("Elsewhere",), site_factor=site_factor, seed=2)
    places = []
    for row in range(0, 60, 3):
        one = person(tiny_model, cohort, row=row)
        places.append((one.observed - one.mean) / one.sd)
    assert np.abs(np.mean(places, axis=0)).max() < 0.7
    assert np.std(places) == pytest.approx(1, abs=0.3)


def test_a_step_says_what_one_more_of_a_dimension_does(tiny_model, cohort):
    one = person(tiny_model, cohort)
    steps = step_effects(tiny_model, one)
    up = np.eye(len(one.salient))[0]
    expected = effect_at(tiny_model, one, one.salient + up) - one.effect
    assert steps.shape == (len(one.salient), len(one.features))
    assert steps[0] == pytest.approx(expected, abs=1e-5)


def test_a_seed_draws_the_same_synthetic_person_again(tiny_model):
    one, again, other = (draw_person(tiny_model, seed) for seed in (3, 3, 4))
    assert (one.observed == again.observed).all()
    assert not np.allclose(one.observed, other.observed)
    rows = person_table(one, one.effect)
    assert_same(rows["healthy"] + rows["effect"] * rows["sd"], rows["observed"])
    assert (rows["healthy"] > 0).all()


def test_one_person_is_drawn_as_pairs_are(tiny_model):
    """Here the healthy lie 4 SD above what is decoded, in every region alike."""
    calibration = replace(tiny_model.calibration, shift=np.full(8, 4.0), residual=1e-6 * np.eye(8))
    old = replace(tiny_model.preprocessor.populations["target"], ages=(80.0,) * 10)
    own = replace(
        tiny_model.preprocessor,
        populations={**tiny_model.preprocessor.populations, "target": old},
    )
    model = replace(tiny_model, calibration=calibration, preprocessor=own)
    one = draw_person(model, 3)
    twin = decode(model, one.common[None], np.zeros((1, 5)))[0] + 4.0
    assert (one.healthy - one.mean) / one.sd == pytest.approx(twin, abs=0.01)
    assert (one.observed - one.healthy) / one.sd == pytest.approx(one.effect)
    paper = draw_person(model, 3, "paper")
    assert (paper.healthy - paper.mean) / paper.sd == pytest.approx(twin - 4.0, abs=0.01)
    assert one.facts["age"] == 80
    drawn = np.mean([draw_person(model, seed).effect for seed in range(60)], axis=0)
    pairs = sample_pairs(model, SampleRequest(2000, standardized=True))
    typical = (pairs.target - pairs.background).mean(axis=0)
    assert drawn == pytest.approx(typical, abs=0.5)
    assert typical.min() < -1


def test_the_table_to_take_away_names_its_units(tiny_model, cohort):
    one = person(tiny_model, cohort)
    table = export_table(person_table(one, one.effect), one.unit)
    assert list(table) == [
        "roi",
        "label",
        "healthy_twin_mm3",
        "now_mm3",
        "effect_sd",
        "effect_percent",
        "effect_sd_low",
        "effect_sd_high",
        "effect_percent_low",
        "effect_percent_high",
        "healthy_twin_low_mm3",
        "healthy_twin_high_mm3",
    ]
    assert table["label"][table["roi"] == "47"].item() == "Right hippocampus"


def test_a_persons_interval_is_that_of_their_twins_row(tiny_model, cohort):
    twins = healthy_twins(tiny_model, encode(tiny_model, cohort))
    one = person_of(tiny_model, cohort, twins, ILL)
    rows = person_table(one, one.effect)
    low, high = twins.effect_interval
    assert (rows["low"] == low[ILL]).all()
    assert (rows["high"] == high[ILL]).all()
    assert (rows["low"] <= rows["effect"]).all()
    assert (rows["effect"] <= rows["high"]).all()


def test_the_twins_interval_is_what_was_measured_less_that_of_the_effect(tiny_model, cohort):
    one = person(tiny_model, cohort)
    rows = person_table(one, one.effect)
    assert_same(rows["twin_low"], rows["observed"] - rows["sd"] * rows["high"])
    assert_same(rows["twin_high"], rows["observed"] - rows["sd"] * rows["low"])
    assert rows["healthy"].between(rows["twin_low"], rows["twin_high"]).all()
    assert_same(rows["percent_low"], 100 * (rows["observed"] / rows["twin_high"] - 1))
    assert_same(rows["percent_high"], 100 * (rows["observed"] / rows["twin_low"] - 1))


def test_the_papers_twin_has_no_interval_and_its_effect_has(tiny_model, cohort):
    one = person(tiny_model, cohort, "paper")
    rows = person_table(one, one.effect)
    assert rows[["twin_low", "twin_high"]].isna().all(axis=None)
    assert rows[["low", "percent_low"]].notna().all(axis=None)
    assert "healthy_twin_low_mm3" not in export_table(rows, one.unit)


def test_what_was_not_measured_has_no_interval(tiny_model, cohort):
    one = person(tiny_model, cohort)
    imagined = person_table(one, effect_at(tiny_model, one, one.salient + 1))
    drawn = draw_person(tiny_model, 3)
    for rows in (imagined, person_table(drawn, drawn.effect)):
        assert rows[["low", "high", "percent_low", "twin_high"]].isna().all(axis=None)
        assert not rows["clear"].any()
        assert not [name for name in export_table(rows, "mm³") if "low" in name]


def test_clear_is_what_differs_from_none_as_it_is_written(tiny_model, cohort):
    one = person(tiny_model, cohort)
    low = np.array([-2.0, -2.0, -2.0, 0.0, 0.01, 0.2, -1.0, -0.04])
    high = np.array([-1.0, -0.04, 1.0, 0.0, 0.02, 0.4, -0.1, 0.2])
    rows = person_table(replace(one, interval=(low, high)), one.effect)
    assert rows["clear"].tolist() == [True, False, False, False, False, True, True, False]


def test_a_difference_is_said_as_a_clinician_would():
    row = {"label": "Right hippocampus", "percent": -18.2, "effect": -1.8}
    known = {"percent_low": -24.1, "percent_high": -12.0, "low": -2.4, "high": -1.2, "clear": True}
    told = "Right hippocampus 18 % smaller than the twin's"
    assert compared(pd.Series(row | known), "mm³") == f"{told} (12 to 24 %)"
    own = compared(pd.Series(row | known), "")
    assert own == "Right hippocampus 1.8 SD below the twin's (1.2 to 2.4 SD)"
    unclear = compared(pd.Series(row | known | {"percent_high": 2.0, "clear": False}), "mm³")
    assert unclear == "Right hippocampus not clearly changed (−24 to +2 %)"
    paper = compared(pd.Series(row | known), "mm³", own_anatomy=False)
    assert paper == "Right hippocampus 18 % smaller by the effect alone (12 to 24 %)"
    unknown = dict.fromkeys(known, np.nan) | {"clear": False}
    assert compared(pd.Series(row | unknown), "mm³") == told


def test_features_of_other_kinds_have_no_unit(tiny_model, cohort):
    one = replace(person(tiny_model, cohort), features=tuple("abcdefgh"))
    assert one.unit == ""
    table = export_table(person_table(one, one.effect), one.unit)
    assert {"healthy_twin", "now"} < set(table)
    assert table["label"].tolist() == list("abcdefgh")


def test_a_person_as_the_model_knows_them_has_no_caveat(tiny_model, cohort):
    assert caveats(tiny_model, person(tiny_model, cohort)) == ()


@pytest.mark.parametrize(("beyond", "told"), [(2.9, False), (3.1, True)])
@pytest.mark.parametrize("side", [0, 1])
def test_an_age_is_a_caveat_from_three_years_beyond_those_learned_from(
    tiny_model, cohort, side, beyond, told
):
    age = tiny_model.preprocessor.age_range[side] + (-beyond, beyond)[side]
    one = person(tiny_model, cohort)
    found = caveats(tiny_model, replace(one, facts=pd.Series({**one.facts, "age": age})))
    assert any("outside the ages" in caveat for caveat in found) == told


def test_caveats_name_scanner_icv_and_age(tiny_model):
    cohort = make_cohort(healthy=5, sites=("Elsewhere",))
    subjects = cohort.subjects.assign(icv=np.nan, age=95.0)
    found = caveats(tiny_model, person(tiny_model, replace(cohort, subjects=subjects), row=7))
    assert len(found) == 3
    assert "scanner is new" in found[0]
    assert "estimated" in found[1]
    assert "Age 95 is outside" in found[2]
