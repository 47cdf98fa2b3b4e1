"""Columns named by hand, where their names do not say what they hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from cavae.atlas import rois
from cavae.errors import DataError
from cavae.numbers import counted
from cavae.ui import uploads, widgets
from cavae.ui.recognition import COVARIATES, NEEDED

if TYPE_CHECKING:
    from cavae.cohort import Check

NO_COLUMN = "(none)"
HEIGHT = 250
"""Pixels of a long list of regions, which scrolls."""


def show(reading: uploads.Reading) -> None:
    """Name columns by hand; open by itself when something needed was not recognized."""
    check = reading.check
    if check is None and len(reading.files) < 2 and not reading.mapping:
        return  # No choice of columns makes this a table.
    columns = uploads.columns(reading)
    found = dict(check.recognition.columns) if check else dict.fromkeys(COVARIATES)
    absent = _absent_regions(check)
    gaps = 0 < len(absent) < len(rois())
    open_ = check is None or gaps or any(found[key] is None for key in NEEDED)
    with (
        st.expander("Choose columns by hand", expanded=open_, icon=":material/edit:"),
        st.form("mapping", border=False),
    ):
        chosen = _choose_covariates(columns, found)
        chosen |= _choose_regions(check, absent) if check and absent else {}
        with st.container(horizontal=True):
            again = st.form_submit_button("Read with these columns", type="primary")
            back = reading.mapping and st.form_submit_button("Undo all choices")
    if reading.mapping:
        _show_outcome(reading)
    if again or back:
        mapping = {} if back else {**reading.mapping, **chosen}
        uploads.map_by_hand(reading, mapping)
        st.rerun()


def _show_outcome(reading: uploads.Reading) -> None:
    """What the choice led to, where the button was pressed: the rest is far above on the page."""
    if (check := reading.check) is None:
        widgets.show_error(DataError(reading.error))
        return
    rows = f"{check.usable:,} of {counted(check.rows, 'row')} without a fault"
    features = counted(len(check.recognition.features), "feature")
    told = f"Read with these columns: {rows}, {features} found."
    st.success(f"{told} " + ("In use now." if reading.in_use else "What to do next stands above."))


def _choose_covariates(columns: list[str], found: Mapping[str, str | None]) -> dict[str, str]:
    """Choices that differ from what was recognized: covariate to column, "" for none."""
    options, chosen = [NO_COLUMN, *columns], {}
    for place, (key, name) in zip([*st.columns(3)] * 2, COVARIATES.items(), strict=True):
        column = found[key] if found[key] in columns else NO_COLUMN
        picked = place.selectbox(name, options, index=options.index(column))
        if picked != column:
            chosen[key] = "" if picked == NO_COLUMN else picked
    return chosen


def _absent_regions(check: Check | None) -> list[str]:
    """MUSE indices of the regions that were not found."""
    known = check.recognition.features if check and check.cohort.kind == "muse" else {}
    return [one.index for one in rois() if one.index not in known]


def _choose_regions(check: Check, absent: list[str]) -> dict[str, str]:
    """Columns given to regions that were not found: MUSE index to column."""
    unused = list(check.cohort.extra.select_dtypes("number"))
    if check.cohort.kind != "muse":
        unused = [*check.recognition.features.values(), *unused]
    if not unused:
        return {}
    labels = {one.index: one.label for one in rois()}
    table = pd.DataFrame(
        {"Region": [labels[index] for index in absent], "Column": pd.Series([None] * len(absent))},
        index=absent,
    )
    edited = st.data_editor(
        table,
        hide_index=True,
        disabled=["Region"],
        column_config={
            "Region": st.column_config.TextColumn("Region not found"),
            "Column": st.column_config.SelectboxColumn("Column with its volume", options=unused),
        },
        height=min(HEIGHT, 38 + 35 * len(table)),
        placeholder="choose",
    )
    return edited["Column"].dropna().astype(str).to_dict()
