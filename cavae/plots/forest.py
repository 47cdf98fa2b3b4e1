"""Figures of merit side by side: a dot, its interval, what it should be, and another's dot."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from cavae.plots.colors import BLUE, LINE, VERMILLION
from cavae.plots.layout import transparent

ROW = 30
"""Height of a row in pixels."""
AXIS = 62
"""Height of a panel's axis with its title in pixels."""


def plot_forest(
    table: pd.DataFrame,
    value: str = "This model",
    reference: str = "what it should be",
    beside: str = "Paper",
    stacked: bool = True,
) -> go.Figure:
    """Plot figures with their intervals, one row each, beside what they should be: Table A1.

    Args:
        table: one row a dot: panel (axis title with its unit), label, value, low, high, reference,
            beside, beside_low, beside_high; nan where something is not known. Panels and rows keep
            the order of the table, from the top.
        value: name of the filled dots in the legend.
        reference: name of the upright lines.
        beside: name of the hollow dots.
        stacked: panels below each other, each with its own rows; else side by side, and all panels
            have the same rows.
    """
    panels = list(dict.fromkeys(table["panel"]))
    parts = [table[table["panel"] == panel] for panel in panels]
    figure, height = _panels(parts, stacked)
    for place, (panel, part) in enumerate(zip(panels, parts, strict=True), start=1):
        where = {"row": place, "col": 1} if stacked else {"row": 1, "col": place}
        marks = (
            _reference(part, reference),
            _dots(part, "beside", beside, VERMILLION, "circle-open"),
            _dots(part, "", value, BLUE, "circle"),
        )
        for trace in marks:
            if np.isfinite(np.asarray(trace.x, dtype=float)).any():
                figure.add_trace(trace, **where)
        rows = list(dict.fromkeys(part["label"]))
        figure.update_xaxes(
            title_text=panel, title_standoff=4, zeroline=False, rangemode="tozero", **where
        )
        figure.update_yaxes(
            categoryorder="array",
            categoryarray=rows[::-1],
            range=[-0.6, len(rows) - 0.4],
            zeroline=False,
            automargin=True,
            **where,
        )
    transparent(figure, height)
    _name_once(figure)
    return figure


def _panels(parts: list[pd.DataFrame], stacked: bool) -> tuple[go.Figure, int]:
    rows = [part["label"].nunique() for part in parts]
    if not stacked:
        figure = make_subplots(1, len(parts), shared_yaxes=True, horizontal_spacing=0.03)
        return figure, 40 + AXIS + ROW * max(rows)
    height = ROW * sum(rows) + AXIS * len(rows)
    gap = AXIS / height if len(rows) > 1 else 0.0
    figure = make_subplots(len(parts), 1, row_heights=rows, vertical_spacing=gap)
    return figure, height + 40


def _dots(part: pd.DataFrame, whose: str, name: str, color: str, symbol: str) -> go.Scatter:
    """Dots with their intervals; `whose` is "" for the figures themselves, or "beside"."""
    values, low, high = (
        part.get(column, pd.Series(np.nan, part.index)).to_numpy(dtype=float)
        for column in (
            ("beside", "beside_low", "beside_high") if whose else ("value", "low", "high")
        )
    )
    return go.Scatter(
        x=values,
        y=part["label"].to_numpy(),
        mode="markers",
        marker={"color": color, "symbol": symbol, "size": 10, "line": {"width": 2, "color": color}},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": high - values,
            "arrayminus": values - low,
            "color": color,
            "thickness": 1.6,
            "width": 3,
        },
        name=name,
        customdata=_interval(low, high),
        hovertemplate=f"%{{y}}<br>{name}: %{{x:.4~g}}%{{customdata[0]}}<extra></extra>",
    )


def _interval(low: np.ndarray, high: np.ndarray) -> list[list[str]]:
    return [
        [f" ({a:.4g} to {b:.4g})" if np.isfinite(a) else ""] for a, b in zip(low, high, strict=True)
    ]


def _reference(part: pd.DataFrame, name: str) -> go.Scatter:
    return go.Scatter(
        x=part["reference"].to_numpy(dtype=float),
        y=part["label"].to_numpy(),
        mode="markers",
        marker={"symbol": "line-ns", "size": ROW - 5, "line": {"color": LINE, "width": 3}},
        name=name,
        hovertemplate=f"%{{y}}<br>{name}: %{{x:.4~g}}<extra></extra>",
    )


def _name_once(figure: go.Figure) -> None:
    named: set[str] = set()
    for trace in figure.data:
        trace.legendgroup, trace.showlegend = trace.name, trace.name not in named
        named.add(trace.name)
