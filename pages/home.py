"""Home: what this is in one picture, and two ways to begin."""

import streamlit as st

from cavae.limits import limits
from cavae.ui import frame, models, navigation, pictures, widgets

frame.require()


def choices() -> None:
    """The two ways to begin, side by side."""
    demo, own = st.columns(2)
    with demo.container(border=True):
        if widgets.demo_button():
            st.switch_page("pages/latent_space.py")
        st.caption("300 synthetic people. Nothing to upload.")
    with own.container(border=True):
        widgets.own_table_button()
        if not limits().demo:
            st.caption("CSV, TSV or Parquet. Kept in memory only.")


def overview() -> None:
    """What the other pages are for."""
    entries = navigation.introduced()
    for start in range(0, len(entries), 3):
        for column, entry in zip(st.columns(3), entries[start : start + 3], strict=False):
            column.page_link(entry.path, label=f"**{entry.title}**", icon=entry.icon)
            column.caption(entry.summary)


with st.container(width=960):
    st.title("Every patient, beside their healthy twin", anchor=False)
    st.markdown(
        "Turn a table of brain volumes into pairs: each person, and who they would be "
        "without the disease."
    )
    pictures.story()
    choices()
    st.header("What you can do", anchor=False)
    overview()

models.warm_up()
