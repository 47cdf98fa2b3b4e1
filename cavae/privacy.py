"""How private synthetic people are: whether they tell who the generator has learned from.

Members are the people that the generator learned from, outsiders people of the same kind that it
did not. Arrays are standardized (SD); distances are root mean squares over regions, SD.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from cavae.bootstrap import Bootstrap
from cavae.estimates import UNKNOWN, Estimate, Metric
from cavae.fitted import FittedModel
from cavae.groups import Groups
from cavae.metrics import auc
from cavae.synthesis import decode, encode_standardized

Array = NDArray[np.float64]

METRICS = (
    Metric(
        "closer_to_training",
        "Synthetic people who are closer to a training person than to any other real person",
        "",
        "0.5 is best",
        "At 0.5 synthetic people are no closer to those the model learned from than to anybody "
        "else; at 1 they are copies of them.",
    ),
    Metric(
        "closest_5",
        "Distance to the closest training person, closest 5 % of synthetic people",
        "SD",
        "equal to the distance to others",
        "At the reference even the closest are as far from training people as from others; at 0 "
        "they are copies.",
        "to other real people",
    ),
    Metric(
        "closest_50",
        "Distance to the closest training person, median",
        "SD",
        "equal to the distance to others",
        "At the reference synthetic people are as far from training people as from others; at 0 "
        "they are copies.",
        "to other real people",
    ),
    Metric(
        "attack_distance",
        "Attack with the file: who is close to a synthetic person, AUC",
        "",
        "0.5 is best",
        "At 0.5 whoever has a person's volumes and the file cannot tell whether the model learned "
        "from this person; at 1 they always can.",
    ),
    Metric(
        "attack_density",
        "Attack with the file and other real people (DOMIAS), AUC",
        "",
        "0.5 is best",
        "As above, for an attacker who also knows how common a person is and asks who is more "
        "common among the synthetic people than among real ones.",
    ),
    Metric(
        "attack_reconstruction",
        "Attack with the model: whom it rebuilds well, AUC",
        "",
        "0.5 is best",
        "As above, for an attacker who has the model itself and looks at its error.",
    ),
    Metric(
        "attack_likelihood",
        "Attack with the model: whom its calibration finds likely, AUC",
        "",
        "0.5 is best",
        "As above, by how well a person's healthy twin fits the healthy people that it knows.",
    ),
)
"""In the order in which tables show them."""

RESAMPLES = 200  # of distances: each looks through all of them,
LOOKED_AT = 500  # of this many synthetic people
CENTILES = (1, 5, 10, 25, 50, 75, 90, 95, 99)


@dataclass(frozen=True)
class Distances:
    """`CENTILES` of the distance of synthetic people to the closest person, SD: of those the model
    learned from, and of as many others."""

    training: tuple[float, ...]
    others: tuple[float, ...]


def measure_privacy(
    model: FittedModel,
    generated: Groups,
    members: Groups,
    outsiders: Groups,
    reference: Groups | None,
    bootstrap: Bootstrap,
) -> tuple[dict[str, Estimate], Distances]:
    """Estimates by key of `METRICS`, and the distances behind the first three.

    reference: more outsiders, whom the attacker of `attack_density` knows; with None half of the
    outsiders are. Members and outsiders are compared in equal numbers, group by group.
    """
    generator = np.random.default_rng(bootstrap.seed)
    synthetic = generated.everyone
    inside, outside = equal_numbers(members, outsiders, generator)
    estimates, distances = closest_records(synthetic, inside, outside, bootstrap)
    if reference is None:
        reference, others = outsiders.halves(generator)
    else:
        others = outsiders
    commoner = _ratio_of_densities(synthetic, reference.everyone)
    attacks = {
        "attack_distance": attack(lambda x: -closest(x, synthetic), inside, outside, bootstrap),
        "attack_density": attack(commoner, *equal_numbers(members, others, generator), bootstrap),
        "attack_reconstruction": attack(partial(_rebuilt, model), inside, outside, bootstrap),
        "attack_likelihood": UNKNOWN,
    }
    if model.calibration is not None:
        likelihood = partial(_likelihood_of_twin, model)
        attacks["attack_likelihood"] = attack(likelihood, inside, outside, bootstrap)
    return estimates | attacks, distances


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
) -> tuple[dict[str, Estimate], Distances]:
    """The first three of `METRICS`, of members and outsiders (n, p) each.

    Of two at one distance each counts half. The interval resamples the real people: a few of them
    are the closest to many.
    """
    to_members, to_outsiders = (_distances(real, synthetic) for real in (members, outsiders))
    share = _share_closer(to_members, to_outsiders)
    fewer = replace(bootstrap, resamples=min(bootstrap.resamples, RESAMPLES))
    some = slice(None, None, -(-len(synthetic) // LOOKED_AT))
    interval = fewer.interval(share, _share_closer, to_members[:, some], to_outsiders[:, some])
    training, others = (
        np.percentile(distances.min(axis=0), CENTILES) for distances in (to_members, to_outsiders)
    )
    estimates = {"closer_to_training": Estimate(share, interval)} | {
        f"closest_{centile}": Estimate(
            float(training[CENTILES.index(centile)]),
            reference=float(others[CENTILES.index(centile)]),
        )
        for centile in (5, 50)
    }
    return estimates, Distances(tuple(map(float, training)), tuple(map(float, others)))


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
