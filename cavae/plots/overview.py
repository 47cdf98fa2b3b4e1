"""A table at a glance: who is in it, and whether its volumes are those of the regions they name."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from cavae.atlas import roi
from cavae.cohort import Cohort
from cavae.plots.colors import BLUE, LINE, POINT_EDGE, group_color, group_symbol
from cavae.plots.latent import grouped
from cavae.plots.layout import inert, people_data, transparent

HIPPOCAMPI = ("47", "48")
BIN_YEARS = 5
MOST_POINTS = 2_000
"""People drawn one by one; of more, every so many."""


def plot_overview(cohort: Cohort, height: int = 330) -> go.Figure:
    """Plot age by sex, hippocampus by age, and every region's median against the typical volume.

    The paper has no such picture. Regions lie on the dotted line when a table is what it says; a
    table of other features has the ages alone.

    Args:
        cohort: the usable people of a table.
        height: pixels.
    """
    brains = cohort.kind == "muse"
    hippocampi = [index for index in HIPPOCAMPI if index in cohort.features] if brains else []
    panels = ["age", *(["hippocampus"] if hippocampi else []), *(["regions"] if brains else [])]
    titles = {
        "age": "Age and sex",
        "hippocampus": "Hippocampus" + (", left + right" if len(hippocampi) == 2 else ""),
        "regions": f"{cohort.features.shape[1]} regions",
    }
    figure = make_subplots(
        1, len(panels), subplot_titles=[titles[one] for one in panels], horizontal_spacing=0.14
    )
    figure.update_annotations(font_size=14)
    for column, panel in enumerate(panels, start=1):
        where = {"row": 1, "col": column}
        if panel == "age":
            _add_ages(figure, cohort.subjects, where, legend=not hippocampi)
        elif panel == "hippocampus":
            _add_hippocampus(figure, cohort, hippocampi, where)
        else:
            _add_regions(figure, cohort.features, where)
    transparent(figure, height)
    figure.update_layout(
        barmode="relative",
        bargap=0.08,
        margin={"t": 64},
        legend={"y": 1.13, "traceorder": "normal"},
    )
    figure.update_xaxes(zeroline=False)
    figure.update_yaxes(zeroline=False)
    return figure


def _add_ages(
    figure: go.Figure, subjects: pd.DataFrame, where: dict[str, int], *, legend: bool
) -> None:
    """Add bars of five years, women to the left and men to the right, stacked by diagnosis."""
    starts = (subjects["age"] // BIN_YEARS * BIN_YEARS).astype(int)
    bins = np.arange(starts.min(), starts.max() + BIN_YEARS, BIN_YEARS)
    highest = 1
    for sex, side in (("F", -1), ("M", 1)):
        of_sex = subjects["sex"] == sex
        highest = max(highest, int(starts[of_sex].value_counts().max() if of_sex.any() else 0))
        for name, part, order in grouped(subjects, "diagnosis"):
            here = starts[part.index[part["sex"] == sex]]
            counts = here.value_counts().reindex(bins, fill_value=0)
            figure.add_trace(
                go.Bar(
                    x=side * counts.to_numpy(),
                    y=bins + BIN_YEARS / 2,
                    orientation="h",
                    width=BIN_YEARS * 0.92,
                    marker={"color": group_color(name, order), "line": {"width": 0}},
                    name=inert(name),
                    legendgroup=name,
                    showlegend=legend and side < 0,
                    customdata=np.column_stack([bins, bins + BIN_YEARS - 1, counts]),
                    hovertemplate=f"{inert(name)}, {sex}, %{{customdata[0]}}–%{{customdata[1]}} "
                    "years: %{customdata[2]}<extra></extra>",
                ),
                **where,
            )
        figure.add_annotation(
            text=f"<b>{sex}</b>",
            x=0.03 if side < 0 else 0.97,
            xref="x domain",
            y=1.0,
            yref="y domain",
            showarrow=False,
            **where,
        )
    ticks = _even_ticks(highest)
    figure.update_xaxes(
        title_text="People",
        tickvals=[*(-t for t in ticks[:0:-1]), *ticks],
        ticktext=[*(str(t) for t in ticks[:0:-1]), *(str(t) for t in ticks)],
        range=[-1.15 * highest, 1.15 * highest],
        **where,
    )
    top = bins[-1] + BIN_YEARS
    figure.update_yaxes(
        title_text="Age (years)",
        range=[bins[0], top + 0.12 * (top - bins[0])],  # room for the letters
        dtick=BIN_YEARS if len(bins) < 6 else None,
        showgrid=False,
        **where,
    )


def _even_ticks(highest: int) -> list[int]:
    """Return 0 and one or two round counts up to the highest."""
    step = next(s * 10**e for e in range(9) for s in (1, 2, 5) if s * 10**e * 2.5 >= highest)
    return list(range(0, highest + 1, step))


def _add_hippocampus(
    figure: go.Figure, cohort: Cohort, indices: list[str], where: dict[str, int]
) -> None:
    """Add everyone's hippocampus by age, and the typical volume as a dotted line."""
    table = cohort.subjects.assign(volume=cohort.features[indices].sum(axis=1))
    table = table.iloc[:: -(-len(table) // MOST_POINTS)]
    for name, part, order in reversed(list(grouped(table, "diagnosis"))):
        figure.add_trace(
            go.Scatter(
                x=part["age"].to_numpy(),
                y=part["volume"].to_numpy(),
                mode="markers",
                marker={
                    "color": group_color(name, order),
                    "symbol": group_symbol(name, order),
                    "size": 6,
                    "opacity": 0.75,
                    "line": POINT_EDGE,
                },
                name=inert(name),
                legendgroup=name,
                legendrank=1000 + order.index(name),
                customdata=people_data(part),
                hovertemplate=f"%{{customdata[1]}}<br>{inert(name)}: %{{x:.0f}} years, "
                "%{y:,.0f} mm³<extra></extra>",
            ),
            **where,
        )
    typical = sum(roi(index).typical for index in indices)
    ages = [table["age"].min() - 2, table["age"].max() + 2]  # A line even where one person is.
    _add_line(figure, ages, [typical] * 2, "typical at 65", where)
    figure.update_xaxes(title_text="Age (years)", showgrid=False, **where)
    figure.update_yaxes(title_text="Volume (mm³)", tickformat=",", nticks=5, **where)


def _add_regions(figure: go.Figure, features: pd.DataFrame, where: dict[str, int]) -> None:
    """Add each region's median by its typical volume, both on log scales, and the line of both."""
    median = features.median()
    known = [roi(index) for index in features]
    typical = np.array([one.typical for one in known])
    span = np.array([0.8 * typical.min(), 1.25 * typical.max()])
    _add_line(figure, span, span, "as typical", where)
    figure.add_trace(
        go.Scatter(
            x=typical,
            y=median.to_numpy(),
            mode="markers",
            marker={"color": BLUE, "size": 5, "opacity": 0.8, "line": POINT_EDGE},
            text=[one.label for one in known],
            name="regions",
            showlegend=False,
            hovertemplate="%{text}<br>here %{y:,.0f} mm³, typical %{x:,.0f} mm³<extra></extra>",
        ),
        **where,
    )
    for axis, words in (
        (figure.update_xaxes, "Typical (mm³)"),
        (figure.update_yaxes, "Median here (mm³)"),
    ):
        axis(title_text=words, type="log", tickvals=[1e3, 1e4, 1e5], tickformat=",", **where)


def _add_line(figure: go.Figure, x, y, name: str, where: dict[str, int]) -> None:
    figure.add_trace(
        go.Scatter(
            x=x,
            y=y,
            mode="lines",
            line={"color": LINE, "width": 1.5, "dash": "dot"},
            name=name,
            showlegend=False,
            hoverinfo="skip",
        ),
        **where,
    )
    figure.add_annotation(
        text=name,
        x=1,
        xref="x domain",
        xanchor="right",
        y=np.log10(y[-1]) if name == "as typical" else y[-1],
        yanchor="bottom",
        showarrow=False,
        font={"size": 11},
        **where,
    )
