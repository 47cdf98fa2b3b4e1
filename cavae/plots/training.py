"""A model while it learns: distance to people it does not learn from, and the loss term by term."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from cavae.plots.colors import GREY, group_color
from cavae.plots.layout import transparent

DISTANCES = {"w2_background": "Distance, background", "w2_target": "Distance, target"}
TERMS = {
    "target_reconstruction": "Reconstruction, target",
    "background_reconstruction": "Reconstruction, background",
    "mmd": "MMD of common z",
    "total_correlation": "Total correlation",
    "target_salient_kl": "KL of salient s",
    "target_common_kl": "KL of z, target",
    "background_common_kl": "KL of z, background",
    "salient_silence": "Salient silence",
}
DASHES = ("solid", "dash", "dot", "dashdot")
COLORS = ("#D55E00", "#0072B2", "#009E73", "#CC79A7")


def plot_training(history: Sequence[Mapping[str, Any]]) -> go.Figure:
    """Curves over epochs, from entries as `jobs.Job.history` has them, at least one.

    Left: squared 2-Wasserstein distance of generated to validation people (SD²), the best epoch
    marked. Right: the terms of the loss.
    """
    figure = make_subplots(
        cols=2,
        horizontal_spacing=0.12,
        subplot_titles=("Distance to people held out", "What is minimized, term by term"),
    )
    looks = [entry for entry in history if entry["w2_target"] is not None]
    for name, label in DISTANCES.items():
        line = {
            "color": group_color(name.removeprefix("w2_")),
            "dash": "dot" if name == "w2_background" else "solid",
        }
        x, y = [e["epoch"] for e in looks], [e[name] for e in looks]
        figure.add_scatter(x=x, y=y, name=label, line=line, row=1, col=1)
    if best := history[-1]["best_epoch"]:
        figure.add_vline(
            x=best,
            line={"color": GREY, "dash": "dash", "width": 1},
            annotation={"text": "best", "textangle": -90, "yanchor": "top"},
            annotation_position="top left",
            row=1,
            col=1,
        )
    epochs = [entry["epoch"] for entry in history]
    shown = [name for name in TERMS if name in history[-1]["terms"]]
    for k, name in enumerate(shown):
        values = [entry["terms"][name] for entry in history]
        line = {"color": COLORS[k % 4], "dash": DASHES[k // 4], "width": 1.8}
        figure.add_scatter(x=epochs, y=values, name=TERMS[name], line=line, row=1, col=2)
    figure.update_xaxes(title="Epoch", rangemode="tozero")
    figure.update_yaxes(title="W2 (SD²)", rangemode="tozero", row=1, col=1)
    figure.update_yaxes(title="Loss (nats)", type="log", dtick=1, row=1, col=2)
    transparent(figure, 380)
    below = {"orientation": "h", "x": 0, "xanchor": "left", "y": -0.25, "yanchor": "top"}
    return figure.update_layout(legend=below)
