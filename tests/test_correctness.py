"""The mathematics is what the paper and others say it is: gradients, distances, ComBat, equations.

Nothing here reads the code it checks: formulas are written out again from the paper (its numbers
stand with them), and libraries of others measure the same.
"""

import contextlib
import hashlib
import io
import itertools
import os
import subprocess
import sys

import numpy as np
import ot.gaussian
import pandas as pd
import pytest
import torch
from neuroCombat import neuroCombat
from scipy.stats import norm
from sklearn.metrics import roc_auc_score
from sklearn.metrics.pairwise import rbf_kernel
from torch.distributions import Independent, Normal
from torch.distributions import kl_divergence as exact_kl

from cavae.config import ModelConfig, train_config
from cavae.kernels import kernel_discrepancy
from cavae.losses import Discriminator, kl_divergence, objective, salient_silence
from cavae.metrics import auc, gaussian_wasserstein2, wasserstein2
from cavae.model import Posterior, initialize, seeded
from cavae.preprocessing.harmonizer import SPLINE_DEGREE, fit_harmonizer
from cavae.synthesis import encode, healthy_twins
from cavae.threads import SETTINGS
from tests.conftest import ROOT
from tests.people import make_cohort

WIDTHS = (4.0, 2.0, 1.0, 0.5, 0.25)
TERMS = {
    "contrastive": (
        "target_reconstruction",
        "background_reconstruction",
        "target_common_kl",
        "target_salient_kl",
        "background_common_kl",
        "mmd",
        "salient_silence",
        "total",
    ),
    "conditional": (
        "target_reconstruction",
        "background_reconstruction",
        "target_common_kl",
        "background_common_kl",
        "total",
    ),
    "total-correlation": ("total_correlation", "total"),
}
VARIANT_TERMS = [(variant, name) for variant, names in TERMS.items() for name in names]


