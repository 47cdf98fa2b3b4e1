"""How private synthetic people are: whether they tell who the generator has learned from.

Members are the people that the generator learned from, outsiders people of the same kind that it
did not. Arrays are standardized (SD); distances are root mean squares over regions, SD.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from cavae.bootstrap import Bootstrap
from cavae.estimates import Estimate, Metric
from cavae.fitted import FittedModel
from cavae.groups import Groups
from cavae.metrics import auc
from cavae.synthesis import decode, encode_standardized

Array = NDArray[np.float64]

COPULA = "of a Gaussian copula of the same people"

METRICS = (
    Metric(
        "closer_to_training",
        "Closer to a training person than to another real one, share",
        "",
        "0.5 is best",
        "At 0.5 synthetic people are no closer to those the model learned from than to anybody "
        "else; at 1 they are copies of them.",
    ),
    Metric(
        "closest_5",
        "Distance to the closest training person, closest 5 %",
        "SD",
        "equal to the reference",
        "At the reference even the closest are as far from training people as from others; at 0 "
        "they are copies.",
        "to other real people",
    ),
    Metric(
        "closest_50",
        "Distance to the closest training person, median",
        "SD",
        "equal to the reference",
        "At the reference synthetic people are as far from training people as from others; at 0 "
        "they are copies.",
        "to other real people",
    ),
    Metric(
        "attack_distance",
        "Attack with the file, by distance, AUC",
        "",
        "0.5 is best",
        "Whoever has somebody's volumes and the file guesses that people close to synthetic ones "
        "were in training. At 0.5 they cannot tell; at 1 they always can.",
        COPULA,
    ),
    Metric(
        "attack_density",
        "Attack with the file, by density (DOMIAS), AUC",
        "",
        "0.5 is best",
        "The same for an attacker who has other real people too, and asks who is more common among "
        "the synthetic people than among those.",
        COPULA,
    ),
    Metric(
        "attack_reconstruction",
        "Attack with the model, by its error, AUC",
        "",
        "0.5 is best",
        "The same for an attacker who has the model itself and looks at its errors.",
    ),
    Metric(
        "attack_likelihood",
        "Attack with the model, by how likely the twin is, AUC",
        "",
        "0.5 is best",
        "The same, by how well a person's healthy twin fits the healthy people the model knows.",
    ),
    Metric(
        "closest_own_5",
        "Distance to the closest of these people, closest 5 %",
        "SD",
        "not below the reference",
        "At the reference no synthetic person is closer to one of these people than they are to "
        "each other; at 0 the model holds copies of them.",
        "among them",
    ),
    Metric(
        "closest_own_50",
        "Distance to the closest of these people, median",
        "SD",
        "not below the reference",
        "The same for the synthetic person in the middle.",
        "among them",
    ),
)
"""In the order in which tables show them."""

RESAMPLES = 200  # of distances: each looks through all of them,
LOOKED_AT = 500  # of this many synthetic people
CENTILES = (5, 50)


def measure_file(
    generated: Groups,
    copula: Groups,
    members: Groups,
    outsiders: Groups,
    reference: Groups | None,
    bootstrap: Bootstrap,
) -> dict[str, Estimate]:
    """What the synthetic people give away: `closer_to_training` to `attack_density` of `METRICS`.

    copula: what people would use instead, drawn from a Gaussian copula of the same training people,
    attacked alike; reference: more outsiders, whom the attacker of `attack_density` knows; with
    None half of the outsiders are. Members and outsiders are compared in equal numbers, group by
    group.
    """
    generator = np.random.default_rng(bootstrap.seed)
    if reference is None:
        reference, outsiders = outsiders.halves(generator)
    inside, outside = equal_numbers(members, outsiders, generator)
    attackers, on_copula = (
        {
            "attack_distance": partial(_closeness, file.everyone),
            "attack_density": _ratio_of_densities(file.everyone, reference.everyone),
        }
        for file in (generated, copula)
    )
    attacks = {
        key: replace(
            attack(score, inside, outside, bootstrap),
            reference=auc(on_copula[key](inside), on_copula[key](outside)),
        )
        for key, score in attackers.items()
    }
    return closest_records(generated.everyone, inside, outside, bootstrap) | attacks


def measure_model(
    model: FittedModel, members: Groups, outsiders: Groups, bootstrap: Bootstrap
) -> dict[str, Estimate]:
    """What the model itself gives away: `attack_reconstruction` and, of a calibrated model,
    `attack_likelihood`."""
    generator = np.random.default_rng(bootstrap.seed)
    inside, outside = equal_numbers(members, outsiders, generator)
    scores = {"attack_reconstruction": _rebuilt}
    if model.calibration is not None:
        scores["attack_likelihood"] = _likelihood_of_twin
    return {
        key: attack(partial(score, model), inside, outside, bootstrap)
        for key, score in scores.items()
    }


def measure_closest(synthetic: Array, people: Array) -> dict[str, Estimate]:
    """`closest_own_5` and `closest_own_50`: synthetic (n, p) to the closest of people (m, p);
    reference: people to the closest other of them. Nobody needs to know who was in training."""
    among = _distances(people, people)
    np.fill_diagonal(among, np.inf)
    return _centiles("closest_own", closest(synthetic, people), among.min(axis=1))


def equal_numbers(
    members: Groups, outsiders: Groups, generator: np.random.Generator
) -> tuple[Array, Array]:
    """As many members as outsiders, in each group: sets of one size and one composition."""
    sizes = tuple(min(pair) for pair in zip(members.sizes, outsiders.sizes, strict=True))
    inside, outside = (people.draw(sizes, generator).everyone for people in (members, outsiders))
    return inside, outside


# --------------------------------------------------------------------------- closest records


def closest(people: Array, others: Array) -> Array:
    """Distance of each of `people` (n, p) to the closest of `others` (m, p), SD, (n,)."""
    return _distances(people, others).min(axis=1)


def closest_records(
    synthetic: Array, members: Array, outsiders: Array, bootstrap: Bootstrap
) -> dict[str, Estimate]:
    """The first three of `METRICS`, of as many members as outsiders (n, p).

    Of two at one distance each counts half. The interval resamples the real people: a few of them
    are the closest to many.
    """
    to_members, to_outsiders = (_distances(real, synthetic) for real in (members, outsiders))
    share = _share_closer(to_members, to_outsiders)
    fewer = replace(bootstrap, resamples=min(bootstrap.resamples, RESAMPLES))
    some = slice(None, None, -(-len(synthetic) // LOOKED_AT))
    interval = fewer.interval(share, _share_closer, to_members[:, some], to_outsiders[:, some])
    distances = _centiles("closest", to_members.min(axis=0), to_outsiders.min(axis=0))
    return {"closer_to_training": Estimate(share, interval)} | distances


def _centiles(name: str, distances: Array, reference: Array) -> dict[str, Estimate]:
    return {
        f"{name}_{centile}": Estimate(
            float(np.percentile(distances, centile)),
            reference=float(np.percentile(reference, centile)),
        )
        for centile in CENTILES
    }


def _share_closer(to_members: Array, to_outsiders: Array) -> float:
    ours, theirs = to_members.min(axis=0), to_outsiders.min(axis=0)
    return float(np.mean((ours < theirs) + 0.5 * (ours == theirs)))


def _distances(people: Array, others: Array) -> Array:
    from scipy.spatial.distance import cdist

    return cdist(people, others) / np.sqrt(people.shape[1])


# --------------------------------------------------------------------------- attacks


def attack(
    score: Callable[[Array], Array], members: Array, outsiders: Array, bootstrap: Bootstrap
) -> Estimate:
    """AUC of a score of people, members against outsiders (n, p); the interval resamples people."""
    inside, outside = score(members), score(outsiders)
    value = auc(inside, outside)
    return Estimate(value, bootstrap.interval(value, auc, inside, outside))


def _closeness(synthetic: Array, x: Array) -> Array:
    return -closest(x, synthetic)


def _ratio_of_densities(synthetic: Array, reference: Array) -> Callable[[Array], Array]:
    """Log density among synthetic people less that among real ones (van Breugel et al., 2023,
    eq. 2), both Gaussian with a shrunk covariance: kernels say nothing in 139 dimensions."""
    from sklearn.covariance import LedoitWolf

    mixed, real = (LedoitWolf().fit(people) for people in (synthetic, reference))
    return lambda x: (real.mahalanobis(x) - mixed.mahalanobis(x)) / 2


def _rebuilt(model: FittedModel, x: Array) -> Array:
    """Minus the mean squared error of decode(z, s), (n,)."""
    common, salient = encode_standardized(model, x)
    return -np.square(x - decode(model, common, salient)).mean(axis=1)


def _likelihood_of_twin(model: FittedModel, x: Array) -> Array:
    """Log density of the healthy twin x - effect among healthy people, less a constant, (n,)."""
    common, salient = encode_standardized(model, x)
    decoded = decode(model, common, salient) - decode(model, common, np.zeros_like(salient))
    effect, _ = model.calibration.effect_posterior(x, salient, decoded)
    departure = x - effect - model.calibration.mean
    scaled = np.linalg.solve(model.calibration.covariance, departure.T).T
    return -(departure * scaled).sum(axis=1) / 2
