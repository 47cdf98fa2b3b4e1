"""What can be done with a model wherever one is shown: use it, take it along, read its card."""

from __future__ import annotations

import streamlit as st

from cavae.archive import pack_model
from cavae.checkpoint import find_model, model_card
from cavae.ui import state


def use_button(address: str) -> None:
    """Use the model on every page."""
    st.button(
        "Use this model on every page",
        key="use_model",
        type="primary",
        icon=":material/check:",
        on_click=state.use_model,
        args=(address,),
        disabled=state.model_name() == address,
    )


def download_button(address: str) -> None:
    """The model as a ZIP archive, which page Models takes in again."""
    folder = find_model(address)
    st.download_button(
        "Download the model (ZIP)",
        lambda: pack_model(folder),
        f"{folder.name}.zip",
        "application/zip",
        key="download_model",
        icon=":material/folder_zip:",
        help="Weights, settings and card. Page Models takes it in again, here or on another "
        "computer; unpacked, it is a MODEL of the command line.",
        on_click="ignore",
    )


def card(address: str) -> None:
    """The card, on demand."""
    with st.expander("The model's card, with all its figures", icon=":material/description:"):
        st.markdown(model_card(address))