def draw(*shape: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def network(variant: str = "contrastive", seed: int = 0):
    config = ModelConfig(tuple("abcd"), latent=2, hidden=6, variant=variant)
    return initialize(config, seed).double()


def terms_of(model, x, y, variant: str = "contrastive") -> dict[str, torch.Tensor]:
    """The objective with the same draws whenever it is asked for."""
    silence = 1.0 if variant == "contrastive" else 0.0
    config = train_config("paper", mmd_weight=7.0, salient_silence=silence)
    opponent = None
    if variant == "total-correlation":
        with seeded(1):
            opponent = Discriminator(2, hidden=6).double()
    return objective(model, x, y, config, torch.Generator().manual_seed(3), opponent)


# Gradients


@pytest.mark.parametrize(("n", "m"), [(6, 6), (5, 3)])
def test_the_gradient_of_the_discrepancy_is_that_of_its_values(n, m):
    a, b = draw(n, 3).requires_grad_(), (draw(m, 3, seed=1) + 0.5).requires_grad_()
    assert torch.autograd.gradcheck(kernel_discrepancy, (a, b))


def test_the_gradient_of_the_discrepancy_is_right_where_people_coincide():
    a = draw(4, 2)
    a[1] = a[0]
    inputs = a.requires_grad_(), a.detach().clone().requires_grad_()
    assert torch.autograd.gradcheck(kernel_discrepancy, inputs, atol=1e-6)


@pytest.mark.parametrize(("variant", "term"), VARIANT_TERMS)
def test_the_gradient_of_each_term_with_respect_to_people(variant, term):
    model = network(variant)
    x, y = draw(5, 4).requires_grad_(), draw(4, 4, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(lambda *xy: terms_of(model, *xy, variant)[term], (x, y))


@pytest.mark.parametrize(("variant", "term"), VARIANT_TERMS)
def test_the_gradient_of_each_term_with_respect_to_weights(variant, term):
    """Along a direction through all weights, the slope is that of the values."""
    model, x, y = network(variant), draw(5, 4), draw(4, 4, seed=1)
    weights = list(model.parameters())
    slopes = torch.autograd.grad(
        terms_of(model, x, y, variant)[term], weights, allow_unused=True, materialize_grads=True
    )
    directions = [draw(*w.shape, seed=i) for i, w in enumerate(weights)]
    found = sum((slope * way).sum() for slope, way in zip(slopes, directions, strict=True)).item()
    step, values = 1e-6, []
    for sign in (1, -2):  # forward, then back past the start
        with torch.no_grad():
            for weight, way in zip(weights, directions, strict=True):
                weight += sign * step * way
        values.append(terms_of(model, x, y, variant)[term].item())
    assert found == pytest.approx((values[0] - values[1]) / (2 * step), rel=1e-5, abs=1e-7)
    assert found != 0


# Maximum mean discrepancy (eq. 8)


def test_the_discrepancy_is_the_plain_double_loop():
    a, b = draw(7, 3).numpy(), draw(4, 3, seed=1).numpy() + 1

    def kernel(u, v):
        squared = ((u - v) ** 2).sum()
        return np.mean([np.exp(-squared / (2 * 3 * width)) for width in WIDTHS])

    def mean(us, vs):
        return np.mean([kernel(u, v) for u, v in itertools.product(us, vs)])

    expected = mean(a, a) + mean(b, b) - 2 * mean(a, b)
    found = kernel_discrepancy(torch.as_tensor(a), torch.as_tensor(b)).item()
    assert found == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize(("n", "m", "d"), [(64, 64, 5), (40, 13, 2), (1, 9, 1)])
def test_the_discrepancy_is_that_of_sklearns_kernels(n, m, d):
    a, b = draw(n, d).numpy(), 0.7 * draw(m, d, seed=1).numpy()

    def mean(u, v):
        return np.mean([rbf_kernel(u, v, gamma=1 / (2 * d * width)).mean() for width in WIDTHS])

    expected = mean(a, a) + mean(b, b) - 2 * mean(a, b)
    found = kernel_discrepancy(torch.as_tensor(a), torch.as_tensor(b)).item()
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-14)


@pytest.mark.parametrize("shift", [0.0, 1.0, 2.5])
def test_the_discrepancy_of_two_gaussians_is_that_of_the_closed_form(shift):
    """E k(u, v) of N(0, 1) and N(m, 1) is √(w / (w + 2)) exp(-m² / 2(w + 2)), for each width."""
    n = 1000
    quantiles = torch.as_tensor(norm.ppf((np.arange(n) + 0.5) / n))[:, None]

    def mean_kernel(distance):
        return np.mean(
            [np.sqrt(w / (w + 2)) * np.exp(-(distance**2) / (2 * (w + 2))) for w in WIDTHS]
        )

    found = kernel_discrepancy(quantiles, quantiles + shift).item()
    assert found == pytest.approx(2 * (mean_kernel(0) - mean_kernel(shift)), rel=0.01, abs=1e-12)


# 2-Wasserstein distance (Mallasto et al., 2022)


def covariance(p: int, seed: int) -> np.ndarray:
    root = np.random.default_rng(seed).standard_normal((p, p))
    return root @ root.T + 0.1 * np.eye(p)


@pytest.mark.parametrize("p", [1, 3, 20])
def test_the_wasserstein_distance_is_that_of_pot(p):
    generator = np.random.default_rng(p)
    mean_a, mean_b = generator.standard_normal((2, p))
    cov_a, cov_b = covariance(p, 1), covariance(p, 2)
    theirs = ot.gaussian.bures_wasserstein_distance(mean_a, mean_b, cov_a, cov_b) ** 2
    ours = gaussian_wasserstein2(mean_a, cov_a, mean_b, cov_b)
    assert ours == pytest.approx(float(theirs), rel=1e-8)


def test_the_wasserstein_distance_of_samples_is_that_of_pot():
    generator = np.random.default_rng(0)
    a = generator.standard_normal((60, 4)) @ covariance(4, 1)
    b = generator.standard_normal((50, 4)) @ covariance(4, 2) + 1
    theirs = ot.gaussian.empirical_bures_wasserstein_distance(a, b, reg=0) ** 2
    moments = [m for x in (a, b) for m in (x.mean(axis=0), np.cov(x.T))]
    exact = ot.gaussian.bures_wasserstein_distance(*moments[::2], *moments[1::2]) ** 2
    assert wasserstein2(a, b) == pytest.approx(float(exact), rel=1e-8)
    assert wasserstein2(a, b) == pytest.approx(float(theirs), rel=0.05)  # POT divides by n


@pytest.mark.parametrize("scale", [0.5, 1.0, 3.0])
def test_the_wasserstein_distance_of_a_shift_and_of_a_stretch(scale):
    cov = covariance(3, 0)
    shifted = gaussian_wasserstein2(np.zeros(3), cov, np.array([1.0, 2.0, 2.0]), cov)
    assert shifted == pytest.approx(9.0)
    stretched = gaussian_wasserstein2(np.zeros(3), cov, np.zeros(3), scale**2 * cov)
    assert stretched == pytest.approx((1 - scale) ** 2 * np.trace(cov), abs=1e-9)


# Area under the curve


@pytest.mark.parametrize("digits", [0, 1, 6])  # with many ties, with some, with none
def test_the_area_under_the_curve_is_that_of_sklearn(digits):
    generator = np.random.default_rng(digits)
    positive = (generator.standard_normal(30) + 0.5).round(digits)
    negative = generator.standard_normal(41).round(digits)
    labels, scores = np.r_[np.ones(30), np.zeros(41)], np.r_[positive, negative]
    assert auc(positive, negative) == pytest.approx(roc_auc_score(labels, scores))


# ComBat (Johnson et al., 2007; Fortin et al., 2018; with splines of age: Pomponio et al., 2020)


def test_harmonizing_is_that_of_neurocombat():
    cohort = make_cohort(healthy=150, diseased=2, sites=("North", "South", "East"), seed=3)
    people = cohort.select(cohort.subjects["diagnosis"] == "CN")
    volumes = people.features.to_numpy()
    ours = fit_harmonizer(volumes, people.subjects, ("age", "sex", "icv"))
    design = spline_design(people.subjects, ours.knots)
    with contextlib.redirect_stdout(io.StringIO()):  # it tells of its progress
        theirs = neuroCombat(
            volumes.T.copy(),
            design.assign(site=people.subjects["site"].to_numpy()),
            "site",
            continuous_cols=list(design),
        )
    sd = np.sqrt(theirs["estimates"]["var.pooled"].ravel())
    found = ours.transform(volumes, people.subjects)
    assert np.abs((found - theirs["data"].T) / sd).max() < 1e-5
    assert np.abs((found - volumes) / sd).max() > 0.5, "there was something to harmonize"
    np.testing.assert_allclose(ours.pooled_sd, sd, rtol=1e-6)
    np.testing.assert_allclose(ours.location, theirs["estimates"]["gamma.star"], atol=1e-5)
    np.testing.assert_allclose(ours.scale**2, theirs["estimates"]["delta.star"], rtol=1e-5)


def spline_design(subjects: pd.DataFrame, knots: np.ndarray) -> pd.DataFrame:
    """Sex, B-splines of age by the recursion of Cox and de Boor, and ICV."""
    age = subjects["age"].to_numpy().clip(knots[0], knots[-1] - 1e-9)

    def basis(i: int, degree: int) -> np.ndarray:
        if degree == 0:
            return ((knots[i] <= age) & (age < knots[i + 1])).astype(float)
        total = np.zeros_like(age)
        for start, end, j, sign in (
            (knots[i], knots[i + degree], i, 1),
            (knots[i + degree + 1], knots[i + 1], i + 1, 1),
        ):
            if start != end:
                total += sign * (age - start) / (end - start) * basis(j, degree - 1)
        return total

    splines = range(1, len(knots) - SPLINE_DEGREE - 1)
    columns = {f"spline {i}": basis(i, SPLINE_DEGREE) for i in splines}
    sex = (subjects["sex"] == "M").to_numpy(float)
    return pd.DataFrame({"sex": sex, **columns, "icv": subjects["icv"].to_numpy() / 1e6})


# The equations of the paper, each from its text


def silent(model):
    """The model with posteriors as narrow as a point, so that draws are the means."""
    d = model.latent
    with torch.no_grad():
        for encoder in (model.common_encoder, model.salient_encoder):
            encoder[-1].weight[d:] = 0
            encoder[-1].bias[d:] = -60.0
    return model


def log_likelihood(x, mean):
    """log p(x|·) under identity covariance, less the constant that no weight changes."""
    gaussian = Independent(Normal(mean, 1.0), 1)
    return gaussian.log_prob(x) - gaussian.log_prob(mean)


def kl(posterior):
    """KL(q || N(0, I)) (n,)."""
    scale = (0.5 * posterior.log_variance).exp()
    q = Independent(Normal(posterior.mean, scale), 1)
    p = Independent(Normal(torch.zeros_like(scale), 1.0), 1)
    return exact_kl(q, p)


def bound_of_target(model, x):
    """Eq. 1: E log p(x|z, s) - KL(q(z|x) || p(z)) - KL(q(s|x) || p(s)), (n,)."""
    z, s = model.encode_common(x), model.encode_salient(x)
    decoded = model.decoder(torch.cat([z.mean, s.mean], dim=1))
    return log_likelihood(x, decoded) - kl(z) - kl(s)


def bound_of_background(model, y):
    """Eq. 2: E log p(y|z, 0) - KL(q(z|y) || p(z)), (m,)."""
    z = model.encode_common(y)
    decoded = model.decoder(torch.cat([z.mean, torch.zeros_like(z.mean)], dim=1))
    return log_likelihood(y, decoded) - kl(z)


def test_equation_1_is_the_bound_of_target_people():
    model, x, y = silent(network()), draw(9, 4), draw(6, 4, seed=1)
    terms = terms_of(model, x, y)
    parts = ("target_reconstruction", "target_common_kl", "target_salient_kl")
    torch.testing.assert_close(-sum(terms[p] for p in parts), bound_of_target(model, x).mean())


def test_equation_2_is_the_bound_of_background_people_with_salient_zero():
    model, x, y = silent(network()), draw(9, 4), draw(6, 4, seed=1)
    terms = terms_of(model, x, y)
    parts = ("background_reconstruction", "background_common_kl")
    torch.testing.assert_close(-sum(terms[p] for p in parts), bound_of_background(model, y).mean())


def test_equation_3_pairs_share_the_common_and_differ_by_the_salient_alone():
    """p(x, y|z, s) = p(x|z, s) p(y|z): y knows nothing of s, x is y where s is 0."""
    model, z, s = network(), draw(5, 2), draw(5, 2, seed=1)
    nothing = torch.zeros_like(s)
    torch.testing.assert_close(model.decode_background(z), model.decode(z, nothing))
    assert (model.decode(z, s) - model.decode_background(z)).abs().min() > 0


def test_equation_4_the_salient_is_read_from_the_target_alone():
    """q(z, s|x, y) = q(z|x, y) q(s|x): who else is in the batch changes nobody's s."""
    model, x, y = network(), draw(5, 4), draw(6, 4, seed=1)
    together = model.encode_salient(torch.cat([x, y])).mean[:5]
    torch.testing.assert_close(model.encode_salient(x).mean, together)


def test_equations_5_and_7_the_bound_of_pairs_is_that_of_both_with_a_weaker_penalty():
    """With q(z|x) = q(z|y), eq. 7 is eq. 1 plus eq. 2 with half of each KL of the common."""
    model, x = silent(network()), draw(9, 4)
    terms = terms_of(model, x, x)  # the same people on both sides fulfil eq. 6
    halves = 0.5 * (terms["target_common_kl"] + terms["background_common_kl"])
    pairs = -(
        terms["target_reconstruction"]
        + terms["background_reconstruction"]
        + terms["target_salient_kl"]
        + halves
    )
    both = (bound_of_target(model, x) + bound_of_background(model, x)).mean()
    torch.testing.assert_close(pairs - both, halves)
    assert halves > 0


def test_equation_6_holds_where_the_discrepancy_is_zero():
    """q(z|x) = q(z|y): no discrepancy between equal cohorts, more of it the further they are."""
    z = draw(40, 2)
    at = [kernel_discrepancy(z, z + shift).item() for shift in (0.0, 0.3, 1.0, 3.0)]
    assert at[0] == pytest.approx(0, abs=1e-12)
    assert at == sorted(at)


def test_equation_8_is_what_is_minimized():
    """L = Σ L_x + Σ L_y - λ MMD, averaged over people; its negative is the total."""
    model, x, y = silent(network()), draw(9, 4), draw(6, 4, seed=1)
    config = train_config("paper", mmd_weight=7.0)
    terms = objective(model, x, y, config, torch.Generator().manual_seed(0))
    z_x, z_y = (model.encode_common(people).mean for people in (x, y))
    bounds = bound_of_target(model, x).mean() + bound_of_background(model, y).mean()
    torch.testing.assert_close(terms["total"], -(bounds - 7.0 * kernel_discrepancy(z_x, z_y)))


def test_the_divergence_is_the_mean_over_draws_of_the_log_ratio():
    """KL(q || p) = E_q log q/p, by 200,000 draws."""
    posterior = Posterior(torch.tensor([[0.7, -1.2]]), torch.tensor([[-0.8, 0.5]]))
    q = Normal(posterior.mean, (0.5 * posterior.log_variance).exp())
    torch.manual_seed(0)
    drawn = q.sample((200_000,))
    ratio = (q.log_prob(drawn) - Normal(0.0, 1.0).log_prob(drawn)).sum(dim=-1)
    assert kl_divergence(posterior).item() == pytest.approx(ratio.mean().item(), rel=0.01)


def test_draws_of_a_posterior_have_its_mean_and_its_variance():
    posterior = Posterior(torch.full((100_000, 1), 2.0), torch.full((100_000, 1), np.log(9.0)))
    drawn = posterior.sample(torch.Generator().manual_seed(0))
    assert drawn.mean().item() == pytest.approx(2.0, abs=0.05)
    assert drawn.std().item() == pytest.approx(3.0, rel=0.02)


def test_the_silence_of_the_healthy_is_the_divergence_of_their_mean():
    """½ |E[s|y]|² is KL(N(E[s|y], I) || N(0, I))."""
    mean = draw(6, 2)
    gaussian = Posterior(mean, torch.zeros_like(mean))
    torch.testing.assert_close(salient_silence(gaussian), kl_divergence(gaussian))


# The same whatever the machine does


WEIGHTS = """
import hashlib, torch
from cavae.config import train_config
from cavae.training import split_cohort, train
from tests.people import make_cohort
config = train_config("calibrated", target=("AD",), epochs=3, batch_size=16, device="cpu")
trained = train(split_cohort(make_cohort(), config), config, latent=2)
digest = hashlib.sha256()
for name, weights in sorted(trained.network.state_dict().items()):
    digest.update(name.encode() + weights.numpy().tobytes())
digest.update(trained.calibration.effects.tobytes() + trained.preprocessor.sd.tobytes())
print(digest.hexdigest())
"""


def test_another_process_with_more_threads_trains_the_same_weights():
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", WEIGHTS],
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": threads, "PYTHONHASHSEED": threads},
            stdout=subprocess.PIPE,
            text=True,
        )
        for threads in ("1", "2")
    ]
    found = {run.communicate()[0] for run in runs}
    assert len(found) == 1
    assert len(found.pop().strip()) == hashlib.sha256().digest_size * 2


