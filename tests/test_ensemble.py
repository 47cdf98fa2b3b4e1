"""Members of an ensemble: together they take less time, and each comes out as if it were alone."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from cavae.config import ModelConfig, train_config
from cavae.ensemble import StackedAdam, stack, state_of_member
from cavae.model import initialize
from cavae.optimization import Problem, fit_networks

MODEL = ModelConfig(tuple("abcdefg"), latent=3, hidden=10)
CONFIG = train_config(
    "paper", target=("AD",), epochs=12, batch_size=32, mmd_weight=10.0, device="cpu"
)


def people(seed: int, background: int = 70, target: int = 50):
    """Standardized people of both cohorts."""
    generator = np.random.default_rng(seed)
    return generator.normal(size=(background, 7)), generator.normal(0.5, 1.0, size=(target, 7))


def problem(model: ModelConfig = MODEL, fold: int = 0, **settings) -> Problem:
    return Problem(model, replace(CONFIG, **settings), people(fold), people(9))


def weights(network: nn.Module) -> list[np.ndarray]:
    return [weight.detach().numpy() for weight in network.state_dict().values()]


def assert_each_as_if_alone(problems: list[Problem]) -> None:
    for one, (network, history) in zip(problems, fit_networks(problems), strict=True):
        [(alone, of_alone)] = fit_networks([one])
        assert all(map(np.array_equal, weights(network), weights(alone)))
        assert [p.terms for p in history] == [pytest.approx(p.terms) for p in of_alone]
        assert history[-1].best_epoch == of_alone[-1].best_epoch


def test_seeds_folds_and_weights_of_terms_learn_together_as_if_alone():
    assert_each_as_if_alone(
        [
            problem(seed=1),
            problem(seed=2, mmd_weight=0.0),
            problem(seed=2, fold=1, mmd_weight=100.0),
            problem(seed=3, salient_silence=1.0, input_noise=0.5),
        ]
    )


@pytest.mark.parametrize("variant", ["conditional", "total-correlation"])
def test_members_of_every_variant_are_as_if_alone(variant):
    model = replace(MODEL, variant=variant)
    assert_each_as_if_alone([problem(model, seed=seed) for seed in range(3)])


def test_one_that_has_ended_leaves_the_others_as_they_are():
    assert_each_as_if_alone([problem(seed=0), problem(seed=1, epochs=4), problem(seed=2, epochs=9)])


def test_what_cannot_be_stacked_is_fitted_apart():
    wide = replace(MODEL, hidden=12)
    assert_each_as_if_alone([problem(), problem(wide), problem(batch_size=20)])


def test_each_may_be_told_to_stop():
    told = []

    def stop(progress):
        told.append(progress.epoch)
        return progress.epoch < 6

    stopped = replace(problem(seed=1), on_progress=stop)
    (_, short), (_, long) = fit_networks([stopped, problem(seed=2)])
    assert told == [1, 2, 3, 4, 5, 6]
    assert (len(short), len(long)) == (6, 12)


def test_a_stack_does_what_its_members_do():
    members = [initialize(MODEL, seed) for seed in range(3)]
    x = torch.randn(3, 5, 7, generator=torch.Generator().manual_seed(0))
    together = stack(members).encode_common(x).mean
    for place, member in enumerate(members):
        torch.testing.assert_close(together[place], member.encode_common(x[place]).mean)
        state = state_of_member(stack(members), place)
        assert all(torch.equal(state[name], value) for name, value in member.state_dict().items())


def test_adam_on_one_tensor_is_adam():
    member = initialize(MODEL, 0)
    stacked = stack([member])
    ours = StackedAdam(stacked, 0.01, (0.5, 0.999))
    theirs = torch.optim.Adam(member.parameters(), 0.01, (0.5, 0.999))
    x = torch.randn(5, 7, generator=torch.Generator().manual_seed(0))
    for _ in range(5):
        ours.minimize(stacked.encode_salient(x[None]).mean.square().sum(dim=(1, 2)))
        theirs.zero_grad()
        member.encode_salient(x).mean.square().sum().backward()
        theirs.step()
    for name, weight in state_of_member(stacked, 0).items():
        torch.testing.assert_close(weight, member.state_dict()[name])


@pytest.mark.parametrize("variant", ["contrastive", "conditional", "total-correlation"])
def test_no_tensor_is_made_on_another_device_than_the_chosen_one(variant):
    # Whatever forgets to name its device ends on torch's default device, here one without numbers:
    # mixing with it fails.
    model = replace(MODEL, variant=variant)
    settings = {"salient_silence": 1.0, "input_noise": 0.5, "epochs": 6}
    [(expected, _)] = fit_networks([problem(model, **settings)])
    torch.set_default_device("meta")
    try:
        [(network, _)] = fit_networks([problem(model, **settings)])
    finally:
        torch.set_default_device(None)
    assert all(map(np.array_equal, weights(network), weights(expected)))
