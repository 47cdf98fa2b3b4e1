"""Each term of the objective is the equation it names."""

import numpy as np
import pytest
import torch
from torch.distributions import Independent, Normal, kl_divergence

from cavae import losses
from cavae.config import ModelConfig, train_config
from cavae.model import Posterior, initialize, seeded

GENERATOR = torch.Generator().manual_seed(0)


def draw(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=GENERATOR)


def network(features: int = 6, latent: int = 2, variant: str = "contrastive"):
    config = ModelConfig(tuple("abcdefgh"[:features]), latent, hidden=12, variant=variant)
    return initialize(config, seed=0)


def discriminator(latent: int = 2):
    with seeded(0):
        return losses.Discriminator(latent, hidden=16)


def test_reconstruction_is_the_negative_gaussian_log_likelihood_less_its_constant():
    x, decoded = draw(5, 6), draw(5, 6)
    likelihood = Independent(Normal(decoded, 1.0), 1)
    expected = (likelihood.log_prob(decoded) - likelihood.log_prob(x)).mean()
    torch.testing.assert_close(losses.reconstruction(x, decoded), expected)


def test_kl_is_that_of_two_gaussians():
    mean, log_variance = draw(5, 3), draw(5, 3)
    q = Independent(Normal(mean, (0.5 * log_variance).exp()), 1)
    p = Independent(Normal(torch.zeros(5, 3), 1.0), 1)
    ours = losses.kl_divergence(Posterior(mean, log_variance))
    torch.testing.assert_close(ours, kl_divergence(q, p).mean())


def test_mmd_equals_the_sum_over_pairs_of_kernels():
    a, b = draw(7, 4), draw(5, 4)

    def kernel(u, v):
        squared = (u - v).square().sum().item()
        widths = (4.0, 2.0, 1.0, 0.5, 0.25)
        return sum(
            torch.exp(torch.tensor(-squared / (2 * 4 * width))).item() for width in widths
        ) / len(widths)

    def mean(first, second):
        return sum(kernel(u, v) for u in first for v in second) / (len(first) * len(second))

    expected = mean(a, a) + mean(b, b) - 2 * mean(a, b)
    assert losses.mmd(a, b).item() == pytest.approx(expected, abs=1e-5)


def test_mmd_is_zero_for_one_sample_and_grows_with_distance():
    a = draw(50, 4)
    assert losses.mmd(a, a).item() == pytest.approx(0, abs=1e-6)
    assert 0 < losses.mmd(a, a + 0.5) < losses.mmd(a, a + 2.0)


def test_lambda_multiplies_the_mmd_alone_and_total_is_the_sum():
    model, x, y = network(), draw(9, 6), draw(8, 6)
    small, large = (
        losses.objective(
            model, x, y, train_config(mmd_weight=weight), torch.Generator().manual_seed(0)
        )
        for weight in (1.0, 10.0)
    )
    torch.testing.assert_close(10 * small["mmd"], large["mmd"])
    for name in small.keys() - {"mmd", "total"}:
        torch.testing.assert_close(small[name], large[name])
    parts = torch.stack([term for name, term in small.items() if name != "total"])
    torch.testing.assert_close(small["total"], parts.sum())


def test_the_papers_preset_has_the_terms_of_equation_8_and_no_other():
    terms = losses.objective(
        network(), draw(9, 6), draw(8, 6), train_config("paper"), torch.Generator()
    )
    assert set(terms) == {
        "target_reconstruction",
        "background_reconstruction",
        "target_common_kl",
        "target_salient_kl",
        "background_common_kl",
        "mmd",
        "total",
    }


def test_gradients_reach_every_parameter():
    model = network()
    terms = losses.objective(
        model, draw(9, 6), draw(8, 6), train_config("calibrated"), torch.Generator()
    )
    terms["total"].backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


def test_silence_is_zero_only_when_the_healthy_are_read_as_zero():
    silent = Posterior(torch.zeros(4, 2), draw(4, 2))
    heard = Posterior(torch.ones(4, 2), draw(4, 2))
    assert losses.salient_silence(silent) == 0
    assert losses.salient_silence(heard) == pytest.approx(1.0)


def test_without_weight_no_mmd_is_computed():
    model, x, y = network(), draw(9, 6), draw(8, 6)
    generator = torch.Generator()
    terms = losses.objective(model, x, y, train_config("paper", mmd_weight=0.0), generator)
    assert "mmd" not in terms


# --------------------------------------------------------------------------- conditional VAE


def test_a_conditional_vae_minimizes_two_reconstructions_and_two_divergences():
    model, x, y = network(variant="conditional"), draw(9, 6), draw(8, 6)
    terms = losses.objective(model, x, y, train_config("paper"), torch.Generator())
    names = ("target_reconstruction", "background_reconstruction")
    assert terms.keys() == {*names, "target_common_kl", "background_common_kl", "total"}
    terms["total"].backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


def test_a_conditional_vae_decodes_targets_under_label_1_and_background_under_0():
    model, x = network(variant="conditional"), draw(9, 6)
    with torch.no_grad():
        model.decoder[0].weight[:, -1] += 5.0
        terms = losses.objective(
            model, x, x, train_config("paper"), torch.Generator().manual_seed(0)
        )
        z = model.encode_common(x).sample(torch.Generator().manual_seed(0))
        expected = losses.reconstruction(x, model.decode(z, torch.ones(9, 1)))
    torch.testing.assert_close(terms["target_reconstruction"], expected)
    assert terms["background_reconstruction"] < terms["target_reconstruction"]


# --------------------------------------------------------------------------- total correlation


def test_total_correlation_takes_the_place_of_the_mmd():
    model, x, y = network(), draw(9, 6), draw(8, 6)
    terms = losses.objective(model, x, y, train_config("paper"), torch.Generator(), discriminator())
    assert "total_correlation" in terms
    assert "mmd" not in terms
    terms["total"].backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


def test_the_discriminator_learns_the_total_correlation_of_two_gaussians():
    # KL of a bivariate Gaussian of correlation r from independence is -½ log(1 - r²).
    generator, opponent = torch.Generator().manual_seed(0), discriminator(latent=1)
    optimizer = torch.optim.Adam(opponent.parameters(), lr=0.01)
    r = 0.8

    def people(n):
        z = torch.randn(n, 1, generator=generator)
        return z, r * z + (1 - r**2) ** 0.5 * torch.randn(n, 1, generator=generator)

    for _ in range(400):
        optimizer.zero_grad()
        losses.discrimination(opponent, *people(500)).backward()
        optimizer.step()
    with torch.no_grad():
        found = losses.total_correlation(opponent, *people(20_000)).item()
    assert found == pytest.approx(-0.5 * np.log(1 - r**2), abs=0.08)


def test_gradients_reach_every_parameter_of_the_discriminator():
    opponent = discriminator()
    losses.discrimination(opponent, draw(8, 2), draw(8, 2)).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in opponent.parameters())
