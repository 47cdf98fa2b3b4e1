"""Figures on a page, all drawn alike: few tools, out of the way, and a text for screen readers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from cavae.ui import theme

if TYPE_CHECKING:
    import plotly.graph_objects as go

TOOLS = ["zoomIn2d", "zoomOut2d", "autoScale2d"]


def draw(figure: go.Figure, key: str, alt: str, **selection: Any) -> None:
    """Draw a figure at the width of its place; `alt` says in words what is in it.

    `selection`: on_select and selection_mode of `st.plotly_chart`.
    """
    # Tools stand upright at the right edge: in one line they would lie on the legend.
    figure.update_layout(modebar={"orientation": "v", "bgcolor": "rgba(0,0,0,0)"})
    # Streamlit's own colour for the words of figures is too faint for numbers.
    if (color := theme.text_color()) is not None:
        figure.update_layout(font_color=color)
        for axes in (figure.update_xaxes, figure.update_yaxes):
            axes(tickfont_color=color, title_font_color=color)
    config = {"displaylogo": False, "modeBarButtonsToRemove": TOOLS}
    st.plotly_chart(figure, key=key, alt=alt, config=config, **selection)
