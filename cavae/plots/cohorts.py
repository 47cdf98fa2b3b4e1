"""Whole cohorts: severity by diagnosis, and distributions of real and of synthetic people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from cavae.numbers import signed
from cavae.plots.colors import POINT_EDGE, group_color, group_symbol, see_through
from cavae.plots.latent import grouped, name_beside, ring_around
from cavae.plots.layout import axis_title, composed, density, inert, people_data, transparent

JITTER = 0.22
"""Half width of a group's cloud of points; neighbours are 1 apart."""
MEMORY_ROIS = ("48", "47", "32", "31")
"""Left and right hippocampus, left and right amygdala: those of Figures 2a and 3a."""


def plot_severity(
    table: pd.DataFrame,
    value: str = "mad",
    group: str = "diagnosis",
    marked: str | None = None,
    unit: str = "SD",
    height: int = 420,
) -> go.Figure:
    """Plot each person's severity by diagnosis, as a box and as points: Figure 4b.

    Args:
        table: one row a person: subject_id, the value and the group.
        value: column, for example "mad" or "effect_mad".
        group: column of text; CN, MCI, AD come first, in this order.
        marked: subject_id of a person to point at.
        unit: of the value.
        height: pixels.

    Returns:
        A figure whose points have `customdata` [subject_id], for selections.
    """
    traces, ticks, annotations = [], [], []
    for place, (name, part, order) in enumerate(grouped(table, group)):
        ticks.append(f"{inert(name)}<br>n = {len(part)}")
        color = group_color(name, order)
        heights = part[value].to_numpy(dtype=float)
        across = place + _jitter(heights)
        points = {
            "type": "scatter",
            "x": across,
            "y": heights,
            "mode": "markers",
            "marker": {
                "color": color,
                "symbol": group_symbol(name, order),
                "size": 6,
                "opacity": 0.7,
                "line": POINT_EDGE,
            },
            "customdata": people_data(part),
            "hovertemplate": f"%{{customdata[1]}}<br>{inert(name)}: %{{y:.2f}} {unit}"
            "<extra></extra>",
            "name": inert(name),
        }
        traces += [_box(heights, place, color), points]
        here = np.flatnonzero(part["subject_id"].astype(str) == str(marked))
        if len(here):
            at = here[0]
            traces.append(ring_around(across[at], heights[at], str(marked)))
            annotations.append(name_beside(across[at], heights[at], str(marked)))
    groups = "Diagnosis" if group == "diagnosis" else axis_title(group)
    layout = {
        "showlegend": False,
        "annotations": annotations,
        "xaxis": {
            "tickvals": list(range(len(ticks))),
            "ticktext": ticks,
            "range": [-0.6, len(ticks) - 0.4],
            "title": {"text": groups},
            "showgrid": False,
            "zeroline": False,
        },
        "yaxis": {"title": {"text": axis_title(value, {value: unit})}},
    }
    return composed(traces, height, layout)


