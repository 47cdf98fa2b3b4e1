"""All models in one table: what each is, from whom, how good, and whether it fits the people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import pandas as pd
import streamlit as st

from cavae import numbers
from cavae.errors import CavaeError
from cavae.registry import BOX, OWN, Entry
from cavae.standing import CRITERIA, Standing, standing, standing_among
from cavae.suitability import Suitability, suitability
from cavae.ui import models, notices, registry, state
from cavae.ui.choices import choose_one
from cavae.ui.widgets import plain

CHOSEN = "models_chosen"  # how often by name
RECORDED, AMONG_YOURS = "As recorded", "On your people"
FLATTERED = (
    "All measured on the {people} of {name}, so they can be compared. If a model learned from some "
    "of them, they flatter it."
)
NOT_COMPARABLE = (
    "Figures measured on different people (column Measured on) cannot be compared: a "
    "disease that is easy to see makes any model look good."
)
FITS, FITS_BUT, FITS_NOT, IN_USE = "yes", "yes, but", "no", "●"


@dataclass(frozen=True)
class Line:
    """A model in the table, with figures by key of CRITERIA and on whom they were measured.

    standing is None, and fault says why, when the model cannot be read.
    """

    entry: Entry
    standing: Standing | None
    fit: Suitability | None
    figures: Mapping[str, float] = field(default_factory=dict)
    measured_on: str = ""
    fault: str = ""


def choose_figures() -> bool:
    """Whether figures are those on the loaded people, and not those recorded with each model."""
    if state.loaded() is None:
        return False
    sources = {one: one for one in (RECORDED, AMONG_YOURS)}
    return choose_one("Figures", sources, "standing_figures") == AMONG_YOURS


def lines(entries: Sequence[Entry], among_yours: bool) -> list[Line]:
    """What there is to say of each model."""
    if not among_yours:
        return [_line(entry, False) for entry in entries]
    with st.spinner("Measuring each model on your people …"):
        return [_line(entry, True) for entry in entries]


def _line(entry: Entry, among_yours: bool) -> Line:
    table, address = state.loaded(), registry.address(entry)
    try:
        known = standing(entry.folder)
        fit = None if table is None else fit_of(address, table)
        if table and among_yours:
            return Line(entry, known, fit, _figures_among(address, fit, table), table.name)
    except CavaeError as error:
        return Line(entry, None, None, fault=str(error))
    recorded = known.measured_on.removeprefix("Measured on ")
    return Line(entry, known, fit, known.figures, recorded)


def _figures_among(
    address: str, fit: Suitability | None, table: state.Loaded
) -> Mapping[str, float]:
    """Figures on the loaded people, measured once; none of a model that cannot read them."""
    if fit is None or not fit.fits:
        return {}
    return state.once(
        "standing", lambda: standing_among(models.load_model(address), table.cohort), address
    )


def _explain(among_yours: bool) -> None:
    """Whether the figures of the table can be compared."""
    table = state.loaded()
    if table is None or not among_yours:
        st.caption(NOT_COMPARABLE)
    else:
        people = numbers.people(len(table.cohort))
        st.caption(FLATTERED.format(people=people, name=plain(table.name)))


def fit_of(address: str, table: state.Loaded) -> Suitability:
    """Whether a model fits the loaded table, found out once."""
    return state.once("suitability", lambda: suitability(address, table.cohort), address)


def choose(found: Sequence[Line], among_yours: bool) -> Line:
    """The table, and below it the model that is shown in detail: a row that was clicked, or what
    was chosen by name, which needs no mouse."""
    addresses = [registry.address(line.entry) for line in found]
    if (shown := st.session_state.get(state.Key.SHOWN_MODEL)) not in addresses:
        used = state.model_name()
        shown = used if used in addresses else addresses[0]
        st.session_state[state.Key.SHOWN_MODEL] = shown
    # Rows move when a model comes or goes, and another one is marked when it is chosen by name:
    # what was clicked is of this table alone, whose first row to be marked stays the same.
    key = f"models_{hash(tuple(addresses))}_{st.session_state.get(CHOSEN, 0)}"
    row = st.session_state.setdefault(f"first of {key}", addresses.index(shown))
    labels = registry.labels()
    table = _table(found, labels)
    measured = [one.name for one in CRITERIA if one.name in table]
    st.dataframe(
        table.style.format(partial(numbers.number, places=2), subset=measured),
        hide_index=True,
        column_config=_columns(),
        height="content",
        key=key,
        on_select=partial(_click, key, addresses),
        selection_mode="single-row",
        selection_default={"selection": {"rows": [row]}},
        placeholder="–",
        alt=f"{len(found)} models and their figures.",
    )
    _explain(among_yours)
    chosen = st.selectbox(
        "In detail",
        addresses,
        format_func=labels.get,
        key=state.Key.SHOWN_MODEL,
        on_change=_choose_by_name,
        help="Or click a row of the table.",
        persist_state="session",
        width=360,
    )
    return found[addresses.index(chosen)]


def _click(key: str, addresses: Sequence[str]) -> None:
    if rows := st.session_state[key]["selection"]["rows"]:
        st.session_state[state.Key.SHOWN_MODEL] = addresses[rows[0]]


def _choose_by_name() -> None:
    st.session_state[CHOSEN] = st.session_state.get(CHOSEN, 0) + 1


def _table(found: Sequence[Line], labels: Mapping[str, str]) -> pd.DataFrame:
    rows = [_row(line, labels[registry.address(line.entry)]) for line in found]
    table = pd.DataFrame(rows)
    known = [one.name for one in CRITERIA if table[one.name].notna().any()]
    unknown = [one.name for one in CRITERIA if one.name not in known]
    return table.drop(columns=unknown)


def _row(line: Line, label: str) -> dict[str, object]:
    one = line.standing
    used = registry.address(line.entry) == state.model_name()
    first = {"Model": f"{label} {IN_USE}" if used else label, "Whose": whose(line.entry)}
    if state.loaded() is not None:
        first["Fits"] = _fits(line.fit)
    if one is None:
        return {**first, **{c.name: None for c in CRITERIA}, "Measured on": line.fault}
    return {
        **first,
        "Learned": f"{', '.join(one.background)} → {', '.join(one.target)}",
        **{c.name: line.figures.get(c.key) for c in CRITERIA},
        "People": one.people or None,
        "Reads": f"{one.features} {one.kind}",
        "Variant": one.variant,
        "Measured on": line.measured_on,
    }


def _fits(fit: Suitability | None) -> str:
    if fit is None or not fit.fits:
        return FITS_NOT
    return FITS_BUT if fit.remarks else FITS


def whose(entry: Entry) -> str:
    """To whom a model belongs, in a word or two."""
    if entry.kind == OWN:
        return "yours, shared" if entry.public is not None else "yours"
    return "with the app" if entry.kind == BOX else "shared"


def _columns() -> dict[str, object]:
    figures = {
        one.name: st.column_config.NumberColumn(one.name, help=one.meaning) for one in CRITERIA
    }
    return figures | {
        "Model": st.column_config.TextColumn("Model", help=f"{IN_USE} is the one in use."),
        "Fits": st.column_config.TextColumn("Fits", help="Whether it can read your table."),
        "People": st.column_config.NumberColumn("People", format="localized"),
    }


def describe(line: Line) -> None:
    """The chosen model in words, and whether it fits the loaded table."""
    if line.standing is None:
        st.error(plain(line.fault), icon=":material/error:")
        return
    one = line.standing
    people = f", {numbers.people(one.people)}" if one.people else ""
    st.markdown(
        plain(
            f"{one.variant.capitalize()} model of {one.features} {one.kind}: "
            f"{', '.join(one.target)} against {', '.join(one.background)}{people}. "
            f"Trained on: {one.trained_on or 'not said'}. {one.measured_on}"
        )
    )
    show_fit(line.fit)


def show_fit(fit: Suitability | None) -> None:
    """Whether the loaded people can be read, why not, and what is assumed of them."""
    table = state.loaded()
    if fit is None or table is None:
        return
    if not fit.fits:
        st.warning(f"It does not fit {plain(table.name)}: {plain(fit.obstacle)}")
        return
    st.markdown(f":material/check: It fits **{plain(table.name)}**.")
    notices.warnings(fit.remarks)
    notices.remarks(fit.remarks)
