"""A model while it learns: how near it comes to people held out, each term of its loss, and those
people in both latent spaces."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from cavae.plots.colors import GREY, OTHERS, POINT_EDGE, group_color, group_symbol
from cavae.plots.layout import transparent
from cavae.scatter import Scatter

History = Mapping[str, Any]

COHORTS = {"background": "Healthy", "target": "Disease"}
DISTANCES = ("w2_background", "w2_target", "floor_background", "floor_target")
SPACES = {"leakage_auc": "z", "separation_auc": "s"}
TOOLS = ["zoom", "pan", "select", "lasso", "zoomIn", "zoomOut", "autoScale", "resetScale"]
HEIGHT = 340
MOST = 400  # points of a curve
NEAREST = 3.0  # prior SD: a scatter shows at least so far


@dataclass(frozen=True)
class Line:
    """The curve of a term of the loss; its label at the end is lifted by so many pixels."""

    key: str
    cohort: str = ""
    dash: str = "solid"
    label: str = ""
    lift: int = 0


PANELS = {
    "Reconstruction": (
        Line("background_reconstruction", "background"),
        Line("target_reconstruction", "target"),
    ),
    "KL to the prior": (
        Line("background_common_kl", "background"),
        Line("target_common_kl", "target", label="z", lift=-7),
        Line("target_salient_kl", "target", "dot", "s", lift=7),
    ),
    "Unlikeness of z (MMD)": (Line("mmd"),),
    "Total correlation": (Line("total_correlation"),),
    "Salient silence": (Line("salient_silence", "background"),),
}
"""The terms of the loss, those of one meaning together, by the title of their panel."""


def plot_learning(history: Sequence[History], wide: bool = False) -> go.Figure:
    """What is learned, over epochs, from entries as `jobs.Job.history` has them, at least one.

    The squared 2-Wasserstein distance of generated to validation people (SD²), beside that of real
    people, and how well z and s tell the cohorts apart; below each other unless there is room.
    """
    spaces = [
        label for key, label in SPACES.items() if any(one[key] is not None for one in history)
    ]
    titles = ["Distance to people held out", f"Groups told apart by {' and '.join(spaces) or 'z'}"]
    rows, cols = (1, 2) if wide else (2, 1)
    figure = make_subplots(
        rows, cols, subplot_titles=titles, vertical_spacing=0.2, horizontal_spacing=0.08
    )
    _add_distances(figure, history, 1, 1)
    _add_separation(figure, history, rows, cols)
    figure.update_xaxes(title="Epoch", row=rows)
    return _finished(figure, HEIGHT)


def plot_terms(history: Sequence[History]) -> go.Figure:
    """The terms of the loss (nats) over epochs, from entries as for `plot_learning`."""
    there, history = history[-1]["terms"], _some(history)
    panels = {
        title: lines for title, lines in PANELS.items() if any(one.key in there for one in lines)
    }
    figure = make_subplots(1, len(panels), subplot_titles=list(panels), horizontal_spacing=0.05)
    for column, lines in enumerate(panels.values(), start=1):
        _add_terms(figure, history, [one for one in lines if one.key in there], 1, column)
    figure.update_xaxes(title="Epoch")
    figure.update_yaxes(title="nats", title_standoff=0, col=1)
    return _finished(figure, 190).update_layout(showlegend=False)


def plot_people(scatter: Scatter) -> go.Figure:
    """Validation people in both latent spaces, common z and salient s, prior SD; in z alone where
    s is the same for everyone."""
    titles = [f"Common z: should mix{_auc(scatter.leakage_auc)}"]
    if scatter.salient.any():
        titles.append(f"Salient s: should part{_auc(scatter.separation_auc)}")
    figure = make_subplots(1, len(titles), horizontal_spacing=0.1, subplot_titles=titles)
    for column, _ in enumerate(titles, start=1):
        seen = scatter.common if column == 1 else scatter.salient
        _add_people(figure, seen, scatter.is_target, column)
    figure.update_xaxes(title="first direction (prior SD)")
    figure.update_yaxes(title="second direction", title_standoff=2, col=1)
    return _finished(figure, HEIGHT)


def _add_people(
    figure: go.Figure, seen: NDArray[np.float64], is_target: NDArray[np.bool_], column: int
) -> None:
    for cohort, label in COHORTS.items():
        people = seen[is_target == (cohort == "target")]
        figure.add_scatter(
            x=people[:, 0],
            y=people[:, 1],
            mode="markers",
            name=label,
            legendgroup=label,
            showlegend=column == 1,
            marker={
                "color": group_color(cohort),
                "symbol": group_symbol(cohort),
                "size": 7,
                "opacity": 0.75,
                "line": POINT_EDGE,
            },
            hoverinfo="skip",
            row=1,
            col=column,
        )
    reach = max(NEAREST, math.ceil(float(np.abs(seen).max(initial=0.0))))
    for update in (figure.update_xaxes, figure.update_yaxes):
        update(range=(-reach, reach), zeroline=False, nticks=7, row=1, col=column)


def _add_distances(figure: go.Figure, history: Sequence[History], row: int, col: int) -> None:
    looks = _some([entry for entry in history if entry["w2_target"] is not None])
    for cohort, label in COHORTS.items():
        color = group_color(cohort)
        figure.add_scatter(
            x=[entry["epoch"] for entry in looks],
            y=[entry[f"w2_{cohort}"] for entry in looks],
            name=label,
            line={"color": color, "width": 2},
            row=row,
            col=col,
        )
        if looks:
            floor = {"color": color, "dash": "dash", "width": 1.2}
            figure.add_hline(y=looks[-1][f"floor_{cohort}"], line=floor, row=row, col=col)
    if best := history[-1]["best_epoch"]:
        figure.add_vline(x=best, line={"color": GREY, "dash": "dot", "width": 1}, row=row, col=col)
    measured = [entry[key] for entry in looks[:1] + looks[-1:] for key in DISTANCES]
    figure.update_yaxes(
        type="log",
        tickvals=_round_numbers(measured),
        title="SD²",
        title_standoff=0,
        row=row,
        col=col,
    )


def _add_separation(figure: go.Figure, history: Sequence[History], row: int, col: int) -> None:
    for (key, label), color in zip(SPACES.items(), OTHERS, strict=False):
        looks = _some([entry for entry in history if entry[key] is not None])
        x, y = [entry["epoch"] for entry in looks], [entry[key] for entry in looks]
        line = {"color": color, "width": 2}
        figure.add_scatter(x=x, y=y, name=label, showlegend=False, line=line, row=row, col=col)
        _label_end(figure, x, y, label, row, col)
    chance = {"color": GREY, "dash": "dash", "width": 1.2}
    figure.add_hline(y=0.5, line=chance, row=row, col=col)
    figure.update_yaxes(range=(0.3, 1.02), title="AUC", title_standoff=0, row=row, col=col)


def _add_terms(
    figure: go.Figure, history: Sequence[History], lines: list[Line], row: int, col: int
) -> None:
    x = [entry["epoch"] for entry in history]
    for one in lines:
        y = [entry["terms"][one.key] for entry in history]
        color = group_color(one.cohort) if one.cohort else GREY
        name = f"{COHORTS.get(one.cohort, '')} {one.label}".strip()
        figure.add_scatter(
            x=x,
            y=y,
            name=name,
            showlegend=False,
            line={"color": color, "dash": one.dash, "width": 1.6},
            row=row,
            col=col,
        )
        if one.label:
            _label_end(figure, x, y, one.label, row, col, one.lift)
    figure.update_yaxes(rangemode="tozero", nticks=4, row=row, col=col)


def _label_end(
    figure: go.Figure,
    x: Sequence[float],
    y: Sequence[float],
    label: str,
    row: int,
    col: int,
    lift: int = 0,
) -> None:
    if x:
        look = {"showarrow": False, "xanchor": "left", "xshift": 4, "yshift": lift}
        figure.add_annotation(x=x[-1], y=y[-1], text=label, **look, row=row, col=col)


def _finished(figure: go.Figure, height: int) -> go.Figure:
    """As all of these pictures look: the legend in the top left corner, above the titles."""
    transparent(figure, height)
    figure.update_annotations(font_size=14)
    figure.update_xaxes(rangemode="tozero", nticks=6, title_standoff=2)
    figure.update_layout(margin={"t": 52}, dragmode=False, modebar={"remove": TOOLS})
    return figure.update_layout(legend={"y": 1.0, "yref": "container", "yanchor": "top"})


def _round_numbers(values: Sequence[float]) -> list[float]:
    """Ticks of a logarithmic axis: a few round numbers between the values."""
    if not values:
        return []
    low, high = min(values), max(values)
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [one * 10.0**power for power in powers for one in (1, 1.5, 2, 3, 5, 7)]
    between = [tick for tick in ticks if 0.8 * low <= tick <= 1.1 * high]
    return between[:: -(-len(between) // 5)] if between else []


def _some(entries: Sequence[History]) -> Sequence[History]:
    """At most MOST of them, the last among them: a curve is drawn again each second."""
    step = -(-len(entries) // MOST)
    return entries[(len(entries) - 1) % step :: step] if entries else entries


def _auc(value: float) -> str:
    return "" if math.isnan(value) else f" (AUC {value:.2f})"
