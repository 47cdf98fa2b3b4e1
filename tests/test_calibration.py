"""What the decoder leaves out: effects as a distribution, subtypes, silence at s = 0."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import chi2, norm

from cavae.calibration import Calibration, read_people
from cavae.calibration.fitting import (
    chance_of_effect,
    differ_at_all,
    fit_calibration,
    pooled_covariance,
    subtype_effect,
)
from cavae.config import ModelConfig
from cavae.model import ContrastiveVAE
from cavae.synthesis import (
    SampleRequest,
    decode,
    disease_effect,
    encode,
    healthy_twins,
    sample_pairs,
)
from tests.people import SHRUNKEN, make_cohort


@pytest.fixture(scope="module")
def calibration(tiny_model):
    return tiny_model.calibration


def two_subtypes(spread=0.3, severity=0.0, regions=6) -> Calibration:
    """Subtype 1 shrinks the first two regions, subtype 2 the next two; s tells them apart."""
    effects = np.zeros((2, regions))
    effects[0, :2] = effects[1, 2:4] = -2.0
    identity = np.eye(2)
    return Calibration(
        common_mean=np.zeros(2),
        common_covariance=identity,
        weights=np.array([0.5, 0.5]),
        means=np.array([[3.0, 0.0], [0.0, 3.0]]),
        covariances=np.stack([identity, identity]) * 0.05,
        healthy_mean=np.zeros(2),
        healthy_covariance=identity * 0.05,
        mean=np.zeros(regions),
        covariance=np.eye(regions),
        shift=np.zeros(regions),
        residual=np.eye(regions),
        effects=effects,
        errors=np.zeros_like(effects),
        decoded=np.zeros((2, regions)),
        reliability=np.zeros(2),
        severity=np.full(2, severity),
        size=np.full(regions, 10.0),
        spread=np.array(spread),
        criterion=np.array([30.0, 10.0, 20.0]),
    )


def drawn(calibration, people=4000, seed=0):
    """People with known twins: salient s, twin, true effect."""
    generator = np.random.default_rng(seed)
    s, subtype = calibration.sample_salient(people, generator)
    twin = calibration.sample_residual(people, generator)
    decoded = np.zeros_like(twin)
    return s, twin, calibration.sample_effect(twin, decoded, subtype, generator), subtype


def test_nothing_is_lost_at_s_zero(tiny_model, calibration):
    z = np.random.default_rng(0).standard_normal((5, 5))
    assert np.abs(disease_effect(tiny_model, z, np.zeros((5, 5)))).max() < 1e-12
    assert calibration.membership(np.zeros((1, 5))).sum() == pytest.approx(0, abs=1e-12)


def test_membership_tells_subtypes_and_the_healthy_apart():
    chance = two_subtypes().membership(np.array([[3.0, 0.0], [0.0, 3.0], [0.0, 0.0]]))
    np.testing.assert_allclose(chance, [[1, 0], [0, 1], [0, 0]], atol=1e-6)


def test_the_effect_is_recovered_from_what_was_measured():
    calibration = two_subtypes()
    s, twin, effect, _ = drawn(calibration)
    mean, _ = calibration.effect_posterior(twin + effect, s, np.zeros_like(twin))
    expected = calibration.expected_effect(s, np.zeros_like(twin))
    slope = np.polyfit(mean.ravel(), effect.ravel(), 1)[0]
    assert slope == pytest.approx(1, abs=0.03)
    assert np.square(mean - effect).mean() < 0.95 * np.square(expected - effect).mean()


@pytest.mark.parametrize(("spread", "severity"), [(0.3, 0.0), (0.2, 0.4), (0.0, 0.3)])
def test_nine_in_ten_intervals_hold_the_truth(spread, severity):
    calibration = two_subtypes(spread, severity)
    s, twin, effect, subtype = drawn(calibration)
    mean, sd = calibration.effect_posterior(twin + effect, s, np.zeros_like(twin))
    affected = calibration.effects[subtype] != 0
    held = np.abs(effect - mean)[affected] <= 1.645 * sd[affected]
    assert held.mean() == pytest.approx(0.9, abs=0.02)


def test_who_is_healthy_has_no_effect_that_is_clear():
    calibration, generator = two_subtypes(), np.random.default_rng(0)
    s, decoded = 0.2 * generator.standard_normal((200, 2)), generator.standard_normal((200, 6))
    mean, sd = calibration.effect_posterior(generator.standard_normal((200, 6)), s, 0.1 * decoded)
    assert (np.abs(mean) <= 1.645 * sd).all()


def test_in_between_health_and_disease_the_doubt_is_larger_than_at_either(tiny_model):
    calibration = two_subtypes()
    toward = np.linspace(0, 1, 41)[:, None] * calibration.means[[0]]
    x = np.zeros((41, 6))
    decoded = np.zeros((41, 6))
    _, sd = calibration.effect_posterior(x, toward, decoded)
    chance = calibration.membership(toward)[:, 0]
    between = np.abs(chance - 0.5).argmin()
    assert sd[between, 0] > max(sd[0, 0], sd[-1, 0])


def test_spared_regions_have_no_effect_and_no_doubt():
    calibration = two_subtypes()
    s, twin, effect, _ = drawn(calibration, people=50)
    mean, sd = calibration.effect_posterior(twin + effect, s, np.zeros_like(twin))
    assert np.abs(mean[:, 4:]).max() == np.abs(sd[:, 4:]).max() == 0


def test_one_subtype_alone_can_be_drawn():
    calibration, generator = two_subtypes(), np.random.default_rng(0)
    _, subtype = calibration.sample_salient(100, generator, subtype=1)
    assert set(subtype) == {1}


def test_a_trained_model_finds_where_the_disease_was_put(tiny_model):
    cohort = make_cohort(seed=7)
    twins = healthy_twins(tiny_model, encode(tiny_model, cohort))
    ill = (cohort.subjects["diagnosis"] == "AD").to_numpy()
    hit = [twins.features.index(name) for name in SHRUNKEN]
    low, high = twins.effect_interval
    assert (low <= twins.effect).all()
    assert (twins.effect <= high).all()
    assert twins.effect[ill][:, hit].mean() < -2
    assert np.abs(twins.effect[~ill]).mean() < 0.3


def test_arrays_survive_storing(calibration):
    again = Calibration.from_tensors(calibration.to_tensors())
    for name, value in vars(calibration).items():
        np.testing.assert_array_equal(getattr(again, name), value)


def test_the_number_of_subtypes_is_the_one_with_the_lowest_criterion(calibration):
    assert 1 + calibration.criterion.argmin() == calibration.subtypes


def test_both_members_of_a_pair_share_one_common_z(tiny_model, calibration):
    """Read from the diseased member, z is that of the twin; plainly encoded, it is moved."""
    pairs = sample_pairs(tiny_model, SampleRequest(pairs=500, standardized=True))
    shared = read_people(tiny_model.network, None, pairs.background)
    plain = read_people(tiny_model.network, None, pairs.target)
    calibrated = read_people(tiny_model.network, calibration, pairs.target)

    def shift(reading):
        return np.abs((reading.common.mean - shared.common.mean).mean(axis=0).numpy()).max()

    assert shift(calibrated) < 0.4 * shift(plain)


def test_healthy_variation_is_learned_from_the_twins_of_patients_too():
    """With six regions and as many patients as healthy people the error of the covariance falls."""
    calibration, generator = two_subtypes(), np.random.default_rng(0)
    truth = calibration.covariance
    alone, pooled = [], []
    for seed in range(20):
        healthy = generator.standard_normal((150, 6))
        _, twin, effect, subtype = drawn(calibration, people=150, seed=seed)
        chance = np.eye(2)[subtype]
        departures = calibration.twin_departures(twin + effect, np.zeros_like(twin), chance)
        alone.append(np.square(np.cov(healthy, rowvar=False) - truth).sum())
        pooled.append(np.square(pooled_covariance(healthy, *departures) - truth).sum())
    assert np.mean(pooled) < 0.7 * np.mean(alone)


def test_what_is_not_known_of_a_twin_counts_as_much_as_the_twin():
    """Of twins of whom nothing is known but that they vary by V, the pooled variance is V."""
    background, unknown = np.random.default_rng(0).standard_normal((300, 6)), np.diag(range(3, 9))
    own = np.trace(np.cov(background, rowvar=False, ddof=0))
    for twins in (100, 300):
        found = pooled_covariance(background, np.zeros((twins, 6)), unknown.astype(float))
        expected = (300 * own + twins * np.trace(unknown)) / (300 + twins)
        assert np.trace(found) == pytest.approx(expected)


def test_an_effect_on_few_regions_leaves_the_others_at_exactly_zero():
    t = np.r_[np.full(6, -15.0), np.random.default_rng(0).standard_normal(120)]
    believed = chance_of_effect(t)
    assert believed[:6].min() > 0.95
    assert (believed[6:] == 0).mean() > 0.97


def test_a_disease_of_the_whole_brain_keeps_its_many_small_effects():
    generator = np.random.default_rng(0)
    t = generator.normal(0, 2, 140) + generator.standard_normal(140)
    assert (chance_of_effect(t) > 0.5).mean() > 0.9


def test_no_effect_is_found_where_there_is_none():
    t = np.random.default_rng(1).standard_normal(140)
    assert (chance_of_effect(t) == 0).mean() > 0.97


@pytest.mark.parametrize(("severity", "low", "high"), [(0.0, 0.0, 0.1), (0.4, 0.6, 1.0)])
def test_decoded_departures_are_believed_as_far_as_severity_varies(severity, low, high):
    """Scatter of single regions is not mistaken for people being ill to different degrees."""
    generator = np.random.default_rng(0)
    background, twins = generator.standard_normal((2, 3000, 8))
    effect = np.r_[np.full(6, -2.0), 0.0, 0.0]
    degree = generator.normal(1, severity, 3000)
    target = twins * (1 + effect / 10) + effect * generator.normal(degree[:, None], 0.3, (3000, 8))
    decoded = effect * generator.normal(degree if severity else 1.0, 0.1, 3000)[:, None]
    found = subtype_effect(
        target, background, np.eye(8), decoded, np.full(8, 10.0), np.full(3000, 1 / 3000)
    )
    assert low <= found.reliability <= high


TOGETHER = np.full((100, 100), 0.3) + 0.7 * np.eye(100)
"""Regions that go together, as in a brain: chance moves them all at once."""


def test_healthy_people_by_lot_seldom_differ_however_their_regions_go_together():
    t = np.random.default_rng(0).multivariate_normal(np.zeros(100), TOGETHER, 400)
    assert np.mean([differ_at_all(one, TOGETHER) for one in t]) < 0.08
    assert np.mean([differ_at_all(one, 9 * TOGETHER) for one in t]) < 0.08, "the unit matters"
    believed = np.mean([(chance_of_effect(one) > 0).any() for one in t])
    assert believed > 0.3, "region by region they would often be believed to differ"


@pytest.mark.parametrize("regions", [3, 100])
def test_a_disease_of_few_regions_or_of_all_is_never_taken_for_chance(regions):
    t = np.random.default_rng(0).multivariate_normal(np.zeros(100), TOGETHER, 100)
    t[:, :regions] -= 6.0
    assert all(differ_at_all(one, TOGETHER) for one in t)


def test_the_posterior_of_an_effect_is_the_regression_of_effects_on_what_is_measured():
    """By least squares on 60,000 people of one subtype; nobody's healthy mean is 0 here."""
    mean = np.array([1.0, -2.0, 0.5, 3.0, 0.0, -1.0])
    calibration = replace(two_subtypes(spread=0.5), mean=mean, shift=mean)
    generator = np.random.default_rng(0)
    twin = calibration.sample_residual(60_000, generator)
    first = np.zeros(len(twin), dtype=int)
    nothing = np.zeros_like(twin)
    effect = calibration.sample_effect(twin, nothing, first, generator)
    x = twin + effect
    design = np.column_stack([np.ones(len(x)), x])
    expected = design @ np.linalg.lstsq(design, effect, rcond=None)[0]
    s = np.tile(calibration.means[0], (len(x), 1))
    found, sd = calibration.effect_posterior(x, s, nothing)
    assert np.abs(found - expected).max() < 0.1
    np.testing.assert_allclose(sd[0, :2], (effect - expected).std(axis=0)[:2], rtol=0.03)


