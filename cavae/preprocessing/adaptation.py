"""A site that the model has never seen, corrected by its own healthy people."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cavae.preprocessing.linear import Array

MIN_HEALTHY_TO_ADAPT = 20  # healthy people that such a site must bring
# Features whose mean is at least so many SDs from 0 are sizes, which scanners and software change
# by a factor; others are shifted.
SIZE_IN_SD = 3.0


@dataclass(frozen=True)
class Adaptation:
    """What a new site does to p features.

    Its expected value is factor * expected + offset, its SD scale * SD, of the training sites.
    """

    factor: Array
    offset: Array
    scale: Array
    people: int


def adapt(volumes: Array, expected: Array, sd: Array) -> Adaptation:
    """Estimate the effect of a site from its own healthy people.

    volumes and expected (n, p) are what was measured and what the training sites would measure in
    healthy people of the same age, sex and ICV; sd (p,) is the SD of the rest there.
    """
    location, _ = _empirical_bayes((volumes - expected) / sd)
    mean = expected.mean(axis=0)
    is_size = mean >= SIZE_IN_SD * sd
    factor = np.where(is_size, 1 + location * sd / np.where(is_size, mean, 1.0), 1.0)
    offset = np.where(is_size, 0.0, location * sd)
    _, scale = _empirical_bayes((volumes - factor * expected - offset) / sd)
    return Adaptation(factor, offset, scale, len(volumes))


def _empirical_bayes(standardized: Array) -> tuple[Array, Array]:
    """Location and scale (p,) of a site in standardized values (n, p).

    Empirical Bayes of ComBat (Johnson et al., 2007, section 3.2): both are drawn towards their
    average over features, the more so the fewer the people.
    """
    n = len(standardized)
    mean, variance = standardized.mean(axis=0), standardized.var(axis=0, ddof=1)
    prior_mean, prior_variance = mean.mean(), mean.var(ddof=1)
    m, v = variance.mean(), variance.var(ddof=1)
    shape, rate = (2 * v + m**2) / v, (m * v + m**3) / v
    location, square = mean, variance
    for _ in range(100):
        previous = location, square
        location = (n * prior_variance * mean + square * prior_mean) / (n * prior_variance + square)
        sum_of_squares = (n - 1) * variance + n * (mean - location) ** 2
        square = (rate + 0.5 * sum_of_squares) / (n / 2 + shape - 1)
        if np.allclose(previous, (location, square), rtol=1e-6, atol=1e-9):
            break
    return location, np.sqrt(square)
