"""What other synthesizers draw: fair to them, so that being ahead of them means something."""

import numpy as np
import pytest

from cavae.baselines import BASELINES, sample_baseline
from cavae.errors import ConfigError, DataError

MIXING = np.array([[1.0, 0.8, 0.0], [0.0, 0.6, 0.0], [0.0, 0.0, 1.0]])


@pytest.fixture(scope="module")
def train():
    return np.random.default_rng(0).standard_normal((300, 3)) @ MIXING + [0, 1, 2]


@pytest.mark.parametrize("name", BASELINES)
def test_cohorts_resemble_what_was_learned_from(name, train):
    drawn = sample_baseline(name, train, 2000, seed=1)
    assert drawn.shape == (2000, 3)
    np.testing.assert_allclose(drawn.mean(axis=0), train.mean(axis=0), atol=0.12)
    correlations = (np.corrcoef(people, rowvar=False) for people in (drawn, train))
    np.testing.assert_allclose(*correlations, atol=0.15)


@pytest.mark.parametrize("name", BASELINES)
def test_the_same_seed_draws_the_same_people(name, train):
    one, again, other = (sample_baseline(name, train, 20, seed) for seed in (7, 7, 8))
    np.testing.assert_array_equal(one, again)
    assert not np.allclose(one, other)


@pytest.mark.parametrize("name", BASELINES)
def test_nobody_is_copied(name, train):
    drawn = sample_baseline(name, train, 200, seed=1)
    nearest = np.linalg.norm(drawn[:, None] - train[None], axis=2).min(axis=1)
    assert np.median(nearest) > 0.05


@pytest.mark.parametrize("name", BASELINES)
def test_more_regions_than_people(name):
    few = np.random.default_rng(1).standard_normal((12, 30))
    drawn = sample_baseline(name, few, 50, seed=0)
    assert drawn.shape == (50, 30)
    assert np.isfinite(drawn).all()


def test_the_mixture_keeps_two_subtypes_apart():
    generator = np.random.default_rng(2)
    two = generator.standard_normal((400, 2)) * 0.3 + np.repeat([[-3.0, 0.0], [3.0, 0.0]], 200, 0)
    drawn = sample_baseline("gmm", two, 1000, seed=0)
    assert (np.abs(drawn[:, 0]) > 1.5).mean() > 0.98
    assert (drawn[:, 0] > 0).mean() == pytest.approx(0.5, abs=0.08)


def test_the_copula_keeps_the_shape_of_each_region():
    skewed = np.random.default_rng(3).exponential(size=(500, 2))
    drawn = sample_baseline("copula", skewed, 4000, seed=0)
    levels = [0.05, 0.25, 0.5, 0.75, 0.95]
    found, expected = (np.quantile(people, levels, axis=0) for people in (drawn, skewed))
    np.testing.assert_allclose(found, expected, rtol=0.15, atol=0.02)


def test_a_baseline_nobody_knows(train):
    with pytest.raises(ConfigError, match="'gan'; accepted: gmm, kde, copula"):
        sample_baseline("gan", train, 10, seed=0)


@pytest.mark.parametrize("name", BASELINES)
def test_too_few_people_are_refused_with_their_number(name, train):
    with pytest.raises(DataError, match="9 people"):
        sample_baseline(name, train[:9], 10, seed=0)
