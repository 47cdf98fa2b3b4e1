"""Five latent dimensions drawn as two: principal components, and UMAP on request."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cavae.errors import DataError

Array = NDArray[np.float64]

MIN_PEOPLE_FOR_UMAP = 10
NEIGHBORS = 15


@dataclass(frozen=True)
class Components:
    """Two principal components: coordinates (n, 2), the share of the variance they keep.

    Where they come from: center (d,) and directions (d, 2), for points and Gaussians beside them.
    """

    values: Array
    share: float
    center: Array
    directions: Array


def principal_components(latents: Array) -> Components:
    """Project latents (n, d) on their two directions of largest variance, unscaled.

    Each direction points to where its largest weight is positive, so that the same table always
    gives the same picture. One dimension, or one person, gives zeros for what is not there.
    """
    centred = latents - latents.mean(axis=0)
    _, spread, directions = np.linalg.svd(centred, full_matrices=False)
    largest = np.abs(directions).argmax(axis=1)
    directions *= np.sign(directions[np.arange(len(directions)), largest])[:, None]
    plane = np.zeros((latents.shape[1], 2))
    plane[:, : len(directions)] = directions[:2].T
    total = float(np.square(spread).sum())
    share = float(np.square(spread[:2]).sum()) / total if total else 1.0
    return Components(centred @ plane, share, latents.mean(axis=0), plane)


def umap_coordinates(latents: Array, seed: int = 0) -> Array:
    """Embed latents (n, d) in the plane by UMAP (McInnes et al., 2018), (n, 2), without unit.

    Keeps neighbours together; distances between groups mean little. Slow the first time in a
    process, because umap compiles itself. Raises DataError for fewer than MIN_PEOPLE_FOR_UMAP.
    """
    if len(latents) < MIN_PEOPLE_FOR_UMAP:
        raise DataError(
            f"UMAP needs at least {MIN_PEOPLE_FOR_UMAP} people and there are {len(latents)}: "
            "choose another view."
        )
    from umap import UMAP

    neighbors = min(NEIGHBORS, len(latents) - 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Repeated people and small tables, harmless here.
        reducer = UMAP(n_neighbors=neighbors, random_state=seed, n_jobs=1)
        return np.asarray(reducer.fit_transform(latents), dtype=float)
