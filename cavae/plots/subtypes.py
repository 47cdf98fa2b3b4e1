"""Subtypes side by side, and the criterion by which their number was chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from cavae.numbers import signed
from cavae.plots.colors import AMBER, EFFECT_SCALE, LINE, effect_limit
from cavae.plots.layout import transparent

if TYPE_CHECKING:
    from cavae.subtypes import Change, Subtype

SHOWN = 15
"""Structures in the picture, about: each subtype brings its strongest."""
ROW = 22
"""Pixels of a bar."""


def plot_subtypes(found: Sequence[Subtype], names: Sequence[str]) -> go.Figure:
    """Plot what each subtype changes most, all of them on the same structures and scale.

    The paper's future work; its Table 1 lists the regions of the three made-up subtypes.

    Args:
        found: what `describe_subtypes` gives.
        names: title of each panel.

    Returns:
        Bars of the mean effect in SD, left and right taken together.
    """
    by_label = [{change.label: change for change in one.structures} for one in found]
    rows = _rows(found)[::-1]
    limit = effect_limit(change.effect for one in found for change in one.structures)
    figure = make_subplots(
        1, len(found), shared_yaxes=True, horizontal_spacing=0.03, subplot_titles=list(names)
    )
    for column, changes in enumerate(by_label, start=1):
        figure.add_trace(_bars(rows, changes, limit), row=1, col=column)
    transparent(figure, 110 + ROW * len(rows))
    figure.update_layout(showlegend=False, bargap=0.15, margin={"t": 50})
    figure.update_annotations(font_size=13)
    low, high = _range(rows, by_label)
    figure.update_xaxes(
        title_text="Effect (SD)", range=[low, high], zeroline=True, nticks=10 // len(found) + 2
    )
    figure.update_yaxes(showgrid=False, automargin=True)
    return figure


def _rows(found: Sequence[Subtype]) -> list[str]:
    """Return the strongest structures of each subtype, each where it is changed most."""
    shown = {
        change.label for one in found for change in one.structures[: max(3, SHOWN // len(found))]
    }
    effects = {
        label: [
            next((abs(c.effect) for c in one.structures if c.label == label), 0.0) for one in found
        ]
        for label in shown
    }
    return sorted(
        shown, key=lambda label: (effects[label].index(max(effects[label])), -max(effects[label]))
    )


def _range(rows: Sequence[str], by_label: Sequence[Mapping[str, Change]]) -> tuple[float, float]:
    """Return an axis for all panels, with room for the numbers beyond the bars."""
    values = [c[label].effect for c in by_label for label in rows if label in c] or [0.0]
    low, high = min(0.0, *values), max(0.0, *values)
    room = 0.12 * len(by_label) * (high - low)
    return (low - room if low else -0.1 * high), (high + room if high else -0.1 * low)


def _bars(rows: Sequence[str], changes: Mapping[str, Change], limit: float) -> go.Bar:
    known = [changes.get(label) for label in rows]
    return go.Bar(
        x=[0.0 if one is None else one.effect for one in known],
        y=list(rows),
        orientation="h",
        marker={
            "color": [0.0 if one is None else one.effect for one in known],
            "cmin": -limit,
            "cmax": limit,
            "colorscale": EFFECT_SCALE,
            "line": {"width": 0},
        },
        text=["" if one is None else signed(one.effect, 1) for one in known],
        textposition="outside",
        cliponaxis=False,
        hovertext=[_words(label, one) for label, one in zip(rows, known, strict=True)],
        hoverinfo="text",
    )


def _words(label: str, change: Change | None) -> str:
    if change is None:
        return f"{label}: no clear change"
    share = "" if change.percent != change.percent else f", {signed(change.percent, 0)} %"
    return f"{label}: {signed(change.effect, 1)} SD{share}"


def plot_criterion(criterion: Mapping[int, float], height: int = 260) -> go.Figure:
    """Plot the BIC of the salient mixture by its number of subtypes, the lowest marked.

    Args:
        criterion: BIC by number of subtypes.
        height: pixels.
    """
    numbers, values = list(criterion), list(criterion.values())
    best = min(criterion, key=criterion.__getitem__)
    figure = go.Figure(
        go.Scatter(
            x=numbers,
            y=values,
            mode="lines+markers",
            line={"color": LINE, "width": 2},
            marker={
                "size": [14 if number == best else 9 for number in numbers],
                "color": [AMBER if number == best else LINE for number in numbers],
                "opacity": 1,
            },
            hovertemplate="%{x}: BIC %{y:,.1f}<extra></extra>",
        )
    )
    figure.add_annotation(
        x=best, y=criterion[best], text=f"<b>{best} chosen</b>", ay=-28, ax=0, arrowcolor=LINE
    )
    transparent(figure, height)
    spread = max(values) - min(values) or 1.0
    figure.update_xaxes(
        title_text="Subtypes (number)", tickvals=numbers, range=[0.5, len(numbers) + 0.5]
    )
    figure.update_yaxes(
        title_text="BIC (no unit, lower is better)",
        tickformat=",",
        range=[min(values) - 0.15 * spread, max(values) + 0.35 * spread],
    )
    return figure
