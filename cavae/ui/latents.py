"""The two latent spaces as pictures: which view, which dimensions, and the people in them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from cavae import embedding, numbers, plots
from cavae.plots.latent import Outline
from cavae.ui import models, state
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
OUTLINED = "An outline holds 90 % of the patients it is named for."
SAME = "Everyone is at the same place here: this model tells people apart in the other space."
ALONE = "One person alone has no main directions: two dimensions are shown."
HEIGHT = 340


@dataclass(frozen=True)
class Group:
    """A Gaussian in a latent space: its name, mean (d,) and covariance (d, d)."""

    name: str
    mean: np.ndarray
    covariance: np.ndarray

    def seen_in(self, center: np.ndarray, directions: np.ndarray) -> Outline:
        """Its shadow on a plane, center (d,) and directions (d, 2)."""
        return Outline(
            self.name,
            (self.mean - center) @ directions,
            directions.T @ self.covariance @ directions,
        )


@dataclass(frozen=True)
class View:
    """How one space is drawn: columns of `table` ("pca_1" …), and a line to read below it."""

    table: pd.DataFrame
    columns: tuple[str, ...]
    note: str = ""
    plane: tuple[np.ndarray, np.ndarray] | None = None
    """Where a picture of two columns lies in the space: center (d,) and directions (d, 2)."""

    def figure(self, color: str, groups: Sequence[Group] = ()) -> go.Figure:
        """Two columns as one picture, more as a matrix; coloured by a column of `table`.

        Groups are outlined where the picture is a plane of their space.
        """
        if len(self.columns) == 2:
            outlines = [] if self.plane is None else [one.seen_in(*self.plane) for one in groups]
            return plots.plot_latent_pair(
                self.table, *self.columns, color=color, height=HEIGHT, outlines=outlines
            )
        return plots.plot_latent_matrix(self.table, self.columns, color=color)


def make_view(encoding: Encoding, space: str, kind: str, color: pd.Series) -> View:
    """One space of a cohort in one of VIEWS; asks for the dimensions where the view needs them."""
    latents = getattr(encoding, space)
    names = tuple(f"{space}_{k + 1}" for k in range(latents.shape[1]))
    note, plane = "", None
    alone = len(latents) == 1
    if alone and kind in ("pca", "umap"):
        kind, note = "pair", ALONE
    if not alone and np.ptp(latents, axis=0).max() == 0:
        points = embedding.principal_components(latents).values
        columns, note = ("pca_1", "pca_2"), SAME
    elif kind == "pair" and len(names) > 1:
        columns = _ask_for_pair(space, names)
        chosen = [names.index(one) for one in columns]
        points, plane = latents[:, chosen], (np.zeros(len(names)), np.eye(len(names))[:, chosen])
    elif kind in ("pair", "matrix"):
        columns, points = names, latents
    elif kind == "umap":
        columns, points = ("umap_1", "umap_2"), _umap(space, latents)
        note = "Neighbours are alike. Distances between groups mean little."
    else:
        found = embedding.principal_components(latents)
        columns, points = ("pca_1", "pca_2"), found.values
        plane = found.center, found.directions
        note = f"These two directions keep {100 * found.share:.0f} % of the differences."
    table = pd.DataFrame(points, columns=list(columns))
    people = encoding.subjects["subject_id"]
    named = table.assign(subject_id=people, **{str(color.name): color})
    return View(named, columns, note, plane)


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
    people = numbers.people(len(latents))
    seconds = numbers.counted(2 + len(latents) // 200, "second")
    first = "" if "umap" in sys.modules else ", and half a minute to start, once"
    wait = f"UMAP of {people}: about {seconds}{first} …"
    with st.spinner(wait, show_time=True):
        if table is not None and table.demo:
            return _demo_umap(state.model_name(), space, latents)
        return state.once(f"umap {space}", lambda: embedding.umap_coordinates(latents))


@models.cached(most=16)
def _demo_umap(model: str, space: str, _latents: np.ndarray) -> np.ndarray:
    return embedding.umap_coordinates(_latents)
