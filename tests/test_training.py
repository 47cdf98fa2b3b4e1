"""Training learns the disease, repeats itself, stops when told, and refuses what cannot work."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from cavae.config import VARIANTS, ModelConfig, train_config
from cavae.devices import choose_device
from cavae.errors import ConfigError, DataError
from cavae.losses import kl_divergence
from cavae.optimization import Problem, fit_networks
from cavae.training import Interim, split_cohort
from cavae.training import train as train_split
from tests.people import make_cohort

QUICK = train_config(target=("AD",), epochs=10, batch_size=32)


@pytest.fixture(scope="module")
def cohort():
    return make_cohort(healthy=40, diseased=30)


def train(cohort, config, **how):
    return train_split(split_cohort(cohort, config), config, **how)


def same_weights(one, other) -> bool:
    pairs = zip(one.network.parameters(), other.network.parameters(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def test_same_seed_same_model_other_seed_other_model(cohort):
    one, again = train(cohort, QUICK), train(cohort, QUICK)
    assert same_weights(one, again)
    assert not same_weights(one, train(cohort, replace(QUICK, seed=1)))


def test_global_random_state_has_no_say(cohort):
    torch.manual_seed(1)
    np.random.seed(1)
    one = train(cohort, QUICK)
    torch.manual_seed(2)
    np.random.seed(2)
    assert same_weights(one, train(cohort, QUICK))


def test_the_number_of_threads_has_no_say():
    large = make_cohort(healthy=400, diseased=400)
    config = replace(QUICK, batch_size=256, epochs=5, calibrate=True)
    before = torch.get_num_threads()
    try:
        models, threads_used = [], []
        for threads in (1, 2, 4):
            torch.set_num_threads(threads)
            models.append(
                train(
                    large,
                    config,
                    on_progress=lambda _: threads_used.append(torch.get_num_threads()),
                )
            )
            assert torch.get_num_threads() == threads, "the caller's number is left as it was"
    finally:
        torch.set_num_threads(before)
    assert set(threads_used) == {1}
    one, *others = models
    assert all(same_weights(one, other) for other in others)
    effects = [model.calibration.means for model in models]
    assert all(np.array_equal(effects[0], other) for other in effects[1:])


PAPER = train_config("paper", target=("AD",), epochs=10, batch_size=32)


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_trains_and_repeats_itself(cohort, variant):
    one, again = (train(cohort, PAPER, variant=variant) for _ in range(2))
    assert one.config.variant == variant
    assert same_weights(one, again)


def test_variants_are_different_models(cohort):
    contrastive, total = (
        train(cohort, PAPER, variant=variant) for variant in ("contrastive", "total-correlation")
    )
    assert not same_weights(contrastive, total)


@pytest.mark.parametrize("variant", ["conditional", "total-correlation"])
def test_the_calibrated_preset_is_for_the_contrastive_variant_alone(cohort, variant):
    with pytest.raises(ConfigError, match=f"accepted for {variant}: preset paper"):
        train(cohort, QUICK, variant=variant)


def test_a_variant_nobody_knows_is_refused(cohort):
    with pytest.raises(ConfigError, match="'gan'; accepted: contrastive, conditional, total-"):
        train(cohort, PAPER, variant="gan")


def test_the_objective_falls(cohort):
    history = train(cohort, replace(QUICK, epochs=40)).history
    assert history[-1].terms["total"] < 0.8 * history[0].terms["total"]


def test_the_best_epoch_is_kept_and_named(cohort):
    trained = train(cohort, replace(QUICK, epochs=40))
    looks = {progress.epoch: progress.look for progress in trained.history if progress.look}
    assert trained.best_epoch == min(
        looks, key=lambda epoch: looks[epoch].w2_target + looks[epoch].w2_background
    )


def test_training_stops_when_the_distance_no_longer_falls(cohort):
    config = replace(QUICK, epochs=400, patience=10, learning_rate=0.05)
    trained = train(cohort, config)
    assert trained.history[-1].epoch < 400
    assert trained.history[-1].epoch - trained.best_epoch >= 10


def test_training_that_diverges_says_so(cohort):
    with pytest.raises(ConfigError, match="Training diverged"):
        train(cohort, replace(QUICK, learning_rate=0.9, epochs=60))


def test_cancel_keeps_the_best_so_far(cohort):
    seen = []

    def on_progress(progress):
        seen.append(progress.epoch)
        return progress.epoch < 7

    trained = train(cohort, QUICK, on_progress=on_progress)
    assert seen == [1, 2, 3, 4, 5, 6, 7]
    assert trained.best_epoch == 5
    assert not trained.network.training


def test_what_is_handed_over_in_the_interim_is_whole_and_changes_nothing(cohort):
    config, kept = replace(QUICK, epochs=20, calibrate=True), []

    def keep(trained):
        kept.append((trained.best_epoch, trained.calibration is not None))

    watched = train(cohort, config, interim=Interim(keep, seconds=0.0))
    alone = train(cohort, config)
    assert kept
    assert all(calibrated for _, calibrated in kept)
    assert kept[-1][0] == watched.best_epoch
    assert same_weights(watched, alone)
    assert np.array_equal(watched.calibration.means, alone.calibration.means)
    assert not train(cohort, config, interim=Interim(kept.clear, seconds=60.0)).network.training


def test_nobody_is_in_both_parts_and_every_group_is_in_both(cohort):
    split = split_cohort(cohort, replace(QUICK, validation=0.2))
    train_ids, held_out = (
        set(part.subjects["subject_id"]) for part in (split.train, split.validation)
    )
    assert not train_ids & held_out
    assert len(train_ids | held_out) == len(cohort)
    groups = split.validation.subjects.groupby(["diagnosis", "site"]).size()
    assert dict(groups) == {
        ("AD", "North"): 3,
        ("AD", "South"): 3,
        ("CN", "North"): 4,
        ("CN", "South"): 4,
    }


def test_people_are_counted_in_their_part_and_cohort(cohort):
    split = split_cohort(cohort, replace(QUICK, validation=0.2))
    assert train_split(split, replace(QUICK, epochs=1)).people == {
        "training background": 32,
        "training target": 24,
        "validation background": 8,
        "validation target": 6,
    }


def test_unlabelled_people_are_left_out(cohort):
    labels = cohort.subjects["diagnosis"].where(np.arange(len(cohort)) % 10 > 0, "")
    trained = train(replace(cohort, subjects=cohort.subjects.assign(diagnosis=labels)), QUICK)
    assert sum(trained.people.values()) == 63


def test_too_few_people_are_refused_with_their_number(cohort):
    few = cohort.select(np.arange(45))
    with pytest.raises(DataError, match=r"5 people labelled AD; training needs at least 10"):
        train(few, QUICK)


def test_unequal_cohorts_and_a_last_batch_of_one():
    generator = np.random.default_rng(0)
    background, target = generator.standard_normal((33, 8)), generator.standard_normal((12, 8))
    config = ModelConfig(tuple("abcdefgh"), latent=2, hidden=8)
    people = background, target
    [(network, history)] = fit_networks([Problem(config, QUICK, people, people)])
    assert np.isfinite(history[-1].terms["total"])
    assert all(torch.isfinite(p).all() for p in network.parameters())


def test_background_is_decoded_without_s_and_target_with_it():
    generator = np.random.default_rng(0)
    background, target = generator.standard_normal((2, 200, 8))
    target[:, :4] += 4.0
    config = ModelConfig(tuple("abcdefgh"), latent=2, hidden=16)
    people, settings = (background, target), replace(QUICK, epochs=60)
    [(network, _)] = fit_networks([Problem(config, settings, people, people)])
    z, s = torch.randn(2, 500, 2, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        without, having = network.decode_background(z), network.decode(z, s)
    # Nearer to the healthy at 0 than to patients at 4, and with s further from them.
    assert without[:, :4].mean() < min(1.5, having[:, :4].mean())
    assert without[:, 4:].mean().abs() < 0.5


@pytest.mark.parametrize("batch_size", [8, 16, 40])
def test_terms_are_means_over_the_epoch_whatever_the_size_of_a_batch(batch_size):
    """Where next to nothing is learned, the divergence of whoever is walked through stays."""
    people = np.random.default_rng(0).standard_normal((2, 40, 8))
    config = ModelConfig(tuple("abcdefgh"), latent=2, hidden=8)
    still = replace(QUICK, learning_rate=1e-12, epochs=1, input_noise=0.0, batch_size=batch_size)
    problem = Problem(config, still, tuple(people), tuple(people))
    assert problem.steps == -(-40 // batch_size)
    [(network, history)] = fit_networks([problem])
    with torch.no_grad():
        posterior = network.encode_common(torch.as_tensor(people[1], dtype=torch.float32))
    found = history[0].terms["target_common_kl"]
    assert found == pytest.approx(
        kl_divergence(posterior).item(), rel=0.05 if 40 % batch_size else 1e-4
    )


def test_an_epoch_walks_through_the_larger_cohort_once():
    config, sizes = ModelConfig(("a", "b"), latent=1), (np.zeros((12, 2)), np.zeros((33, 2)))
    for people in (sizes, sizes[::-1]):
        assert Problem(config, replace(QUICK, batch_size=11), people, people).steps == 3


def test_a_device_that_is_not_there_is_refused():
    assert choose_device("cpu").type == "cpu"
    if not torch.cuda.is_available():
        with pytest.raises(ConfigError, match="which this machine lacks; accepted: auto, cpu"):
            choose_device("cuda")


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("mmd_weight", -1),
        ("epochs", 0),
        ("batch_size", 1),
        ("device", "tpu"),
        ("preset", "best"),
        ("seed", -1),
        ("target", ("CN",)),
        ("background", ()),
    ],
)
def test_settings_out_of_range_are_refused_with_what_is_accepted(setting, value):
    with pytest.raises(ConfigError, match="accepted"):
        replace(QUICK, **{setting: value})