def test_what_is_not_known_of_the_mean_effect_widens_the_interval():
    """Var e = E Var + Var E: of who belongs to a subtype by chance c, c times its error squared."""
    sure = two_subtypes()
    unsure = replace(sure, errors=np.where(sure.effects != 0, [[0.3], [0.5]], 0.0))
    s, twin, effect, _ = drawn(sure, people=300)
    chance, nothing = sure.membership(s), np.zeros_like(twin)
    mean, sd = sure.effect_posterior(twin + effect, s, nothing)
    same, wider = unsure.effect_posterior(twin + effect, s, nothing)
    np.testing.assert_array_equal(same, mean)
    np.testing.assert_allclose(wider**2 - sd**2, chance @ unsure.errors**2, atol=1e-9)


def test_an_effect_is_the_difference_of_the_groups_wherever_the_healthy_lie():
    generator = np.random.default_rng(0)
    background, target = generator.standard_normal((2, 400, 4))
    target += (-2.0, 0.0, 0.0, 1.0)
    size, equal = np.full(4, 10.0), np.full(400, 1 / 400)
    here, there = (
        subtype_effect(target + at, background + at, np.eye(4), 0 * target, size, equal)
        for at in (0.0, np.array([5.0, -3.0, 1.0, 2.0]))
    )
    difference = target.mean(axis=0) - background.mean(axis=0)
    assert here.mean[[0, 3]] == pytest.approx(difference[[0, 3]], rel=1e-3)
    assert there.mean == pytest.approx(here.mean)
    assert there.error == pytest.approx(here.error)


