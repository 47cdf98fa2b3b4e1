"""People in the latent spaces: one pair of dimensions, or all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from cavae.plots.colors import (
    GREY,
    LINE,
    NO_GROUP,
    POINT_EDGE,
    VALUE_SCALE,
    group_color,
    group_order,
    group_symbol,
)
from cavae.plots.layout import axis_title, density, inert, people_data, transparent

RADIUS_90 = float(np.sqrt(-2 * np.log(0.1)))
"""Of the circle that holds 90 % of a standard normal distribution in two dimensions."""
MANY = 1500
"""From this number of points on, they are drawn by WebGL."""


def plot_latent_pair(
    table: pd.DataFrame,
    x: str,
    y: str,
    color: str | None = None,
    marked: str | None = None,
    units: Mapping[str, str] | None = None,
    height: int = 460,
    outlines: Sequence[Outline] = (),
) -> go.Figure:
    """Plot people by two columns, usually two latent dimensions: one cell of Figures 2b, 3b and 4a.

    Args:
        table: one row a person: subject_id, x, y and, if given, the colour column.
        x: column, for example "salient_1".
        y: column.
        color: column of groups (text) or of numbers; one colour when None.
        marked: subject_id of a person to point at.
        units: unit by column, see `axis_title`.
        height: pixels.
        outlines: Gaussians to draw around groups, in the same two columns.

    Returns:
        A figure whose points have `customdata` [subject_id], for selections.
    """
    kind = go.Scattergl if len(table) >= MANY else go.Scatter
    figure = go.Figure()
    for part, look in _parts(table, color, units):
        figure.add_trace(
            kind(
                x=part[x].to_numpy(),
                y=part[y].to_numpy(),
                mode="markers",
                customdata=people_data(part),
                **look,
            )
        )
    add_outlines(figure, outlines)
    transparent(figure, height)
    figure.update_layout(legend_traceorder="reversed", dragmode="lasso")
    figure.update_xaxes(title_text=axis_title(x, units))
    figure.update_yaxes(title_text=axis_title(y, units))
    person = table[table["subject_id"] == marked]
    if len(person):
        place = person[x].iloc[0], person[y].iloc[0], str(marked)
        figure.add_trace(ring_around(*place))
        figure.add_annotation(name_beside(*place))
    return figure


def plot_latent_matrix(
    table: pd.DataFrame,
    columns: Sequence[str],
    color: str | None = None,
    units: Mapping[str, str] | None = None,
    height: int = 560,
) -> go.Figure:
    """Plot every pair of dimensions, and each one's density on the diagonal: Figures 2b, 3b, 4a.

    Fast for thousands of people: one WebGL trace a group.

    Args:
        table: one row a person: subject_id, the columns and, if given, the colour column.
        columns: dimensions, for example "common_1" … "common_5".
        color: column of groups (text) or of numbers; one colour when None.
        units: unit by column, see `axis_title`.
        height: pixels.

    Returns:
        A figure whose points have `customdata` [subject_id], for selections.
    """
    figure = go.Figure()
    size = max(3.0, 5.0 - len(table) / 1000)
    for part, look in _parts(table, color, units):
        look["marker"] |= {"size": size, "line": {"width": 0}, "opacity": 0.6}
        figure.add_trace(
            go.Splom(
                dimensions=[{"label": one, "values": part[one].to_numpy()} for one in columns],
                diagonal={"visible": False},
                showupperhalf=False,
                customdata=people_data(part),
                **look,
            )
        )
    transparent(figure, height)
    figure.update_layout(
        legend={"traceorder": "reversed", "itemsizing": "constant"}, dragmode="lasso"
    )
    _add_densities(figure, table, columns, color)
    _arrange(figure, table, columns, units)
    return figure


def without_webgl(figure: go.Figure, most: int = 450) -> go.Figure:
    """Return a matrix drawn as SVG, of every so many of its people when there are more than `most`.

    A browser grants a page a handful of WebGL pictures only, and paper needs lines, not pixels.
    """
    matrices = [trace for trace in figure.data if trace.type == "splom"]
    step = -(-sum(len(trace.customdata) for trace in matrices) // most)
    cells = [
        cell
        for trace in figure.data
        for cell in (_cells(trace, step) if trace.type == "splom" else [trace])
    ]
    return go.Figure(cells, figure.layout)


def _cells(matrix: go.Splom, step: int) -> Iterator[go.Scatter]:
    """Yield the cells below the diagonal, with every step-th person."""
    values = [np.asarray(dimension.values)[::step] for dimension in matrix.dimensions]
    look = {
        "name": matrix.name,
        "legendgroup": matrix.name,
        "marker": matrix.marker.to_plotly_json(),
    }
    for down in range(1, len(values)):
        for across in range(down):
            yield go.Scatter(
                x=values[across],
                y=values[down],
                xaxis=_axis("x", across + 1),
                yaxis=_axis("y", down + 1),
                mode="markers",
                customdata=np.asarray(matrix.customdata)[::step],
                hovertemplate=matrix.hovertemplate,
                showlegend=bool(matrix.showlegend) and (across, down) == (0, 1),
                **look,
            )


@dataclass(frozen=True)
class Outline:
    """A Gaussian in the two columns of a picture: its name, mean (2,) and covariance (2, 2)."""

    name: str
    mean: np.ndarray
    covariance: np.ndarray

    def ellipse(self) -> np.ndarray:
        """Return the ellipse that holds 90 % of it, (61, 2)."""
        angle = np.linspace(0, 2 * np.pi, 61)
        circle = np.column_stack([np.cos(angle), np.sin(angle)])
        root = np.linalg.cholesky(self.covariance + 1e-9 * np.eye(2))
        return self.mean + RADIUS_90 * circle @ root.T


def add_outlines(figure: go.Figure, outlines: Sequence[Outline]) -> None:
    """Draw Gaussians into a figure with one pair of axes, each named at its top."""
    for outline in outlines:
        points = outline.ellipse()
        figure.add_trace(
            go.Scatter(
                x=points[:, 0].tolist(),
                y=points[:, 1].tolist(),
                mode="lines",
                line={"color": LINE, "width": 2},
                name=outline.name,
                hoverinfo="skip",
                showlegend=False,
            )
        )
        top = points[points[:, 1].argmax()]
        figure.add_annotation(
            x=top[0], y=top[1], text=f"<b>{outline.name}</b>", yanchor="bottom", showarrow=False
        )


def ring_around(x: float, y: float, person: str) -> dict[str, Any]:
    """Return the ring around a person's point."""
    return {
        "type": "scatter",
        "x": [x],
        "y": [y],
        "mode": "markers",
        "marker": {"symbol": "circle-open", "size": 20, "color": LINE, "line": {"width": 4}},
        "customdata": [[person]],
        "hoverinfo": "skip",
        "showlegend": False,
    }


