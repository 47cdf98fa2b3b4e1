"""What all figures share: transparent backgrounds, legend on top, numbers as people write them."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from cavae import numbers
from cavae.atlas import roi
from cavae.cohort.text import shown
from cavae.errors import DataError
from cavae.numbers import signed

CLEAR = "rgba(0,0,0,0)"
FRAME = {
    "paper_bgcolor": CLEAR,
    "plot_bgcolor": CLEAR,
    "hovermode": "closest",
    "margin": {"l": 8, "r": 8, "t": 40, "b": 8},
    "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": 1.0, "yanchor": "bottom"},
}
Interval = tuple[float, float]
TITLES = {
    "age": ("Age", "years"),
    "icv": ("Intracranial volume", "mm³"),
    "mad": ("Mean absolute difference from the healthy twin", "SD"),
    "effect_mad": ("Mean absolute effect", "SD"),
    "severity": ("Severity", "SD"),
}
"""Words and unit of the columns that tables of the core have."""
PATTERNS = {
    r"common_(\d+)": ("Common z{}", "prior SD"),
    r"salient_(\d+)": ("Salient s{}", "prior SD"),
    r"pca_(\d+)": ("Principal component PC{}", "prior SD"),
    r"umap_(\d+)": ("UMAP {}", "no unit"),
}
ROI_PATTERNS = {
    r"(\d+)": ("{}", "mm³"),
    r"healthy_(\d+)": ("{}, healthy twin", "mm³"),
    r"observed_(\d+)": ("{}", "SD"),
    r"effect_(\d+)": ("{}, effect", "SD"),
}


def transparent(figure: go.Figure, height: int) -> go.Figure:
    """Let the page show through and put the legend on top; fonts and their colours stay the page's.

    Args:
        figure: changed in place.
        height: pixels.
    """
    return figure.update_layout(FRAME, height=height)


def composed(traces: Sequence[Any], height: int, layout: Mapping[str, Any]) -> go.Figure:
    """Put together a figure that looks as `transparent` makes it, for those drawn at every click.

    Plotly is not asked to check the parts: that takes most of the time of a page, and the tests
    have it check what each function draws.

    Args:
        traces: as plotly has them, objects or dictionaries.
        height: pixels.
        layout: what else there is to say, before what all figures have in common.
    """
    parts = {"data": list(traces), "layout": FRAME | {"height": height} | dict(layout)}
    return go.Figure(parts, _validate=False)


def inert(text: object) -> str:
    """A stranger's text (id, diagnosis, column name) as plotly shows it letter by letter.

    Plotly would take tags for markup, links among them, and "%{x}" for a place to fill in; one
    line, at most 60 characters, no control characters.
    """
    return html.escape(shown(text), quote=False).replace("%{", "&#37;{")


def people_data(table: pd.DataFrame) -> np.ndarray:
    """`customdata` of the points of people: subject_id, and how it is shown, (n, 2)."""
    ids = table["subject_id"].astype(str)
    return np.column_stack([ids, [inert(one) for one in ids]]).astype(str)


def density(values: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """Return the Gaussian kernel density of values at the points of a grid (Scott's width).

    Args:
        values: (n,) numbers; those that are not finite are left out.
        grid: (g,) points.

    Returns:
        (g,) densities, all 0 for fewer than two different values.
    """
    values = values[np.isfinite(values)]
    if len(values) < 2 or np.ptp(values) == 0:
        return np.zeros_like(grid)
    spread = min(
        values.std(ddof=1), np.subtract(*np.percentile(values, [75, 25])) / 1.349 or np.inf
    )
    width = 1.06 * spread * len(values) ** -0.2
    kernels = np.exp(-0.5 * ((grid[:, None] - values) / width) ** 2)
    return kernels.sum(axis=1) / (len(values) * width * np.sqrt(2 * np.pi))


def axis_title(column: str, units: Mapping[str, str] | None = None, short: bool = False) -> str:
    """Return a column's name for people, with its unit: "Salient s1 (prior SD)".

    Args:
        column: of a table of the core ("age", "salient_1", "effect_47"), or a person's own.
        units: unit by column, where it is not the usual one; own columns have none otherwise.
        short: only the last word of a latent dimension's name, "s1 (prior SD)".
    """
    words, usual = _title(column)
    if short and usual == "prior SD":
        words = words.split()[-1]
    unit = (units or {}).get(column, usual)
    return f"{words} ({unit})" if unit else words


def feature_label(feature: str) -> str:
    """Return an ROI's name for people, or a feature's own name when it is no MUSE index."""
    try:
        return roi(feature).label
    except DataError:
        return feature


def effect_words(value: float, unit: str, interval: Interval | None = None) -> str:
    """Return "−1.83 SD", or with its interval "−1.8 SD (90 % interval −2.3 to −1.2)"."""
    if interval is None:
        return f"{signed(value, 2)} {unit}"
    return f"{signed(value, 1)} {unit} (90 % interval {numbers.interval(*interval)})"


def _title(column: str) -> tuple[str, str]:
    if column in TITLES:
        return TITLES[column]
    for pattern, (words, unit) in PATTERNS.items():
        if match := re.fullmatch(pattern, column):
            return words.format(match[1]), unit
    for pattern, (words, unit) in ROI_PATTERNS.items():
        match = re.fullmatch(pattern, column)
        if match and feature_label(match[1]) != match[1]:
            return words.format(feature_label(match[1])), unit
    return inert(column), ""
