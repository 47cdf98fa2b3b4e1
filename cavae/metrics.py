"""Distances between samples: arrays in, numbers out."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

FOLDS = 5  # of a cross-validation, unless another number is asked for


def wasserstein2(a: Array, b: Array) -> float:
    """Squared 2-Wasserstein distance between Gaussians fitted to a (n, p) and b (m, p).

    |μa - μb|² + tr(Σa + Σb - 2 (Σa^½ Σb Σa^½)^½) (Mallasto et al., 2022), in squared units of
    the columns. 0 is best; samples of one distribution reach a floor above 0 that falls with n.
    """
    mean_a, mean_b = a.mean(axis=0), b.mean(axis=0)
    cov_a, cov_b = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    return _gaussian_distance(mean_a, cov_a, mean_b, cov_b, square_root(cov_a))


def gaussian_wasserstein2(
    mean_a: Array, cov_a: Array, mean_b: Array, cov_b: Array, root_a: Array | None = None
) -> float:
    """`wasserstein2` from means (p,) and covariances (p, p), in half the time.

    root_a: the `square_root` of cov_a, where it is known because a stays and b changes.

    For any root R of Σa = R Rᵀ the eigenvalues of Rᵀ Σb R are those of Σa^½ Σb Σa^½, and the one of
    Cholesky comes at a tenth of the cost; it asks for more people than columns.
    """
    if root_a is None:
        try:
            root_a = np.linalg.cholesky(cov_a)
        except np.linalg.LinAlgError:
            root_a = square_root(cov_a)
    return _gaussian_distance(mean_a, cov_a, mean_b, cov_b, root_a)


def _gaussian_distance(
    mean_a: Array, cov_a: Array, mean_b: Array, cov_b: Array, root_a: Array
) -> float:
    between = np.linalg.eigvalsh(root_a.T @ cov_b @ root_a)
    cross = np.sqrt(np.clip(between, 0.0, None)).sum()
    mean = float(np.square(mean_a - mean_b).sum())
    return mean + float(np.trace(cov_a) + np.trace(cov_b) - 2.0 * cross)


def square_root(covariance: Array) -> Array:
    """The symmetric square root of a covariance, (p, p)."""
    values, vectors = np.linalg.eigh(covariance)
    return (vectors * np.sqrt(np.clip(values, 0.0, None))) @ vectors.T


def auc(positive: Array, negative: Array) -> float:
    """Chance that one of the scores `positive` (n,) is above one of `negative` (m,), ties half.

    The area under the ROC curve: 1 is perfect separation, 0.5 is none; nan when one is empty.
    """
    if not len(positive) or not len(negative):
        return float("nan")
    ordered = np.sort(negative)
    below = np.searchsorted(ordered, positive, "left") + np.searchsorted(ordered, positive, "right")
    return float(below.mean() / (2 * len(ordered)))


def logistic_auc(
    latents: Array, diseased: NDArray[np.bool_], seed: int = 0, folds: int = FOLDS
) -> float:
    """Mean `auc` of a logistic regression on latents (n, d), cross-validated.

    1 is perfect separation, 0.5 is none; nan when a group has fewer people than folds.
    """
    return float(logistic_aucs(latents, diseased, seed, folds).mean())


def logistic_aucs(
    latents: Array, diseased: NDArray[np.bool_], seed: int = 0, folds: int = FOLDS
) -> Array:
    """The areas that `logistic_auc` is the mean of, one a fold, (folds,)."""
    if min(diseased.sum(), (~diseased).sum()) < folds:
        return np.full(folds, np.nan)
    areas = []
    for people, score in held_out_scores(latents, diseased, seed, folds):
        areas.append(auc(score[diseased[people]], score[~diseased[people]]))
    return np.array(areas)


def held_out_scores(
    latents: Array, diseased: NDArray[np.bool_], seed: int = 0, folds: int = FOLDS
) -> Iterator[tuple[NDArray[np.int64], Array]]:
    """Of each fold who is in it, (m,), and their log-odds, (m,), by a logistic regression that
    learned from the others."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    dealt = StratifiedKFold(folds, shuffle=True, random_state=seed)
    for rest, held_out in dealt.split(latents, diseased):
        classifier.fit(latents[rest], diseased[rest])
        yield held_out, classifier.decision_function(latents[held_out])
