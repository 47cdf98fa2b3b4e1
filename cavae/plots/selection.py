"""Picked people stand out in a figure; all others step back."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import plotly.graph_objects as go

FADED = 0.12
"""Opacity of the people who were not picked."""


def highlight(figure: go.Figure, subject_ids: Collection[str]) -> go.Figure:
    """Let picked people stand out, in any figure whose points have `customdata` [subject_id].

    Args:
        figure: changed in place; as it is when nobody is picked.
        subject_ids: of the picked people; those who are not in the figure do not matter.
    """
    if not subject_ids:
        return figure
    picked = list(subject_ids)
    for trace in figure.data:
        if trace.customdata is None:
            continue
        here = np.isin(np.asarray(trace.customdata, dtype=str)[:, 0], picked)
        trace.selectedpoints = np.flatnonzero(here).tolist()
        trace.selected = {"marker": {"opacity": 1.0}}
        trace.unselected = {"marker": {"opacity": FADED}}
    return figure
