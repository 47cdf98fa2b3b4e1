"""Distances between samples agree with closed forms."""

import numpy as np
import pytest

from cavae.metrics import wasserstein2


def gaussian(mean, scale, n=200_000, seed=0):
    generator = np.random.default_rng(seed)
    return np.asarray(mean) + generator.standard_normal((n, len(mean))) * np.asarray(scale)


def test_closed_form_for_axis_aligned_gaussians():
    a, b = gaussian([0, 0, 0], [1, 2, 3]), gaussian([1, 0, 2], [2, 2, 1], seed=1)
    expected = 1 + 4 + (1 - 2) ** 2 + 0 + (3 - 1) ** 2
    assert wasserstein2(a, b) == pytest.approx(expected, rel=0.02)


def test_zero_for_the_same_sample_and_symmetric():
    a, b = gaussian([0, 1], [1, 2], n=50), gaussian([1, 1], [2, 1], n=60, seed=1)
    assert wasserstein2(a, a) == pytest.approx(0, abs=1e-9)
    assert wasserstein2(a, b) == pytest.approx(wasserstein2(b, a))


def test_fewer_people_than_columns_is_no_obstacle():
    assert wasserstein2(gaussian([0] * 30, [1] * 30, n=10), gaussian([0] * 30, [1] * 30)) > 0
