"""Small pieces that several pages show: the demo button, the empty state, notices, errors."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import streamlit as st

from cavae import numbers
from cavae.checkpoint import ADDRESS, WORD_JOINER, available_models
from cavae.errors import CavaeError, CheckpointError, MisfitError
from cavae.limits import NO_TRAINING, NO_UPLOADS, limits
from cavae.ui import registry, state

if TYPE_CHECKING:
    from cavae.cohort import Cohort

HIDDEN = ("Cc", "Cf", "Cs", "Co", "Cn")  # Unicode's kinds of characters without a picture
MODEL_CHOICE = "model_choice"
ONE_TAB = "People are loaded into one tab of the browser: a reload, or another tab, has none."
NOT_DIAGNOSTIC = "For research. Not a diagnostic device."


def research_notice() -> None:
    """The line that says what this must not be used for."""
    st.caption(f":material/science: {NOT_DIAGNOSTIC}")


def show_error(error: CavaeError) -> None:
    """An error as its one sentence, with no trace of the code, and the ways out where there are.

    A table and a model that do not go together are no fault of either.
    """
    if isinstance(error, MisfitError):
        table = state.loaded()
        people = f"{plain(table.name)} does not fit" if table else "The table does not fit"
        st.warning(f"{people} the model {plain(state.model_label())}. {plain(str(error))}")
        _ways_out("pages/data.py", "pages/train.py")
    else:
        st.error(plain(str(error)), icon=":material/error:")
        if isinstance(error, CheckpointError):
            _ways_out()


def _ways_out(*others: str) -> None:
    """Links to what can be done about a model that cannot be used."""
    labels = {
        "pages/models.py": "Choose another model",
        "pages/data.py": "Load another table",
        "pages/train.py": "Train a model on these people",
    }
    with st.container(horizontal=True):
        for path in ("pages/models.py", *others):
            st.page_link(path, label=labels[path], icon=":material/arrow_forward:")


@contextmanager
def errors_as_sentences() -> Iterator[None]:
    """Show a CavaeError raised inside the block as its sentence, and stop the page there."""
    try:
        yield
    except CavaeError as error:
        show_error(error)
        st.stop()


def demo_button() -> bool:
    """The button that loads the bundled cohort; True in the run after the click, loaded by then."""
    # A callback runs before the page is drawn, so the sidebar already names the demo.
    return st.button(
        "Start with the demo cohort",
        key="start_demo",
        type="primary",
        icon=":material/play_arrow:",
        on_click=state.load_demo,
        width="stretch",
    )


def own_table_button() -> None:
    """The button that leads to the Data page; on a server that takes nothing in, why not."""
    if limits().demo:
        st.caption(f":material/lock: {NO_UPLOADS}")
        return
    label, icon = "Use my own table", ":material/upload_file:"
    if st.button(label, key="start_own", icon=icon, width="stretch"):
        st.switch_page("pages/data.py")


def require_cohort() -> state.Loaded:
    """The table in use; without one, show the empty state with the ways to begin, and stop."""
    if (table := state.loaded()) is not None:
        return table
    with st.container(border=True):
        st.header("No people loaded yet", anchor=False)
        st.markdown("This page needs people. Begin with 300 synthetic ones, or load yours.")
        st.caption(f":material/tab: {ONE_TAB}")
        demo, own = st.columns(2)
        with demo:
            demo_button()
        with own:
            own_table_button()
    st.stop()


def require_training() -> None:
    """Where nothing may be trained, say so and stop."""
    if limits().trains:
        return
    st.info(NO_UPLOADS if limits().demo else NO_TRAINING, icon=":material/lock:")
    st.page_link("pages/models.py", label="Look at the models that are here")
    st.stop()


def sidebar_status() -> None:
    """What is loaded, by diagnosis, which model reads it, and what it must not be used for."""
    with st.sidebar:
        if (table := state.loaded()) is None:
            st.caption(":material/table: No people loaded")
        else:
            people = numbers.people(len(table.cohort))
            st.caption(
                f":material/table: **{plain(table.name)}** · {people}  \n"
                f"{_by_diagnosis(table.cohort)}"
            )
        _choose_model()
        research_notice()
        st.page_link("pages/data_protection.py", label="Data protection", icon=":material/lock:")


def _choose_model() -> None:
    try:
        state.follow_link(model.name for model in available_models())
    except CavaeError as error:
        show_error(error)
        return
    registry.follow_address()
    if gone := registry.replace_missing():
        st.caption(f":material/info: Model {plain(gone)} is gone; this one is used instead.")
    names = registry.labels()
    if len(names) > 1:
        st.session_state[MODEL_CHOICE] = state.model_name()
        st.selectbox(
            "Model",
            list(names),
            format_func=names.get,
            key=MODEL_CHOICE,
            on_change=_use_chosen_model,
        )
    else:
        st.caption(f":material/model_training: Model **{plain(state.model_label())}**")


def _use_chosen_model() -> None:
    """Use what was chosen, if it was on offer: whoever speaks the protocol may name any folder."""
    if (chosen := st.session_state[MODEL_CHOICE]) in registry.labels():
        state.use_model(chosen)


def _by_diagnosis(cohort: Cohort) -> str:
    counts = cohort.subjects["diagnosis"].replace("", "no diagnosis").value_counts()
    return " · ".join(f"{plain(name)} {n:,}" for name, n in counts.items())


def plain(text: str) -> str:
    """Text from a visitor's file, so that Markdown shows it as it is, on one line.

    Addresses do not become links, and characters that cannot be seen, such as those that turn the
    writing direction, are shown as "�".
    """
    seen = "".join("�" if unicodedata.category(c) in HIDDEN else c for c in " ".join(text.split()))
    # Markdown finds addresses after it has taken the backslashes away.
    seen = ADDRESS.sub(rf"\g<0>{WORD_JOINER}", seen)
    return re.sub(r"([\\`*_{}\[\]()<>#+!|~$:-])", r"\\\1", seen)
