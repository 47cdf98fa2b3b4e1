from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose as assert_same

from cavae.person import (
    Person,
    caveats,
    draw_person,
    effect_at,
    export_table,
    person_of,
    person_table,
    step_effects,
)
from cavae.synthesis import encode, healthy_twins
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


def test_twin_and_effect_make_the_person(tiny_model, cohort):
    one = person(tiny_model, cohort)
    rows = person_table(one, one.effect)
    assert_same(rows["healthy"] + rows["effect"] * rows["sd"], rows["observed"])
    assert_same(rows["percent"], 100 * (rows["observed"] / rows["healthy"] - 1))


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
    ]
    assert table["label"][table["roi"] == "47"].item() == "Right hippocampus"


def test_features_of_other_kinds_have_no_unit(tiny_model, cohort):
    one = replace(person(tiny_model, cohort), features=tuple("abcdefgh"))
    assert one.unit == ""
    table = export_table(person_table(one, one.effect), one.unit)
    assert {"healthy_twin", "now"} < set(table)
    assert table["label"].tolist() == list("abcdefgh")


def test_a_person_as_the_model_knows_them_has_no_caveat(tiny_model, cohort):
    assert caveats(tiny_model, person(tiny_model, cohort)) == ()


def test_caveats_name_scanner_icv_and_age(tiny_model):
    cohort = make_cohort(healthy=5, sites=("Elsewhere",))
    subjects = cohort.subjects.assign(icv=np.nan, age=95.0)
    found = caveats(tiny_model, person(tiny_model, replace(cohort, subjects=subjects), row=7))
    assert len(found) == 3
    assert "scanner is new" in found[0]
    assert "estimated" in found[1]
    assert "Age 95 is outside" in found[2]
