"""A generator that copies the people it learned from is caught, an honest one is not accused."""

from dataclasses import replace

import numpy as np
import pytest

from cavae.baselines import sample_baseline
from cavae.bootstrap import Bootstrap
from cavae.groups import Groups
from cavae.privacy import (
    METRICS,
    closest,
    closest_records,
    equal_numbers,
    measure_closest,
    measure_file,
    measure_model,
)
from cavae.quality import groups_of
from cavae.synthesis import decode, encode_standardized
from tests.people import make_cohort

FEW = Bootstrap(resamples=50)


def people(count: int, seed: int) -> Groups:
    """Twenty features, of which the disease lowers ten."""
    generator = np.random.default_rng(seed)
    lowered = -(np.arange(20) < 10).astype(float)
    return Groups(
        generator.standard_normal((count, 20)), generator.standard_normal((count, 20)) + lowered
    )


MEMBERS, OUTSIDERS, REFERENCE = people(150, 1), people(150, 2), people(150, 3)


COPULA = Groups(
    *(sample_baseline("copula", x, 300, 0) for x in (MEMBERS.background, MEMBERS.target))
)


def copies(noise: float = 0.01) -> Groups:
    """What a generator gives out that knows its training people by heart."""
    generator = np.random.default_rng(4)
    return Groups(
        *(
            known + noise * generator.standard_normal(known.shape)
            for known in (MEMBERS.background, MEMBERS.target)
        )
    )


def measured(generated: Groups, reference: Groups | None = REFERENCE):
    return measure_file(generated, COPULA, MEMBERS, OUTSIDERS, reference, FEW)


@pytest.fixture(scope="module")
def honest():
    return measured(people(300, 5))


@pytest.fixture(scope="module")
def copied():
    return measured(copies())


def test_copies_are_closer_to_those_they_were_copied_from(copied):
    share = copied["closer_to_training"]
    assert share.value > 0.99
    assert share.interval[0] > 0.9
    assert copied["closest_5"].value < 0.02 < copied["closest_5"].reference
    assert copied["closest_50"].value < 0.02 < copied["closest_50"].reference


def test_copies_give_away_whose_data_were_used(copied):
    assert copied["attack_distance"].value > 0.99
    assert copied["attack_density"].value > 0.6


def test_an_honest_generator_is_as_close_to_others_and_gives_nobody_away(honest):
    for key in ("closer_to_training", "attack_distance", "attack_density"):
        assert honest[key].value == pytest.approx(0.5, abs=0.1)
        low, high = honest[key].interval
        assert low < 0.5 < high
    for key in ("closest_5", "closest_50"):
        assert honest[key].value == pytest.approx(honest[key].reference, abs=0.05)


def test_what_people_would_use_instead_is_attacked_alike(honest, copied):
    """A copula of 150 people in 20 dimensions follows them more than an honest generator does."""
    for key in ("attack_distance", "attack_density"):
        assert honest[key].reference == copied[key].reference
        assert honest[key].value < honest[key].reference < copied["attack_distance"].value


def test_noise_hides_copies_by_degrees(copied, honest):
    noisy = measured(copies(noise=1.0))
    for key in ("closer_to_training", "attack_distance"):
        assert honest[key].value < noisy[key].value < copied[key].value


def test_without_more_people_the_attacker_knows_half_of_the_outsiders():
    figures = measured(copies(), reference=None)
    assert figures["attack_distance"].value > 0.99
    assert figures["attack_density"].value > 0.6


def test_groups_of_other_sizes_give_no_one_away():
    """More patients among the members must not look like a leak: patients are farther away."""
    many = people(200, 6)
    members = Groups(many.background[:40], many.target)
    figures = measure_file(people(300, 5), COPULA, members, OUTSIDERS, REFERENCE, FEW)
    assert figures["attack_distance"].value == pytest.approx(0.5, abs=0.12)
    inside, outside = equal_numbers(members, OUTSIDERS, np.random.default_rng(0))
    assert len(inside) == len(outside) == 40 + 150


