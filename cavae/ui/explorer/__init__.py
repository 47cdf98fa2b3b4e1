"""The live explorer on a page: the component, what it is shown, and where its point came to rest.

The browser decodes (engine.js) and tells Python a position when the point is let go; Python then
computes the same numbers. The position never is in the data, which would be sent again with it.
"""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray
from streamlit.components import v2

from cavae import explorer, numbers
from cavae.errors import DataError
from cavae.limits import limits
from cavae.plots.volumes import centile
from cavae.ui import models, problems, recognition, results, state, uploads, widgets
from cavae.ui.widgets import plain

if TYPE_CHECKING:
    from cavae.checkpoint import Model
    from cavae.cohort import Cohort
    from cavae.person import Person
    from cavae.synthesis import Twins

Array = NDArray[np.float64]

KEY = "explorer"
LINKED = ("model", "person", "s")
FARTHEST = 1e4
"""Of salient s that is told, prior SD: so far off nobody is."""
SYNTHETIC = "The people shown are synthetic."
OWN_HELP = "Their ids, ages and volumes would be in the file, for everyone who gets it."


@dataclass(frozen=True)
class Shown:
    """The people in the explorer, and everything about them as the JSON that the browser gets."""

    cohort: Cohort
    twins: Twins
    own: bool
    """Whether they are the visitor's, not synthetic people of ours."""
    text: bytes
    start: str
    """Id of the person to begin with."""
    notes: tuple[str, ...]

    def person(self, model: Model, name: str) -> Person | None:
        """The person of that id, who may be the average one; None if there is nobody."""
        from cavae.person import person_of

        if name == explorer.AVERAGE:
            return explorer.average_person(model)
        rows = np.flatnonzero(self.cohort.subjects["subject_id"] == name)
        return person_of(model, self.cohort, self.twins, int(rows[0])) if len(rows) else None


@dataclass(frozen=True)
class Position:
    """Where the point is: a person, and salient s (latent,)."""

    person: Person
    salient: Array


def shown() -> Shown:
    """The loaded people, or the bundled ones before a table was loaded; raises CavaeError."""
    table = state.loaded()
    if table is None or table.demo:
        return bundled(state.model_name())

    def compute() -> Shown:
        return shown_people(models.current_model(), table.cohort, results.twins(table.cohort))

    return state.once("explorer", compute)


@models.cached(most=4)
def bundled(name: str) -> Shown:
    """The synthetic people that go with a model, for everyone who visits."""
    model = models.load_model(name)
    from cavae.synthesis import encode, healthy_twins

    cohort = explorer.bundled_cohort(model)
    return shown_people(model, cohort, healthy_twins(model, encode(model, cohort)), own=False)


def shown_people(model: Model, cohort: Cohort, twins: Twins, own: bool = True) -> Shown:
    """A cohort and its twins as the explorer shows them; raises ConfigError."""
    data = explorer.explorer_data(model, cohort, twins)
    text = json.dumps(data, allow_nan=False, separators=(",", ":")).encode()
    notes = data["notes"] if own else [SYNTHETIC]
    return Shown(cohort, twins, own, text, data["start"], tuple(notes))


def mount(people: Shown) -> object:
    """Draw the explorer; the position that it was last told of, None before the first."""
    html, style = explorer.template()
    if limits().demo:
        style += ".openTable { display: none; }"
    component = v2.component("explorer", html=html, css=style, js=explorer.scripts())
    made = component(
        key=KEY, data=people.text, on_position_change=_nothing, on_file_change=_take_file
    )
    return made.position


def _nothing() -> None:
    """The position is read where it is shown."""


def _take_file() -> None:
    """Keep a file that was dropped on the explorer, for `show_dropped` to read in the next run.

    What is no such file comes from no explorer of ours, and is passed over.
    """
    match st.session_state[KEY].get("file"):
        case {"name": str(name), "base64": str(text)}:
            with suppress(ValueError):
                uploads.take(name, base64.b64decode(text, validate=True))


