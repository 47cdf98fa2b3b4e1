"""Slices of the brain, each region coloured by its effect."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import plotly.graph_objects as go

from cavae.atlas import Rings, Slice, roi, slice_outlines
from cavae.numbers import signed
from cavae.plots.colors import EFFECT_SCALE, effect_colors, effect_limit
from cavae.plots.layout import Interval, composed, effect_words

LAYOUT_MM = (
    (("coronal", -3.0), ("coronal", -18.0), ("coronal", -51.0), ("sagittal", -9.0)),
    (("axial", -12.0), ("axial", 12.0), ("axial", 24.0), ("sagittal", 9.0)),
)
"""Default rows of slices: plane and position in mm. Together they show all 139 ROIs."""
GAP_MM = 22.0
CAPTION_MM = 16.0
FLUID = "rgba(128,134,150,0.22)"
VENTRICLE = "rgba(128,134,150,0.50)"
BORDER = "rgba(70,74,84,0.55)"
NO_VALUE = "rgba(128,134,150,0.35)"
Trace = dict[str, Any]


def plot_brain(
    effects: Mapping[str, float],
    unit: str = "SD",
    limit: float | None = None,
    layout: Sequence[Sequence[tuple[str, float]]] = LAYOUT_MM,
    height: int = 540,
    intervals: Mapping[str, Interval] | None = None,
) -> go.Figure:
    """Plot slices in three planes with each ROI filled by its effect.

    The paper has no brain picture; this is its disease effect (target minus healthy twin) in place.

    Args:
        effects: effect by MUSE index; an ROI that is not there, or not a number, is drawn
            without colour.
        unit: unit of the effects, for the colour bar and the hover text.
        limit: effect at both ends of the colour scale; from the largest effect when None.
        layout: rows of (plane, position in mm) of `cavae.atlas.slice_outlines`.
        height: pixels.
        intervals: 90 % interval by MUSE index, for the hover text; none when None.
    """
    effects = {index: value for index, value in effects.items() if math.isfinite(value)}
    limit = limit or effect_limit(effects.values(), unit)
    brain = _uncoloured(tuple(tuple(row) for row in layout))
    colors = dict(zip(effects, effect_colors(list(effects.values()), limit), strict=True))
    traces = list(brain.around)
    for index, area in brain.regions.items():
        value = effects.get(index)
        known = (intervals or {}).get(index)
        shown = "no value" if value is None else effect_words(value, unit, known)
        told = {"text": f"{roi(index).label}: {shown}", "hoverinfo": "text", "name": index}
        traces.append(area | told | {"fillcolor": colors.get(index, NO_VALUE)})
    traces.append(_color_bar(limit, unit))
    hidden = {"visible": False, "fixedrange": True}
    return composed(
        traces,
        height,
        {
            "xaxis": hidden,
            "yaxis": hidden | {"scaleanchor": "x", "scaleratio": 1},
            "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
            "showlegend": False,
            "annotations": brain.marks,
        },
    )


@dataclass(frozen=True)
class Uncoloured:
    """What is the same in every picture of the brain."""

    around: tuple[Trace, ...]
    """Fluid and ventricles."""
    regions: dict[str, Trace]
    """By MUSE index."""
    marks: list[dict[str, Any]]


@lru_cache(maxsize=4)
def _uncoloured(layout: tuple[tuple[tuple[str, float], ...], ...]) -> Uncoloured:
    """Return the slices of a layout, made once: they are most of the work of a picture."""
    panels = _panels(layout)
    return Uncoloured(
        around=(
            _area([panel.placed(panel.cut.outline) for panel in panels], FLUID, 1.0),
            _area([panel.placed(panel.cut.ventricles) for panel in panels], VENTRICLE, 0.0),
        ),
        regions={
            index: _area(rings, NO_VALUE, 0.6) for index, rings in _rings_by_roi(panels).items()
        },
        marks=[mark for panel in panels for mark in _marks(panel)],
    )


@dataclass(frozen=True)
class Panel:
    """A slice in its cell of the picture."""

    cut: Slice
    shift: np.ndarray
    """(2,) mm from the slice's own coordinates to the picture's."""
    height: float
    """Of the row, in mm."""

    def placed(self, rings: Rings) -> list[np.ndarray]:
        """Return rings of the slice where they lie in the picture."""
        return [ring + self.shift for ring in rings]


def _panels(layout: Sequence[Sequence[tuple[str, float]]]) -> list[Panel]:
    """Place the slices in rows, each in the middle of its cell."""
    known = {(cut.plane, cut.position_mm): cut for cut in slice_outlines()}
    rows = [[known[cell] for cell in row] for row in layout]
    columns = max(len(row) for row in rows)
    widths = [
        max(_extent(row[place], 0)[1] for row in rows if place < len(row))
        for place in range(columns)
    ]
    panels = []
    top = 0.0
    for row in rows:
        tallest = max(_extent(cut, 1)[1] for cut in row)
        left = 0.0
        for cut, width in zip(row, widths, strict=False):
            x = left + width / 2 - _extent(cut, 0)[0]
            y = top - tallest / 2 - _extent(cut, 1)[0]
            panels.append(Panel(cut, np.array([x, y], dtype=np.float32), tallest))
            left += width + GAP_MM
        top -= tallest + GAP_MM + CAPTION_MM
    return panels


def _extent(cut: Slice, axis: int) -> tuple[float, float]:
    """Return the middle and the size of a slice along one axis, in mm."""
    values = np.concatenate([ring[:, axis] for ring in cut.outline])
    return float(values.max() + values.min()) / 2, float(values.max() - values.min())


def _rings_by_roi(panels: list[Panel]) -> dict[str, list[list[np.ndarray]]]:
    found: dict[str, list[list[np.ndarray]]] = {}
    for panel in panels:
        for index, rings in panel.cut.shapes:
            found.setdefault(index, []).append(panel.placed(rings))
    return found


def _area(groups: list[list[np.ndarray]], fill: str, border: float) -> Trace:
    """Return one filled trace of all these rings, parted by gaps (NaN)."""
    gap = np.full((1, 2), np.nan, dtype=np.float32)
    parts = [part for rings in groups for ring in rings for part in (ring, ring[:1], gap)]
    points = np.concatenate(parts[:-1]) if parts else gap
    return {
        "type": "scatter",
        "x": _packed(points[:, 0]),
        "y": _packed(points[:, 1]),
        "mode": "lines",
        "fill": "toself",
        "fillcolor": fill,
        "line": {"width": border, "color": BORDER},
        "hoveron": "fills",
        "hoverinfo": "skip",
    }


def _packed(values: np.ndarray) -> dict[str, str]:
    """Return numbers (n,) as plotly sends them to the browser, so that it need not pack them."""
    data = np.ascontiguousarray(values, dtype="<f4").tobytes()
    return {"dtype": "f4", "bdata": base64.b64encode(data).decode("ascii")}


def _color_bar(limit: float, unit: str) -> Trace:
    """Return a trace without points that carries the colour bar."""
    ticks = [-limit, -limit / 2, 0.0, limit / 2, limit]
    places = 0 if limit >= 10 else 1 if math.isclose(limit % 1, 0) else 2
    words = [signed(tick, places) for tick in ticks]
    words[0] += " loss"
    words[-1] += " gain"
    return {
        "type": "scatter",
        "x": [None],
        "y": [None],
        "mode": "markers",
        "hoverinfo": "skip",
        "marker": {
            "color": [0.0],
            "cmin": -limit,
            "cmax": limit,
            "colorscale": EFFECT_SCALE,
            "showscale": True,
            "colorbar": {
                "title": {"text": f"Effect ({unit})", "side": "top"},
                "orientation": "h",
                "thickness": 10,
                "len": 0.42,
                "x": 0.5,
                "y": 0,
                "yanchor": "top",
                "tickvals": ticks,
                "ticktext": words,
                "outlinewidth": 0,
            },
        },
    }


def _marks(panel: Panel) -> list[dict[str, Any]]:
    """Return a slice's caption, and the letters of its two sides."""
    cut = panel.cut
    (x, width), (y, _) = _extent(cut, 0), _extent(cut, 1)
    x, y = x + float(panel.shift[0]), y + float(panel.shift[1])
    plain = {"showarrow": False, "font": {"size": 12}}
    below = {"x": x, "y": y - panel.height / 2 - 2, "yanchor": "top"}
    letters = "PA" if cut.plane == "sagittal" else "LR"
    return [
        plain | below | {"text": caption(cut)},
        *(
            plain | {"text": letter, "x": x + side * width / 2, "y": y + panel.height * 0.4}
            for letter, side in zip(letters, (-1, 1), strict=True)
        ),
    ]


def caption(cut: Slice) -> str:
    """Return the slice's plane and position, for example "coronal, y −18 mm"."""
    axis = {"coronal": "y", "axial": "z", "sagittal": "x"}[cut.plane]
    side = "" if cut.plane != "sagittal" else " left" if cut.position_mm < 0 else " right"
    number = f"{cut.position_mm:g}".replace("-", "−")
    return f"{cut.plane}{side}, {axis} {number} mm"