@pytest.mark.parametrize("people", [40, 3000])
def test_what_varies_in_patients_is_parted_into_what_made_it_vary(people):
    """A share of what is there, degrees of the disease (SD 0.4), each region by itself (0.3)."""
    generator = np.random.default_rng(1)
    background, twins = generator.standard_normal((2, people, 8))
    effect = np.r_[np.full(6, -4.0), 0.0, 0.0]
    degree = generator.normal(1, 0.4, people)[:, None]
    target = twins * (1 + effect / 10) + effect * generator.normal(degree, 0.3, (people, 8))
    decoded = effect * generator.normal(degree, 0.1)
    equal = np.full(people, 1 / people)
    found = subtype_effect(target, background, np.eye(8), decoded, np.full(8, 10.0), equal)
    error = np.sqrt(target.var(axis=0, ddof=1) / people + background.var(axis=0) / people)
    assert found.error[:6] == pytest.approx(error[:6]), "the standard error of a difference"
    assert found.decoded == pytest.approx(decoded.mean(axis=0))
    if people > 1000:
        of_decoded = found.reliability**2 * (0.4**2 + 0.1**2)
        assert found.severity**2 + of_decoded == pytest.approx(0.4**2, abs=0.02)
        assert found.excess / found.squares == pytest.approx(0.3**2, abs=0.015)
        assert found.squares == pytest.approx(people * 6 * 16, rel=0.02)


