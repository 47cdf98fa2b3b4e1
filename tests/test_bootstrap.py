"""Intervals are as wide as the spread between cohorts, and hold the figure they belong to."""

import numpy as np
import pytest

from cavae.bootstrap import Bootstrap
from cavae.metrics import wasserstein2


def people(n, p, seed):
    return np.random.default_rng(seed).standard_normal((n, p))


def test_the_interval_of_a_mean_is_that_of_the_textbook():
    sample = people(400, 1, seed=0)
    low, high = Bootstrap(10_000).interval(sample.mean(), np.mean, sample)
    half = 1.96 * sample.std() / np.sqrt(400)
    assert (low, high) == pytest.approx((sample.mean() - half, sample.mean() + half), abs=0.006)


def test_a_distance_at_its_floor_lies_in_its_interval():
    a, b = people(200, 40, seed=1), people(80, 40, seed=2)
    value = wasserstein2(a, b)
    low, high = Bootstrap(100).interval(value, wasserstein2, a, b)
    assert low < value < high
    others = [wasserstein2(people(200, 40, 10 + i), people(80, 40, 90 + i)) for i in range(40)]
    assert low < np.mean(others) < high
    assert high - low > 2 * np.std(others)


def test_samples_keep_their_sizes_and_rows_stay_whole():
    seen = []

    def statistic(one, other):
        seen.append((one.shape, other.shape))
        assert (one[:, 0] == one[:, 1]).all()
        return float(one.mean() - other.mean())

    twice = np.repeat(np.arange(7.0)[:, None], 2, axis=1)
    Bootstrap(3).interval(0.0, statistic, twice, np.zeros((5, 4)))
    assert seen == [((7, 2), (5, 4))] * 3


def test_the_same_seed_gives_the_same_interval():
    sample = people(50, 1, seed=3)
    one, again, other = (
        Bootstrap(50, seed).interval(sample.mean(), np.mean, sample) for seed in (4, 4, 5)
    )
    assert one == again != other


def test_what_is_not_known_has_no_interval():
    assert np.isnan(Bootstrap(2).interval(float("nan"), np.mean, np.zeros((3, 1)))).all()


def test_without_resamples_there_is_no_interval():
    assert np.isnan(Bootstrap(0).interval(1.0, np.mean, np.ones((5, 1)))).all()


@pytest.mark.parametrize(("n", "m"), [(120, 60), (30, 8)])
def test_the_fast_interval_of_a_distance_is_the_plain_one(n, m):
    a, b = people(n, 20, seed=1), 1.5 * people(m, 20, seed=2)
    value = wasserstein2(a, b)
    fast = Bootstrap(30).wasserstein2_interval(value, a, b)
    assert fast == pytest.approx(Bootstrap(30).interval(value, wasserstein2, a, b), abs=1e-5)
    assert np.isnan(Bootstrap(0).wasserstein2_interval(value, a, b)).all()
