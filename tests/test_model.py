"""The network is the one of the paper."""

from dataclasses import replace

import pytest
import torch

from cavae.config import VARIANTS, ModelConfig
from cavae.model import initialize

CONFIG = ModelConfig(features=tuple("abcdefg"), latent=3, hidden=16)
CONDITIONAL = replace(CONFIG, variant="conditional")


def test_shapes():
    network, x = initialize(CONFIG, seed=0), torch.randn(4, 7)
    z, s = network.encode_common(x), network.encode_salient(x)
    assert z.mean.shape == s.log_variance.shape == (4, 3)
    assert network.decode(z.mean, s.mean).shape == (4, 7)


def test_background_is_decoded_with_s_exactly_zero():
    network, z = initialize(CONFIG, seed=0), torch.randn(4, 3)
    torch.testing.assert_close(
        network.decode_background(z), network.decode(z, torch.zeros(4, 3)), rtol=0, atol=0
    )


def test_each_part_is_two_linear_layers_with_leaky_relu_between():
    network = initialize(CONFIG, seed=0)
    for part in (network.common_encoder, network.salient_encoder, network.decoder):
        assert [type(layer).__name__ for layer in part] == ["Linear", "LeakyReLU", "Linear"]


def test_first_weights_depend_on_the_seed_alone():
    torch.manual_seed(5)
    one = initialize(CONFIG, seed=1)
    torch.manual_seed(6)
    other, third = initialize(CONFIG, seed=1), initialize(CONFIG, seed=2)
    for a, b, c in zip(*(n.state_dict().values() for n in (one, other, third)), strict=True):
        assert torch.equal(a, b)
        assert not torch.equal(a, c)


def test_drawing_from_a_posterior_has_its_mean_and_variance():
    network, x = initialize(CONFIG, seed=0), torch.randn(1, 7)
    posterior = network.encode_common(x.expand(20_000, 7))
    drawn = posterior.sample(torch.Generator().manual_seed(0))
    torch.testing.assert_close(drawn.mean(dim=0), posterior.mean[0], atol=0.05, rtol=0)
    torch.testing.assert_close(
        drawn.var(dim=0), posterior.log_variance[0].exp(), atol=0.05, rtol=0.05
    )


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_answers_alike(variant):
    network, x = initialize(replace(CONFIG, variant=variant), seed=0), torch.randn(4, 7)
    z, s = network.encode_common(x), network.encode_salient(x)
    assert network.decode(z.mean, s.mean).shape == (4, 7)
    torch.testing.assert_close(
        network.decode_background(z.mean), network.decode(z.mean, torch.zeros_like(s.mean))
    )
    assert network.prior_salient(torch.randn(4, 3)).shape == s.mean.shape


def test_the_salient_of_a_conditional_vae_is_the_label_of_a_target_for_everyone():
    network, x = initialize(CONDITIONAL, seed=0), torch.randn(5, 7)
    read = network.encode_salient(x)
    for s in (read.mean, read.sample(torch.Generator()), network.prior_salient(torch.randn(5, 3))):
        assert torch.equal(s, torch.ones(5, 1))


def test_the_label_changes_what_a_conditional_vae_decodes():
    network, z = initialize(CONDITIONAL, seed=0), torch.randn(4, 3)
    assert not torch.allclose(network.decode(z, torch.ones(4, 1)), network.decode_background(z))


def test_the_prior_of_salient_s_is_standard_normal():
    noise = torch.randn(4, 3)
    assert torch.equal(initialize(CONFIG, seed=0).prior_salient(noise), noise)
