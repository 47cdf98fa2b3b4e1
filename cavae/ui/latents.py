"""The two latent spaces as pictures: which view, which dimensions, and the people in them."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from cavae import embedding, numbers, plots
from cavae.ui import state
from cavae.ui.glossary import explain

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from cavae.synthesis import Encoding

VIEWS = {"pca": "Overview (PCA)", "pair": "Two dimensions", "matrix": "All pairs", "umap": "UMAP"}
SPACES = {"common": "Common z: what everyone shares", "salient": "Salient s: what disease adds"}
TERMS = {"common": "common z", "salient": "salient s"}
READING = (
    "Healthy and diseased should overlap in what they share and part in what disease adds. "
    "Draw around people to select them."
)
HEIGHT = 340


@dataclass(frozen=True)
class View:
    """How one space is drawn: columns of `table` ("pca_1" …), and a line to read below it."""

    table: pd.DataFrame
    columns: tuple[str, ...]
    note: str = ""

    def figure(self, color: str) -> go.Figure:
        """Two columns as one picture, more as a matrix; coloured by a column of `table`."""
        if len(self.columns) == 2:
            return plots.plot_latent_pair(self.table, *self.columns, color=color, height=HEIGHT)
        return plots.plot_latent_matrix(self.table, self.columns, color=color)


def make_view(encoding: Encoding, space: str, kind: str, color: pd.Series) -> View:
    """One space of a cohort in one of VIEWS; asks for the dimensions where the view needs them."""
    latents = getattr(encoding, space)
    names = tuple(f"{space}_{k + 1}" for k in range(latents.shape[1]))
    note = ""
    if kind == "pair" and len(names) > 1:
        columns = _ask_for_pair(space, names)
        points = latents[:, [names.index(one) for one in columns]]
    elif kind in ("pair", "matrix"):
        columns, points = names, latents
    elif kind == "umap":
        columns, points = ("umap_1", "umap_2"), _umap(space, latents)
        note = "Neighbours are alike. Distances between groups mean little."
    else:
        found = embedding.principal_components(latents)
        columns, points = ("pca_1", "pca_2"), found.values
        note = f"These two directions keep {100 * found.share:.0f} % of the differences."
    table = pd.DataFrame(points, columns=list(columns))
    people = encoding.subjects["subject_id"]
    return View(table.assign(subject_id=people, **{str(color.name): color}), columns, note)


def title(space: str) -> None:
    """The name of a space, explained by its tooltip."""
    st.header(SPACES[space], anchor=False, help=explain(TERMS[space]))


def _ask_for_pair(space: str, names: tuple[str, ...]) -> tuple[str, str]:
    def label(name: str) -> str:
        return f"{TERMS[space][-1]}{name.removeprefix(f'{space}_')}"

    across, up = st.columns(2)
    x = across.selectbox("Across", names, format_func=label, key=f"{space} across")
    y = up.selectbox("Up", names, index=1, format_func=label, key=f"{space} up")
    return x, y


def _umap(space: str, latents: np.ndarray) -> np.ndarray:
    """The embedding of a space, once a session; of the demo, once a process."""
    table = state.loaded()
    people = numbers.count(len(latents), "people")
    seconds = numbers.count(2 + len(latents) // 200, "seconds")
    first = "" if "umap" in sys.modules else ", and half a minute to start, once"
    wait = f"UMAP of {people}: about {seconds}{first} …"
    with st.spinner(wait, show_time=True):
        if table is not None and table.demo:
            return _demo_umap(state.model_name(), space, latents)
        return state.once(f"umap {space}", lambda: embedding.umap_coordinates(latents))


@st.cache_resource(show_spinner=False)
def _demo_umap(model: str, space: str, _latents: np.ndarray) -> np.ndarray:
    return embedding.umap_coordinates(_latents)
