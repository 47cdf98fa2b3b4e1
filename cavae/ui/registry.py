"""The models that this visitor may use: those in the box, their own, and those shared by others."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import streamlit as st

from cavae.registry import BOX, SHARED_BY_OTHERS, Entry, Registry
from cavae.ui import state

ADDRESS = "own"


@st.cache_resource(show_spinner=False)
def registry() -> Registry:
    """The one registry of this server."""
    return Registry()


def follow_address() -> None:
    """Count the models that the page's address names to this visitor's own."""
    for key in st.query_params.get_all(ADDRESS):
        if registry().find(key) is not None:
            state.own(key)


def entries() -> tuple[Entry, ...]:
    """Every model that this visitor may use."""
    return registry().visible(state.own_keys())


def address(entry: Entry) -> str:
    """How `state.model_name` names a model."""
    return entry.name if entry.kind == BOX else str(entry.folder)


def labels() -> dict[str, str]:
    """What people read for each model, by its address; no two the same.

    The model in use is among them even if it is a folder that nobody keeps here.
    """
    found = entries()
    names = {address(entry): _label(entry) for entry in found}
    if (used := state.model_name()) not in names:
        names[used] = Path(used).name
    seen: Counter[str] = Counter()
    for key, name in names.items():
        seen[name] += 1
        names[key] = name if seen[name] == 1 else f"{name} ({seen[name]})"
    return names


def _label(entry: Entry) -> str:
    return f"{entry.name} (shared)" if entry.kind == SHARED_BY_OTHERS else entry.name


def replace_missing() -> str:
    """Use the default model where the one in use is gone; the name of the one that went, or ""."""
    used = state.model_name()
    if used in map(address, entries()) or (Path(used) / "config.json").is_file():
        return ""
    from cavae.checkpoint import DEFAULT_MODEL

    state.use_model(DEFAULT_MODEL)
    return Path(used).name