def name_beside(x: float, y: float, person: str) -> dict[str, Any]:
    """Return a person's name and the arrow from it to their point."""
    return {
        "x": x,
        "y": y,
        "text": f"<b>{inert(person)}</b>",
        "ax": 34,
        "ay": -34,
        "standoff": 10,
        "arrowcolor": LINE,
        "arrowwidth": 1.5,
    }


def is_continuous(values: pd.Series) -> bool:
    """Tell numbers, drawn on a scale, from groups, drawn in one colour each."""
    return pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)


def grouped(table: pd.DataFrame, column: str) -> Iterator[tuple[str, pd.DataFrame, list[str]]]:
    """Yield name ("not given" for none), rows and all names of each group, in their fixed order."""
    names = table[column].fillna("").astype(str).replace("", NO_GROUP)
    order = group_order(names)
    for name in order:
        yield name, table[names == name], order


def _parts(
    table: pd.DataFrame, color: str | None, units: Mapping[str, str] | None
) -> Iterator[tuple[pd.DataFrame, dict[str, Any]]]:
    """Yield the rows of each trace, and how they look; healthy people last, so on top.

    Healthy people lie close together in the salient space and would be hidden otherwise.
    """
    base = {"size": 8, "opacity": 0.75, "line": POINT_EDGE}
    if color is None:
        yield table, _look(base | {"color": group_color("CN")})
    elif is_continuous(table[color]):
        title = axis_title(color, units)
        scale = {"color": table[color].to_numpy(), "colorscale": VALUE_SCALE, "showscale": True}
        bar = {"title": {"text": title, "side": "right"}, "thickness": 12, "outlinewidth": 0}
        yield table, _look(base | scale | {"colorbar": bar}, f"{title}: %{{marker.color:.4g}}")
    else:
        for name, part, order in reversed(list(grouped(table, color))):
            style = {"color": group_color(name, order), "symbol": group_symbol(name, order)}
            look = _look(base | style, inert(name))
            yield part, look | {"name": f"{inert(name)} ({len(part)})", "showlegend": True}


