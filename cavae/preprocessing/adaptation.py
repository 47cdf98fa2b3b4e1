"""A site that the model has never seen, corrected by its own healthy people."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cavae.preprocessing.harmonizer import empirical_bayes
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
    location, _ = empirical_bayes((volumes - expected) / sd)
    mean = expected.mean(axis=0)
    is_size = mean >= SIZE_IN_SD * sd
    factor = np.where(is_size, 1 + location * sd / np.where(is_size, mean, 1.0), 1.0)
    offset = np.where(is_size, 0.0, location * sd)
    _, scale = empirical_bayes((volumes - factor * expected - offset) / sd)
    return Adaptation(factor, offset, scale, len(volumes))