def test_a_region_is_affected_with_the_chance_of_bayes():
    """Of 4,000 regions 30 % differ by N(0, 3²) beyond their standard error of 1."""
    generator = np.random.default_rng(0)
    real = generator.random(4000) < 0.3
    t = generator.standard_normal(4000) + np.where(real, 3.0 * generator.standard_normal(4000), 0)
    slab, spike = 0.3 * norm(0, np.sqrt(10)).pdf(t), 0.7 * norm().pdf(t)
    expected = slab / (slab + spike)
    clear = np.abs(expected - 0.5) > 0.05
    found = chance_of_effect(t)
    np.testing.assert_allclose(
        found[clear], np.where(expected > 0.5, expected, 0)[clear], atol=0.05
    )


@pytest.mark.parametrize(("covariance", "free"), [(np.eye(100), 100), (np.ones((100, 100)), 1)])
def test_groups_differ_from_the_quantile_of_chi_squared_on(covariance, free):
    """Of 100 regions each on its own, and of 100 that are but one."""
    limit = np.sqrt(chi2.isf(0.025, free) / free)
    assert differ_at_all(np.full(100, -1.01 * limit), covariance)
    assert not differ_at_all(np.full(100, -0.99 * limit), covariance)


def test_one_region_of_100_differs_from_the_quantile_of_bonferroni_on():
    t = np.eye(100)[0] * norm.isf(0.025 / 200)
    assert differ_at_all(1.01 * t, np.eye(100))
    assert not differ_at_all(0.99 * t, np.eye(100))


