"""Tables in, plotly figures out; nothing here knows Streamlit."""

from cavae.plots.brain import plot_brain
from cavae.plots.colors import PALETTE, group_color, group_order, group_symbol

__all__ = ["PALETTE", "group_color", "group_order", "group_symbol", "plot_brain"]
