"""A look at a network says how near it comes to people held out, and what leaks into common z."""

import copy

import numpy as np
import pytest
import torch

from cavae.config import ModelConfig
from cavae.metrics import wasserstein2
from cavae.model import initialize
from cavae.monitoring import MOST, Look, Monitor

NETWORK = initialize(ModelConfig(tuple("abcd"), latent=2, hidden=8), seed=0)


def people(count, seed, shift=0.0):
    return np.random.default_rng(seed).standard_normal((count, 4)) + shift


TRAINING, VALIDATION = (people(80, 1), people(90, 2, 1.0)), (people(30, 3), people(200, 4, 1.0))


@pytest.fixture(scope="module")
def look():
    return Monitor(TRAINING, VALIDATION, seed=0).look(NETWORK)


def test_the_floor_is_the_distance_of_other_real_people(look):
    assert look.floor_background == pytest.approx(wasserstein2(VALIDATION[0], TRAINING[0]))
    assert look.floor_target == pytest.approx(wasserstein2(VALIDATION[1], TRAINING[1]))
    assert look.w2_target > look.floor_target, "the network has learned nothing yet"


def test_latents_are_of_some_validation_people_of_both_cohorts(look):
    assert (~look.is_target).sum() == 30
    assert look.is_target.sum() == MOST
    assert look.common.shape == look.salient.shape == (30 + MOST, 2)


def test_the_same_seed_sees_the_same(look):
    again = Monitor(TRAINING, VALIDATION, seed=0).look(NETWORK)
    assert (again.w2_target, again.leakage_auc) == (look.w2_target, look.leakage_auc)
    assert np.array_equal(again.salient, look.salient)


def test_leakage_is_a_coin_toss_when_common_z_is_alike_and_sure_when_it_is_not():
    z, is_target = people(200, 5), np.repeat([False, True], 100)

    def leakage(common):
        return Look(1.0, 1.0, 1.0, 1.0, common, common, is_target).leakage_auc

    assert leakage(z) == pytest.approx(0.5, abs=0.1)
    assert leakage(z + 9.0 * is_target[:, None]) == 1.0
    assert np.isnan(Look(1.0, 1.0, 1.0, 1.0, z[:3], z[:3], is_target[98:101]).leakage_auc)


def test_subtypes_around_the_healthy_are_told_apart_by_s():
    s, is_target = 0.3 * people(90, 6), np.repeat([False, True], 45)
    s[45:, :2] += 3.0 * np.array([[1, 0], [-0.5, 0.9], [-0.5, -0.9]])[np.arange(45) % 3]
    assert Look(1.0, 1.0, 1.0, 1.0, s, s, is_target).separation_auc > 0.99


def test_target_people_are_drawn_with_salient_s_and_background_people_without():
    loud = copy.deepcopy(NETWORK)
    with torch.no_grad():
        loud.decoder[0].weight[:, loud.latent :] *= 100
    quiet, heard = (Monitor(TRAINING, VALIDATION, seed=0).look(one) for one in (NETWORK, loud))
    assert heard.w2_background == quiet.w2_background
    assert heard.w2_target > 10 * quiet.w2_target