def show_dropped() -> None:
    """Read a file that was dropped; what must be settled before its people are shown.

    A table without any fault, guess or gap is in use at once, and the page begins anew.
    """
    reading = uploads.read()
    if reading is None or reading.in_use:
        return
    if reading.error:
        widgets.show_error(DataError(reading.error))
        recognition.show_still_in_use()
    else:
        title, button = st.columns([3, 1], vertical_alignment="bottom")
        title.header(plain(reading.names), anchor=False)
        with button:
            recognition.show_next_step(reading.check, reading)
        recognition.show_state(reading.check, reading)
        if reading.check.problems:
            problems.show(reading.check, reading.names)
    with st.container(horizontal=True):
        st.page_link("pages/data.py", label="Choose its columns on page Data")
        if state.loaded() is None:
            st.button("Dismiss", key="dismiss", icon=":material/close:", on_click=uploads.forget)


def position(model: Model, people: Shown, told: object) -> Position:
    """Where the point is: as told, as the address says, or where the first person is.

    What does not fit the model and the people, because both have changed or because it comes from
    no explorer of ours, is passed over.
    """
    for place in (told, _linked()):
        if (found := _read(model, people, place)) is not None:
            return found
    person = people.person(model, people.start)
    return Position(person, person.salient)


def _read(model: Model, people: Shown, place: object) -> Position | None:
    if not isinstance(place, dict) or place.get("model") != model.name:
        return None
    person = people.person(model, str(place.get("person")))
    return person and Position(person, _salient(place.get("s"), person.salient))


def _salient(told: object, own: Array) -> Array:
    """As told, if it has a number of a likely size for each dimension; else a person's own."""
    try:
        salient = np.asarray(told, dtype=float)
    except (TypeError, ValueError, OverflowError):
        return own
    sound = salient.shape == own.shape and (np.abs(salient) <= FARTHEST).all()  # nor is nan
    return salient if sound else own


def _linked() -> dict[str, Any] | None:
    """The position in the page's address, or None where there is none."""
    address = st.query_params
    if "person" not in address:
        return None
    try:
        salient = [float(value) for value in address.get("s", "").split(",") if value]
    except ValueError:
        salient = []
    return {"model": address.get("model"), "person": address["person"], "s": salient}


def link(model: Model, place: Position) -> None:
    """Put the position into the page's address, to be kept or sent to somebody."""
    values = (model.name, place.person.subject_id, ",".join(map(repr, place.salient.tolist())))
    if (wanted := dict(zip(LINKED, values, strict=True))) != st.query_params.to_dict():
        st.query_params.from_dict(wanted)


def show_rows(rows: pd.DataFrame, unit: str) -> None:
    """A few rows of `person_table`, rounded, as text that every reader can read."""
    size = f" ({unit})" if unit else ""
    among = zip(rows["observed"], rows["mean"], rows["sd"], strict=True)
    columns = {
        "Region": rows["label"].map(plain),
        f"Healthy twin{size}": [_size(value, unit) for value in rows["healthy"]],
        f"Now{size}": [_size(value, unit) for value in rows["observed"]],
        "Effect (SD)": [numbers.signed(value, 2) for value in rows["effect"]],
        "Effect (%)": [numbers.signed(value, 1) for value in rows["percent"]],
        "Now, among healthy people like this one": [centile(*one) for one in among],
    }
    if not unit:
        del columns["Effect (%)"]
    with st.container(key="sentences_let_go"):
        st.table(pd.DataFrame(columns).set_index("Region"), border="horizontal")


def _size(value: float, unit: str) -> str:
    return f"{value:,.0f}" if unit else f"{value:,.4g}"


def export_button(model: Model, people: Shown) -> None:
    """Offer the explorer as one file; the visitor's people go into it only if they tick so."""
    own = False
    if people.own:
        label = "Put my own people into the exported file"
        own = st.checkbox(label, key="export_own", help=OWN_HELP)
    st.download_button(
        "Export explorer",
        lambda: export_file(people, own),
        file_name=f"explorer_{model.name}.html",
        mime="text/html",
        icon=":material/download:",
        on_click="ignore",
        key="export_explorer",
        help="One HTML file that works offline, for a lecture or a paper's supplement.",
    )


def export_file(people: Shown, own: bool) -> bytes:
    """The explorer as one HTML file, with synthetic people unless `own` are asked for."""
    chosen = people if own or not people.own else bundled(state.model_name())
    return explorer.export_html(json.loads(chosen.text)).encode()
