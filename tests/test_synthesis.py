"""Pairs are pairs: same person, with and without; twins lose the effect and nothing else."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from cavae import synthesis, tables
from cavae.errors import ConfigError
from cavae.synthesis import SampleRequest, encode, healthy_twins, sample_chunks, sample_pairs
from tests.people import make_cohort


@pytest.fixture(scope="module")
def cohort():
    return make_cohort(seed=7)


@pytest.fixture(scope="module")
def encoding(tiny_model, cohort):
    return encode(tiny_model, cohort)


def test_latents_have_a_row_a_person_in_the_order_of_the_table(encoding, cohort):
    table = encoding.table()
    assert list(table["subject_id"]) == list(cohort.subjects["subject_id"])
    assert list(table.columns[:3]) == ["subject_id", "diagnosis", "common_1"]
    assert table.columns[-1] == "salient_5"


def test_a_person_is_encoded_the_same_alone_and_in_any_order(tiny_model, cohort, encoding):
    order = np.random.default_rng(0).permutation(len(cohort))
    turned = encode(tiny_model, cohort.select(order))
    np.testing.assert_allclose(turned.salient, encoding.salient[order], atol=1e-5)
    alone = encode(tiny_model, cohort.select([3]))
    np.testing.assert_allclose(alone.common[0], encoding.common[3], atol=1e-5)


def test_a_table_without_any_diagnosis_has_no_such_column(tiny_model, cohort):
    unknown = replace(cohort, subjects=cohort.subjects.assign(diagnosis=""))
    assert "diagnosis" not in encode(tiny_model, unknown).table()


def test_severity_is_the_mean_absolute_difference_of_the_paper(tiny_model, encoding):
    twins = healthy_twins(tiny_model, encoding, "paper")
    without = synthesis.decode(tiny_model, encoding.common, np.zeros_like(encoding.salient))
    np.testing.assert_allclose(twins.mad, np.abs(encoding.standardized - without).mean(axis=1))
    np.testing.assert_allclose(twins.effect_mad, np.abs(twins.effect).mean(axis=1))


def test_the_residual_twin_differs_from_the_person_by_the_effect_alone(
    tiny_model, cohort, encoding
):
    twins = healthy_twins(tiny_model, encoding, "residual")
    back = tiny_model.preprocessor.inverse_transform(
        encoding.standardized - twins.effect, encoding.subjects, encoding.adaptations
    )
    np.testing.assert_allclose(twins.healthy, back)
    still = np.abs(twins.effect) < 1e-3
    relative = twins.healthy / cohort.features.to_numpy() - 1
    assert np.abs(relative[still]).max(initial=0) < 1e-3


def test_both_twins_share_effect_and_severity(tiny_model, encoding):
    paper, residual = (healthy_twins(tiny_model, encoding, twin) for twin in ("paper", "residual"))
    np.testing.assert_array_equal(paper.effect, residual.effect)
    np.testing.assert_array_equal(paper.mad, residual.mad)
    assert not np.allclose(paper.healthy, residual.healthy)


def test_the_disease_is_found_where_it_was_put(tiny_model, cohort, encoding):
    twins = healthy_twins(tiny_model, encoding)
    ill = (cohort.subjects["diagnosis"] == "AD").to_numpy()
    effect = twins.effect[ill].mean(axis=0)
    hit = [twins.features.index(name) for name in ("31", "32", "47", "48")]
    spared = [twins.features.index(name) for name in ("59", "60", "116", "117")]
    assert effect[hit].max() < -0.8
    assert np.abs(effect[spared]).max() < 0.6
    assert twins.effect_mad[ill].mean() > 2 * twins.effect_mad[~ill].mean()


def test_an_unknown_twin_is_refused(tiny_model, encoding):
    with pytest.raises(ConfigError, match="accepted: residual, paper"):
        healthy_twins(tiny_model, encoding, "identical")


def test_a_pair_is_two_rows_of_one_person(tiny_model):
    table = sample_pairs(tiny_model, SampleRequest(pairs=50, seed=3)).table()
    assert len(table) == 100
    assert list(table["group"][:4]) == ["background", "target"] * 2
    one, other = (
        table[table["group"] == group].reset_index() for group in ("background", "target")
    )
    for shared in ("pair_id", "age", "sex", "icv"):
        assert (one[shared] == other[shared]).all()
    assert (other["47"] < one["47"]).mean() > 0.9


def test_no_drawn_volume_is_impossible(tiny_model):
    pairs = sample_pairs(tiny_model, SampleRequest(pairs=5_000, seed=1))
    expected = tiny_model.preprocessor.expected_volumes(pairs.subjects)
    assert (pairs.background >= 0.25 * expected - 0.01).all()
    assert (pairs.target >= 0.25 * expected - 0.01).all()


def test_drawn_cohorts_are_as_wide_as_real_ones(tiny_model):
    pairs = sample_pairs(tiny_model, SampleRequest(pairs=2_000, standardized=True))
    np.testing.assert_allclose(pairs.background.std(axis=0), 1, atol=0.15)
    np.testing.assert_allclose(pairs.background.mean(axis=0), 0, atol=0.15)


def test_a_pair_differs_where_the_disease_is(tiny_model):
    pairs = sample_pairs(tiny_model, SampleRequest(pairs=2_000, standardized=True))
    difference = np.abs((pairs.target - pairs.background).mean(axis=0))
    hit = [pairs.features.index(name) for name in ("31", "32", "47", "48")]
    spared = [pairs.features.index(name) for name in ("59", "60", "116", "117")]
    assert difference[spared].max() < 0.3 * difference[hit].min()


def test_same_seed_same_pairs_and_a_longer_draw_begins_with_the_shorter(tiny_model):
    few = sample_pairs(tiny_model, SampleRequest(pairs=5, seed=3)).table()
    many = sample_pairs(tiny_model, SampleRequest(pairs=50, seed=3)).table()
    np.testing.assert_allclose(
        few.select_dtypes("number"), many.select_dtypes("number")[:10], rtol=1e-5
    )
    other = sample_pairs(tiny_model, SampleRequest(pairs=5, seed=4)).table()
    assert not np.allclose(few["47"], other["47"])


def test_chunks_number_their_pairs_on(tiny_model, monkeypatch):
    monkeypatch.setattr(synthesis, "CHUNK", 4)
    chunks = [c.table() for c in sample_chunks(tiny_model, SampleRequest(pairs=10))]
    assert [len(chunk) for chunk in chunks] == [8, 8, 4]
    ids = np.concatenate([chunk["pair_id"] for chunk in chunks])
    np.testing.assert_array_equal(ids, np.repeat(np.arange(1, 11), 2))


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_file_has_the_pairs_that_are_drawn(tiny_model, tmp_path, monkeypatch, suffix):
    monkeypatch.setattr(synthesis, "CHUNK", 4)
    monkeypatch.setattr(tables, "ROW_GROUP", 10)
    request, path = SampleRequest(pairs=11, seed=5), tmp_path / f"pairs{suffix}"
    tables.save_table((part.table() for part in sample_chunks(tiny_model, request)), path)
    read = pd.read_csv(path) if suffix == ".csv" else pd.read_parquet(path)
    pd.testing.assert_frame_equal(read, sample_pairs(tiny_model, request).table())


def test_no_two_chunks_are_the_same_people(tiny_model, monkeypatch):
    monkeypatch.setattr(synthesis, "CHUNK", 4)
    first, second = sample_chunks(tiny_model, SampleRequest(pairs=8, standardized=True))
    assert np.abs(first.background - second.background).min() > 0
    assert not (first.subjects["icv"].to_numpy() == second.subjects["icv"].to_numpy()).any()


def test_people_are_drawn_at_the_age_of_patients(tiny_model):
    own = tiny_model.preprocessor
    old = replace(own.populations["target"], ages=(80.0,) * 10)
    young = replace(own.populations["background"], ages=(50.0,) * 10)
    populations = {"background": young, "target": old}
    model = replace(tiny_model, preprocessor=replace(own, populations=populations))
    assert set(sample_pairs(model, SampleRequest(pairs=20)).subjects["age"]) == {80.0}


@pytest.mark.parametrize("subtype", [1, 2, 3])
def test_a_subtype_that_is_asked_for_is_drawn_with_its_own_effect(three_subtypes, subtype):
    request = SampleRequest(pairs=2000, subtype=subtype, standardized=True)
    pairs = sample_pairs(three_subtypes, request)
    assert set(pairs.table()["subtype"]) == {subtype}
    effect = three_subtypes.calibration.effects[subtype - 1]
    found = (pairs.target - pairs.background).mean(axis=0)
    assert (found[effect == 0] == 0).all()
    assert found == pytest.approx(effect, abs=1.0)


def test_drawn_patients_are_as_ill_as_measured_however_much_is_believed_of_the_decoder(tiny_model):
    believed = replace(tiny_model.calibration, reliability=np.ones(1))
    request = SampleRequest(pairs=5000, standardized=True)
    pairs = sample_pairs(replace(tiny_model, calibration=believed), request)
    found = (pairs.target - pairs.background).mean(axis=0)
    assert found == pytest.approx(tiny_model.calibration.effects[0], abs=0.7)


def test_without_calibration_pairs_are_what_is_decoded_without_s_and_with_it(tiny_model):
    model = replace(tiny_model, calibration=None)
    pairs = sample_pairs(model, SampleRequest(pairs=30, seed=2, standardized=True))
    # The subjects are drawn first, from the same stream.
    generator = np.random.default_rng((2, 0))
    model.preprocessor.populations["target"].sample(synthesis.CHUNK, generator)
    z, s = synthesis.draw_prior(model, synthesis.CHUNK, generator)
    z, s = z[:30], s[:30]
    assert pairs.background == pytest.approx(synthesis.decode(model, z, 0 * s), abs=1e-4)
    assert pairs.target == pytest.approx(synthesis.decode(model, z, s), abs=1e-4)


def test_without_calibration_the_effect_is_what_s_adds_to_what_is_decoded(tiny_model):
    z, s = np.random.default_rng(0).standard_normal((2, 6, 5))
    model = replace(tiny_model, calibration=None)
    without = synthesis.decode(model, z, np.zeros_like(s))
    effect = synthesis.disease_effect(model, z, s)
    assert without + effect == pytest.approx(synthesis.decode(model, z, s))


def test_the_smallest_drawn_volume_is_a_quarter_of_what_is_expected(tiny_model):
    subjects = sample_pairs(tiny_model, SampleRequest(pairs=3)).subjects
    volumes = synthesis.possible_volumes(tiny_model, np.full((3, 8), -1000.0), subjects)
    expected = tiny_model.preprocessor.expected_volumes(subjects)
    assert volumes == pytest.approx(expected / 4, abs=0.01)


def test_draws_of_the_same_subjects_may_be_stacked(tiny_model):
    pairs = sample_pairs(tiny_model, SampleRequest(pairs=6, standardized=True))
    both = np.stack([pairs.background, pairs.target])
    volumes = synthesis.possible_volumes(tiny_model, both, pairs.subjects)
    for drawn, alone in zip(volumes, both, strict=True):
        expected = synthesis.possible_volumes(tiny_model, alone, pairs.subjects)
        np.testing.assert_array_equal(drawn, expected)


def test_age_sex_and_icv_can_be_fixed(tiny_model):
    request = SampleRequest(pairs=20, age=70, sex="F", icv=1.3e6)
    table = sample_pairs(tiny_model, request).table()
    assert set(table["age"]) == {70}
    assert set(table["sex"]) == {"F"}
    assert set(table["icv"]) == {1.3e6}


def test_standardized_pairs_are_the_same_pairs_in_sd(tiny_model):
    volumes = sample_pairs(tiny_model, SampleRequest(pairs=20))
    standardized = sample_pairs(tiny_model, SampleRequest(pairs=20, standardized=True))
    back = tiny_model.preprocessor.inverse_transform(standardized.target, standardized.subjects)
    np.testing.assert_allclose(back, volumes.target, atol=0.006)


@pytest.mark.parametrize(
    "setting", [{"pairs": 0}, {"sex": "X"}, {"age": 3}, {"icv": 5}, {"seed": -1}]
)
def test_requests_out_of_range_are_refused(setting):
    with pytest.raises(ConfigError, match="accepted"):
        SampleRequest(**({"pairs": 5} | setting))


def test_an_interval_holds_90_percent_of_a_normal_distribution(tiny_model, encoding):
    twins = healthy_twins(tiny_model, encoding)
    decoded = synthesis.decode(tiny_model, encoding.common, encoding.salient)
    decoded -= synthesis.decode(tiny_model, encoding.common, np.zeros_like(encoding.salient))
    calibration = tiny_model.calibration
    mean, sd = calibration.effect_posterior(encoding.standardized, encoding.salient, decoded)
    low, high = twins.effect_interval
    np.testing.assert_allclose((low + high) / 2, mean, atol=1e-9)
    share = norm.cdf((high - mean)[sd > 0] / sd[sd > 0]) - norm.cdf(
        (low - mean)[sd > 0] / sd[sd > 0]
    )
    np.testing.assert_allclose(share, 0.9, atol=1e-4)