def straight_network(spread: float = 0.5) -> ContrastiveVAE:
    """s is features 1 and 2, z is features 3 and 4, give or take `spread`; decoded are s, and
    half of z. A leaky unit and its mirror make a straight line."""
    network = ContrastiveVAE(ModelConfig(tuple("abcdef"), latent=2, hidden=8))
    slope = 1 + network.decoder[1].negative_slope

    def straighten(layers, matrix):
        with torch.no_grad():
            for one in layers.parameters():
                one.zero_()
            of_inputs = np.flatnonzero(np.abs(matrix).sum(axis=0))
            for k, column in enumerate(of_inputs):
                layers[0].weight[2 * k, column], layers[0].weight[2 * k + 1, column] = 1, -1
                into = torch.as_tensor(matrix[:, column] / slope)
                layers[2].weight[:, 2 * k], layers[2].weight[:, 2 * k + 1] = into, -into

    reads, decodes = np.zeros((2, 4, 6)), np.zeros((6, 4))
    reads[0, [0, 1], [2, 3]] = reads[1, [0, 1], [0, 1]] = 1.0
    decodes[[2, 3], [0, 1]], decodes[[0, 1], [2, 3]] = 0.5, 1.0
    straighten(network.common_encoder, reads[0])
    straighten(network.salient_encoder, reads[1])
    straighten(network.decoder, decodes)
    with torch.no_grad():
        network.common_encoder[2].bias[2:] = 2 * np.log(spread)
    return network.eval()


def test_of_a_network_that_is_a_straight_line_everything_measured_is_known():
    generator = np.random.default_rng(0)
    middle = np.array([0.0, 0.0, 1.0, -1.0, 0.5, 0.0])
    background, target = generator.standard_normal((2, 900, 6)) + middle
    first = np.arange(900) < 300
    lost = 6.0 * (1 + 0.3 * generator.standard_normal(900))
    target[first, 0] -= lost[first]
    target[~first, 1] -= lost[~first]
    found = fit_calibration(straight_network(), background, target, np.full(6, 1e6), seed=0)
    order = np.argsort(found.weights)
    assert found.spread == pytest.approx(0.3, abs=0.05)
    assert found.weights[order] == pytest.approx([1 / 3, 2 / 3], abs=0.01)
    assert found.criterion.argmin() == 1
    s = [target[one][:, :2] for one in (first, ~first)]
    assert found.means[order] == pytest.approx(np.stack([x.mean(axis=0) for x in s]), abs=0.1)
    assert found.healthy_mean == pytest.approx(background[:, :2].mean(axis=0), abs=1e-4)
    spread = np.cov(background[:, :2].T) + 1e-3 * np.eye(2)
    assert found.healthy_covariance == pytest.approx(spread, abs=1e-4)
    assert found.mean == pytest.approx(background.mean(axis=0))
    lost = [target[one].mean(axis=0) - background.mean(axis=0) for one in (first, ~first)]
    assert np.diag(found.effects[order]) == pytest.approx([lost[0][0], lost[1][1]], abs=0.15)
    assert np.diag(found.decoded[order]) == pytest.approx(
        [s[0][:, 0].mean(), s[1][:, 1].mean()], abs=0.15
    )
    # z varies by what differs between people and by what is not known of each: 1 + 0.5².
    assert found.common_mean == pytest.approx([1.0, -1.0], abs=0.1)
    assert found.common_covariance == pytest.approx(1.25 * np.eye(2), abs=0.12)
    # Decoded are halves of z: the rest of the mean, and of the variance, is not.
    assert found.shift == pytest.approx([0, 0, 0.5, -0.5, 0.5, 0], abs=0.1)
    rest = np.diag([1, 1, 1 - 1.25 / 4, 1 - 1.25 / 4, 1, 1])
    assert found.residual == pytest.approx(rest, abs=0.12)
    assert found.covariance == pytest.approx(np.eye(6), abs=0.12)


def test_common_z_is_that_of_both_groups_where_they_differ(tiny_model):
    generator = np.random.default_rng(0)
    z = generator.standard_normal((2, 150, 5)) + np.array([1.0, -1.0])[:, None, None]
    background, target = (
        decode(tiny_model, one, np.zeros_like(one)) + 0.3 * generator.standard_normal((150, 8))
        for one in z
    )
    network, size = tiny_model.network, np.full(8, 20.0)
    found = fit_calibration(network, background, target, size, seed=0)
    own = [read_people(network, found, x).common.mean.numpy() for x in (background, target)]
    middle = np.concatenate(own).mean(axis=0)
    assert np.abs(own[0].mean(axis=0) - own[1].mean(axis=0)).max() > 0.12
    assert found.common_mean == pytest.approx(middle, abs=0.03)
