"""Data: get a table in and see what was understood."""

import streamlit as st

from cavae.cohort import Check, template_csv
from cavae.errors import DataError
from cavae.limits import NO_UPLOADS, limits
from cavae.plots.overview import plot_overview
from cavae.ui import charts, frame, mapping, problems, recognition, state, uploads, widgets

frame.require()
st.title("Data", anchor=False)


def drop_files(*, open_: bool) -> None:
    """Where files are dropped; folded away once people are loaded."""
    label = "Load a table" if open_ else "Load another table"
    with st.expander(label, expanded=open_, icon=":material/upload_file:"):
        volumes, participants = st.columns(2)
        volumes.file_uploader(
            "Brain volumes (CSV, TSV or Parquet)",
            key=uploads.VOLUMES,
            on_change=uploads.drop_volumes,
            help="One row a person, one column a region; age, sex and diagnosis may be in it too.",
        )
        participants.file_uploader(
            "Participants, when in a file of their own",
            key=uploads.PARTICIPANTS,
            on_change=uploads.drop_participants,
            help="Age, sex, diagnosis, ICV, site; joined to the volumes by the id of the person.",
        )
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(
                ":material/lock: A table stays in the memory of this session: nothing is written "
                f"to disk, nothing is sent anywhere. {widgets.ONE_TAB}",
                width="stretch",
            )
            st.download_button(
                "Template table",
                template_csv,
                "template.csv",
                "text/csv",
                key="template",
                type="tertiary",
                icon=":material/download:",
                on_click="ignore",
                help="All columns by name, and one made-up person to show the units.",
            )


def show(check: Check, name: str, reading: uploads.Reading | None) -> None:
    """What was understood of a table, picture first, and the one next step."""
    title, button = st.columns([2, 1], vertical_alignment="bottom")
    title.header(widgets.plain(name), anchor=False)
    with button:
        recognition.show_next_step(check, reading)
    recognition.show_counts(check)
    recognition.show_state(check, reading)
    if check.usable:
        charts.draw(
            plot_overview(check.cohort),
            key="overview",
            alt=f"{check.usable} people: age by sex, hippocampus by age, regions against typical.",
        )
    recognition.show_columns(check)
    if reading is not None:
        mapping.show(reading)
    if check.problems:
        problems.show(check, name)


top = st.container()
reading, table = uploads.read(), state.loaded()
shown = reading or table
check = shown.check if shown else None
with top:
    if limits().demo:
        st.info(NO_UPLOADS, icon=":material/lock:")
    else:
        drop_files(open_=not (check and check.usable))
if reading and reading.error:
    widgets.show_error(DataError(reading.error))
    recognition.show_still_in_use()
    mapping.show(reading)
elif check is not None:
    show(check, reading.names if reading else table.name, reading)
if table is None and check is None:
    st.caption("No table at hand? Look around with 300 synthetic people.")
    with st.columns(2)[0]:
        widgets.demo_button()