@pytest.mark.parametrize("command", ["encode", "counterfactual"])
def test_a_command_writes_the_same_on_any_number_of_threads(command, tmp_path):
    """And so what the app shows, which has one."""
    for threads in ("1", "2"):
        people = ["--model", "ad-mci", "--volumes", "assets/demo_cohort.csv", "--output"]
        subprocess.run(
            [sys.executable, "-m", "cavae", command, *people, str(tmp_path / f"{threads}.csv")],
            cwd=ROOT,
            env={**os.environ, **dict.fromkeys(SETTINGS, threads)},
            check=True,
        )
    one, two = (tmp_path / f"{threads}.csv" for threads in "12")
    assert one.read_bytes() == two.read_bytes()


@pytest.fixture(scope="module")
def everyone():
    """People of sites that the model knows, so that nothing is learned from the table."""
    return make_cohort(healthy=12, diseased=25, seed=5)


@pytest.mark.parametrize("twin", ["residual", "paper"])
def test_nobodys_figures_depend_on_who_else_is_in_the_table(tiny_model, everyone, twin):
    whole = figures(tiny_model, everyone, twin)
    order = np.random.default_rng(0).permutation(len(everyone))
    close(figures(tiny_model, everyone.select(order), twin), whole.iloc[order])
    for size in (1, 7):
        starts = range(0, len(everyone), size)
        rows = [np.arange(len(everyone))[start : start + size] for start in starts]
        close(pd.concat([figures(tiny_model, everyone.select(r), twin) for r in rows]), whole)


def figures(model, cohort, twin) -> pd.DataFrame:
    """Everything that `encode` and `counterfactual` write, with intervals."""
    return healthy_twins(model, encode(model, cohort), twin).table(True, True)


def close(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    assert found["subject_id"].tolist() == expected["subject_id"].tolist()
    numbers = found.select_dtypes("number"), expected.select_dtypes("number")
    np.testing.assert_allclose(*numbers, rtol=1e-12, atol=1e-12)
