"""Subtypes: named by what they change, given to people by chance, chosen by a criterion."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from cavae.calibration.parameters import PREVALENCE
from cavae.errors import ConfigError
from cavae.subtypes import (
    answer,
    criterion,
    describe_subtypes,
    membership_table,
    report,
    subtype_chances,
)
from cavae.synthesis import encode
from tests.people import FEATURES, make_cohort


def test_a_subtype_is_named_by_what_it_alone_changes_then_by_what_it_changes_most(three_subtypes):
    assert [one.name for one in describe_subtypes(three_subtypes)] == [
        "Amygdala and hippocampus",
        "Entorhinal area and hippocampus",
        "Hippocampus",
    ]


def test_a_single_subtype_is_named_by_what_it_changes_most(tiny_model):
    (one,) = describe_subtypes(tiny_model)
    assert one.number == 1
    assert one.share == 1
    assert {*one.name.replace(" and ", ", ").casefold().split(", ")} == {"hippocampus", "amygdala"}
    assert report(tiny_model).startswith("The model found one pattern, whose strength varies")


def test_regions_are_ranked_by_effect_and_those_left_alone_are_not_there(three_subtypes):
    first = describe_subtypes(three_subtypes)[0]
    assert [change.index for change in first.regions] == ["47", "48", "32", "31"]
    assert first.regions[2].label == "Left amygdala"
    assert first.regions[2].effect == -1.6
    share = three_subtypes.calibration.share[0, FEATURES.index("32")]
    assert first.regions[2].percent == pytest.approx(100 * share)
    assert [(one.label, one.index) for one in first.structures] == [
        ("Hippocampus", "47 48"),
        ("Amygdala", "31 32"),
    ]
    assert first.structures[1].effect == pytest.approx(-1.4)


def test_a_subtype_without_any_clear_change_says_so(three_subtypes):
    none = replace(
        three_subtypes.calibration, effects=np.zeros_like(three_subtypes.calibration.effects)
    )
    assert describe_subtypes(replace(three_subtypes, calibration=none))[0].name == "No clear change"


def test_features_that_are_no_regions_keep_their_names(three_subtypes):
    own = SimpleNamespace(features=tuple(f"thickness_{letter}" for letter in "abcdefgh"))
    model = SimpleNamespace(config=own, calibration=three_subtypes.calibration)
    assert describe_subtypes(model)[2].name == "Thickness_c and thickness_d"


def test_shares_and_chances_sum_to_one(three_subtypes):
    assert sum(one.share for one in describe_subtypes(three_subtypes)) == pytest.approx(1)
    encoding = encode(three_subtypes, make_cohort(seed=3))
    table = membership_table(three_subtypes, encoding)
    assert list(table) == [
        *("subject_id", "diagnosis", "subtype"),
        *("chance_none", "chance_1", "chance_2", "chance_3"),
    ]
    np.testing.assert_allclose(table.filter(like="chance_").sum(axis=1), 1)
    np.testing.assert_array_equal(
        table.filter(like="chance_"), subtype_chances(three_subtypes, encoding.salient)
    )


def test_the_likeliest_is_named_and_patients_are_likelier_than_the_healthy(tiny_model):
    table = membership_table(tiny_model, encode(tiny_model, make_cohort(seed=3)))
    ill = table["diagnosis"] == "AD"
    assert table.loc[ill, "chance_1"].mean() > 2 * table.loc[~ill, "chance_1"].mean()
    assert ((table["chance_1"] > 0.5) == (table["subtype"] == "1")).all()
    assert set(table["subtype"]) == {"1", "none"}


def test_a_subtype_keeps_its_own_share_and_the_command_says_it_in_per_cent(three_subtypes):
    assert [one.share for one in describe_subtypes(three_subtypes)] == [0.5, 0.3, 0.2]
    lines = report(three_subtypes).splitlines()
    assert lines[1].startswith("2: Entorhinal area and hippocampus; 30 % of the patients learned")
    assert "Right hippocampus −3.0 SD" in lines[1]


def test_chances_are_those_of_bayes(three_subtypes):
    own = three_subtypes.calibration
    s = np.random.default_rng(1).normal(size=(6, 5))
    densities = [
        PREVALENCE * weight * multivariate_normal(mean, covariance).pdf(s)
        for weight, mean, covariance in zip(own.weights, own.means, own.covariances, strict=True)
    ]
    healthy = multivariate_normal(own.healthy_mean, own.healthy_covariance).pdf(s)
    densities.insert(0, (1 - PREVALENCE) * healthy)
    expected = np.stack(densities, axis=1)
    found = subtype_chances(three_subtypes, s)
    assert found == pytest.approx(expected / expected.sum(axis=1, keepdims=True), abs=1e-6)


def test_nobody_without_disease_in_s_has_a_subtype(three_subtypes):
    np.testing.assert_allclose(subtype_chances(three_subtypes, np.zeros((1, 5))), [[1, 0, 0, 0]])


def test_the_answer_holds_the_subtypes_and_the_criterion_of_every_number_tried(three_subtypes):
    told = answer(three_subtypes)
    assert [one["number"] for one in told["subtypes"]] == [1, 2, 3]
    assert told["subtypes"][0]["regions"][0].keys() == {"roi", "label", "effect", "percent"}
    assert told["criterion"] == criterion(three_subtypes) == {1: 90, 2: 80, 3: 60, 4: 70}
    assert "3: 60.0; 4: 70.0" in report(three_subtypes)


def test_a_model_of_the_paper_has_none_and_says_so(tiny_model):
    with pytest.raises(ConfigError, match="accepted: a calibrated model"):
        describe_subtypes(replace(tiny_model, calibration=None))
