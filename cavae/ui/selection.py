"""People picked out in a picture: by lasso or by id, listed, carried to the next page, let go."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from cavae import numbers, plots
from cavae.tables import without_formulas
from cavae.ui import charts, people, results, state

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from cavae.cohort import Cohort

TABLE_COLUMNS = {
    "subject_id": st.column_config.TextColumn("Person"),
    "diagnosis": st.column_config.TextColumn("Diagnosis"),
    "age": st.column_config.NumberColumn("Age (years)", format="%.0f"),
    "sex": st.column_config.TextColumn("Sex"),
    "mad": st.column_config.NumberColumn("Severity, MAD (SD)", format="%.2f"),
    "effect_mad": st.column_config.NumberColumn("Pure effect (SD)", format="%.2f"),
}


def picture(figure: go.Figure, key: str, alt: str) -> None:
    """Draw a figure in which people are picked by lasso or box, and those picked stand out."""
    charts.draw(
        plots.highlight(figure, state.selected_subjects()),
        key,
        alt,
        on_select=partial(_take, key),
        selection_mode=("lasso", "box"),
    )


def panel(cohort: Cohort) -> None:
    """Who is picked, with the ways on; without anyone, how to pick."""
    picked = state.selected_subjects()
    words, pick, go, clear = st.columns([3, 3, 3, 2], vertical_alignment="bottom")
    if picked:
        words.markdown(f"**{numbers.people(len(picked))} selected**")
    else:
        words.markdown("Nobody selected")
    pick.selectbox(
        "Add a person by id",
        [one for one in cohort.subjects["subject_id"] if one not in set(picked)],
        index=None,
        placeholder="Add a person by id",
        label_visibility="collapsed",
        key="add_person",
        on_change=_add,
    )
    on = go.button(
        "Show their twins",
        key="show_twins",
        type="primary",
        icon=":material/compare_arrows:",
        disabled=not picked,
        width="stretch",
    )
    clear.button(
        "Clear",
        key="clear_selection",
        on_click=_select,
        args=((),),
        disabled=not picked,
        width="stretch",
    )
    if picked:
        table = without_formulas(describe(cohort, picked))
        st.dataframe(table, hide_index=True, column_config=TABLE_COLUMNS)
    if on:
        st.switch_page("pages/counterfactual.py")


def describe(cohort: Cohort, subject_ids: tuple[str, ...]) -> pd.DataFrame:
    """These people with their severity: subject_id, diagnosis, age, sex, mad, effect_mad."""
    twins = results.twins(cohort)
    table = cohort.subjects[["subject_id", "diagnosis", "age", "sex"]].assign(
        mad=twins.mad, effect_mad=twins.effect_mad
    )
    return table[table["subject_id"].isin(subject_ids)]


def _take(key: str) -> None:
    points = st.session_state[key]["selection"]["points"]
    # A matrix has its people once a cell; a dict keeps each once, in order.
    found = {str(point["customdata"][0]): None for point in points if point.get("customdata")}
    _select(found)


def _add() -> None:
    if (one := st.session_state["add_person"]) is not None:
        _select((*state.selected_subjects(), one))
        st.session_state["add_person"] = None


def _select(subject_ids: Iterable[str]) -> None:
    """Pick out those of them who are there: whoever speaks the protocol may name anybody."""
    table = state.loaded()
    there = set() if table is None else set(table.cohort.subjects["subject_id"])
    state.select_subjects(one for one in subject_ids if isinstance(one, str) and one in there)
    people.forget()  # Who was looked at before gives way to the new selection.
