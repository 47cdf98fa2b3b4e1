"""Data protection: what is kept of whom, where and how long, and what a download gives away."""

import streamlit as st

from cavae.ui import frame, protection, widgets

frame.require()
st.title("Data protection", anchor=False)

with st.container(width=960), widgets.errors_as_sentences():
    st.markdown(
        "**No row of a table that you load is written to disk, sent anywhere, logged, or seen by "
        "anybody else who uses this app.** Nothing is fetched from or sent to other computers: no "
        "statistics, no fonts, no maps."
    )
    st.header("What is kept", anchor=False)
    protection.show_kept()
    st.caption(
        "Whoever runs the computer that this app runs on can look into its memory and storage. A "
        "key is part of the address of a job and of page Models: whoever has that address can use, "
        "share or delete the model."
    )
    st.header("What a model or a cohort gives away", anchor=False)
    st.markdown(
        "A model holds no row of a person, and synthetic people are nobody. Yet it learned from "
        "people, and whoever **already has somebody's volumes** may find out whether that person "
        "was among them, which says which disease they had or had not."
    )
    protection.show_revealed()
    st.markdown(
        "- **Before you share** a model, or a cohort made with it, look at its figures here, on "
        "page *Cohort* and in its card. Few people make an attack easy; where nothing was "
        "measured, take it for possible.\n"
        "- **Exported explorers** hold synthetic people unless you tick that your own shall be in "
        "the file: then their ids, ages and volumes are, for everyone who gets it.\n"
        "- **Latents, twins and a person's table** that you download are data of those people, as "
        "much as the table that you loaded."
    )
