"""Models: all of them beside each other, and what can be done with one."""

import streamlit as st

from cavae.limits import limits
from cavae.registry import OWN
from cavae.ui import comparing, frame, keeping, offering, registry, widgets

frame.require()
st.title("Models", anchor=False)

with widgets.errors_as_sentences():
    keeping.name_in_address()
    entries = registry.entries()
    among_yours = comparing.choose_figures()
    shown = comparing.choose(comparing.lines(entries, among_yours), among_yours)
    keeping.tell()
    comparing.describe(shown)
    address = registry.address(shown.entry)
    with st.container(horizontal=True, vertical_alignment="center"):
        if shown.standing is not None:
            offering.use_button(address)
            offering.download_button(address)
        keeping.manage(shown.entry, shown.standing)
    if shown.standing is not None:
        offering.card(address)
    keeping.upload()
    if any(entry.kind == OWN for entry in entries):
        st.caption(keeping.remembered())
    elif limits().trains:
        st.markdown("Models that you train on page Train, or add here, appear in this table.")
        st.page_link("pages/train.py", label="Train a model", icon=":material/model_training:")
