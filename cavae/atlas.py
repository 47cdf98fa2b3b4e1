"""The 139 regions of the MUSE atlas: what people call them, where they lie, how large they are."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cavae.errors import DataError

ASSETS = Path(__file__).resolve().parent.parent / "assets"


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
    """ "L", "R", or "" on the midline."""
    tissue: str
    """ "grey" or "white" (matter)."""
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
