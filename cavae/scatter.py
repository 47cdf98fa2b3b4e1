"""People in both latent spaces, seen in two dimensions while a model learns to part them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from cavae.monitoring import Look

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Scatter:
    """Validation people at an epoch: common and salient (n, 2), in prior SD, and who is_target.

    leakage_auc and separation_auc: how well z and s tell the two groups apart. It describes
    persons: it is not for disk.
    """

    epoch: int
    common: Array
    salient: Array
    is_target: NDArray[np.bool_]
    leakage_auc: float
    separation_auc: float


class Camera:
    """Looks at latents from where it stood before, so that nobody jumps between two pictures."""

    def __init__(self) -> None:
        self._common, self._salient = _Axes(), _Axes()

    def take(self, epoch: int, look: Look) -> Scatter:
        """What a look at a network shows."""
        return Scatter(
            epoch,
            self._common.project(look.common),
            self._salient.project(look.salient),
            look.is_target,
            look.leakage_auc,
            look.separation_auc,
        )


class _Axes:
    """Two directions, (d, 2), that turn towards the principal axes of what they are shown."""

    def __init__(self) -> None:
        self._directions: Array | None = None

    def project(self, latents: Array) -> Array:
        """Latents (n, d) about their mean, (n, 2); the second is 0 where d is 1."""
        centered = latents - latents.mean(axis=0)
        spread = centered.T @ centered
        if self._directions is None:
            _, vectors = np.linalg.eigh(spread)
            self._directions = vectors[:, ::-1][:, :2]
        else:
            self._directions = _nearest_rotation(spread @ self._directions, self._directions)
        seen = centered @ self._directions
        return np.pad(seen, ((0, 0), (0, 2 - seen.shape[1])))


def _nearest_rotation(turned: Array, before: Array) -> Array:
    """One step of orthogonal iteration towards the principal axes, without a turn in the plane.

    The polar factor of a matrix (d, k) is the orthonormal one nearest to it (Higham, 1986).
    """
    left, sizes, right = np.linalg.svd(turned, full_matrices=False)
    return before if sizes[-1] <= 1e-12 * max(sizes[0], 1.0) else left @ right
