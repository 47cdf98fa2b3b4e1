"""Choices that outlive a page, and may no longer be on offer when the visitor comes back."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st


def keep_valid(key: str, options: Sequence[Any]) -> None:
    """Let a widget's remembered value fall back to the first option when it is not one of them."""
    if st.session_state.get(key) not in options:
        st.session_state[key] = options[0]


def choose_one(
    label: str, options: Mapping[str, str], key: str, explained: str | None = None
) -> str:
    """Ask for one of a few options, value to words; the answer outlives the page."""
    return st.radio(
        label,
        list(options),
        format_func=options.get,
        horizontal=True,
        key=key,
        help=explained,
        persist_state="session",
    )