def _look(marker: dict[str, Any], hover: str = "") -> dict[str, Any]:
    text = f"%{{customdata[1]}}<br>{hover}" if hover else "%{customdata[1]}"
    return {"marker": marker, "hovertemplate": f"{text}<extra></extra>", "showlegend": False}


def _add_densities(
    figure: go.Figure, table: pd.DataFrame, columns: Sequence[str], color: str | None
) -> None:
    """Add the density of each group in each diagonal cell, on axes of their own."""
    if color is None or is_continuous(table[color]):
        groups = [("everyone", table, GREY)]
    else:
        groups = [
            (name, part, group_color(name, all_)) for name, part, all_ in grouped(table, color)
        ]
    for place, column in enumerate(columns, start=1):
        grid = np.linspace(table[column].min(), table[column].max(), 80)
        for name, part, line in groups:
            figure.add_trace(
                go.Scatter(
                    x=grid,
                    y=density(part[column].to_numpy(dtype=float), grid),
                    xaxis=_axis("x", place),
                    yaxis=_axis("y", len(columns) + place),
                    mode="lines",
                    line={"color": line, "width": 1.5},
                    fill="tozeroy",
                    opacity=0.9,
                    name=inert(name),
                    hoverinfo="skip",
                    showlegend=False,
                )
            )


def _arrange(
    figure: go.Figure,
    table: pd.DataFrame,
    columns: Sequence[str],
    units: Mapping[str, str] | None,
) -> None:
    """Lay the axes of the matrix out: one column and one row a dimension, and the diagonal's."""
    count = len(columns)
    gap = 0.02
    cell = (1 - gap * (count - 1)) / count
    for place, column in enumerate(columns, start=1):
        start = (place - 1) * (cell + gap)
        low, high = table[column].min(), table[column].max()
        margin = 0.06 * (high - low) or 1.0
        shared = {"range": [low - margin, high + margin], "zeroline": False, "nticks": 4}
        end = min(1.0, start + cell)  # plotly refuses a domain that rounding puts outside 0 to 1
        across, down = [start, end], [1 - end, 1 - start]
        title = {"title": {"text": axis_title(column, units, short=True), "font": {"size": 11}}}
        figure.layout[f"xaxis{place if place > 1 else ''}"] = (
            shared | title | {"domain": across, "anchor": _axis("y", count)}
        )
        figure.layout[f"yaxis{place if place > 1 else ''}"] = (
            shared | title | {"domain": down, "anchor": "x"}
        )
        figure.layout[f"yaxis{count + place}"] = {
            "domain": down,
            "anchor": _axis("x", place),
            "visible": False,
            "rangemode": "tozero",
            "fixedrange": True,
        }


def _axis(letter: str, place: int) -> str:
    return letter if place == 1 else f"{letter}{place}"
