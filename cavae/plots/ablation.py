"""Figure A1 of the paper: variants side by side, fold by fold."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from cavae.plots.colors import BLUE, LINE, VERMILLION, see_through
from cavae.plots.layout import transparent

ROW_HEIGHT, FRAME_HEIGHT = 34, 110  # pixels


def plot_common_auc_by_variant(folds: pd.DataFrame) -> go.Figure:
    """Plot Figure A1a: AUC of target against background on common z, a box a variant.

    Args:
        folds: columns variant, fold, metric, value, as `ablation.read_folds` gives them; variants
            are drawn in their order, from the top.
    """
    title = "AUC of target against background<br>on common z (no unit; 0.5 is best)"
    return _boxes(folds, "common_auc", title, best=0.5, color=BLUE)


def plot_completeness_by_variant(folds: pd.DataFrame) -> go.Figure:
    """Plot Figure A1b: completeness of clusters of salient s, a box a variant.

    Args:
        folds: as for `plot_common_auc_by_variant`.
    """
    title = "Completeness of clusters<br>of salient s (no unit; 1 is best)"
    return _boxes(folds, "completeness", title, best=1.0, color=VERMILLION)


def _boxes(folds: pd.DataFrame, metric: str, title: str, best: float, color: str) -> go.Figure:
    shown = folds[folds["metric"] == metric]
    variants = list(dict.fromkeys(shown["variant"]))
    figure = go.Figure(
        go.Box(
            x=shown["value"],
            y=shown["variant"],
            customdata=shown["fold"],
            orientation="h",
            boxpoints="all",
            pointpos=0,
            jitter=0.4,
            line={"color": color, "width": 1.5},
            fillcolor=see_through(color, 0.25),
            marker={"color": color, "size": 6},
            hovertemplate="%{y}, fold %{customdata}: %{x:.3f}<extra></extra>",
            showlegend=False,
        )
    )
    figure.add_vline(x=best, line={"color": LINE, "width": 1, "dash": "dot"})
    figure.update_xaxes(title=title, zeroline=False)
    figure.update_yaxes(categoryorder="array", categoryarray=variants[::-1], automargin=True)
    return transparent(figure, FRAME_HEIGHT + ROW_HEIGHT * len(variants))
