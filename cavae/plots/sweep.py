"""A sweep: a metric by λ, a dot a training, and the mean of each model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from cavae.plots.colors import BLUE, LINE, OTHERS, VERMILLION, see_through
from cavae.plots.layout import inert, transparent
from cavae.sweep import ENOUGH

HEIGHT = 340
APART, NARROW = 0.16, 0.05  # of the step between two λ: models, and dots of one model
COLORS = (BLUE, VERMILLION, *OTHERS)
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "star")


def plot_sweep(
    runs: pd.DataFrame, summary: pd.DataFrame, models: Sequence[str], title: str, best: float
) -> go.Figure:
    """Plot one metric of a sweep.

    Args:
        runs: columns model (a name), lambda, seed, fold, value; one row a training, at least one.
        summary: columns model, lambda, mean, low, high, runs.
        models: every name that there will be, so that each keeps its colour while runs come in.
        title: of the metric's axis, with its unit.
        best: where a dotted line is drawn; nan: nowhere.
    """
    weights = sorted(runs["lambda"].unique())
    figure = go.Figure()
    for number, model in enumerate(models):
        offset = APART * (number - (len(models) - 1) / 2)
        color, symbol = COLORS[number % len(COLORS)], SYMBOLS[number % len(SYMBOLS)]
        if model not in set(runs["model"]):
            continue
        mine = summary[summary["model"] == model].sort_values("lambda")
        figure.add_trace(_dots(runs[runs["model"] == model], weights, offset, color, symbol))
        figure.add_trace(_means(mine, weights, offset, color, symbol, inert(model)))
    if np.isfinite(best):
        figure.add_hline(y=best, line={"color": LINE, "width": 1.5, "dash": "dot"})
    figure.update_xaxes(
        title="λ, how strongly common z is made alike",
        tickvals=list(range(len(weights))),
        ticktext=[f"{weight:g}" for weight in weights],
        range=[-0.5, len(weights) - 0.5],
        zeroline=False,
    )
    figure.update_yaxes(title=title, zeroline=False)
    return transparent(figure, HEIGHT)


def _dots(
    runs: pd.DataFrame, weights: Sequence[float], offset: float, color: str, symbol: str
) -> go.Scatter:
    """Every training, beside each other in the order of seeds and folds."""
    place = runs.groupby("lambda").cumcount() % 5 - 2
    x = runs["lambda"].map(weights.index) + offset + NARROW * place / 2
    return go.Scatter(
        x=x,
        y=runs["value"],
        customdata=runs[["lambda", "seed", "fold"]],
        mode="markers",
        marker={"color": see_through(color, 0.6), "symbol": symbol, "size": 6},
        hovertemplate="λ %{customdata[0]:g}, seed %{customdata[1]}, fold %{customdata[2]}: "
        "%{y:.3f}<extra></extra>",
        showlegend=False,
    )


def _means(
    summary: pd.DataFrame,
    weights: Sequence[float],
    offset: float,
    color: str,
    symbol: str,
    name: str,
) -> go.Scatter:
    """The mean of each λ with its interval, joined by a line."""
    half = ((summary["high"] - summary["low"]) / 2).where(summary["runs"] >= ENOUGH)
    return go.Scatter(
        x=summary["lambda"].map(weights.index) + offset,
        y=summary["mean"],
        customdata=summary["runs"],
        error_y={"array": half, "color": color, "thickness": 1.5, "width": 4},
        mode="lines+markers",
        line={"color": color, "width": 1.5},
        marker={"color": color, "symbol": symbol, "size": 11},
        hovertemplate="mean of %{customdata} trainings: %{y:.3f}<extra></extra>",
        name=name,
    )
