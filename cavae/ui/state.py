"""What one visitor has loaded and chosen: every key of the session in one place.

Nothing here is written to disk; it lives in the memory of one session and goes with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, TypeVar

import streamlit as st

from cavae.checkpoint import DEFAULT_MODEL, model_stamp

if TYPE_CHECKING:
    from cavae.cohort import Check, Cohort

DEMO = Path(__file__).parents[2] / "assets" / "demo_cohort.csv"

T = TypeVar("T")


class Key(StrEnum):
    """The keys of st.session_state that outlive a page; widgets have their own, local keys."""

    LOADED = "loaded"
    UPLOAD = "upload"
    MODEL = "model"
    SELECTED = "selected"
    RESULTS = "results"
    MEASURED = "measured"
    OWN = "own"
    SHOWN_MODEL = "shown_model"
    MADE = "made"


@dataclass(frozen=True)
class Loaded:
    """The table in use: what was read, the name to show, whether it is the bundled demo."""

    check: Check
    name: str
    demo: bool = False

    @property
    def cohort(self) -> Cohort:
        """The usable rows."""
        return self.check.cohort


def loaded() -> Loaded | None:
    """The table in use, or None before one was loaded."""
    return st.session_state.get(Key.LOADED)


def load(check: Check, name: str, *, demo: bool = False) -> None:
    """Put a table in use; what was selected in and computed from the last one is forgotten."""
    st.session_state[Key.LOADED] = Loaded(check, name, demo)
    st.session_state[Key.SELECTED] = ()
    st.session_state[Key.RESULTS] = {}


def load_demo() -> None:
    """Put the bundled synthetic cohort in use."""
    load(demo_check(), "Demo cohort", demo=True)


# A resource, not data: cache_data would pickle it. Shared by all visitors, so never changed.
@st.cache_resource(show_spinner=False)
def demo_check() -> Check:
    """The bundled cohort as it was read, once a process."""
    from cavae.cohort import read_cohort

    return read_cohort(DEMO)


def model_name() -> str:
    """The model in use, by its name under pretrained/ or its folder; the sidebar chooses."""
    return st.session_state.get(Key.MODEL, DEFAULT_MODEL)


def model_label() -> str:
    """The model in use as people call it: never the folder, whose key is a secret."""
    return PurePath(model_name()).name


def use_model(name: str) -> None:
    """Use a model on every page; as a callback, before the page is drawn."""
    st.session_state[Key.MODEL] = name


def own_keys() -> tuple[str, ...]:
    """Keys of the models of this visitor's own, in the order in which they came."""
    return st.session_state.get(Key.OWN, ())


def own(key: str) -> None:
    """Count a model to this visitor's own: made by a job of theirs, uploaded, or by its address."""
    if key not in own_keys():
        st.session_state[Key.OWN] = (*own_keys(), key)


def follow_link(models: Iterable[str]) -> None:
    """Take the model that the page's address names, before the visitor has chosen one."""
    named = st.query_params.get("model")
    if Key.MODEL not in st.session_state and named in models:
        st.session_state[Key.MODEL] = named


def selected_subjects() -> tuple[str, ...]:
    """The subject ids picked out on one page for the next, in the order they were picked."""
    return st.session_state.get(Key.SELECTED, ())


def select_subjects(subject_ids: Iterable[str]) -> None:
    """Pick subjects out; pages that show one person start with the first of them."""
    st.session_state[Key.SELECTED] = tuple(subject_ids)


def once(name: str, compute: Callable[[], T], model: str | None = None) -> T:
    """Return a result of the loaded table and a model, computed at the first call only.

    `name` says what it is ("encoding", "twins residual"); the model is the one in use unless
    another is named. A new table forgets all results.
    """
    results = st.session_state.setdefault(Key.RESULTS, {})
    key = _key(name, model_name() if model is None else model)
    if key not in results:
        results[key] = compute()
    return results[key]


def at_hand(name: str) -> object | None:
    """The result that `once` has computed by that name, or None."""
    return st.session_state.get(Key.RESULTS, {}).get(_key(name, model_name()))


def _key(name: str, model: str) -> tuple[str, str, tuple[int, int]]:
    """A result's key; another model may come to lie in a folder that others share."""
    return name, model, model_stamp(model)
