"""Tables in, plotly figures out; nothing here knows Streamlit.

Backgrounds are transparent and fonts are the page's, so that figures suit a light and a dark theme.
"""

from cavae.plots.ablation import plot_common_auc_by_variant, plot_completeness_by_variant
from cavae.plots.brain import plot_brain
from cavae.plots.cohorts import plot_distributions, plot_severity
from cavae.plots.colors import PALETTE, group_color, group_order, group_symbol
from cavae.plots.latent import plot_latent_matrix, plot_latent_pair
from cavae.plots.selection import highlight
from cavae.plots.subtypes import plot_criterion, plot_subtypes
from cavae.plots.volumes import plot_effect_ranking, plot_paired_volumes

__all__ = [
    "PALETTE",
    "group_color",
    "group_order",
    "group_symbol",
    "highlight",
    "plot_brain",
    "plot_common_auc_by_variant",
    "plot_completeness_by_variant",
    "plot_criterion",
    "plot_distributions",
    "plot_effect_ranking",
    "plot_latent_matrix",
    "plot_latent_pair",
    "plot_paired_volumes",
    "plot_severity",
    "plot_subtypes",
]