def _box(heights: np.ndarray, place: int, color: str) -> dict[str, Any]:
    """Return the box of a group; its points are drawn apart, where each one's place is known."""
    return {
        "type": "box",
        "y": heights,
        "x0": place,
        "width": 0.62,
        "boxpoints": False,
        "line": {"color": color, "width": 2},
        "fillcolor": "rgba(128,132,145,0.12)",
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _jitter(values: np.ndarray) -> np.ndarray:
    """Spread points sideways, wider where there are more of them, the same way every time."""
    if len(values) < 2:
        return np.zeros(len(values))
    grid = np.linspace(np.nanmin(values), np.nanmax(values), 60)
    crowd = np.interp(values, grid, density(values, grid))
    spread = np.random.default_rng(0).uniform(-1, 1, len(values))
    return JITTER * spread * crowd / (np.nanmax(crowd) or 1.0)


def plot_distributions(
    real: pd.DataFrame | None,
    synthetic: pd.DataFrame | None,
    rois: Sequence[str] = MEMORY_ROIS,
    group: str = "group",
    unit: str = "SD",
    height: int | None = None,
) -> go.Figure:
    """Plot the density of ROIs in background and target, real above synthetic: Figures 2a and 3a.

    Args:
        real: one row a person: the group and the ROIs by MUSE index; None when there is none.
        synthetic: the same of generated people; the axes are shared with the real ones.
        rois: MUSE indices, one column of panels each.
        group: column with "background" and "target" (or diagnoses).
        unit: of the volumes, "SD" or "mm³".
        height: pixels; by the number of rows when None.
    """
    rows = {name: t for name, t in {"Real": real, "Synthetic": synthetic}.items() if t is not None}
    figure = make_subplots(
        len(rows), len(rois), shared_xaxes="columns", horizontal_spacing=0.03, vertical_spacing=0.1
    )
    everyone = pd.concat(rows.values(), ignore_index=True)
    for column, index in enumerate(rois, start=1):
        grid = _grid(everyone[index])
        cells = [_curves(table, index, group, grid) for table in rows.values()]
        for row, curves in enumerate(cells, start=1):
            where = {"row": row, "col": column}
            for curve in curves:
                _add_curve(figure, grid, curve, unit, where)
            _add_difference(figure, curves, unit, where)
        peak = max(curve.heights.max() for curves in cells for curve in curves) or 1.0
        figure.update_yaxes(range=[0, 1.25 * peak], col=column)
        figure.update_xaxes(title_text=axis_title(index, {index: unit}), row=len(rows), col=column)
    transparent(figure, height or 120 + 170 * len(rows))
    _name_each_group_once(figure)
    figure.update_xaxes(showgrid=False, zeroline=False, tickformat="," if unit == "mm³" else None)
    figure.update_yaxes(showticklabels=False, showgrid=False, zeroline=False, fixedrange=True)
    for row, name in enumerate(rows, start=1):
        figure.update_yaxes(title_text=f"{name}, density (1/{unit})", row=row, col=1)
    return figure


def _grid(values: pd.Series) -> np.ndarray:
    """Return where densities are evaluated: all but the farthest 0.1 % on each side."""
    low, high = np.percentile(values.dropna(), [0.1, 99.9]) if values.notna().any() else (0, 1)
    margin = 0.08 * (high - low) or 1.0
    return np.linspace(low - margin, high + margin, 120)


@dataclass(frozen=True)
class Curve:
    """One group's density in one panel."""

    name: str
    color: str
    heights: np.ndarray
    median: float


def _curves(table: pd.DataFrame, index: str, group: str, grid: np.ndarray) -> list[Curve]:
    return [
        Curve(
            name=inert(name),
            color=group_color(name, order),
            heights=density(part[index].to_numpy(dtype=float), grid),
            median=float(part[index].median()),
        )
        for name, part, order in grouped(table, group)
    ]


def _add_curve(
    figure: go.Figure, grid: np.ndarray, curve: Curve, unit: str, where: dict[str, int]
) -> None:
    """Add a density and, dotted, its median."""
    places = 2 if unit == "SD" else 0
    common = {"mode": "lines", "legendgroup": curve.name, "name": curve.name}
    figure.add_trace(
        go.Scatter(
            x=grid,
            y=curve.heights,
            line={"color": curve.color, "width": 2, "shape": "spline"},
            fill="tozeroy",
            fillcolor=see_through(curve.color, 0.28),
            hovertemplate=f"{curve.name}, median {curve.median:,.{places}f} {unit}<extra></extra>",
            **common,
        ),
        **where,
    )
    figure.add_trace(
        go.Scatter(
            x=[curve.median] * 2,
            y=[0, float(np.interp(curve.median, grid, curve.heights))],
            line={"color": curve.color, "width": 1.5, "dash": "dot"},
            showlegend=False,
            hoverinfo="skip",
            **common,
        ),
        **where,
    )


def _name_each_group_once(figure: go.Figure) -> None:
    named: set[str] = set()
    for trace in figure.data:
        trace.showlegend = trace.showlegend is not False and trace.name not in named
        named.add(trace.name)


def _add_difference(
    figure: go.Figure, curves: list[Curve], unit: str, where: dict[str, int]
) -> None:
    """Write the difference between the last and the first group's median in a panel's corner."""
    if len(curves) < 2:
        return
    change = curves[-1].median - curves[0].median
    places = 2 if unit == "SD" else 0
    figure.add_annotation(
        text=f"difference {signed(change, places)} {unit}",
        x=0.02,
        xref="x domain",
        y=0.99,
        yref="y domain",
        showarrow=False,
        font={"size": 12},
        **where,
    )
