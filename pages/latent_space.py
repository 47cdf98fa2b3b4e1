"""Latent space: common z and salient s of the loaded people, side by side."""

import streamlit as st

from cavae.ui import (
    choices,
    coloring,
    downloads,
    frame,
    latents,
    models,
    notices,
    results,
    selection,
    subtypes,
    widgets,
)

frame.require()
st.title("Latent space", anchor=False)
cohort = widgets.require_cohort().cohort
st.caption(latents.READING)

with widgets.errors_as_sentences():
    model = models.current_model()
    encoding = results.encoding(cohort)
    notices.warnings(encoding.notices)
    names = coloring.color_choices(cohort)

    how, colored = st.columns([3, 2])
    kind = how.radio(
        "View",
        list(latents.VIEWS),
        format_func=latents.VIEWS.get,
        horizontal=True,
        key="view",
        persist_state="session",
    )
    choices.keep_valid("color", list(names))
    color = colored.selectbox(
        "Colour by", list(names), format_func=names.get, key="color", persist_state="session"
    )
    values = coloring.color_column(cohort, color).rename(color)

    for column, space in zip(st.columns(2, gap="medium"), latents.SPACES, strict=True):
        with column:
            latents.title(space)
            view = latents.make_view(encoding, space, kind, values)
            groups = subtypes.groups(model) if space == "salient" else []
            outlined = bool(groups) and view.plane is not None
            selection.picture(
                view.figure(color, groups),
                key=f"{space} picture",
                alt=f"{len(cohort)} people in {latents.TERMS[space]}, coloured by {names[color]}",
            )
            st.caption(" ".join([view.note, latents.OUTLINED] if outlined else [view.note]))

    selection.panel(cohort)
    downloads.csv_button("Download the latents", encoding.table, "latents.csv", "download_latents")
    subtypes.panel(model, cohort)
    notices.remarks(encoding.notices)
