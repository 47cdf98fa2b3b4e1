"""Makes assets/slices.json, the outlines of the brain picture, from the atlas's label volume.

Run once, when the volume or the choice of slices changes: `python -m cavae.atlas_build`. It needs
contourpy, which the app itself does not.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import contourpy
import numpy as np
from scipy import ndimage

from cavae.atlas import ASSETS, PLANES, rois

# Chosen together so that each of the 139 ROIs is cut at least once, on voxel planes of the volume.
# The hippocampus is cut by coronal -18, axial -12 and sagittal ±27, the amygdala by coronal -3.
POSITIONS_MM = {
    "coronal": (-3.0, -18.0, -51.0),
    "axial": (-12.0, 12.0, 24.0),
    "sagittal": (-27.0, -9.0, 9.0, 27.0),
}
OUTSIDE, CSF, VENTRICLES = 0, 1, 4
VENTRICLE_LABELS = (4, 11, 49, 50, 51, 52)
FINE = 4
"""Grid points per voxel edge (1.5 mm) on which borders are traced."""
SMOOTHING_VOXELS = 0.9
TOLERANCE_MM = 0.12
SMALLEST_RING_MM2 = 3.0


def build_slices(
    volume: np.ndarray,
    affine: np.ndarray,
    positions_mm: Mapping[str, Sequence[float]] = POSITIONS_MM,
) -> dict[str, Any]:
    """Trace slices of the atlas.

    Args:
        volume: (nx, ny, nz) MUSE labels, axes towards right, front and top.
        affine: (4, 4) voxel to mm, diagonal and the same step on each axis.
        positions_mm: where to cut, by plane.

    Returns:
        What `cavae.atlas.slice_outlines` reads, ready for JSON; coordinates in mm.
    """
    merged = np.where(np.isin(volume, VENTRICLE_LABELS), VENTRICLES, volume)
    return {
        "unit": "mm",
        "slices": [
            _build_slice(merged, affine, plane, position)
            for plane, positions in positions_mm.items()
            for position in positions
        ],
    }


def _build_slice(
    volume: np.ndarray, affine: np.ndarray, plane: str, position: float
) -> dict[str, Any]:
    across, horizontal, vertical = PLANES[plane]
    step, origin = affine[0, 0], affine[:3, 3]
    cut = np.take(volume, round((position - origin[across]) / step), axis=across)
    labels = np.unique(cut)
    weights = _balanced_weights(cut, labels)
    x = origin[horizontal] + step * _fine_centres(cut.shape[0])
    y = origin[vertical] + step * _fine_centres(cut.shape[1])

    def rings_of(margin: np.ndarray) -> list[list[float]]:
        return [_flat(ring) for ring in _rings(x, y, margin)]

    known = {one.index for one in rois()}
    traced = {str(label): rings_of(_margin(weights, place)) for place, label in enumerate(labels)}
    outside = int(np.searchsorted(labels, OUTSIDE))
    return {
        "plane": plane,
        "position_mm": position,
        "outline": [
            # The averaged third ventricle has unlabelled voxels: no holes in the brain's border.
            _flat(ring)
            for ring in _rings(x, y, -_margin(weights, outside))
            if _signed_area(ring) > 0
        ],
        "ventricles": traced.get(str(VENTRICLES), []),
        "shapes": {label: rings for label, rings in traced.items() if label in known and rings},
    }


def _balanced_weights(cut: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Smooth each label's map on the fine grid, then shift it so that no label gains or loses area.

    Returns:
        (labels, nx * FINE, ny * FINE): the label with the largest weight owns the point.
    """
    fine = np.kron(cut, np.ones((FINE, FINE), dtype=cut.dtype))
    weights = np.stack(
        [
            ndimage.gaussian_filter((fine == label).astype(np.float32), SMOOTHING_VOXELS * FINE)
            for label in labels
        ]
    )
    wanted = np.array([(fine == label).sum() for label in labels])
    shift = np.zeros(len(labels), dtype=np.float32)
    for _ in range(40):
        owner = np.argmax(weights + shift[:, None, None], axis=0)
        area = np.bincount(owner.ravel(), minlength=len(labels))
        shift += 0.15 * np.clip((wanted - area) / wanted, -0.5, 0.5)
        shift -= shift[0]
    return weights + shift[:, None, None]


def _margin(weights: np.ndarray, place: int) -> np.ndarray:
    """Return by how much one label beats the best other one: neighbours share its zero line."""
    return weights[place] - np.delete(weights, place, axis=0).max(axis=0)


def _rings(x: np.ndarray, y: np.ndarray, margin: np.ndarray) -> list[np.ndarray]:
    """Return the closed zero lines of a margin, outer ones anticlockwise, holes clockwise."""
    lines = contourpy.contour_generator(x=x, y=y, z=margin.T).lines(0.0)
    rings = [simplify_ring(line, TOLERANCE_MM) for line in lines]
    return [ring for ring in rings if abs(_signed_area(ring)) >= SMALLEST_RING_MM2]


def simplify_ring(ring: np.ndarray, tolerance: float) -> np.ndarray:
    """Drop the points of a closed ring that lie within the tolerance (Douglas and Peucker, 1973).

    Args:
        ring: (n, 2) points, the last equal to the first.
        tolerance: largest distance of a dropped point from the line that replaces it.

    Returns:
        (m, 2) points, m ≤ n, closed as well.
    """
    farthest = int(np.argmax(np.linalg.norm(ring - ring[0], axis=1)))
    keep = np.zeros(len(ring), dtype=bool)
    keep[[0, farthest, -1]] = True
    spans = [(0, farthest), (farthest, len(ring) - 1)]
    while spans:
        first, last = spans.pop()
        if last - first < 2:
            continue
        distances = _distances(ring[first + 1 : last], ring[first], ring[last])
        worst = int(np.argmax(distances))
        if distances[worst] > tolerance:
            middle = first + 1 + worst
            keep[middle] = True
            spans += [(first, middle), (middle, last)]
    return ring[keep]


def _distances(points: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    along = end - start
    offset = points - start
    length = np.hypot(*along)
    if length == 0:
        return np.hypot(*offset.T)
    return np.abs(along[0] * offset[:, 1] - along[1] * offset[:, 0]) / length


def _signed_area(ring: np.ndarray) -> float:
    x, y = ring.T
    return float(0.5 * np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]))


def _fine_centres(voxels: int) -> np.ndarray:
    """Return the fine grid's positions along one axis, in voxels from the first voxel's centre."""
    return (np.arange(voxels * FINE) + 0.5) / FINE - 0.5


def _flat(ring: np.ndarray) -> list[float]:
    """Return x, y, x, y … rounded to 0.1 mm, without the closing point."""
    return [float(value) for value in np.round(ring[:-1], 1).ravel()]


def main(target: Path = ASSETS / "slices.json") -> None:
    """Write the outlines of the shipped atlas."""
    with np.load(ASSETS / "muse_atlas.npz") as atlas:
        built = build_slices(atlas["vol_labels"], atlas["vol_affine"])
    target.write_text(json.dumps(built, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
