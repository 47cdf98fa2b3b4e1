"""How like held-out people generated ones are: the same from what anyone can draw and encode."""

import numpy as np
import pytest

from cavae.fidelity import cohort_fidelity, fidelity_figures
from cavae.metrics import wasserstein2
from cavae.synthesis import SampleRequest, encode, sample_pairs
from tests.people import make_cohort


def groups(model, cohort):
    values = encode(model, cohort).standardized
    healthy = (cohort.subjects["diagnosis"] == "CN").to_numpy()
    return values[~healthy], values[healthy]


def test_distances_are_those_of_as_many_drawn_people_as_were_learned_from(tiny_model):
    train, held_out = make_cohort(), make_cohort(healthy=12, diseased=9, seed=1)
    learned, real = groups(tiny_model, train), groups(tiny_model, held_out)
    pairs = sample_pairs(tiny_model, SampleRequest(1000, 0, standardized=True))
    drawn = pairs.target, pairs.background
    found = cohort_fidelity(tiny_model, train, held_out)
    for side, key in enumerate(("w2_target", "w2_background")):
        size = len(learned[side])
        assert found[key].value == pytest.approx(wasserstein2(drawn[side][:size], real[side]))
        assert found[key].reference == pytest.approx(wasserstein2(learned[side], real[side]))
    # Samples of nine of each side, never of the same pairs.
    blocks = [slice(start, start + 9) for start in range(0, 999, 9)]
    apart = [wasserstein2(drawn[0][blocks[i]], drawn[1][blocks[i - 1]]) for i in range(len(blocks))]
    assert found["separation"].value == pytest.approx(np.mean(apart))
    assert found["separation"].reference == pytest.approx(wasserstein2(real[0], real[1][:9]))
    of_target, separation = fidelity_figures(tiny_model, train, held_out)
    assert of_target.value == found["w2_target"].value / found["w2_target"].reference
    assert separation.value == found["separation"].value / found["separation"].reference


def test_of_one_person_nothing_is_said(tiny_model):
    one = make_cohort(healthy=12, diseased=1, seed=1)
    assert fidelity_figures(tiny_model, make_cohort(), one) == ()
