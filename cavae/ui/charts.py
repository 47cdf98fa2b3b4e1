"""Figures on a page, all drawn alike: few tools, out of the way, and a text for screen readers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

if TYPE_CHECKING:
    import plotly.graph_objects as go

READABLE = Path(__file__).parents[2] / "assets" / "readable.css"
TOOLS = ["zoomIn2d", "zoomOut2d", "autoScale2d"]


def make_readable() -> None:
    """Let the words of figures and sliders have the page's own colour."""
    st.html(READABLE)


def draw(figure: go.Figure, key: str, alt: str, **selection: Any) -> None:
    """Draw a figure at the width of its place; `alt` says in words what is in it.

    `selection`: on_select and selection_mode of `st.plotly_chart`.
    """
    # Tools stand upright at the right edge: in one line they would lie on the legend.
    figure.update_layout(modebar={"orientation": "v", "bgcolor": "rgba(0,0,0,0)"})
    config = {"displaylogo": False, "modeBarButtonsToRemove": TOOLS}
    st.plotly_chart(figure, key=key, alt=alt, config=config, **selection)
