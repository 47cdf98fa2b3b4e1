"""How useful and how private synthetic people are: figures of a table, small studies as a curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from cavae.plots.colors import GREY, LINE, OTHERS
from cavae.plots.layout import transparent

if TYPE_CHECKING:
    from cavae.usefulness import SmallStudy

SYNTHETIC = OTHERS[0]
USEFUL = {
    "trtr_auc": "Real people",
    "tstr_auc": "Synthetic people",
    "tuned_auc": "Tuned on them too",
}
PRIVATE = {
    "closer_to_training": "Closer to them",
    "attack_distance": "File: distance",
    "attack_density": "File: density",
    "attack_reconstruction": "Model: error",
    "attack_likelihood": "Model: twin",
}
GUESS = 0.5
MARGIN = 0.03
HEIGHT = 250


def plot_usefulness(table: pd.DataFrame, height: int = HEIGHT) -> go.Figure:
    """Plot how well a classifier trained on real and on synthetic people does on real ones.

    Args:
        table: as of `Quality.table`: key, value, low, high.
        height: pixels.
    """
    colors = dict.fromkeys(USEFUL, SYNTHETIC) | {"trtr_auc": GREY}
    return _dots(table, USEFUL, colors, "AUC on real people", "guess", height)


def plot_privacy(table: pd.DataFrame, height: int = HEIGHT) -> go.Figure:
    """Plot how well attackers tell training people from others, and how close synthetic people
    are to them; 0.5 is best for all. Arguments as for `plot_usefulness`."""
    colors = dict.fromkeys(PRIVATE, SYNTHETIC)
    return _dots(table, PRIVATE, colors, "AUC or share", "best", height)


def plot_small_studies(studies: Sequence[SmallStudy], height: int = HEIGHT) -> go.Figure:
    """Plot what small studies reach on real people, alone and with synthetic people added."""
    figure = go.Figure()
    people = [str(study.people) for study in studies]
    for name, color, symbol, estimates in (
        ("Real alone", GREY, "circle", [study.alone for study in studies]),
        ("With synthetic", SYNTHETIC, "diamond", [study.added for study in studies]),
    ):
        values = np.array([estimate.value for estimate in estimates])
        low, high = np.array([estimate.interval for estimate in estimates]).reshape(-1, 2).T
        figure.add_trace(
            go.Scatter(
                x=people,
                y=values,
                mode="lines+markers",
                line={"color": color, "width": 2},
                marker={"symbol": symbol, "size": 9},
                error_y=_bars(values, low, high, color),
                name=name,
                customdata=np.column_stack([low, high]),
                hovertemplate=f"{name}, %{{x}} people a group: %{{y:.2f}} "
                "(%{customdata[0]:.2f} to %{customdata[1]:.2f})<extra></extra>",
            )
        )
    transparent(figure, height)
    figure.update_xaxes(title_text="Real people a group", type="category", showgrid=False)
    figure.update_yaxes(title_text="AUC on real people", nticks=5, zeroline=False)
    return figure


def _dots(
    table: pd.DataFrame,
    names: Mapping[str, str],
    colors: Mapping[str, str],
    title: str,
    at_half: str,
    height: int,
) -> go.Figure:
    """One row a figure that the table has: a dot with its interval, and a line at 0.5."""
    rows = table.set_index("key")
    known = [key for key in names if key in rows.index]
    figure = go.Figure()
    for key in known:
        row = rows.loc[key]
        figure.add_trace(
            go.Scatter(
                x=[row["value"]],
                y=[names[key]],
                mode="markers+text",
                text=f"{row['value']:.2f}",
                textposition="top center",
                marker={"color": colors[key], "size": 11},
                error_x=_bars(row[["value"]], row[["low"]], row[["high"]], colors[key]),
                name=names[key],
                hovertemplate=f"{row['metric']}: {row['value']:.2f} "
                f"({row['low']:.2f} to {row['high']:.2f})<extra></extra>",
            )
        )
    figure.add_vline(
        x=GUESS,
        line={"color": LINE, "width": 1.5, "dash": "dot"},
        annotation={"text": at_half, "yanchor": "bottom"},
        annotation_position="top",
    )
    transparent(figure, height)
    figure.update_layout(showlegend=False)
    reach = [GUESS, 1.0, *(rows.loc[known, ["value", "low", "high"]].to_numpy(float).ravel())]
    figure.update_xaxes(
        title_text=title,
        range=[np.nanmin(reach) - MARGIN, np.nanmax(reach) + MARGIN],
        nticks=6,
        zeroline=False,
    )
    figure.update_yaxes(range=[len(known) - 0.5, -0.8], showgrid=False, ticksuffix=" ")
    return figure


def _bars(values: object, low: object, high: object, color: str) -> dict[str, object]:
    """Error bars of intervals that need not be symmetric."""
    middle, bottom, top = (np.asarray(x, dtype=float) for x in (values, low, high))
    return {
        "type": "data",
        "array": top - middle,
        "arrayminus": middle - bottom,
        "symmetric": False,
        "color": color,
        "thickness": 2,
        "width": 5,
    }
