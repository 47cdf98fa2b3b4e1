"""Cohort: a synthetic cohort of pairs to download."""

from functools import partial

import streamlit as st

from cavae.ui import charts, frame, glossary, models, notices, pairs, quality, results, state

frame.require()
st.title("Cohort", anchor=False)
st.markdown(
    "Pairs of imagined people: each with the disease (target), and as their healthy twin "
    "(background).",
    help=f"Target: {glossary.explain('target')} Background: {glossary.explain('background')}",
)


def show_picture(request: pairs.SampleRequest, shown: pairs.PairedCohort) -> None:
    """The pairs, below the loaded people when there are any of the model's two groups."""
    unit, table, groups = "SD" if request.standardized else "mm³", state.loaded(), None
    if table is not None:
        model = models.current_model()
        groups = pairs.loaded_groups(table.cohort, model, request.standardized)
    charts.draw(
        pairs.picture(shown, groups, unit),
        key="pairs_picture",
        alt="Distribution of hippocampus and amygdala volumes, background and target.",
    )
    if request.pairs > pairs.PICTURED:
        st.caption(f"The picture shows the first {pairs.PICTURED:,} pairs.")
    if groups is not None and request.standardized:
        notices.warnings(results.encoding(table.cohort).notices)


def offer_files(request: pairs.SampleRequest) -> None:
    """The file, the record that belongs to it, and the command that makes both again."""
    from cavae.provenance import sample_command, sample_record

    name = state.model_name()
    with st.container(horizontal=True, vertical_alignment="center"):
        kind = st.radio(
            "File",
            list(pairs.FORMATS),
            horizontal=True,
            label_visibility="collapsed",
            key="pairs_format",
            persist_state="session",
        )
        suffix, mime = pairs.FORMATS[kind]
        file = pairs.stem(name, request) + suffix
        pairs.offer_file(name, request, suffix, mime)
        st.download_button(
            "Download its record (JSON)",
            partial(sample_record, name, request, file),
            pairs.stem(name, request) + ".json",
            "application/json",
            key="pairs_record",
            icon=":material/description:",
            help="Which model, seed and settings made the file, and the command to make it again.",
            on_click="ignore",
        )
    st.caption(
        "Synthetic people are nobody: no row is a person. "
        "A twin is what the model expects without the disease, not a causal claim."
    )
    st.code(sample_command(name, request, file), language=None, wrap_lines=True)


request = pairs.choose(models.current_model())
shown = pairs.shown(request)
show_picture(request, shown)
offer_files(request)
pairs.show_table(shown, "SD" if request.standardized else "mm³")
quality.show()