def test_a_model_gives_away_those_whom_it_rebuilds_and_no_others(tiny_model):
    """The tiny model learned from people of seed 0; others of their kind have other seeds."""
    trained, other, stranger = (groups_of(tiny_model, make_cohort(seed=s)) for s in (0, 1, 2))
    keys = ("attack_reconstruction", "attack_likelihood")
    figures = measure_model(tiny_model, other, stranger, FEW)
    assert set(figures) == set(keys)
    for key in keys:
        assert figures[key].value == pytest.approx(0.5, abs=0.15)
    rebuilt = Groups(*(shrunken(tiny_model, x) for x in (trained.background, trained.target)))
    assert measure_model(tiny_model, rebuilt, stranger, FEW)["attack_reconstruction"].value > 0.95


def shrunken(model, x: np.ndarray) -> np.ndarray:
    """People exactly as the decoder has them, whom it rebuilds almost without an error."""
    for _ in range(5):
        x = decode(model, *encode_standardized(model, x))
    return x


def test_a_model_of_the_paper_has_no_likelihood_to_attack(tiny_model):
    groups = [groups_of(tiny_model, make_cohort(seed=seed)) for seed in (0, 1)]
    figures = measure_model(replace(tiny_model, calibration=None), *groups, FEW)
    assert set(figures) == {"attack_reconstruction"}


def test_own_people_whom_a_generator_copies_are_closer_than_they_are_to_each_other():
    own = MEMBERS.everyone
    copied, honest = (measure_closest(g.everyone, own) for g in (copies(), people(300, 5)))
    assert copied["closest_own_50"].value < 0.02 < copied["closest_own_50"].reference
    assert honest["closest_own_5"].value == pytest.approx(
        honest["closest_own_5"].reference, abs=0.1
    )


def test_distances_are_to_the_closest_and_a_tie_counts_half():
    """Along a line in four features: a step of 1 in each is a distance of 1."""
    synthetic, members, outsiders = (
        np.array(places)[:, None] * np.ones(4)
        for places in ([0.0, 2.0, 10.0, 20.0], [0.5, 3.0], [-1.5, 1.0, 12.0])
    )
    assert closest(synthetic, members).tolist() == [0.5, 1.0, 7.0, 17.0]
    assert closest(members, outsiders).tolist() == [0.5, 2.0]
    found = closest_records(synthetic, members, outsiders, FEW)
    # To outsiders 1, 1, 2, 8: the first is closer to a member, the second as close to both.
    assert found["closer_to_training"].value == (1 + 0.5) / 4
    assert found["closest_50"].value == pytest.approx(4.0)
    assert found["closest_50"].reference == pytest.approx(1.5)
    assert found["closest_5"].value == pytest.approx(0.5 + 0.15 * 0.5)
    own = measure_closest(synthetic, members)
    assert own["closest_own_50"].value == pytest.approx(4.0)
    assert own["closest_own_50"].reference == pytest.approx(2.5)


def test_distances_do_not_grow_with_the_number_of_regions():
    few, many = (np.random.default_rng(0).standard_normal((2, 500, p)) for p in (20, 140))
    assert closest(*many).mean() == pytest.approx(np.sqrt(2), abs=0.3)
    assert closest(*few).mean() < np.sqrt(2)


def test_every_figure_is_explained(honest, tiny_model):
    groups = [groups_of(tiny_model, make_cohort(seed=seed)) for seed in (0, 1)]
    own = measure_closest(MEMBERS.everyone, OUTSIDERS.everyone)
    found = {*honest, *measure_model(tiny_model, *groups, FEW), *own}
    assert found == {metric.key for metric in METRICS}
    assert all(metric.meaning.endswith(".") and metric.direction for metric in METRICS)


def test_the_same_people_give_the_same_figures(honest):
    np.testing.assert_equal(measured(people(300, 5)), honest)


def test_people_whose_twins_are_ordinary_are_those_the_likelihood_takes_for_members(tiny_model):
    stranger = groups_of(tiny_model, make_cohort(seed=2))
    ordinary = Groups(0.1 * stranger.background, 0.1 * stranger.background)
    unusual = Groups(3.0 * stranger.background, 3.0 * stranger.background)
    figures = measure_model(tiny_model, ordinary, unusual, FEW)
    assert figures["attack_likelihood"].value > 0.95
