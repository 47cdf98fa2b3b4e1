"""The 139 regions of the MUSE atlas: what people call them, where they lie, how large they are."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from cavae.errors import DataError

ASSETS = Path(__file__).resolve().parent.parent / "assets"
PLANES = {"coronal": (1, 0, 2), "axial": (2, 0, 1), "sagittal": (0, 1, 2)}
"""Axes of each plane: the one cut across, the horizontal and the vertical one (0 is x to the
right, 1 is y to the front, 2 is z to the top)."""


@dataclass(frozen=True)
class Roi:
    """One region of interest (ROI) of the MUSE atlas."""

    index: str
    """MUSE index as text, for example "47"."""
    name: str
    """MUSE name, for example "Hippocampus_R"."""
    label: str
    """Name for people, for example "Right hippocampus"."""
    hemisphere: str
    """Side: "L", "R", or "" on the midline."""
    tissue: str
    """Matter: "grey" or "white"."""
    lobe: str
    """Anatomical group, for example "Temporal" or "Deep grey"."""
    typical: float
    """Volume in mm³: rounded median of healthy adults at 65 years, mean of women and men."""


@lru_cache(maxsize=1)
def rois() -> tuple[Roi, ...]:
    """Return the 139 ROIs (119 grey, 20 white matter) in the order of their MUSE index."""
    with (ASSETS / "rois.csv").open(encoding="utf-8", newline="") as table:
        found = [Roi(**{**row, "typical": float(row["typical"])}) for row in csv.DictReader(table)]
    return tuple(sorted(found, key=lambda one: int(one.index)))


@lru_cache(maxsize=1)
def _by_index() -> dict[str, Roi]:
    return {one.index: one for one in rois()}


def are_regions(features: Iterable[str]) -> bool:
    """Whether all of these features are regions of the atlas, by MUSE index."""
    return set(features) <= _by_index().keys()


def roi(index: str) -> Roi:
    """Return the ROI with this MUSE index, for example "47".

    Raises:
        DataError: the index is not one of the 139.
    """
    try:
        return _by_index()[index]
    except KeyError:
        known = rois()
        raise DataError(
            f'"{index}" is not the MUSE index of a brain region: {len(known)} are known, '
            f'from "{known[0].index}" to "{known[-1].index}", for example "47" (right hippocampus).'
        ) from None


Rings = tuple[np.ndarray, ...]
"""Closed polygons, each (n, 2) in mm, first point not repeated; holes run clockwise."""


@dataclass(frozen=True, eq=False)
class Slice:
    """One cut through the atlas as outlines, in mm (MNI-like axes, but not MNI space)."""

    plane: str
    """One of `PLANES`: "coronal", "axial" or "sagittal"."""
    position_mm: float
    """Where the plane cuts the axis it is perpendicular to."""
    outline: Rings
    """Border of the whole brain with the fluid around it."""
    ventricles: Rings
    shapes: tuple[tuple[str, Rings], ...]
    """MUSE index and rings of each ROI that the plane cuts."""


@lru_cache(maxsize=1)
def slice_outlines() -> tuple[Slice, ...]:
    """Return the slices of the brain picture; left is x < 0.

    Made once from the label volume by `cavae.atlas_build`.
    """
    stored = json.loads((ASSETS / "slices.json").read_text(encoding="utf-8"))
    return tuple(
        Slice(
            plane=cut["plane"],
            position_mm=cut["position_mm"],
            outline=_rings(cut["outline"]),
            ventricles=_rings(cut["ventricles"]),
            shapes=tuple((index, _rings(rings)) for index, rings in cut["shapes"].items()),
        )
        for cut in stored["slices"]
    )


def _rings(flat: list[list[float]]) -> Rings:
    return tuple(np.asarray(ring, dtype=np.float32).reshape(-1, 2) for ring in flat)
