"""Sliders for salient s: a person's own values to begin with, and the way back to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cavae import numbers
from cavae.plots.layout import feature_label
from cavae.ui import results, state

if TYPE_CHECKING:
    from cavae.checkpoint import Model
    from cavae.person import Person

Array = NDArray[np.float64]

STEP = 0.1
VISIBLE = 0.05
"""Change in SD below which a region counts as unchanged: it would be written as 0.0."""
PRIOR_REACH = 3.0
"""Prior SD on both sides of zero that sliders reach at least: nearly all of the prior."""


def salient_sliders(model: Model, shown: Person, table: state.Loaded | None) -> Array:
    """Salient s (latent,) as the sliders of this person say; their own where none was moved.

    Sliders go in steps and a person's own s does not: an untouched slider gives the exact value,
    so that what is shown for an untouched person is what the command line gives.
    """
    name, own = f"{model.name} {shown.subject_id}", shown.salient
    ends = _reach(shown, table)
    start = np.round(own, 1).tolist()
    keys = [f"{name} s{k + 1}" for k in range(len(own))]
    with st.container(gap=None):
        values = [
            _slider(key, f"s{k + 1}", ends[k], start[k], hint)
            for k, (key, hint) in enumerate(zip(keys, _hints(model, shown), strict=True))
        ]
    with st.container(horizontal=True, gap="small"):
        st.button("Reset to this person", key=f"{name} reset", on_click=_set, args=(keys, start))
        st.button(
            "All 0",
            key=f"{name} zero",
            help="No disease: now becomes the healthy twin.",
            on_click=_set,
            args=(keys, [0.0] * len(keys)),
        )
    return np.where(np.isclose(values, start), own, values)


def _reach(shown: Person, table: state.Loaded | None) -> list[tuple[float, float]]:
    """Ends of each slider, whole numbers: all of the prior, everyone loaded and this person."""
    people = [shown.salient[None], np.full((1, len(shown.salient)), PRIOR_REACH)]
    if table is not None:
        people.append(results.encoding(table.cohort).salient)
    everyone = np.vstack(people)
    low = np.minimum(everyone.min(axis=0), -PRIOR_REACH)
    return list(zip(np.floor(low).tolist(), np.ceil(everyone.max(axis=0)).tolist(), strict=True))


def _hints(model: Model, shown: Person) -> list[str]:
    """For each salient dimension, which two features one more of it changes most."""
    from cavae.person import step_effects

    hints = []
    for change in step_effects(model, shown):
        if np.abs(change).max() < VISIBLE:
            hints.append("One more of it changes hardly anything in this person.")
            continue
        words = (
            f"{feature_label(shown.features[k])} {numbers.deviation(change[k])}"
            for k in np.argsort(-np.abs(change))[:2]
        )
        hints.append(f"One more of it changes most: {', '.join(words)}.")
    return hints


def _slider(key: str, label: str, ends: tuple[float, float], begin: float, hint: str) -> float:
    if key not in st.session_state:
        st.session_state[key] = begin
    return st.slider(label, *ends, step=STEP, format="%.1f", key=key, help=hint)


def _set(keys: list[str], values: list[float]) -> None:
    for key, value in zip(keys, values, strict=True):
        st.session_state[key] = value
