"""What is measured when a model is made travels with it, and is read back as it was."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from cavae.bootstrap import Bootstrap
from cavae.checkpoint import load_model, model_facts
from cavae.cohort import join_cohorts
from cavae.config import train_config
from cavae.errors import CheckpointError
from cavae.estimates import Estimate
from cavae.evaluation import evaluate_cohort
from cavae.experiments import train_and_save
from cavae.fidelity import fidelity_figures
from cavae.privacy import measure_closest, measure_file, measure_model
from cavae.quality import (
    FACT,
    METRICS,
    Quality,
    draw_groups,
    groups_of,
    mean_quality,
    measure_own,
    measure_quality,
)
from cavae.training import Split, split_cohort
from cavae.usefulness import SmallStudy, measure_usefulness
from tests.people import make_cohort

OWN = {"closest_own_5", "closest_own_50"}
EVERY_KEY = {metric.key for metric in METRICS} - OWN


@pytest.fixture(scope="module")
def quality(tiny_model):
    return measure_quality(tiny_model, make_cohort(), make_cohort(seed=1), resamples=20)


def test_every_figure_is_measured(quality):
    assert set(quality.estimates) == EVERY_KEY
    assert [study.people for study in quality.small_studies] == [5, 10, 20, 40]


def test_the_table_has_each_estimate_in_its_column(quality):
    rows = quality.table().set_index("key")
    for key, estimate in quality.estimates.items():
        found = rows.loc[key, ["value", "low", "high", "reference"]].tolist()
        expected = [estimate.value, *estimate.interval, estimate.reference]
        np.testing.assert_array_equal(found, expected)


def test_each_part_is_measured_on_those_learned_from_and_those_held_out(quality, tiny_model):
    learned, test = (groups_of(tiny_model, make_cohort(seed=seed)) for seed in (0, 1))
    drawn, few = draw_groups(tiny_model), Bootstrap(20)
    useful, small_studies = measure_usefulness(drawn, learned, test, few)
    np.testing.assert_equal({key: quality.estimates[key] for key in useful}, useful)
    np.testing.assert_equal(quality.small_studies, small_studies)
    attacks = measure_model(tiny_model, learned, test, few)
    np.testing.assert_equal({key: quality.estimates[key] for key in attacks}, attacks)
    # Whatever the copula beside it, which has a say in the references of two attacks alone.
    for key, estimate in measure_file(drawn, drawn, learned, test, None, few).items():
        assert quality.estimates[key].value == estimate.value
    own = measure_own(tiny_model, make_cohort(seed=1), resamples=20).estimates
    for key, estimate in measure_closest(drawn.everyone, test.everyone).items():
        np.testing.assert_equal(own[key], estimate)


def test_a_good_model_teaches_the_disease(quality):
    assert quality.estimates["tstr_auc"].value > 0.9


def test_it_comes_back_from_json_as_it_was(quality):
    facts = json.loads(json.dumps({FACT: quality.to_dict()}, allow_nan=False))
    again = Quality.from_facts(facts)
    pd.testing.assert_frame_equal(again.table(), quality.table(), atol=1e-4)
    assert [s.people for s in again.small_studies] == [s.people for s in quality.small_studies]


def test_a_model_without_it_has_none():
    assert Quality.from_facts({"people": {}}) is None


@pytest.mark.parametrize(
    "garbled",
    [None, [], "good", {}, {"figures": {"tstr_auc": 0.9}}, {"figures": {}, "small_studies": 3}],
)
def test_what_cannot_be_read_is_said_in_a_sentence(garbled):
    with pytest.raises(CheckpointError, match=r"quality in config\.json cannot be read"):
        Quality.from_facts({FACT: garbled})


@pytest.mark.parametrize("value", ["inf", "0.9", True, 1e300, 10**400])
def test_a_figure_that_is_no_number_is_refused(quality, value):
    garbled = quality.to_dict()
    next(iter(garbled["figures"].values()))["value"] = value
    with pytest.raises(CheckpointError, match="no number of a likely size"):
        Quality.from_facts({FACT: garbled})
    garbled = quality.to_dict()
    garbled["small_studies"][0]["people"] = value
    with pytest.raises(CheckpointError, match="no count"):
        Quality.from_facts({FACT: garbled})


def test_too_few_people_are_not_measured_on(tiny_model):
    few = make_cohort(healthy=9, diseased=20, seed=1)
    assert measure_quality(tiny_model, make_cohort(), few) is None
    assert measure_own(tiny_model, few) is None


def test_only_training_people_of_the_same_sites_are_compared(tiny_model):
    """Another site among the training people must not change anything."""
    north, south = (make_cohort(sites=(site,), seed=3) for site in ("North", "South"))
    test = make_cohort(sites=("North",), seed=4)
    alone = measure_quality(tiny_model, north, test, resamples=5)
    with_other = measure_quality(tiny_model, _joined(north, south), test, resamples=5)
    np.testing.assert_equal(alone.small_studies, with_other.small_studies)
    for key, estimate in alone.estimates.items():
        # Only the copula that the attacks are compared with knows the others.
        assert with_other.estimates[key].value == estimate.value


def _joined(one, other):
    ids = "other-" + other.subjects["subject_id"]
    return join_cohorts([one, replace(other, subjects=other.subjects.assign(subject_id=ids))])


def test_groups_are_those_of_the_model(tiny_model):
    groups = groups_of(tiny_model, make_cohort(healthy=30, diseased=20))
    assert groups.sizes == (30, 20)
    assert groups.target.mean() < groups.background.mean()


def test_own_people_are_measured_on_without_knowing_who_was_in_training(tiny_model):
    own = measure_own(tiny_model, make_cohort(seed=5), resamples=20)
    assert set(own.estimates) == {"tstr_auc", "trtr_auc", *OWN}
    assert own.estimates["tstr_auc"].value > 0.9
    assert own.estimates["closest_own_50"].value > 0.3


# --------------------------------------------------------------------------- folds


def fold(value: float, half_width: float) -> Quality:
    estimate = Estimate(value, (value - half_width, value + half_width), 0.9)
    return Quality({"tstr_auc": estimate}, (SmallStudy(10, estimate, estimate),))


def test_folds_are_averaged_and_surer_together():
    mean = mean_quality([fold(0.7, 0.1), fold(0.8, 0.1), fold(0.9, 0.1)], independent=3)
    estimate = mean.estimates["tstr_auc"]
    assert estimate.value == pytest.approx(0.8)
    assert estimate.reference == pytest.approx(0.9)
    assert estimate.interval == pytest.approx((0.8 - 0.1 / 3**0.5, 0.8 + 0.1 / 3**0.5))
    assert mean.small_studies[0].added.value == pytest.approx(0.8)


def test_a_lopsided_interval_stays_lopsided():
    one = Quality({"tstr_auc": Estimate(0.8, (0.6, 0.9), 0.85)}, ())
    mean = mean_quality([one] * 4, independent=4).estimates["tstr_auc"]
    assert (mean.value, *mean.interval) == pytest.approx((0.8, 0.7, 0.85))


def test_measuring_the_same_people_again_makes_it_no_surer():
    folds = [fold(0.8, 0.1)] * 3
    once, thrice = (mean_quality(folds * k, independent=3) for k in (1, 3))
    assert thrice.estimates["tstr_auc"].interval == pytest.approx(
        once.estimates["tstr_auc"].interval
    )


# --------------------------------------------------------------------------- with the model


def test_training_measures_on_people_it_did_not_learn_from(tmp_path):
    config = train_config("calibrated", target=("AD",), epochs=5, validation=0.3)
    split = split_cohort(make_cohort(), config)
    train_and_save(split, config, tmp_path / "monitored", "made-up people")
    with_test = Split(split.train, split.validation, make_cohort(seed=1))
    train_and_save(with_test, config, tmp_path / "tested", "made-up people")
    monitored, tested = (
        Quality.from_facts(model_facts(tmp_path / name)) for name in ("monitored", "tested")
    )
    assert f"{len(split.validation)} people that training was monitored with" in (
        monitored.measured_on
    )
    assert "100 test people" in tested.measured_on
    assert monitored.command == tested.command == "python -m cavae train"
    model = load_model(tmp_path / "tested")
    again = measure_quality(model, split.train, with_test.test, split.validation)
    pd.testing.assert_frame_equal(again.table(), tested.table(), atol=1e-3)
    again = measure_quality(model, split.train, split.validation)
    pd.testing.assert_frame_equal(again.table(), monitored.table(), atol=1e-3)
    figures = [
        *evaluate_cohort(model, split.validation),
        *fidelity_figures(model, split.train, split.validation),
    ]
    told = [figure["value"] for figure in model.facts["figures"]]
    assert told == pytest.approx([figure.value for figure in figures], abs=1e-3)


def test_the_card_has_every_figure(tmp_path):
    config = train_config("calibrated", target=("AD",), epochs=5, validation=0.3)
    split = split_cohort(make_cohort(), config)
    train_and_save(split, config, tmp_path / "model", "made-up people")
    card = load_model(tmp_path / "model").card
    quality = Quality.from_facts(model_facts(tmp_path / "model"))
    for row in quality.table().itertuples():
        assert f"| {row.metric} | {row.value:.2f}" in card
        if row.low < row.high:
            assert f"({row.low:.2f} to {row.high:.2f})".replace(" ", "\N{NO-BREAK SPACE}") in card
    assert quality.measured_on in card


def test_the_card_says_what_it_is_from_whom_and_how_it_was_made(tmp_path):
    config = train_config("calibrated", target=("AD",), epochs=5, mmd_weight=30, seed=4)
    split = split_cohort(make_cohort(), config)
    train_and_save(split, config, tmp_path / "model", "made-up people")
    model = load_model(tmp_path / "model")
    low, high = model.preprocessor.age_range
    assert low < high
    for words in (
        "contrastive VAE of 8 regional brain volumes: 5 common dimensions z that\nCN and AD share",
        f"Ages of the healthy: {low:.0f} to {high:.0f} years.",
        "Preset `calibrated`, λ = 30, seed 4,",
        f"best epoch {model.facts['best_epoch']} of at most 5:",
    ):
        assert words in model.card
    for figure in model.facts["figures"]:
        assert f"| {figure['metric']} | {figure['group']} | {figure['value']:.2f} |" in model.card


def test_a_card_without_figures_says_so(tiny_model):
    assert "## How useful and how private its synthetic people are\n\nNot measured." in (
        tiny_model.card
    )
