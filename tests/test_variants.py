"""A conditional VAE goes wherever a contrastive one goes: the label stands for salient s."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from cavae.checkpoint import available_models, load_model
from cavae.config import train_config
from cavae.person import draw_person, effect_at
from cavae.synthesis import SampleRequest, decode, encode, healthy_twins, sample_pairs
from cavae.training import split_cohort, train
from tests.people import SHRUNKEN, make_cohort
from tests.variants import save_conditional


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_conditional(tmp_path_factory.mktemp("models") / "conditional")


@pytest.fixture(scope="module")
def model(folder):
    return load_model(folder)


def test_the_folder_names_the_variant_and_the_card_says_what_it_is(folder, model):
    assert [one.variant for one in available_models(folder.parent)] == ["conditional"]
    assert "A conditional VAE of 8 regional brain volumes" in model.card
    assert "no salient space" in model.card


def test_everyone_is_read_with_the_label_of_a_target(model):
    table = encode(model, make_cohort(seed=7)).table()
    assert list(table.columns) == [
        *("subject_id", "diagnosis"),
        *(f"common_{k}" for k in range(1, 6)),
        "salient_1",
    ]
    assert set(table["salient_1"]) == {1.0}


def test_saved_and_loaded_it_is_the_same(model):
    config = train_config("paper", target=("AD",), epochs=60, batch_size=64)
    again = train(split_cohort(make_cohort(), config), config, variant="conditional")
    one, other = (healthy_twins(m, encode(m, make_cohort(seed=7))) for m in (model, again))
    pd.testing.assert_frame_equal(one.table(), other.table())


def test_the_twin_is_decoded_under_the_label_of_background(model):
    encoding = encode(model, make_cohort(seed=7))
    twins = healthy_twins(model, encoding)
    zero, one = (np.full((len(encoding.common), 1), float(c)) for c in (0, 1))
    expected = decode(model, encoding.common, one) - decode(model, encoding.common, zero)
    np.testing.assert_array_equal(twins.effect, expected)
    assert twins.effect_interval is None


def test_pairs_differ_by_the_label_and_by_the_disease(model):
    pairs = sample_pairs(model, SampleRequest(400, seed=3, standardized=True))
    effect = (pairs.target - pairs.background).mean(axis=0)
    shrunken = [pairs.features.index(name) for name in SHRUNKEN]
    others = [k for k in range(len(effect)) if k not in shrunken]
    assert effect[shrunken].max() < effect[others].min()
    again = sample_pairs(model, SampleRequest(400, seed=3, standardized=True))
    np.testing.assert_array_equal(pairs.target, again.target)


def test_a_synthetic_person_has_the_label_and_loses_the_effect_without_it(model):
    person = draw_person(model, seed=1)
    assert person.salient.tolist() == [1.0]
    np.testing.assert_array_equal(effect_at(model, person, np.zeros(1)), 0.0)


def test_total_correlation_leaves_no_trace_of_its_discriminator(tmp_path):
    from cavae.experiments import save_trained

    config = train_config("paper", target=("AD",), epochs=2, batch_size=64)
    cohort = make_cohort()
    trained = train(split_cohort(cohort, config), config, variant="total-correlation")
    save_trained(trained, tmp_path / "tc", trained_on="made-up people")
    loaded = load_model(tmp_path / "tc")
    names = set(loaded.network.state_dict())
    contrastive = train(split_cohort(cohort, config), replace(config, epochs=1))
    assert names == set(contrastive.network.state_dict())
    assert "total correlation" in loaded.card
